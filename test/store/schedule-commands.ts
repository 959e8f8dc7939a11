/** Commands on scheduled payments as the handlers compose them. */
import { fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { scheduledTransfer, scheduledWithdrawal } from '../../lambdas/domain/schedule.ts';
import type { ScheduledTransfer, ScheduledWithdrawal, Transfer, Withdrawal } from '../../lambdas/domain/transaction.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import type { RateLimit } from '../../lambdas/store/rate-window.ts';
import { cancelScheduled, schedulePayment } from '../../lambdas/store/schedules.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { destination, newKey, operation, timeOf } from './commands.ts';
import { queueOfDepth } from './work.ts';

export const hourMs = 3_600_000;

/** What a test says of a payment for later; it is ann's, in an hour, unless the test says otherwise. */
interface Request {
  readonly amount: number;
  readonly key?: string;
  readonly inMs?: number;
  readonly rate?: RateLimit;
  readonly fee?: number;
}

/** Schedules a transfer from ann's wallet. Returns it. */
export async function scheduleTransfer(
  table: Table,
  walletId: string,
  toWalletId: string,
  request: Request,
): Promise<ScheduledTransfer> {
  const { key = newKey(), rate } = request;
  const payment = scheduledTransfer({ ...factsOf(table, walletId, { ...request, key }), toWalletId });
  const fingerprint = fingerprintOf(['transfer', walletId, toWalletId, request.amount, request.inMs]);
  const { transaction } = await schedulePayment(table, payment, fingerprint, rate);
  if (transaction.type !== 'transfer') throw new Error(`not a transfer: ${transaction.transactionId}`);
  return transaction as ScheduledTransfer;
}

/** Schedules a withdrawal from ann's wallet. Returns it. */
export async function scheduleWithdrawal(
  table: Table,
  walletId: string,
  request: Request,
): Promise<ScheduledWithdrawal> {
  const { key = newKey(), rate } = request;
  const payment = scheduledWithdrawal({ ...factsOf(table, walletId, { ...request, key }), destination });
  const fingerprint = fingerprintOf(['withdraw', walletId, request.amount, request.inMs]);
  const { transaction } = await schedulePayment(table, payment, fingerprint, rate);
  if (transaction.type !== 'withdrawal') throw new Error(`not a withdrawal: ${transaction.transactionId}`);
  return transaction as ScheduledWithdrawal;
}

function factsOf(
  table: Table,
  walletId: string,
  { amount, key, inMs = hourMs, fee }: Request & { readonly key: string },
) {
  return {
    ...{ transactionId: transactionIdOf('ann', key), principal: 'ann', ownerId: 'ann', walletId, amount },
    ...{ currency: 'EUR', at: timeOf(table), executeAt: timeOf(table, inMs), fee },
  };
}

/** Cancels a payment for ann. */
export function cancel(table: Table, payment: Transfer | Withdrawal, key?: string) {
  const command = operation(table, ['cancel', payment.transactionId], { owner: 'ann', key });
  const { kind, principal, at } = command;
  return cancelScheduled(table, command, {
    payment,
    cancellation: { actor: { kind, principal }, reason: 'moved', at },
  });
}

/** Runs the sweeper. Returns the ids that it sent to the queues. */
export async function sweepAll(table: Table) {
  const [withdrawals, transfers] = [queueOfDepth(0), queueOfDepth(0)];
  await sweep({ table, withdrawals, transfers });
  return { withdrawals: withdrawals.sent, transfers: transfers.sent };
}

/** Runs the sweeper, and the worker of what it sends to the queue of transfers. */
export async function runTransfers(table: Table): Promise<readonly string[]> {
  const { transfers } = await sweepAll(table);
  const failed = await endTransfers(transfers, table);
  if (failed.size > 0) throw new Error('transfers must be redelivered', { cause: [...failed.values()][0] });
  return transfers;
}

/** Reads a payment. */
export async function paymentOf(table: Table, { transactionId }: Pick<Transfer, 'transactionId'>) {
  const payment = await getTransaction(table, transactionId);
  if (payment?.type !== 'transfer' && payment?.type !== 'withdrawal') throw new Error(`no payment ${transactionId}`);
  return payment;
}
