import { WalletError } from '../domain/errors.ts';
import type { Hold } from '../domain/transaction.ts';
import { refuseCommand } from '../store/operations.ts';
import type { Operation } from '../store/operations.ts';
import type { Table } from '../store/table.ts';
import type { Audience } from '../views/view.ts';
import type { Caller } from './caller.ts';
import { getVisibleTransaction, isOnlyPayer } from './visible.ts';

/**
 * Returns a hold that the caller may capture and release, as the owner of the wallet that it pays, or as an operator. The
 * payer may not, as the receiver relies on the money until the hold expires.
 *
 * @param operation undefined: for a dry run, which no earlier request with the same key concerns
 * @throws WalletError `transaction_not_found` also for a hold between other owners, `not_a_hold`, `forbidden` for the
 * payer
 */
export async function getReceivedHold(
  table: Table,
  caller: Caller,
  operation: Operation | undefined,
  transactionId: string,
): Promise<{ hold: Hold; audience: Audience }> {
  const { transaction, audience } = await getVisibleTransaction(table, caller, transactionId);
  if (transaction.type !== 'hold') {
    const refusal = new WalletError('not_a_hold');
    if (operation === undefined) throw refusal;
    return refuseCommand(table, operation, refusal);
  }
  if (await isOnlyPayer(table, caller, { transaction, audience })) {
    throw new WalletError('forbidden', {
      detail: 'only the receiver of the hold and operators may capture or release it',
    });
  }
  return { hold: transaction, audience };
}
