import type { WalletError } from '../domain/errors.ts';
import { withFee } from '../domain/fee.ts';
import {
  cancelledSchedule,
  executedTransfer,
  executedWithdrawal,
  executionFailure,
  unscheduledRefusal,
} from '../domain/schedule.ts';
import type {
  PendingTransfer,
  PendingWithdrawal,
  ScheduledPayment,
  ScheduledTransfer,
  ScheduledWithdrawal,
  Transaction,
  Transfer,
  Withdrawal,
} from '../domain/transaction.ts';
import type { Cancellation, Failure } from '../domain/transaction-record.ts';
import { commit, movement } from './commit.ts';
import type { Committed } from './commit.ts';
import { transactionKey } from './keys.ts';
import { scheduleShardOf } from './due-keys.ts';
import { historyKeyOf } from './history-keys.ts';
import { debit, hold } from './movements.ts';
import { schedule, unschedule } from './wallet-counts.ts';
import { putOperation, refuseKeyOf, replayedRecord } from './operations.ts';
import type { Operation } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { ofTransactionVersion } from './unreadable.ts';
import { cancelWithdrawal } from './withdrawals.ts';
import { changed, denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Accepts a payment for later, in one write of 6 write units: its record, which is due at its time, and the wallet, which
 * cannot be closed meanwhile. Neither funds nor limits of the wallet are looked at before that time.
 *
 * @param refusal the refusal of the amount or the time; when given, only a replay is answered
 * @throws WalletError of `scheduleRefusal` for the wallet, `rate_limited`, `idempotency_key_reused`, `busy`, or `refusal`
 */
export function schedulePayment(
  table: Table,
  payment: ScheduledPayment,
  fingerprint: string,
  rate: RateLimit | undefined,
  refusal?: WalletError,
): Promise<Committed> {
  const changes = [schedule(table, movement(payment))];
  return commit(table, payment, fingerprint, changes, limitedBy(table, rate, payment.createdAt), {
    dueShard: scheduleShardOf(payment),
    overLimit: refusal,
  });
}

/** The result of executing a payment. */
export type Execution<Executed> =
  | { readonly outcome: 'executed'; readonly payment: Executed }
  | { readonly outcome: 'failed'; readonly failure: Failure }
  /** Another writer was faster, or the time has not come by this clock. `current`: the transaction as it is. */
  | { readonly outcome: 'unchanged'; readonly current: Transaction | undefined };

/**
 * Executes a scheduled transfer: debits the sender, in one write of 8 write units. It is a queued transfer afterwards. When
 * the wallet refuses it, ends it.
 *
 * @param at ISO 8601 UTC; nothing is written before the payment's time
 * @throws WalletError `busy`
 */
export function executeTransfer(
  table: Table,
  payment: ScheduledTransfer,
  at: string,
): Promise<Execution<PendingTransfer>> {
  const executed = executedTransfer(payment, at);
  return execute(table, payment, executed, debit(table, executionOf(payment, at)));
}

/** Executes a scheduled withdrawal: holds the money. Otherwise as `executeTransfer`. */
export function executeWithdrawal(
  table: Table,
  payment: ScheduledWithdrawal,
  at: string,
): Promise<Execution<PendingWithdrawal>> {
  const executed = executedWithdrawal(payment, at);
  return execute(table, payment, executed, hold(table, executionOf(payment, at)));
}

function executionOf(payment: ScheduledPayment, at: string) {
  return { ...movement(payment, withFee(payment)), at, isScheduled: true };
}

async function execute<Executed extends PendingTransfer | PendingWithdrawal>(
  table: Table,
  payment: ScheduledPayment,
  executed: Executed,
  money: WriteItem,
): Promise<Execution<Executed>> {
  const at = executed.updatedAt;
  const result = await write(table, [
    scheduledUpdate(table, payment, {
      // The receiver's index gets it when the money arrives, and the sender's moves it to its execution.
      set: '#status = :pending, executedAt = :at, dueAt = :at, historyKey = :historyKey, postings = :postings',
      remove: 'queuedAt',
      if: ' AND executeAt <= :at',
      values: { pending: 'pending', historyKey: historyKeyOf(executed), postings: executed.postings, at },
      refused: changed,
    }),
    money,
  ]);
  if (result.written) return { outcome: 'executed', payment: executed };
  const [first] = result.refusals;
  if (first.kind === 'denied') return failPayment(table, payment, { failure: executionFailure(first.error), at });
  return unchanged(first.kind === 'changed' ? first.image : undefined);
}

/** Ends a scheduled payment that its wallet refuses, in one write: no money has moved. */
async function failPayment(
  table: Table,
  payment: ScheduledPayment,
  { failure, at }: { readonly failure: Failure; readonly at: string },
): Promise<Execution<never>> {
  const result = await write(table, [
    scheduledUpdate(table, payment, {
      set: '#status = :failed, failure = :failure, completedAt = :at',
      remove: endOfSchedule,
      if: ' AND executeAt <= :at',
      values: { failed: 'failed', failure, at },
      refused: changed,
    }),
    unschedule(table, { walletId: payment.walletId, at }, { payments: 1 }),
  ]);
  if (result.written) return { outcome: 'failed', failure };
  const [first] = result.refusals;
  return unchanged(first.kind === 'changed' ? first.image : undefined);
}

function unchanged(image: Item | undefined): Execution<never> {
  return { outcome: 'unchanged', current: image && toTransaction(image) };
}

/**
 * Cancels a scheduled payment for its owner or an operator, together with the record of the caller's key, in one write of 7
 * write units. Of a simultaneous execution and cancel exactly one is written. A withdrawal that was executed meanwhile is
 * cancelled as any other.
 *
 * @param change `payment`: as it was read
 * @returns `replayed`: the caller's key was used before for the same request
 * @throws WalletError `not_cancellable`, `idempotency_key_reused`, `busy`
 */
export async function cancelScheduled(
  table: Table,
  operation: Operation,
  { payment, cancellation }: { payment: Transfer | Withdrawal; cancellation: Cancellation },
): Promise<{ replayed: boolean }> {
  refuseKeyOf(payment, operation);
  const { at } = cancellation;
  const result = await write(table, [
    putOperation(table, operation),
    cancelledPayment(table, payment, cancellation, (image) => {
      const current = image && toTransaction(image);
      if (current === undefined) return undefined;
      return isOpenWithdrawal(current) ? changed(image) : denied(unscheduledRefusal(current));
    }),
    unschedule(table, { walletId: payment.walletId, at }, { payments: 1 }),
  ]);
  const withdrawal = result.written ? undefined : executedIn(result.refusals[0]);
  if (withdrawal !== undefined) return cancelWithdrawal(table, operation, { withdrawal, cancellation });
  return { replayed: replayedRecord(result) !== undefined };
}

/** Returns the update that cancels a scheduled payment. `unschedule` of its wallet belongs into the same write. */
export function cancelledPayment(
  table: Table,
  payment: Transfer | Withdrawal,
  cancellation: Cancellation,
  refused: WriteItem['refused'],
): WriteItem {
  return scheduledUpdate(table, payment, {
    set: '#status = :failed, failure = :failure, cancellation = :cancellation, completedAt = :at',
    remove: endOfSchedule,
    values: { failed: 'failed', failure: cancelledSchedule, cancellation, at: cancellation.at },
    refused,
  });
}

function isOpenWithdrawal(current: Transaction): current is Withdrawal {
  return current.type === 'withdrawal' && (current.status === 'pending' || current.status === 'executing');
}

/** Returns the withdrawal that a cancel found executed. */
function executedIn(refusal: { readonly kind: string; readonly image?: Item | undefined }): Withdrawal | undefined {
  const current = refusal.kind === 'changed' && refusal.image ? toTransaction(refusal.image) : undefined;
  return current?.type === 'withdrawal' ? current : undefined;
}

const endOfSchedule = 'dueShard, dueAt, queuedAt';

/** Returns the update of a payment on condition that it is scheduled. */
function scheduledUpdate(
  table: Table,
  { type, transactionId }: Transfer | Withdrawal,
  change: {
    readonly set: string;
    readonly remove?: string;
    readonly if?: string;
    readonly values: Item;
    readonly refused: WriteItem['refused'];
  },
): WriteItem {
  return {
    label: `scheduled ${type} ${transactionId}`,
    request: {
      Update: update(table, transactionKey(transactionId), {
        set: `${change.set}, updatedAt = :at`,
        ...(change.remove !== undefined && { remove: change.remove }),
        if: `#type = :type AND ${ofTransactionVersion.if} AND #status = :scheduled${change.if ?? ''}`,
        values: { ...change.values, ...ofTransactionVersion.values, type, scheduled: 'scheduled' },
      }),
    },
    refused: change.refused,
  };
}
