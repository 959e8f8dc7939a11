import * as z from 'zod/mini';
import type { WalletError } from '../domain/errors.ts';
import type { WalletStatus } from '../domain/wallet.ts';
import type { Operation } from '../store/operations.ts';
import type { Table } from '../store/table.ts';
import { getDetails } from '../store/wallet-details.ts';
import { setWalletStatus } from '../store/wallets.ts';
import { command } from './http.ts';
import { committed } from './committed.ts';
import type { RouteServices } from './http.ts';
import { fields } from './body-fields.ts';
import type { Answer } from './problem.ts';
import { walletView } from '../views/wallet-view.ts';

/** The body of a command that sets a wallet's status. */
export const statusBody = z.strictObject({ reason: z.optional(fields.text(128)) });

/**
 * Returns an operators' route that sets a wallet's status and answers with the wallet.
 *
 * @param explain adds to a refusal what only reads show
 */
export function statusCommand(
  name: 'freeze' | 'close',
  status: WalletStatus,
  explain: (table: Table, walletId: string, error: unknown) => Promise<unknown> = (_, __, error) =>
    Promise.resolve(error),
) {
  return command({
    name,
    body: statusBody,
    handle({ path, body, operation }, { table }: RouteServices) {
      const walletId = path['walletId'] ?? '';
      return setStatus(table, operation, { walletId, status, ...body }).catch(async (error: unknown) => {
        throw await explain(table, walletId, error);
      });
    },
  });
}

/** Sets a wallet's status, and answers with the wallet. `refusal`: see `setWalletStatus`. */
export async function setStatus(
  table: Table,
  operation: Operation,
  change: Parameters<typeof setWalletStatus>[2],
  refusal?: WalletError,
): Promise<Answer> {
  const { wallet, replayed } = await setWalletStatus(table, operation, change, refusal);
  const details = await getDetails(table, wallet);
  return committed(200, walletView(wallet, 'operator', table.now(), details), replayed);
}
