import type { Environment } from '../contract.ts';
import { statusRefusal } from '../domain/wallet.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { askIfNeeded, readFourEyes } from '../http/four-eyes.ts';
import type { FourEyesServices } from '../http/four-eyes.ts';
import { command, serve } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { setStatus, statusBody } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';

/**
 * `POST /wallets/{walletId}/unfreeze`: lets money move again, also out of a closed wallet that it came back to.
 * Withdrawals that waited go on within six minutes. Owners do not unfreeze their own wallets. It may need the approval of
 * a second operator.
 */
export const unfreeze = command<typeof statusBody, RouteServices & FourEyesServices>({
  name: 'unfreeze',
  body: statusBody,
  async handle(call, services) {
    const { path, body, operation } = call;
    const walletId = path['walletId'] ?? '';
    const { answer, refusal } = await askIfNeeded(services, call, {
      facts: { command: 'unfreeze', walletIds: [walletId] },
      look: async () => {
        const wallet = await getWallet(services.table, walletId, { consistent: true });
        const askRefusal = statusRefusal(wallet, 'active', operation.principal);
        return { statusChangedAt: wallet?.lastStatusChange?.at, askRefusal };
      },
    });
    return answer ?? setStatus(services.table, operation, { walletId, status: 'active', ...body }, refusal);
  },
});

export const open = (environment: Environment<'unfreeze'>) =>
  serve(unfreeze, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    fourEyes: readFourEyes(environment.FOUR_EYES),
  });
