import { actorOf, bank } from '../domain/actor.ts';
import type { Actor } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { withFee } from '../domain/fee.ts';
import { fingerprintOf, returnIdOf } from '../domain/ids.ts';
import type { PendingWithdrawal, Return, Withdrawal } from '../domain/transaction.ts';
import type { Attempt, Cancellation, Failure, Resolution } from '../domain/transaction-record.ts';
import { ownDecision } from '../domain/wallet.ts';
import { bankReturn, cancelled, cancelRefusal } from '../domain/withdrawal.ts';
import { accept, movement } from './commit.ts';
import type { Committed } from './commit.ts';
import { transactionKey } from './keys.ts';
import { historyKeyOf } from './history-keys.ts';
import { giveBack, hold } from './movements.ts';
import { putOperation, putRecord, refuseKeyOf, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import type { RateLimit } from './rate-window.ts';
import type { Table } from './table.ts';
import { getTransaction, toTransaction } from './transactions.ts';
import { endOfRejected, endOfWork, ending, transactionUpdate } from './withdrawal-update.ts';
import { changed, denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Accepts a withdrawal: holds the money with its fee, and makes the work due, in one write of 6 write units.
 *
 * @param overLimit as for `commitCharge`
 * @throws WalletError as `commitCharge`, `insufficient_funds` in place of `balance_limit_exceeded`, and `rate_limited`
 */
export function acceptWithdrawal(
  table: Table,
  transaction: PendingWithdrawal,
  fingerprint: string,
  rate: RateLimit | undefined,
  overLimit?: WalletError,
): Promise<Committed> {
  const held = movement(transaction, withFee(transaction));
  return accept(table, transaction, fingerprint, hold(table, held), rate, overLimit);
}

/** Reads a withdrawal, consistently; undefined when there is no withdrawal of this id. */
export async function getWithdrawal(table: Table, transactionId: string): Promise<Withdrawal | undefined> {
  const transaction = await getTransaction(table, transactionId);
  return transaction?.type === 'withdrawal' ? transaction : undefined;
}

/** Returns the withdrawal that an item has; undefined when the item is none or something else. */
export function toWithdrawal(item: Item | undefined): Withdrawal | undefined {
  const transaction = item && toTransaction(item);
  return transaction?.type === 'withdrawal' ? transaction : undefined;
}

/**
 * A definite decision about a withdrawal, by the bank or an operator. It ends the withdrawal even while a worker holds
 * it.
 */
export interface Verdict {
  readonly withdrawal: Withdrawal;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** The statuses in which the withdrawal is ended. */
  readonly from: readonly Withdrawal['status'][];
  /** Undefined: the bank has paid. */
  readonly failure: Failure | undefined;
  readonly attempt?: Attempt;
  /** The bank that decided: a withdrawal that went to another bank is not ended. Absent: an operator decided. */
  readonly bankId?: string;
  readonly resolution?: Resolution;
}

/**
 * Ends a withdrawal as the bank decided.
 *
 * @returns false when it is in none of the verdict's statuses, or went to another bank; nothing is written then
 * @throws WalletError `busy`
 */
export async function endWithdrawal(table: Table, verdict: Verdict): Promise<boolean> {
  return (await write(table, verdictItems(table, verdict, { refused: changed }))).written;
}

/**
 * Ends a withdrawal as an operator decided, together with the record of the operator's key. The operator must not have
 * requested the withdrawal, and must not own its wallet.
 *
 * @param overLimit the refusal of an amount over the operator's limit; when given, only a replay is answered
 * @returns `replayed`: the operator's key was used before for the same request
 * @throws WalletError `not_in_review`, `forbidden`, `idempotency_key_reused`, `busy`, or `overLimit`
 */
export async function resolveWithdrawal(
  table: Table,
  operation: Operation,
  verdict: Verdict,
  overLimit?: WalletError,
): Promise<{ replayed: boolean }> {
  refuseKeyOf(verdict.withdrawal, operation);
  const { principal } = operation;
  const record = putOperation(table, operation);
  const items = verdictItems(table, verdict, {
    endedBy: actorOf(operation),
    refused: (image) =>
      denied(image?.['principal'] === principal ? ownDecision('withdrawal') : new WalletError('not_in_review')),
  });
  const { items: approval = [] } = operation.approval ?? {};
  const written = overLimit === undefined ? [record, ...approval, ...items] : [replayOnly(record, overLimit)];
  return { replayed: replayedRecord(await write(table, written)) !== undefined };
}

/**
 * Cancels a withdrawal that was never submitted, for its owner or an operator, together with the record of the caller's
 * key. A claim stores `submitBy`, which the condition excludes. So of a simultaneous claim and cancel exactly one is
 * written.
 *
 * @returns `replayed`: the caller's key was used before for the same request
 * @throws WalletError `not_cancellable`, `transaction_not_found`, `idempotency_key_reused`, `busy`
 */
export async function cancelWithdrawal(
  table: Table,
  operation: Operation,
  { withdrawal, cancellation }: { withdrawal: Withdrawal; cancellation: Cancellation },
): Promise<{ replayed: boolean }> {
  refuseKeyOf(withdrawal, operation);
  const { at } = cancellation;
  const { wallet, ...end } = ending(table, { withdrawal, at }, cancelled);
  const result = await write(table, [
    putOperation(table, operation),
    {
      label: 'open withdrawal',
      request: {
        Update: transactionUpdate(table, withdrawal.transactionId, {
          set: `${end.set}, cancellation = :cancellation`,
          remove: endOfWork,
          if: `#status IN (:pending, :executing) AND #type = :withdrawal${neverSubmitted}`,
          values: {
            ...end.values,
            cancellation,
            at,
            withdrawal: 'withdrawal',
            pending: 'pending',
            executing: 'executing',
          },
        }),
      },
      refused: (image) => denied(cancelRefusal(toWithdrawal(image))),
    },
    wallet,
  ]);
  return { replayed: replayedRecord(result) !== undefined };
}

/**
 * Books that a completed payment came back: a transaction of its own, linked both ways, and the money in the wallet.
 *
 * @param notification its time (ISO 8601) and its reason
 * @returns the return; also when it had been booked before
 * @throws WalletError `busy`; Error when the withdrawal is not completed
 */
export async function returnWithdrawal(
  table: Table,
  original: Withdrawal,
  { at, description }: { readonly at: string; readonly description?: string | undefined },
): Promise<Return> {
  const transactionId = returnIdOf(original.transactionId);
  const transaction = bankReturn(original, { transactionId, principal: bank.principal, at, description });
  const result = await write(table, [
    putRecord(table, {
      ...transactionKey(transactionId),
      historyKey: historyKeyOf(transaction),
      fingerprint: fingerprintOf(['return', original.transactionId]),
      ...transaction,
    }),
    {
      label: 'returned withdrawal',
      request: {
        Update: update(table, transactionKey(original.transactionId), {
          set: 'returnTransactionId = :returnId, updatedAt = :at',
          if: '#status = :completed AND attribute_not_exists(returnTransactionId)',
          values: { returnId: transactionId, at, completed: 'completed' },
        }),
      },
      refused: changed,
    },
    giveBack(table, { ...transaction, at }),
  ]);
  if (result.written) return transaction;
  const [first] = result.refusals;
  const existing = first.kind === 'replay' ? toTransaction(first.record) : undefined;
  if (existing?.type !== 'return') throw new Error(`cannot return ${original.transactionId}: it is not completed`);
  return existing;
}

/** The condition whose failure `cancelRefusal` explains. */
const neverSubmitted = ' AND attribute_not_exists(submitBy) AND attribute_not_exists(attempts)';

/**
 * Returns the items of the write that ends a withdrawal.
 *
 * @param decision `endedBy`: the operator who decided. `refused`: reads the failed condition. The condition fails when
 * the withdrawal is in none of the verdict's statuses, went to another bank, or was requested by that operator.
 */
function verdictItems(
  table: Table,
  verdict: Verdict,
  { endedBy, refused }: { readonly endedBy?: Actor; readonly refused: WriteItem['refused'] },
): WriteItem[] {
  const { withdrawal, at, from, failure, attempt, bankId, resolution } = verdict;
  const end = ending(table, { withdrawal, at, endedBy }, failure);
  const isRejected = bankId !== undefined && failure !== undefined;
  const set = [
    end.set,
    ...(resolution === undefined ? [] : ['resolution = :resolution']),
    ...(endedBy === undefined ? [] : ['endedBy = :endedBy']),
    ...(bankId === undefined || isRejected ? [] : ['bankId = if_not_exists(bankId, :bankId)']),
  ].join(', ');
  const ofBank = bankId === undefined ? '' : ' AND (attribute_not_exists(bankId) OR bankId = :bankId)';
  const ofOthers = endedBy === undefined ? '' : ' AND principal <> :decidedBy';
  const statuses = Object.fromEntries(from.map((status, index) => [`from${index}`, status]));
  const names = Object.keys(statuses).map((name) => `:${name}`);
  return [
    {
      label: 'withdrawal',
      request: {
        Update: transactionUpdate(table, withdrawal.transactionId, {
          set,
          remove: isRejected ? endOfRejected : endOfWork,
          if: `#type = :withdrawal AND #status IN (${names.join(', ')})${ofBank}${ofOthers}`,
          values: {
            ...end.values,
            ...statuses,
            withdrawal: 'withdrawal',
            bankId,
            resolution,
            endedBy,
            decidedBy: endedBy?.principal,
            at,
          },
          attempts: attempt === undefined ? [] : [attempt],
        }),
      },
      refused,
    },
    end.wallet,
  ];
}
