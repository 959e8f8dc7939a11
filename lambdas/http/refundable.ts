import { WalletError } from '../domain/errors.ts';
import { isRefundable, notRefundable } from '../domain/refund.ts';
import type { Refundable } from '../domain/transaction.ts';
import { refuseCommand } from '../store/operations.ts';
import type { Operation } from '../store/operations.ts';
import type { Table } from '../store/table.ts';
import type { Caller } from './caller.ts';
import { getVisibleTransaction, isOnlyPayer } from './visible.ts';

/**
 * Returns a transaction that the caller may refund: as the owner of the wallet that received its money, or as an operator.
 * Only operators refund charges, as that money goes to the world outside.
 *
 * @throws WalletError `transaction_not_found` also for a transaction between other owners, `not_refundable`, `forbidden`
 * for the payer, and for an owner whose wallet was charged
 */
export async function getRefundable(
  table: Table,
  caller: Caller,
  operation: Operation,
  transactionId: string,
): Promise<Refundable> {
  const visible = await getVisibleTransaction(table, caller, transactionId);
  const { transaction } = visible;
  if (!isRefundable(transaction)) return refuseCommand(table, operation, notRefundable(transaction));
  if (caller.kind === 'owner' && transaction.type === 'charge') {
    throw new WalletError('forbidden', { detail: 'only operators may refund a charge' });
  }
  if (await isOnlyPayer(table, caller, visible)) {
    throw new WalletError('forbidden', {
      detail: 'only the receiver of the transaction and operators may refund it',
    });
  }
  return transaction;
}
