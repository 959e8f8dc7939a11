import { WalletError } from './errors.ts';
import type { Attempt, Transaction } from './transaction.ts';

/**
 * A withdrawal on its way through the bank. `dueAt` says from when on anybody may take the work up: at once after
 * acceptance, at the end of the lease while somebody works on it, after the backoff when it was put back.
 */
export interface OpenWithdrawal extends Transaction {
  readonly dueAt?: string;
  /** Which claim holds the lease; the next write of that claim names it, so that a worker that lost its lease cannot. */
  readonly claimId?: string;
  /** Latest time at which a submit may have left for the bank `bankId`; absent when nothing can be out. */
  readonly submitBy?: string;
  /** Since when the bank accepts no submit, without a wait for a frozen wallet in between. */
  readonly refusedSince?: string;
}

/** How the service treats the bank; times in milliseconds. */
export interface WithdrawalPolicy {
  /** Visits to the bank before an operator must decide. */
  readonly maxAttempts: number;
  /** How long after a submit "not found" proves nothing yet; the bank documents it. */
  readonly notFoundWindowMs: number;
}

/** How long a claim keeps others away; longer than the worker's time limit (30 s), so that no two talk to the bank. */
export const leaseMs = 40_000;
/** Time limit of one call to the bank. */
export const bankCallMs = 3_000;
/** How long after its claim a worker may still have a submit under way: two calls to the bank, and slack for writes. */
export const submitBudgetMs = 10_000;

const firstBackoffMs = 1_000;
/** Visits that soon follow each other, and the longest wait between them. */
const quickVisits = 10;
const quickWaitMs = 8_000;
/** Longest wait before a later visit to a bank that is up. */
const briefWaitMs = 30_000;
/** Longest wait of all: what a bank that is down, or at work on the payment, is left alone for. */
const longestWaitMs = 300_000;
/** For this long a withdrawal is submitted again and again to a bank that does not accept it; then people look. */
const notAcceptedPatienceMs = 24 * 3_600_000;
/** What a worker's clock may differ by from the database's: the answer's whole second, and the time limit of one call. */
const clockErrorMs = 2_500;
/**
 * What the clocks of two workers may differ by that visit the bank. A worker that asks by a clock ahead of that of the
 * submit would take "not found" as definite too early, and pay twice.
 */
const clockToleranceMs = 2 * clockErrorMs;

/** What a worker's clock showed before and after a call, and the time in the answer, in whole seconds; epoch ms. */
export interface ClockReading {
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly databaseAt: number;
}

/** Returns by how much a clock is ahead of the database's at least and at most, in ms. */
export function aheadMs({ sentAt, receivedAt, databaseAt }: ClockReading): { least: number; most: number } {
  return { least: sentAt - databaseAt - 1_000, most: receivedAt - databaseAt };
}

/** Whether a clock is proved to be right. A call that took longer than its time limit proves too little. */
export function isClockRight(reading: ClockReading): boolean {
  const { least, most } = aheadMs(reading);
  return least >= -clockErrorMs && most <= clockErrorMs;
}

/** Whether the withdrawal needs no more work from the queue (an operator ends what is in review). */
export function isAtRest(transaction: Transaction): boolean {
  return transaction.status !== 'pending' && transaction.status !== 'executing';
}

/** From when on (epoch ms) the bank's "not found" proves that a submit which left until `submitBy` was never received. */
export function notFoundCountsAt(submitBy: string, policy: WithdrawalPolicy): number {
  return Date.parse(submitBy) + policy.notFoundWindowMs + clockToleranceMs;
}

/**
 * The visit of a worker that had claimed the withdrawal and did not come back: nobody knows whether it submitted. Part of
 * the story, and an attempt, so that a withdrawal that its workers do not survive comes before an operator.
 *
 * @param before the withdrawal as the next worker found it
 */
export function unreportedVisit(before: OpenWithdrawal): Attempt | undefined {
  if (before.claimId === undefined) return undefined;
  return { at: before.updatedAt, submitted: false, outcome: 'unknown', reason: 'the worker did not come back' };
}

/**
 * What a visit that did not end the withdrawal leads to: `record` says whether it goes on the record, `review` whether
 * people decide now. Visits that leave open whether the bank has paid are counted, and the last of them ends in review.
 * While the bank accepts nothing, nothing can be out: such visits do not count, as many of them are recorded, and people
 * look after a day. The time in which the wallet was frozen is no part of that day, as the bank was not visited.
 *
 * @returns also `refusedSince`, for the record of a withdrawal that the bank did not accept
 * @param before the withdrawal as the worker found it
 * @param at when the visit ended, ISO 8601
 */
export function afterVisit(
  before: OpenWithdrawal,
  visit: { readonly outcome: 'unknown' | 'not_accepted'; readonly at: string },
  { maxAttempts }: WithdrawalPolicy,
): { readonly visits: number; readonly record: boolean; readonly review: boolean; readonly refusedSince?: string } {
  const { attempts = [] } = before;
  const unreported = unreportedVisit(before) === undefined ? 0 : 1;
  const refusals = attempts.filter(({ outcome }) => outcome === 'not_accepted');
  const visits = attempts.length + unreported + 1;
  if (visit.outcome === 'unknown') return { visits, record: true, review: visits - refusals.length >= maxAttempts };
  const { refusedSince = visit.at } = before;
  const review = Date.parse(visit.at) - Date.parse(refusedSince) >= notAcceptedPatienceMs;
  return { visits, record: review || refusals.length < maxAttempts, review, refusedSince };
}

/**
 * When the next visit is due after one that did not end the withdrawal: after 1 s, 2 s, 4 s and then 8 s, less up to a
 * quarter at random, but not before a "not found" would be definite. After ten visits a bank that is up is left alone for
 * half a minute, and for up to five minutes where patience is asked for. At 30 % failures one withdrawal in 170,000
 * comes so far.
 *
 * @param visit `visits` made so far, at least 1; `patient`: the bank is down or at work on the payment
 * @param random a number in [0, 1)
 */
export function nextVisitAt(
  visit: { now: number; visits: number; submitBy: string | undefined; patient: boolean },
  policy: WithdrawalPolicy,
  random: number,
): number {
  const longest = visit.visits <= quickVisits ? quickWaitMs : visit.patient ? longestWaitMs : briefWaitMs;
  const backoff = Math.min(firstBackoffMs * 2 ** (visit.visits - 1), longest) * (1 - random / 4);
  const definite = visit.submitBy === undefined ? 0 : notFoundCountsAt(visit.submitBy, policy);
  return Math.ceil(Math.max(visit.now + backoff, definite));
}

/**
 * When a withdrawal is due again that the breaker kept from the bank: not before the breaker lets calls try, and after a
 * quarter of its age, five minutes at most. So in a long outage a message comes back ever more seldom, and the 30 times
 * that a queue delivers it last for more than an hour and not for a quarter of one: workers' breakers do not try at the
 * same moments, so that a message that waits for one of them meets another one. When the bank is back, the wait ends
 * within that quarter.
 */
export function nextTryAt(kept: { now: number; createdAt: string; retryAfterMs: number }): number {
  const waitMs = Math.min((kept.now - Date.parse(kept.createdAt)) / 4, longestWaitMs);
  return Math.ceil(kept.now + Math.max(kept.retryAfterMs, waitMs));
}

/** A frozen wallet is read again after at least this time. */
const shortestThawWaitMs = 30_000;

/**
 * Returns when a withdrawal whose wallet is frozen is due again (epoch ms): after a quarter of its age, 30 s to five
 * minutes. A wallet that stays frozen for days so costs few reads, and a payout leaves soon after a short freeze.
 */
export function nextThawCheckAt({ now, createdAt }: { now: number; createdAt: string }): number {
  const quarterMs = (now - Date.parse(createdAt)) / 4;
  return Math.ceil(now + Math.min(Math.max(quarterMs, shortestThawWaitMs), longestWaitMs));
}

/** The failure of a withdrawal that was cancelled. */
export const cancelled = { code: 'cancelled', message: 'The withdrawal was cancelled before it left for the bank' };

/**
 * Returns why this withdrawal cannot be cancelled, or undefined when it can. One submit rules it out for ever, also
 * one that the bank refused: a proxy between us and the bank may have sent the refused request twice.
 */
export function cancelRefusal(current: OpenWithdrawal | undefined): WalletError | undefined {
  if (current === undefined) return new WalletError('transaction_not_found');
  const refusal = (detail: string) => new WalletError('not_cancellable', { detail });
  if (isAtRest(current)) return refusal(`it is ${current.status === 'review' ? 'in review' : current.status}`);
  if (current.submitBy !== undefined || current.attempts !== undefined) return refusal('the bank may have it already');
  return undefined;
}
