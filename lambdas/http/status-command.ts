import * as z from 'zod/mini';
import type { WalletStatus } from '../domain/wallet.ts';
import type { Table } from '../store/table.ts';
import { setWalletStatus } from '../store/wallets.ts';
import { command, committed } from './http.ts';
import type { RouteServices } from './http.ts';
import { fields } from './body-fields.ts';
import { walletView } from '../views/views.ts';

/**
 * Returns an operators' route that sets a wallet's status and answers with the wallet.
 *
 * @param explain adds to a refusal what only reads show
 */
export function statusCommand(
  name: 'freeze' | 'unfreeze' | 'close',
  status: WalletStatus,
  explain: (table: Table, walletId: string, error: unknown) => Promise<unknown> = (_, __, error) =>
    Promise.resolve(error),
) {
  return command({
    name,
    body: z.strictObject({ reason: z.optional(fields.text(128)) }),
    async handle({ path, body, operation }, { table }: RouteServices) {
      const change = { walletId: path['walletId'] ?? '', status, reason: body.reason };
      const { wallet, replayed } = await setWalletStatus(table, operation, change).catch(async (error: unknown) => {
        throw await explain(table, change.walletId, error);
      });
      return committed(200, walletView(wallet, 'operator', table.now()), replayed);
    },
  });
}
