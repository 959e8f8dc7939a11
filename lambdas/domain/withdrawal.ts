import { waitBeforeRetry } from './backoff.ts';
import { WalletError } from './errors.ts';
import type { PayoutHours } from './payout-window.ts';
import { withFee } from './fee.ts';
import { accounts, feePosting, move } from './postings.ts';
import type { Posting } from './postings.ts';
import { beganAtOf, isAtRest } from './transaction.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { OpenWithdrawal, PendingWithdrawal, Return, Withdrawal } from './transaction.ts';
import type { Attempt, CommandFacts, Destination } from './transaction-record.ts';

/** Returns a withdrawal: money out, held in the wallet with its fee until the bank has answered. */
export function withdrawal(facts: CommandFacts & { destination: Destination }): PendingWithdrawal {
  return {
    ...recordOfCommand(facts),
    type: 'withdrawal',
    status: 'pending',
    destination: facts.destination,
    dueAt: facts.at,
    postings: heldPostings(facts),
  };
}

/** Returns the transaction of a payment that the bank sent back. The money enters the wallet again, without the fee. */
export function bankReturn(
  original: Withdrawal,
  facts: Pick<CommandFacts, 'transactionId' | 'principal' | 'at' | 'description'>,
): Return {
  const { walletId, amount, currency, ownerId, transactionId: originalTransactionId } = original;
  return {
    ...recordOfCommand({ ...facts, ownerId, walletId, amount, currency }),
    type: 'return',
    status: 'completed',
    originalTransactionId,
    postings: move(amount, accounts.external(currency), accounts.available(walletId)),
    completedAt: facts.at,
  };
}

/** The members of a withdrawal that its postings show. */
type Posted = Pick<CommandFacts, 'walletId' | 'amount' | 'currency' | 'fee'>;

/** Returns the postings of a withdrawal at its acceptance: the amount and the fee are held. */
export function heldPostings({ walletId, ...paid }: Posted): Posting[] {
  return move(withFee(paid), accounts.available(walletId), accounts.held(walletId));
}

/** Returns the postings that settle a withdrawal: the held money has left for the bank, and the fee is earned. */
export function settlePostings({ walletId, ...paid }: Posted): Posting[] {
  return [
    { account: accounts.held(walletId), amount: -withFee(paid) },
    { account: accounts.external(paid.currency), amount: paid.amount },
    ...feePosting(paid),
  ];
}

/** Returns the postings that release a withdrawal: the held money is available again, with the fee. */
export function releasePostings({ walletId, ...paid }: Posted): Posting[] {
  return move(withFee(paid), accounts.held(walletId), accounts.available(walletId));
}

/** Returns the postings of an imported withdrawal: the money had left in another system, and never was held here. */
export function importedWithdrawalPostings({ walletId, amount, currency }: Omit<Posted, 'fee'>): Posting[] {
  return move(amount, accounts.available(walletId), accounts.external(currency));
}

/** The treatment of the bank. Times in milliseconds. */
export interface WithdrawalPolicy {
  /** Visits to the bank before an operator must decide. */
  readonly maxAttempts: number;
  /** Time after a submit during which "not found" proves nothing yet; the bank documents it. */
  readonly notFoundWindowMs: number;
  /** The hours in which the bank takes payments. Absent: always. */
  readonly hours?: PayoutHours | undefined;
}

/**
 * Time for which a claim excludes other workers. Longer than a worker's time limit (30 s), so two never visit the bank
 * at once.
 */
export const leaseMs = 40_000;
/** Time limit of one call to the bank. */
export const bankCallMs = 3_000;
/** Time after its claim in which a worker may have a submit under way: two calls to the bank, and reads and writes. */
export const submitBudgetMs = 10_000;

const firstBackoffMs = 1_000;
/** Visits with short waits between them, and the longest of these waits. */
const quickVisits = 10;
const quickWaitMs = 8_000;
/** Longest wait before a later visit to a bank that is up. */
const briefWaitMs = 30_000;
/**
 * Longest wait of all: between two visits to a bank that is down, still works on the payment, or has refused it
 * `maxAttempts` times.
 */
const longestWaitMs = 300_000;
/**
 * Time for which workers submit a withdrawal again to a bank that does not accept it. After that an operator decides.
 */
const notAcceptedPatienceMs = 24 * 3_600_000;
/**
 * Most by which a worker's clock may differ from the database's. An answer names its time in whole seconds (1 s), and
 * one call may take 1.5 s (`dynamodbClient`). With a smaller limit, a right clock could not be proved right.
 */
export const clockErrorMs = 2_500;
/**
 * Most by which the clocks of two workers that visit the bank may differ. If the asking worker's clock is further ahead
 * of the submitting worker's, it accepts "not found" too early, and pays twice.
 */
const clockToleranceMs = 2 * clockErrorMs;

/**
 * A worker's clock beside the database's, in epoch ms. `databaseAt` is the time in the answer, which is cut to whole
 * seconds. The other two are the worker's time before and after the call.
 */
export interface ClockReading {
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly databaseAt: number;
}

/**
 * Returns the least and the most by which a clock may be ahead of the database's, in ms; negative when it is behind.
 */
export function aheadMs({ sentAt, receivedAt, databaseAt }: ClockReading): { least: number; most: number } {
  return { least: sentAt - databaseAt - 1_000, most: receivedAt - databaseAt };
}

/**
 * Returns whether a clock is proved to be right, to 2.5 s. A call that took longer than its time limit proves nothing.
 */
export function isClockRight(reading: ClockReading): boolean {
  const { least, most } = aheadMs(reading);
  return least >= -clockErrorMs && most <= clockErrorMs;
}

/**
 * Returns when (epoch ms) the bank's "not found" begins to prove that it never got a submit which left by `submitBy`.
 */
export function notFoundCountsAt(submitBy: string, policy: WithdrawalPolicy): number {
  return Date.parse(submitBy) + policy.notFoundWindowMs + clockToleranceMs;
}

/**
 * Returns the visit of a worker that claimed the withdrawal and neither ended it nor put it back; undefined when there
 * was none. That worker may have submitted. Its visit counts as an attempt, so that a withdrawal whose workers always
 * crash ends in review.
 *
 * @param before the withdrawal as the next worker found it
 */
export function unreportedVisit(before: OpenWithdrawal): Attempt | undefined {
  if (before.claimId === undefined) return undefined;
  return { at: before.updatedAt, submitted: false, outcome: 'unknown', reason: 'the worker reported no result' };
}

/**
 * The decision after a visit that did not end the withdrawal.
 *
 * - `review`: an operator must decide now. The visit goes on the record.
 * - `retry`: the bank is visited again. The visit goes on the record.
 * - `retry_rarely`: the bank has refused the payment `maxAttempts` times. It is visited again after a longer wait, and the
 *   visit does not go on the record.
 */
type NextStep = 'review' | 'retry' | 'retry_rarely';

/**
 * Returns the decision after a visit that did not end the withdrawal.
 *
 * - `unknown`: the bank may have paid. Such a visit counts, and the one that reaches `maxAttempts` leads to review.
 * - `not_accepted`: the payment cannot have left. Such a visit does not count. When the bank has accepted nothing for a
 *   day, the withdrawal goes to review. A wait for a frozen wallet restarts that day, because no worker visits the bank
 *   meanwhile. Hours in which the bank was closed are not part of it.
 *
 * @param before the withdrawal as the worker found it
 * @param visit `at`: when it ended, ISO 8601
 * @returns
 * - `visits`: the number on the record, plus this one
 * - `next`: the decision
 * - `refusedSince`: for the record, after `not_accepted` only
 */
export function afterVisit(
  before: OpenWithdrawal,
  visit: { readonly outcome: 'unknown' | 'not_accepted'; readonly at: string },
  { maxAttempts, hours }: WithdrawalPolicy,
): { readonly visits: number; readonly next: NextStep; readonly refusedSince?: string } {
  const { attempts = [] } = before;
  const unreported = unreportedVisit(before) === undefined ? 0 : 1;
  const refusals = attempts.filter(({ outcome }) => outcome === 'not_accepted');
  const visits = attempts.length + unreported + 1;
  if (visit.outcome === 'unknown') {
    return { visits, next: visits - refusals.length >= maxAttempts ? 'review' : 'retry' };
  }
  const { refusedSince = visit.at } = before;
  const [from, to] = [Date.parse(refusedSince), Date.parse(visit.at)];
  const refusedForMs = hours === undefined ? to - from : hours.openMs(from, to);
  if (refusedForMs >= notAcceptedPatienceMs) return { visits, next: 'review', refusedSince };
  return { visits, next: refusals.length < maxAttempts ? 'retry' : 'retry_rarely', refusedSince };
}

/**
 * Returns when the next visit is due (epoch ms) after one that did not end the withdrawal. The wait is 1 s, 2 s, 4 s
 * and then 8 s, less up to a quarter at random. It never ends before a "not found" would be definite. After ten visits
 * it is up to half a minute, or up to five minutes with `patient`. At 30 % failures one withdrawal in 170,000 gets that
 * far.
 *
 * @param visit `now` in epoch ms; `visits` made so far, at least 1. `submitBy` is absent when no submit can have left.
 *   `patient`: the bank is down, still works on the payment, or has refused it `maxAttempts` times
 * @param random a number in [0, 1)
 */
export function nextVisitAt(
  visit: { now: number; visits: number; submitBy: string | undefined; patient: boolean },
  policy: WithdrawalPolicy,
  random: number,
): number {
  const longest = visit.visits <= quickVisits ? quickWaitMs : visit.patient ? longestWaitMs : briefWaitMs;
  const backoff = waitBeforeRetry(visit.visits - 1, { first: firstBackoffMs, longest }) * (1 - random / 4);
  const definite = visit.submitBy === undefined ? 0 : notFoundCountsAt(visit.submitBy, policy);
  return Math.ceil(Math.max(visit.now + backoff, definite));
}

/** The times (ISO 8601 UTC) that a withdrawal's age counts from. */
type Aged = Parameters<typeof beganAtOf>[0];

/**
 * Returns when a withdrawal is due again (epoch ms) after its worker could not call the bank, or after the bank has
 * refused it `maxAttempts` times. The wait is at least `retryAfterMs`, and at least a quarter of the withdrawal's age,
 * capped at five minutes.
 *
 * So in a long outage a message is received less and less often. The queue's 30 deliveries then last for more than an
 * hour. Without this they last for a quarter of an hour. Each worker has a breaker of its own, so a message that waited
 * for one breaker meets another.
 *
 * @param kept the withdrawal, whose age counts from its execution if it was scheduled; `now` in epoch ms; `retryAfterMs`: for
 *   example until the breaker allows a call
 */
export function nextTryAt(kept: Aged & { now: number; retryAfterMs?: number }): number {
  const { now, retryAfterMs = 0 } = kept;
  const waitMs = Math.min((now - Date.parse(beganAtOf(kept))) / 4, longestWaitMs);
  return Math.ceil(now + Math.max(retryAfterMs, waitMs));
}

/** Shortest wait before a frozen wallet is read again. */
const shortestThawWaitMs = 30_000;

/**
 * Returns when a withdrawal whose wallet is frozen is due again (epoch ms): after a quarter of its age, 30 s to five
 * minutes. So a wallet that stays frozen for days costs few reads, and a payout leaves soon after a short freeze.
 *
 * @param wait as for `nextTryAt`
 */
export function nextThawCheckAt(wait: Aged & { now: number }): number {
  const { now } = wait;
  const quarterMs = (now - Date.parse(beganAtOf(wait))) / 4;
  return Math.ceil(now + Math.min(Math.max(quarterMs, shortestThawWaitMs), longestWaitMs));
}

/** The failure of a withdrawal that was cancelled. */
export const cancelled = { code: 'cancelled', message: 'The withdrawal was cancelled before it left for the bank' };

/**
 * Returns why this withdrawal cannot be cancelled; undefined when it can. After one submit it never can, even when the
 * bank refused that submit. A proxy between us and the bank may have sent the request twice.
 */
export function cancelRefusal(current: Withdrawal | undefined): WalletError | undefined {
  if (current === undefined) return new WalletError('transaction_not_found');
  const refusal = (detail: string) => new WalletError('not_cancellable', { detail });
  if (isAtRest(current)) return refusal(`it is ${current.status === 'review' ? 'in review' : current.status}`);
  if (current.submitBy !== undefined || current.attempts !== undefined) return refusal('the bank may have it already');
  return undefined;
}
