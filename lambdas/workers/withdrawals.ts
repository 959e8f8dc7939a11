import { randomUUID } from 'node:crypto';
import { openBank } from '../bank/client.ts';
import { isBankFailure, isProcessing } from '../bank/answers.ts';
import { reportContradiction } from '../bank/contradiction.ts';
import { reportEnd } from '../bank/end.ts';
import { bankIdOf } from '../bank/identity.ts';
import { openRequestKeys } from '../bank/secret.ts';
import type { Environment } from '../contract.ts';
import { parsePayoutHours } from '../domain/payout-window.ts';
import { isAtRest } from '../domain/transaction.ts';
import type { OpenWithdrawal, Transaction } from '../domain/transaction.ts';
import type { Attempt } from '../domain/transaction-record.ts';
import { afterVisit, bankCallMs, leaseMs, nextTryAt, nextVisitAt, submitBudgetMs } from '../domain/withdrawal.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { dynamodbClient, secretsClient, sqsClient } from '../aws/clients.ts';
import { consume } from '../aws/consumer.ts';
import { positiveInteger } from '../aws/environment.ts';
import { openQueue } from '../aws/queue.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { putBreaker } from '../store/breaker.ts';
import { executeWithdrawal } from '../store/schedules.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWithdrawal } from '../store/withdrawals.ts';
import {
  claimWithdrawal,
  putBackWithdrawal,
  releaseWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../store/withdrawal-claims.ts';
import type { Claim, Claimed } from '../store/withdrawal-claims.ts';
import { consultBank, countTurn } from './consult-bank.ts';
import type { Answered, BankServices, PutBack, Visit } from './consult-bank.ts';
import { doubtedReading, leaveToRightClock, nextClaimAt } from './doubted-clock.ts';

export interface WithdrawalServices extends BankServices {
  /** The id of this bank. */
  readonly bankId: string;
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
  let attempted = newClaim(table.now(), bankId);
  let result = await claimWithdrawal(table, transactionId, attempted);
  // This clock would write the time of the execution, so it must be right.
  const execution =
    !result.claimed && doubtedReading(result.clock) === undefined ? await execute(result.current, table) : undefined;
  if (execution === 'open') {
    attempted = newClaim(table.now(), bankId);
    result = await claimWithdrawal(table, transactionId, attempted);
  }
  const doubted = doubtedReading(result.clock);
  if (!result.claimed) {
    const { current, clock } = result;
    const isLeft = execution === 'early' || doubted !== undefined;
    const deliveryAt = nextDeliveryAt(current) ?? (isLeft ? executionAt(current, doubted, table) : undefined);
    return { redeliverAt: nextClaimAt(deliveryAt, transactionId, clock, table) };
  }
  const visit: Visit = { withdrawal: result.before, claim: attempted };
  if (doubted !== undefined) {
    return { redeliverAt: await putBack(table, visit, leaveToRightClock(visit.withdrawal, doubted)) };
  }
  return isOutElsewhere(visit.withdrawal, bankId) ? { redeliverAt: await reviewElsewhere(visit, services) } : visit;
}

/**
 * Executes a scheduled withdrawal whose time has come. Returns `open` when it is open now, by this worker or a faster one, and
 * `early` when its time has not come by this clock.
 */
async function execute(current: Transaction | undefined, table: Table): Promise<'open' | 'early' | undefined> {
  if (current?.type !== 'withdrawal' || current.status !== 'scheduled') return undefined;
  const { transactionId, walletId } = current;
  const result = await executeWithdrawal(table, current, iso(table.now()));
  switch (result.outcome) {
    case 'executed':
      return 'open';
    case 'failed':
      logger.info('scheduled withdrawal failed', { transactionId, walletId, code: result.failure.code });
      return undefined;
    case 'unchanged':
      if (result.current?.status === 'scheduled') return 'early';
      return result.current === undefined || isAtRest(result.current) ? undefined : 'open';
  }
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
      const now = table.now();
      const visitAt = nextVisitAt({ now, visits, submitBy: out, patient }, policy, table.random());
      // These visits are not counted, so the wait grows with the withdrawal's age.
      const dueAt = next === 'retry_rarely' ? Math.max(visitAt, nextTryAt({ ...withdrawal, now })) : visitAt;
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
 * @returns when the message must be redelivered (epoch ms); undefined for a withdrawal that waits for its wallet or the bank
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
 * needed: it has ended, is in review, does not exist, or waits for its wallet or the bank. The sweeper queues one that
 * waits.
 */
function nextDeliveryAt(current: Transaction | undefined): number | undefined {
  if (current?.type !== 'withdrawal' || isAtRest(current) || current.waitingFor !== undefined) return undefined;
  return Date.parse(current.dueAt);
}

/** How early the message of a scheduled withdrawal may come, by the clock of its worker. */
const earlyMs = 60_000;

/**
 * Returns when to redeliver the message of a scheduled withdrawal that this worker left to others: its time has not come by
 * this clock, or the clock is doubted. Another worker may execute it and die, so the message stays. Undefined: its time is
 * far away, and the sweeper sends a message then.
 *
 * @param doubted the reading of a clock that may be wrong
 * @returns epoch ms; Infinity after a doubted clock: `nextClaimAt` chooses the wait
 */
function executionAt(
  current: Transaction | undefined,
  doubted: ClockReading | undefined,
  table: Table,
): number | undefined {
  if (current?.type !== 'withdrawal' || current.status !== 'scheduled') return undefined;
  const executeAt = Date.parse(current.executeAt);
  const now = table.now();
  if (executeAt - (doubted?.databaseAt ?? now) > earlyMs) return undefined;
  return doubted === undefined ? Math.max(executeAt, now) : Infinity;
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
      hours: parsePayoutHours(environment.PAYOUT_WINDOW),
    },
  };
  return consume({
    queue: openQueue(sqsClient(), environment.WITHDRAWAL_QUEUE_URL),
    handle: (transactionId, requestId) => advanceWithdrawal(transactionId, { ...services, requestId }),
    now: table.now,
  });
}
