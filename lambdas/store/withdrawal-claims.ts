import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isAtRest } from '../domain/transaction.ts';
import type { ExecutingWithdrawal, OpenWithdrawal, Transaction } from '../domain/transaction.ts';
import type { Attempt, Failure } from '../domain/transaction-record.ts';
import { unreportedVisit } from '../domain/withdrawal.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { watchClock } from './database-clock.ts';
import { transactionKey } from './keys.ts';
import { dueShardOf, reviewShard, scheduleShardOf, waitingShard } from './due-keys.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { ofTransactionVersion } from './unreadable.ts';
import { endOfRejected, endOfWork, ending, transactionUpdate } from './withdrawal-update.ts';
import type { Change } from './withdrawal-update.ts';
import { toWithdrawal } from './withdrawals.ts';
import { writeOne } from './write-one.ts';
import { changed, update, write } from './write.ts';

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
