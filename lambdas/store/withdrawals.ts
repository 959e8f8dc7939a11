import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Attempt, Failure } from '../domain/transaction.ts';
import { releasePostings, settlePostings } from '../domain/transaction.ts';
import type { OpenWithdrawal } from '../domain/withdrawal.ts';
import { transactionKey } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { releaseHold, settleHold } from './wallets.ts';
import { fromItem, update, write } from './write.ts';
import type { Item } from './write.ts';

/** A claim on a withdrawal. Times are ISO 8601 UTC. */
export interface Claim {
  readonly claimId: string;
  readonly at: string;
  /** When others may take the work over. */
  readonly leaseUntil: string;
  /** Latest time at which a submit of this claim may have left. */
  readonly submitBy: string;
}

/**
 * Takes the lease on a withdrawal that is open and due, in one update of 4 write units. Its old image tells the new
 * owner what may have happened before.
 *
 * @returns the withdrawal before the claim, or, when it was not to be had, the withdrawal as it is (undefined: none)
 */
export async function claimWithdrawal(
  table: Table,
  transactionId: string,
  claim: Claim,
): Promise<{ claimed: true; before: OpenWithdrawal } | { claimed: false; current: OpenWithdrawal | undefined }> {
  const change = update(table, transactionKey(transactionId), {
    set: '#status = :executing, claimId = :claimId, dueAt = :leaseUntil, submitBy = :submitBy, updatedAt = :at',
    if: '#status IN (:pending, :executing) AND dueAt <= :at',
    values: { pending: 'pending', executing: 'executing', ...claim },
  });
  try {
    // A try whose answer was lost may have claimed: the next one is refused by it, and the work waits for the lease
    // to end. That is rare and safe, and a second claim by the same worker would be neither.
    const { Attributes = {} } = await persist(table, () =>
      table.client.send(new UpdateItemCommand({ ...change, ReturnValues: 'ALL_OLD' })),
    );
    const before = toTransaction(fromItem(Attributes));
    if (before === undefined) throw new Error(`claimed what is no withdrawal: ${transactionId}`);
    return { claimed: true, before };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { claimed: false, current: error.Item && toTransaction(fromItem(error.Item)) };
  }
}

/** The withdrawal that a worker has claimed, and the claim. */
export interface Claimed {
  readonly withdrawal: OpenWithdrawal;
  readonly claimId: string;
  readonly at: string;
}

/**
 * The bank has paid: the hold is consumed and the withdrawal completed, in one write of 6 write units.
 *
 * @returns whether it was written; false when the claim was lost, and somebody else ends the withdrawal
 */
export function settleWithdrawal(table: Table, claimed: Claimed, attempt: Attempt): Promise<boolean> {
  const { withdrawal, at } = claimed;
  return finish(table, claimed, {
    set: '#status = :completed, completedAt = :at, postings = list_append(postings, :postings)',
    values: { completed: 'completed', postings: settlePostings(withdrawal) },
    attempt,
    wallet: settleHold(table, { ...withdrawal, at }),
  });
}

/** The bank has definitely not paid: the money is given back and the withdrawal failed; as `settleWithdrawal`. */
export function releaseWithdrawal(
  table: Table,
  claimed: Claimed,
  attempt: Attempt,
  failure: Failure,
): Promise<boolean> {
  const { withdrawal, at } = claimed;
  return finish(table, claimed, {
    set: '#status = :failed, failure = :failure, completedAt = :at, postings = list_append(postings, :postings)',
    values: { failed: 'failed', failure, postings: releasePostings(withdrawal) },
    attempt,
    wallet: releaseHold(table, { ...withdrawal, at }),
  });
}

/**
 * Gives the lease back before the end: nobody takes the withdrawal up before `dueAt`.
 *
 * @param next `attempt` is recorded when the bank was visited; `submitBy` absent says that no submit ever left
 * @returns false when the claim was lost
 */
export function putBackWithdrawal(
  table: Table,
  claimed: Claimed,
  next: { dueAt: string; submitBy: string | undefined; attempt?: Attempt | undefined },
): Promise<boolean> {
  return whileClaimed(table, claimed, {
    set: next.submitBy === undefined ? 'dueAt = :dueAt' : 'dueAt = :dueAt, submitBy = :submitBy',
    remove: next.submitBy === undefined ? 'claimId, submitBy' : 'claimId',
    values: { dueAt: next.dueAt, ...(next.submitBy !== undefined && { submitBy: next.submitBy }) },
    attempt: next.attempt,
  });
}

/** The attempts are used up and nobody knows whether the bank has paid: the hold stays, an operator decides. */
export function reviewWithdrawal(table: Table, claimed: Claimed, attempt: Attempt): Promise<boolean> {
  return whileClaimed(table, claimed, {
    set: '#status = :review',
    remove: 'dueShard, dueAt, claimId, submitBy',
    values: { review: 'review' },
    attempt,
  });
}

interface Change {
  readonly set: string;
  readonly values: Item;
  readonly attempt?: Attempt | undefined;
}

/** The update of a claimed withdrawal, on condition that the claim is still ours. */
function claimedUpdate(table: Table, claimed: Claimed, change: Change & { remove: string }) {
  const { attempt } = change;
  const recorded = attempt === undefined ? '' : ', attempts = list_append(if_not_exists(attempts, :none), :attempts)';
  return update(table, transactionKey(claimed.withdrawal.transactionId), {
    set: `${change.set}${recorded}, updatedAt = :at`,
    remove: change.remove,
    if: '#status = :executing AND claimId = :claimId',
    values: {
      ...change.values,
      ...(attempt !== undefined && { none: [], attempts: [attempt] }),
      at: claimed.at,
      executing: 'executing',
      claimId: claimed.claimId,
    },
  });
}

async function whileClaimed(table: Table, claimed: Claimed, change: Change & { remove: string }): Promise<boolean> {
  const command = claimedUpdate(table, claimed, change);
  try {
    await persist(table, () => table.client.send(new UpdateItemCommand(command)));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

const lost = Symbol('claim lost');

async function finish(
  table: Table,
  claimed: Claimed,
  end: Change & { wallet: ReturnType<typeof settleHold> },
): Promise<boolean> {
  const remove = 'dueShard, dueAt, claimId, submitBy';
  const readings = await write(table, [
    {
      label: 'claimed withdrawal',
      request: { Update: claimedUpdate(table, claimed, { ...end, remove }) },
      refused: () => lost,
    },
    end.wallet,
  ]);
  return readings.length === 0;
}
