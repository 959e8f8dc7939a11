import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { isTransactionId } from '../domain/ids.ts';
import type { Transaction } from '../domain/transaction.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { fields } from '../http/body-fields.ts';
import { openLimits } from '../http/limits.ts';
import { transactionView } from '../views/transaction-view.ts';
import { getVisibleTransaction } from '../http/visible.ts';
import { refuseCommand } from '../store/operations.ts';
import type { Operation } from '../store/operations.ts';
import { cancelScheduled } from '../store/schedules.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { cancelWithdrawal } from '../store/withdrawals.ts';

const body = z.strictObject({ reason: z.optional(fields.text(256)) });

/**
 * `POST /transactions/{transactionId}/cancel`: ends a withdrawal that has not left for the bank, and gives its money
 * back. Ends a scheduled payment that was not executed. For the wallet's owner and for operators. It reads first, because only the record has the wallet and the
 * amount. The write's condition decides.
 */
export const cancel = command({
  name: 'cancel',
  body,
  async handle({ caller, path, body, operation }, { table }) {
    const transactionId = path['transactionId'] ?? '';
    if (!isTransactionId(transactionId)) throw new WalletError('transaction_not_found');
    const { transaction, audience } = await getVisibleTransaction(table, caller, transactionId);
    const replayed = await cancelPayment(table, operation, transaction, body.reason);
    const ended = await getTransaction(table, transactionId);
    return committed(200, transactionView(ended ?? transaction, audience), replayed);
  },
});

/** Cancels a payment. Returns whether the caller's key was used before for the same request. */
async function cancelPayment(
  table: Table,
  operation: Operation,
  transaction: Transaction,
  reason: string | undefined,
): Promise<boolean> {
  const cancellation = { actor: actorOf(operation), at: operation.at, ...(reason !== undefined && { reason }) };
  const isScheduled = transaction.status === 'scheduled';
  // A repetition finds the transfer ended.
  if (isScheduled || (transaction.type === 'transfer' && transaction.executeAt !== undefined)) {
    return (await cancelScheduled(table, operation, { payment: transaction, cancellation })).replayed;
  }
  if (transaction.type === 'withdrawal') {
    return (await cancelWithdrawal(table, operation, { withdrawal: transaction, cancellation })).replayed;
  }
  const detail = 'only a withdrawal or a scheduled transfer can be cancelled';
  return refuseCommand(table, operation, new WalletError('not_cancellable', { detail }));
}

export const open = (environment: Environment<'cancel'>) =>
  serve(cancel, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openLimits({
      cancellationsPerHour: positiveInteger(environment, 'CANCELLATIONS_PER_HOUR'),
    }),
  });
