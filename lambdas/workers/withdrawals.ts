import { randomUUID } from 'node:crypto';
import { BankUnavailable, isBankFailure, isProcessing, openBank, TooLate } from '../bank/client.ts';
import type { BankClient, Payment, SubmitOutcome } from '../bank/client.ts';
import { reportContradiction } from '../bank/contradiction.ts';
import { reportEnd } from '../bank/end.ts';
import { bankIdOf } from '../bank/identity.ts';
import { openRequestKeys } from '../bank/secret.ts';
import { metrics as names } from '../contract.ts';
import type { Environment } from '../contract.ts';
import { isAtRest } from '../domain/transaction.ts';
import type { Attempt, ExecutingWithdrawal, OpenWithdrawal, Transaction, Withdrawal } from '../domain/transaction.ts';
import {
  afterVisit,
  aheadMs,
  bankCallMs,
  isClockRight,
  leaseMs,
  nextThawCheckAt,
  nextTryAt,
  nextVisitAt,
  notFoundCountsAt,
  submitBudgetMs,
} from '../domain/withdrawal.ts';
import type { ClockReading, WithdrawalPolicy } from '../domain/withdrawal.ts';
import { dynamodbClient, secretsClient, sqsClient } from '../aws/clients.ts';
import { consume } from '../aws/consumer.ts';
import { positiveInteger } from '../aws/environment.ts';
import { openQueue } from '../aws/queue.ts';
import { describe, logger, metrics } from '../aws/telemetry.ts';
import { putBreaker } from '../store/breaker.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { UnreadableItem } from '../store/unreadable.ts';
import { getWalletWithClock } from '../store/wallets.ts';
import {
  claimWithdrawal,
  getWithdrawal,
  putBackWithdrawal,
  releaseWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../store/withdrawals.ts';
import type { Claim, Claimed } from '../store/withdrawals.ts';

export interface WithdrawalServices {
  readonly table: Table;
  readonly bank: Pick<BankClient, 'submit' | 'find' | 'isDown'>;
  /** The id of this bank. */
  readonly bankId: string;
  readonly policy: WithdrawalPolicy;
  /** The id of the request that asked for the withdrawal, for the log; undefined: not known. */
  readonly requestId?: string | undefined;
}

/**
 * Makes one visit to the bank for a withdrawal: claims it, asks or submits, and books the answer.
 *
 * Once a submit may have left, the worker asks the bank before it submits the payment again, with the same reference.
 * Only a definite answer moves the money. A worker that crashes or times out between two steps leaves a record that
 * shows the next worker which calls may have left.
 *
 * @returns when the message must be redelivered (epoch ms); undefined when it is not needed any more
 * @throws WalletError `busy`, UnreadableItem, and the error of the bank's keys; then the queue redelivers the message
 */
export async function advanceWithdrawal(
  transactionId: string,
  services: WithdrawalServices,
): Promise<number | undefined> {
  const claimed = await claim(transactionId, services);
  if ('redeliverAt' in claimed) return claimed.redeliverAt;
  const next = await consultBank(claimed, services);
  return 'answer' in next ? book(claimed, next, services) : putBack(services.table, claimed, next);
}

/** A withdrawal that this worker has claimed, as it was before, and the claim. */
interface Visit {
  readonly withdrawal: OpenWithdrawal;
  readonly claim: Claim;
}

/** An answer of the bank, to be booked. */
interface Answered {
  readonly answer: SubmitOutcome;
  /** Whether it answers a submit of this visit; otherwise the worker only asked. */
  readonly submitted: boolean;
  /** Latest time at which a submit may have left (ISO 8601 UTC); undefined when none can have left. */
  readonly submitBy: string | undefined;
}

/** The end of a visit without an answer: how the withdrawal is put back. See `putBackWithdrawal`. */
interface PutBack {
  /** Epoch ms. */
  readonly dueAt: number;
  /** When the message must be redelivered, epoch ms; absent: at `dueAt`. */
  readonly redeliverAt?: number;
  readonly submitBy: string | undefined;
  readonly attempt?: Attempt | undefined;
  readonly refusedSince?: string | undefined;
  /** The reason for a wait without a message: the sweeper queues the withdrawal when it is due. */
  readonly waitingFor?: ExecutingWithdrawal['waitingFor'];
}

/** Shortest wait after a worker's clock was doubted, so that another worker gets the message. */
const clockWaitMs = 10_000;

function newClaim(now: number, bankId: string): Claim {
  const [leaseUntil, submitBy] = [iso(now + leaseMs), iso(now + submitBudgetMs)];
  return { claimId: randomUUID(), at: iso(now), leaseUntil, submitBy, bankId };
}

/** Returns whether a submit may have left for another bank, so that this bank can neither be asked nor paid. */
function isOutElsewhere({ submitBy, bankId }: OpenWithdrawal, thisBank: string): boolean {
  return submitBy !== undefined && bankId !== undefined && bankId !== thisBank;
}

/**
 * Claims a withdrawal for one visit to the bank. There is no visit when another worker holds it, this worker's clock is
 * doubted, or another bank may have the payment.
 *
 * @returns the visit; without one, when the message must be redelivered (epoch ms; undefined: never)
 */
async function claim(
  transactionId: string,
  services: WithdrawalServices,
): Promise<Visit | { readonly redeliverAt: number | undefined }> {
  const { table, bankId } = services;
  const attempted = newClaim(table.now(), bankId);
  const result = await claimWithdrawal(table, transactionId, attempted);
  if (!result.claimed) {
    return { redeliverAt: nextClaimAt(nextDeliveryAt(result.current), transactionId, result.clock, table) };
  }
  const visit: Visit = { withdrawal: result.before, claim: attempted };
  const doubted = doubtedReading(result.clock);
  if (doubted !== undefined) {
    return { redeliverAt: await putBack(table, visit, leaveToRightClock(visit.withdrawal, doubted)) };
  }
  return isOutElsewhere(visit.withdrawal, bankId) ? { redeliverAt: await reviewElsewhere(visit, services) } : visit;
}

/** Asks the bank about an earlier submit, if one may have left, and submits when none can be at the bank. */
async function consultBank(visit: Visit, services: WithdrawalServices): Promise<Answered | PutBack> {
  const { withdrawal } = visit;
  const { table } = services;
  try {
    return (
      (await askAboutSubmit(withdrawal, services)) ??
      (await reasonToWait(visit, table)) ??
      (await submit(visit, services))
    );
  } catch (error) {
    // Before these errors, nothing was sent.
    if (error instanceof TooLate) return { dueAt: table.now(), submitBy: withdrawal.submitBy };
    if (error instanceof BankUnavailable) {
      countTurn({ failed: true, breakerOpen: true });
      return leaveBankAlone(withdrawal, error, table);
    }
    if (error instanceof UnreadableItem) return leaveToNewerRelease(withdrawal, error, table);
    throw error;
  }
}

/** Asks the bank about the earlier submit. Returns undefined when none can be at the bank. */
async function askAboutSubmit(
  withdrawal: OpenWithdrawal,
  { table, bank, policy }: WithdrawalServices,
): Promise<Answered | PutBack | undefined> {
  const { submitBy } = withdrawal;
  if (submitBy === undefined) return undefined;
  const askedAt = table.now();
  const found = await bank.find(paymentOf(withdrawal));
  if (found.outcome !== 'not_found') return { answer: found, submitted: false, submitBy };
  // The answer was true at some time between the question and its arrival. The time of the question is the safe one.
  const definiteAt = notFoundCountsAt(submitBy, policy);
  if (askedAt >= definiteAt) return undefined;
  countTurn({ failed: false, breakerOpen: bank.isDown() });
  const attempt: Attempt = { at: iso(askedAt), submitted: false, outcome: 'unknown', reason: 'not found yet' };
  return { dueAt: definiteAt, submitBy, attempt };
}

/**
 * Returns how to put back a withdrawal that must not be submitted now; undefined when it may be submitted. It must not
 * when its wallet is frozen, this worker's clock is doubted, or too little of the claim is left.
 *
 * The wallet is read after the claim, and before every submit: a freeze that was answered before this delivery stops the
 * payout. The answer checks the clock once more, as a clock may jump.
 */
async function reasonToWait({ withdrawal, claim }: Visit, table: Table): Promise<PutBack | undefined> {
  const { transactionId, walletId, createdAt, submitBy } = withdrawal;
  const { wallet, clock } = await getWalletWithClock(table, walletId);
  const doubted = doubtedReading(clock);
  if (doubted !== undefined) return leaveToRightClock(withdrawal, doubted);
  if (wallet === undefined) throw new Error(`the wallet of withdrawal ${transactionId} does not exist`);
  if (wallet.status === 'frozen') {
    const dueAt = nextThawCheckAt({ now: table.now(), createdAt });
    logger.info('wallet frozen', { transactionId, walletId, dueAt: iso(dueAt) });
    return { dueAt, submitBy, waitingFor: 'wallet_frozen' };
  }
  return table.now() > lastBegin(claim) ? { dueAt: table.now(), submitBy } : undefined;
}

async function submit({ withdrawal, claim }: Visit, { table, bank }: WithdrawalServices): Promise<Answered> {
  const answer = await bank.submit(paymentOf(withdrawal), lastBegin(claim));
  return { answer, submitted: true, submitBy: iso(table.now()) };
}

/** Returns the latest time at which a submit may begin, epoch ms: it ends by the `submitBy` that the claim stored. */
function lastBegin({ submitBy }: Claim): number {
  return Date.parse(submitBy) - bankCallMs;
}

/** Shortest wait before a wallet that this release cannot read is read again. */
const unreadableWaitMs = 60_000;

/** Puts a withdrawal back whose wallet a newer release has written: this one cannot see whether it is frozen. */
function leaveToNewerRelease(
  { transactionId, createdAt, submitBy }: OpenWithdrawal,
  error: UnreadableItem,
  table: Table,
): PutBack {
  const dueAt = nextTryAt({ now: table.now(), createdAt, retryAfterMs: unreadableWaitMs });
  logger.error('wallet not readable', { transactionId, dueAt: iso(dueAt), error: describe(error) });
  return { dueAt, submitBy };
}

/**
 * Counts a withdrawal's turn at the bank. A call that an open breaker stopped counts as failed: otherwise the share of
 * failures would fall while the breakers of a bank that is down keep calls back.
 */
function countTurn({ failed, breakerOpen }: { readonly failed: boolean; readonly breakerOpen: boolean }): void {
  metrics.addMetric(names.bankFailed, 'Count', Number(failed));
  metrics.addMetric(names.breakerOpen, 'Count', Number(breakerOpen));
}

/** Puts a withdrawal back while the bank cannot be called. */
function leaveBankAlone(
  { transactionId, createdAt, submitBy }: OpenWithdrawal,
  { retryAfterMs }: BankUnavailable,
  table: Table,
): PutBack {
  const dueAt = nextTryAt({ now: table.now(), createdAt, retryAfterMs });
  logger.info('bank left alone', { transactionId, dueAt: iso(dueAt) });
  return { dueAt, submitBy };
}

/**
 * Returns the reading of a clock that may be wrong; undefined when the clock is right. An answer without a time proves
 * nothing: only stand-ins for DynamoDB send it.
 */
function doubtedReading(reading: ClockReading | undefined): ClockReading | undefined {
  return reading === undefined || isClockRight(reading) ? undefined : reading;
}

/** Logs and counts that this worker's clock may be wrong. */
function reportDoubt(transactionId: string, reading: ClockReading): void {
  logger.warn('the clock may be wrong', { transactionId, aheadMs: aheadMs(reading) });
  metrics.addMetric(names.clockDoubted, 'Count', 1);
}

/**
 * Leaves a withdrawal to a worker whose clock is right. `submitBy` stays as it was before the claim: this clock must
 * not decide when "not found" counts. The withdrawal is due again by the database's time, and no earlier than before.
 * So the sweeper does not count the message as lost, and no other worker's lease is cut short.
 */
function leaveToRightClock(
  { transactionId, createdAt, dueAt, submitBy }: OpenWithdrawal,
  reading: ClockReading,
): PutBack {
  reportDoubt(transactionId, reading);
  const { databaseAt, receivedAt } = reading;
  const next = nextTryAt({ now: databaseAt, createdAt, retryAfterMs: clockWaitMs });
  return {
    dueAt: Math.max(next, Date.parse(dueAt)),
    redeliverAt: receivedAt + next - databaseAt,
    submitBy,
  };
}

/**
 * Returns when to redeliver the message of a withdrawal that this worker could not claim, epoch ms by this worker's
 * clock. To a clock that is behind, due work seems to lie in the future. So another worker gets the message soon.
 *
 * @param deliveryAt when to redeliver if the clock is right; undefined: not at all
 */
function nextClaimAt(
  deliveryAt: number | undefined,
  transactionId: string,
  reading: ClockReading | undefined,
  table: Table,
): number | undefined {
  const doubted = doubtedReading(reading);
  if (deliveryAt === undefined || doubted === undefined) return deliveryAt;
  reportDoubt(transactionId, doubted);
  return Math.min(deliveryAt, table.now() + clockWaitMs);
}

/**
 * Moves the money by a definite answer of the bank. Puts the withdrawal back, or into review, after any other answer.
 *
 * @returns when the message must be redelivered (epoch ms); undefined when it is not needed any more
 */
async function book(visit: Visit, answered: Answered, services: WithdrawalServices): Promise<number | undefined> {
  const { table, bank, policy } = services;
  const { withdrawal } = visit;
  const { transactionId } = withdrawal;
  const { answer, submitted, submitBy } = answered;
  const attempt: Attempt = {
    at: iso(table.now()),
    submitted,
    outcome: answer.outcome,
    ...('reason' in answer && { reason: answer.reason }),
  };
  logger.info('bank visited', { transactionId, requestId: services.requestId, ...attempt });
  countTurn({ failed: isBankFailure(answer), breakerOpen: bank.isDown() });
  const claimed = heldBy(visit, table.now());
  switch (answer.outcome) {
    case 'accepted':
      if (!(await settleWithdrawal(table, claimed, attempt))) return leaveToOthers(table, transactionId, 'completed');
      reportEnd(withdrawal, { now: table.now(), status: 'completed' });
      return undefined;
    case 'rejected': {
      const { code, message } = answer;
      if (!(await releaseWithdrawal(table, claimed, attempt, { code, message }))) {
        return leaveToOthers(table, transactionId, 'failed');
      }
      reportEnd(withdrawal, { now: table.now(), status: 'failed', code });
      return undefined;
    }
    case 'not_accepted':
    case 'unknown': {
      const { outcome } = answer;
      const { visits, next, refusedSince } = afterVisit(withdrawal, { outcome, at: attempt.at }, policy);
      if (next === 'review') return putIntoReview(visit, attempt, table);
      // An earlier submit was definitely not found, and the bank has not accepted this one.
      const out = outcome === 'not_accepted' ? undefined : submitBy;
      const patient = bank.isDown() || isProcessing(answer) || next === 'retry_rarely';
      const dueAt = nextVisitAt({ now: table.now(), visits, submitBy: out, patient }, policy, table.random());
      const recorded = next === 'retry' ? attempt : undefined;
      return putBack(table, visit, { dueAt, submitBy: out, attempt: recorded, refusedSince });
    }
  }
}

/** Puts a withdrawal into review that may be at another bank: only that bank knows the outcome. */
function reviewElsewhere(visit: Visit, { table, bankId }: WithdrawalServices): Promise<number | undefined> {
  const reason = `submitted to bank ${visit.withdrawal.bankId}; this bank is ${bankId}`;
  const attempt: Attempt = { at: iso(table.now()), submitted: false, outcome: 'unknown', reason };
  return putIntoReview(visit, attempt, table);
}

async function putIntoReview(visit: Visit, attempt: Attempt, table: Table): Promise<number | undefined> {
  const { transactionId, walletId } = visit.withdrawal;
  if (!(await reviewWithdrawal(table, heldBy(visit, table.now()), attempt))) return leaveToOthers(table, transactionId);
  logger.warn('withdrawal in review', { transactionId, walletId, reason: attempt.reason });
  return undefined;
}

/**
 * Puts the withdrawal back. When another worker has taken the claim, nothing is written, and the next delivery shows
 * it.
 *
 * @returns when the message must be redelivered (epoch ms); undefined for a withdrawal that waits for its wallet
 */
async function putBack(table: Table, visit: Visit, next: PutBack): Promise<number | undefined> {
  const written = await putBackWithdrawal(table, heldBy(visit, table.now()), { ...next, dueAt: iso(next.dueAt) });
  if (next.waitingFor === undefined) return next.redeliverAt ?? next.dueAt;
  return written ? undefined : leaveToOthers(table, visit.withdrawal.transactionId);
}

function heldBy({ withdrawal, claim }: Visit, now: number): Claimed {
  return { withdrawal, claimId: claim.claimId, at: iso(now) };
}

/**
 * Returns when a withdrawal that this worker cannot claim is due (epoch ms). Returns undefined when no message is
 * needed: it has ended, is in review, does not exist, or waits for its wallet. The sweeper queues one that waits.
 */
function nextDeliveryAt(current: Transaction | undefined): number | undefined {
  if (current?.type !== 'withdrawal' || isAtRest(current) || current.waitingFor !== undefined) return undefined;
  return Date.parse(current.dueAt);
}

/**
 * Leaves a withdrawal that another worker now holds: this outcome cannot be recorded. Keeps the message until that worker
 * finishes, in case it crashes. If the withdrawal already ended the other way, reports a contradiction.
 *
 * @param end the end that a definite answer of the bank asks for; absent after any other answer
 * @returns when the message must be redelivered (epoch ms); undefined when it is not needed any more
 */
async function leaveToOthers(
  table: Table,
  transactionId: string,
  end?: 'completed' | 'failed',
): Promise<number | undefined> {
  const current = await getWithdrawal(table, transactionId);
  if (end !== undefined && current?.status === (end === 'completed' ? 'failed' : 'completed')) {
    reportContradiction(transactionId, { status: end }, current);
  }
  return nextDeliveryAt(current);
}

function paymentOf({ transactionId, amount, currency, destination }: Withdrawal): Payment {
  return { reference: transactionId, amount, currency, destination };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Opens the consumer of the withdrawal queue. */
export function open(environment: Environment<'withdrawals'>) {
  const table = {
    ...openTable(dynamodbClient(), environment.TABLE_NAME),
    dueShards: positiveInteger(environment, 'DUE_SHARDS'),
  };
  const bank = openBank({
    url: environment.BANK_URL,
    keys: openRequestKeys(secretsClient(), environment.BANK_REQUEST_SECRET_ARN),
    timeoutMs: bankCallMs,
    onBreaker(state) {
      logger.warn('circuit breaker of the bank changed', { state });
      putBreaker(table, { state, since: iso(table.now()) }).catch((error: unknown) => {
        logger.error('breaker not recorded', { error: describe(error) });
      });
    },
  });
  const services: WithdrawalServices = {
    table,
    bank,
    bankId: bankIdOf(environment.BANK_ID),
    policy: {
      maxAttempts: positiveInteger(environment, 'BANK_MAX_ATTEMPTS'),
      notFoundWindowMs: 1000 * positiveInteger(environment, 'BANK_NOT_FOUND_WINDOW_SECONDS'),
    },
  };
  return consume({
    queue: openQueue(sqsClient(), environment.WITHDRAWAL_QUEUE_URL),
    handle: (transactionId, requestId) => advanceWithdrawal(transactionId, { ...services, requestId }),
    now: table.now,
  });
}
