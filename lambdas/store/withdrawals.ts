import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { actorOf, bank } from '../domain/actor.ts';
import type { Actor } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { withFee } from '../domain/fee.ts';
import { fingerprintOf, returnIdOf } from '../domain/ids.ts';
import { isAtRest } from '../domain/transaction.ts';
import {
  bankReturn,
  releasePostings,
  settlePostings,
  cancelled,
  cancelRefusal,
  unreportedVisit,
} from '../domain/withdrawal.ts';
import type {
  Attempt,
  Cancellation,
  ExecutingWithdrawal,
  Failure,
  OpenWithdrawal,
  PendingWithdrawal,
  Resolution,
  Return,
  Transaction,
  Withdrawal,
} from '../domain/transaction.ts';
import { ownDecision } from '../domain/wallet.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { accept, movement } from './commit.ts';
import type { Committed } from './commit.ts';
import { watchClock } from './database-clock.ts';
import { dueShardOf, historyKeyOf, reviewShard, scheduleShardOf, transactionKey, waitingShard } from './keys.ts';
import { giveBack, hold, releaseHold, settleHold } from './movements.ts';
import { putOperation, putRecord, refuseKeyOf, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import type { RateLimit } from './rate-window.ts';
import type { Table } from './table.ts';
import { getTransaction, toTransaction } from './transactions.ts';
import { ofTransactionVersion } from './unreadable.ts';
import { writeOne } from './write-one.ts';
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

function toWithdrawal(item: Item | undefined): Withdrawal | undefined {
  const transaction = item && toTransaction(item);
  return transaction?.type === 'withdrawal' ? transaction : undefined;
}

/** The members that a worker writes to claim a withdrawal. Times are ISO 8601 UTC. */
export interface Claim {
  readonly claimId: string;
  readonly at: string;
  /** When other workers may claim the withdrawal. */
  readonly leaseUntil: string;
  /** Latest time at which a submit of this claim may have left. */
  readonly submitBy: string;
  /** The bank that the submit goes to. A record that names a bank already keeps it. */
  readonly bankId: string;
}

/**
 * Claims a withdrawal that is open and due, in one update of 4 write units.
 *
 * @returns when claimed: the withdrawal before the claim, which shows earlier visits, and the clock reading of the
 * answer (undefined: it has no time). Otherwise the withdrawal as it is (undefined: there is none).
 * @throws WalletError `busy` when contention, throttling or time-outs outlast the budget; the claim may be written then
 */
export async function claimWithdrawal(
  table: Table,
  transactionId: string,
  claim: Claim,
): Promise<
  { clock: ClockReading | undefined } & (
    { claimed: true; before: OpenWithdrawal } | { claimed: false; current: Transaction | undefined }
  )
> {
  const change = update(table, transactionKey(transactionId), {
    set:
      '#status = :executing, claimId = :claimId, dueAt = :leaseUntil, submitBy = :submitBy, updatedAt = :at, ' +
      'bankId = if_not_exists(bankId, :bankId), dueShard = :shard',
    remove: 'waitingFor',
    // A worker that cannot read a newer version must not claim it: a claim says that a submit may leave.
    if: `#type = :withdrawal AND ${ofTransactionVersion.if} AND #status IN (:pending, :executing) AND dueAt <= :at`,
    values: {
      withdrawal: 'withdrawal',
      pending: 'pending',
      executing: 'executing',
      ...ofTransactionVersion.values,
      shard: dueShardOf('withdrawal', transactionId, table.dueShards),
      ...claim,
    },
  });
  const command = new UpdateCommand({ ...change, ReturnValues: 'ALL_OLD' });
  const clock = watchClock(command, table.now);
  // A try whose answer was lost may have claimed. Then the next try is refused, and the work waits until the lease
  // ends. That is rare and safe.
  const result = await writeOne(table, command);
  if (!result.written) {
    return { claimed: false, current: result.image && toTransaction(result.image), clock: clock() };
  }
  const before = toWithdrawal(result.attributes);
  if (before === undefined || isAtRest(before)) {
    throw new Error(`claimed an item that is not a withdrawal: ${transactionId}`);
  }
  return { claimed: true, before, clock: clock() };
}

/** A withdrawal as it was before a worker claimed it, the claim, and the time of the next write (ISO 8601 UTC). */
export interface Claimed {
  readonly withdrawal: OpenWithdrawal;
  readonly claimId: string;
  readonly at: string;
}

/**
 * Completes a withdrawal that the bank has paid, and consumes the hold, in one write of 6 write units.
 *
 * @returns false when the claim was lost; nothing is written then, and another worker ends the withdrawal
 * @throws WalletError `busy`
 */
export function settleWithdrawal(table: Table, claimed: Claimed, attempt: Attempt): Promise<boolean> {
  return finish(table, claimed, attempt);
}

/**
 * Fails a withdrawal that the bank has definitely not paid, and makes the money available again. Otherwise as
 * `settleWithdrawal`.
 */
export function releaseWithdrawal(
  table: Table,
  claimed: Claimed,
  attempt: Attempt,
  failure: Failure,
): Promise<boolean> {
  return finish(table, claimed, attempt, failure);
}

/**
 * Gives a claim back, in one update: no worker claims the withdrawal before `dueAt`. Times are ISO 8601 UTC.
 *
 * @param next
 * - `attempt`: the visit to record; absent when there is none
 * - `submitBy`: absent when no submit can have left, for any bank
 * - `refusedSince`: when the bank first did not accept a submit. Absent: the record keeps its own, unless its wallet is
 *   frozen
 * - `waitingFor`: the withdrawal waits without a message, and the sweeper queues it when it is due. A frozen wallet
 *   removes `refusedSince` from the record
 * @returns false when the claim was lost; nothing is written then
 * @throws WalletError `busy`
 */
export function putBackWithdrawal(
  table: Table,
  claimed: Claimed,
  next: {
    dueAt: string;
    submitBy: string | undefined;
    attempt?: Attempt | undefined;
    refusedSince?: string | undefined;
    waitingFor?: ExecutingWithdrawal['waitingFor'];
  },
): Promise<boolean> {
  const { dueAt, submitBy, attempt, refusedSince, waitingFor } = next;
  const values = {
    dueAt,
    ...(submitBy !== undefined && { submitBy }),
    ...(refusedSince !== undefined && { refusedSince }),
    ...(waitingFor !== undefined && { waitingFor, dueShard: shardOfWait(waitingFor, claimed.withdrawal) }),
  };
  const nothingOut = submitBy === undefined ? ', submitBy, bankId' : '';
  return whileClaimed(table, claimed, {
    set: Object.keys(values)
      .map((name) => `${name} = :${name}`)
      .join(', '),
    // A bank that was closed has refused nothing meanwhile, but a frozen wallet may wait for longer than the bank's patience.
    remove: `claimId${nothingOut}${waitingFor === 'wallet_frozen' ? ', refusedSince' : ''}`,
    values,
    attempt,
  });
}

/** Returns the partition of the `due` index for a wait. Many withdrawals may wait for the bank, and its opening is a time. */
function shardOfWait(waitingFor: NonNullable<ExecutingWithdrawal['waitingFor']>, withdrawal: OpenWithdrawal): string {
  return waitingFor === 'bank_closed' ? scheduleShardOf(withdrawal) : waitingShard;
}

/**
 * Puts a withdrawal into review: the hold stays until an operator decides, or the bank notifies. Until then the
 * withdrawal is listed in the review partition of the `due` index.
 *
 * @param attempt the last visit; its `reason` says why
 * @returns false when the claim was lost; nothing is written then
 * @throws WalletError `busy`
 */
export function reviewWithdrawal(table: Table, claimed: Claimed, attempt: Attempt): Promise<boolean> {
  return whileClaimed(table, claimed, {
    set: '#status = :review, dueShard = :reviews, dueAt = :at',
    remove: 'claimId, submitBy',
    values: { review: 'review', reviews: reviewShard },
    attempt,
  });
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

interface Change {
  readonly set: string;
  readonly values: Item;
  readonly attempts?: readonly Attempt[];
}

const endOfWork = 'dueShard, dueAt, claimId, submitBy, refusedSince, waitingFor';
/** No bank has the payment of a rejected withdrawal, so its record names none. */
const endOfRejected = `${endOfWork}, bankId`;
/** The condition whose failure `cancelRefusal` explains. */
const neverSubmitted = ' AND attribute_not_exists(submitBy) AND attribute_not_exists(attempts)';

/** Returns the parts of the update that ends a withdrawal, and the item that ends its hold in the wallet. */
function ending(
  table: Table,
  { withdrawal, at, endedBy }: { withdrawal: Withdrawal; at: string; endedBy?: Actor | undefined },
  failure?: Failure,
) {
  const movement = { ...withdrawal, amount: withFee(withdrawal), at, decidedBy: endedBy?.principal };
  const end = 'completedAt = :at, postings = list_append(postings, :postings)';
  return failure === undefined
    ? {
        set: `#status = :completed, ${end}`,
        values: { completed: 'completed', postings: settlePostings(withdrawal) },
        wallet: settleHold(table, movement),
      }
    : {
        set: `#status = :failed, failure = :failure, ${end}`,
        values: { failed: 'failed', failure, postings: releasePostings(withdrawal) },
        wallet: releaseHold(table, movement),
      };
}

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

/** Returns the update of a transaction, which also records the visits to the bank. */
function transactionUpdate(table: Table, transactionId: string, change: Change & { remove: string; if: string }) {
  const { attempts = [] } = change;
  const recorded = attempts.length === 0 ? '' : ', attempts = list_append(if_not_exists(attempts, :none), :attempts)';
  return update(table, transactionKey(transactionId), {
    set: `${change.set}${recorded}, updatedAt = :at`,
    remove: change.remove,
    if: change.if,
    values: { ...change.values, ...(attempts.length > 0 && { none: [], attempts }) },
  });
}

type ClaimedChange = Omit<Change, 'attempts'> & { readonly remove: string; readonly attempt: Attempt | undefined };

/** Returns the update of a claimed withdrawal, on condition that this claim still holds the lease. */
function claimedUpdate(table: Table, claimed: Claimed, { attempt, ...change }: ClaimedChange) {
  return transactionUpdate(table, claimed.withdrawal.transactionId, {
    ...change,
    attempts: [unreportedVisit(claimed.withdrawal), attempt].filter((visit) => visit !== undefined),
    if: '#status = :executing AND claimId = :claimId',
    values: { ...change.values, at: claimed.at, executing: 'executing', claimId: claimed.claimId },
  });
}

async function whileClaimed(table: Table, claimed: Claimed, change: ClaimedChange): Promise<boolean> {
  return (await writeOne(table, new UpdateCommand(claimedUpdate(table, claimed, change)))).written;
}

async function finish(table: Table, claimed: Claimed, attempt: Attempt, failure?: Failure): Promise<boolean> {
  const { wallet, ...end } = ending(table, claimed, failure);
  const remove = failure === undefined ? endOfWork : endOfRejected;
  const result = await write(table, [
    {
      label: 'claimed withdrawal',
      request: { Update: claimedUpdate(table, claimed, { ...end, remove, attempt }) },
      refused: changed,
    },
    wallet,
  ]);
  return result.written;
}
