import { randomUUID } from 'node:crypto';
import { BankUnavailable, openBank, TooLate } from '../bank/client.ts';
import type { BankClient, Payment, SubmitOutcome } from '../bank/client.ts';
import { reportContradiction } from '../bank/contradiction.ts';
import { openRequestKeys } from '../bank/secret.ts';
import type { Attempt } from '../domain/transaction.ts';
import {
  bankCallMs,
  isAtRest,
  leaseMs,
  nextTryAt,
  nextVisitAt,
  notFoundCountsAt,
  submitBudgetMs,
  unreportedVisit,
} from '../domain/withdrawal.ts';
import type { OpenWithdrawal, WithdrawalPolicy } from '../domain/withdrawal.ts';
import { dynamodbClient, secretsClient, sqsClient } from '../runtime/clients.ts';
import { consume } from '../runtime/consumer.ts';
import { positiveInteger, readEnvironment } from '../runtime/environment.ts';
import { openQueue } from '../runtime/queue.ts';
import { describe, logger } from '../runtime/telemetry.ts';
import { putBreaker } from '../store/breaker.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import {
  claimWithdrawal,
  putBackWithdrawal,
  releaseWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../store/withdrawals.ts';
import type { Claim, Claimed } from '../store/withdrawals.ts';

export interface WithdrawalServices {
  readonly table: Table;
  readonly bank: Pick<BankClient, 'submit' | 'find'>;
  readonly policy: WithdrawalPolicy;
}

/**
 * Takes one withdrawal a step further: claim, consult the bank, book what it said.
 *
 * Once a submit may have left, the bank is asked before anything is submitted again, with the same reference; and only
 * what the bank definitely says moves the money. Whatever dies or times out between two steps leaves a record from
 * which the next delivery knows what may have happened.
 *
 * @returns when the message is to be delivered again (epoch ms), or undefined when it has done its work
 */
export async function advanceWithdrawal(
  transactionId: string,
  services: WithdrawalServices,
): Promise<number | undefined> {
  const { table } = services;
  const claim = newClaim(table.now());
  const result = await claimWithdrawal(table, transactionId, claim);
  if (!result.claimed) return wantedAgain(result.current);
  const visit: Visit = { withdrawal: result.before, claim };
  const next = await consult(visit, services);
  return 'answer' in next ? book(visit, next, services) : putBack(table, visit, next);
}

/** A withdrawal that this worker has claimed, as it was before, and the claim. */
interface Visit {
  readonly withdrawal: OpenWithdrawal;
  readonly claim: Claim;
}

/** What the bank said, to be booked. */
interface Answered {
  readonly answer: SubmitOutcome;
  /** Whether it is the answer to a submit of this visit; otherwise the bank was only asked. */
  readonly submitted: boolean;
  /** Latest time at which a submit may have left; undefined when nothing can be out. */
  readonly submitBy: string | undefined;
}

/** The visit ends without an answer: the withdrawal is put back until `dueAt` (epoch ms). */
interface PutBack {
  readonly dueAt: number;
  readonly submitBy: string | undefined;
  readonly attempt?: Attempt | undefined;
}

function newClaim(now: number): Claim {
  return { claimId: randomUUID(), at: iso(now), leaseUntil: iso(now + leaseMs), submitBy: iso(now + submitBudgetMs) };
}

/** Asks the bank about an earlier submit, if one may have left, and submits when none can be out. */
async function consult({ withdrawal, claim }: Visit, services: WithdrawalServices): Promise<Answered | PutBack> {
  const { table, bank, policy } = services;
  const { submitBy } = withdrawal;
  try {
    if (submitBy !== undefined) {
      const askedAt = table.now();
      const found = await bank.find(paymentOf(withdrawal));
      if (found.outcome !== 'not_found') return { answer: found, submitted: false, submitBy };
      // The answer tells what was true some time between our question and its arrival: the earlier one is safe.
      const definiteAt = notFoundCountsAt(submitBy, policy);
      if (askedAt < definiteAt) {
        const attempt: Attempt = { at: iso(askedAt), submitted: false, outcome: 'unknown', reason: 'not found yet' };
        return { dueAt: definiteAt, submitBy, attempt };
      }
    }
    // The claim announced when its submit would be over by; one that may end later must not begin.
    const beginBy = Date.parse(claim.submitBy) - bankCallMs;
    if (table.now() > beginBy) throw new TooLate();
    const answer = await bank.submit(paymentOf(withdrawal), beginBy);
    return { answer, submitted: true, submitBy: iso(table.now()) };
  } catch (error) {
    if (error instanceof TooLate) return { dueAt: table.now(), submitBy };
    if (error instanceof BankUnavailable) {
      const { transactionId, createdAt } = withdrawal;
      const dueAt = nextTryAt({ now: table.now(), createdAt, retryAfterMs: error.retryAfterMs });
      logger.info('bank left alone', { transactionId, dueAt: iso(dueAt) });
      return { dueAt, submitBy };
    }
    throw error;
  }
}

/** Moves the money by what the bank definitely said; puts back, or into review, what it left unknown. */
async function book(visit: Visit, answered: Answered, services: WithdrawalServices): Promise<number | undefined> {
  const { table, policy } = services;
  const { withdrawal } = visit;
  const { transactionId } = withdrawal;
  const { answer, submitted, submitBy } = answered;
  const attempt: Attempt = {
    at: iso(table.now()),
    submitted,
    outcome: answer.outcome,
    ...('reason' in answer && { reason: answer.reason }),
  };
  logger.info('bank visited', { transactionId, ...attempt });
  const claimed = heldBy(visit, table.now());
  switch (answer.outcome) {
    case 'accepted':
      if (!(await settleWithdrawal(table, claimed, attempt))) return leaveToOthers(table, transactionId, 'completed');
      logEnd(withdrawal, table.now(), 'completed');
      return undefined;
    case 'rejected': {
      const { code, message } = answer;
      if (!(await releaseWithdrawal(table, claimed, attempt, { code, message })))
        return leaveToOthers(table, transactionId, 'failed');
      logEnd(withdrawal, table.now(), 'failed', code);
      return undefined;
    }
    case 'unknown': {
      const earlier = (withdrawal.attempts?.length ?? 0) + (unreportedVisit(withdrawal) === undefined ? 0 : 1);
      const visits = earlier + 1;
      if (visits < policy.maxAttempts) {
        const dueAt = nextVisitAt({ now: table.now(), visits, submitBy }, policy, table.random());
        return putBack(table, visit, { dueAt, submitBy, attempt });
      }
      if (!(await reviewWithdrawal(table, claimed, attempt))) return leaveToOthers(table, transactionId);
      logEnd(withdrawal, table.now(), 'review', answer.reason);
      return undefined;
    }
  }
}

/** Gives the claim back. A claim that was lost meanwhile belongs to another worker; the next delivery finds out. */
async function putBack(table: Table, visit: Visit, { dueAt, submitBy, attempt }: PutBack): Promise<number> {
  await putBackWithdrawal(table, heldBy(visit, table.now()), { dueAt: iso(dueAt), submitBy, attempt });
  return dueAt;
}

function heldBy({ withdrawal, claim }: Visit, now: number): Claimed {
  return { withdrawal, claimId: claim.claimId, at: iso(now) };
}

/** When a withdrawal is due that somebody else works on (epoch ms); undefined when there is nothing left to do. */
function wantedAgain(current: OpenWithdrawal | undefined): number | undefined {
  return current?.dueAt === undefined || isAtRest(current) ? undefined : Date.parse(current.dueAt);
}

/**
 * What was found out cannot be booked, because somebody else has the withdrawal now. Whoever that is hears the same from
 * the bank, or dies, and then this message is needed. If it has ended, and the other way round, people must look.
 *
 * @param end what the bank has definitely said, if anything
 */
async function leaveToOthers(
  table: Table,
  transactionId: string,
  end?: 'completed' | 'failed',
): Promise<number | undefined> {
  const current = await getTransaction(table, transactionId);
  if (end !== undefined && current?.status === (end === 'completed' ? 'failed' : 'completed'))
    reportContradiction(transactionId, { status: end }, current);
  return wantedAgain(current);
}

function paymentOf({ transactionId, amount, currency, destination }: OpenWithdrawal): Payment {
  if (destination === undefined) throw new Error(`withdrawal ${transactionId} has no destination`);
  return { reference: transactionId, amount, currency, destination };
}

function logEnd({ transactionId, walletId, createdAt }: OpenWithdrawal, now: number, status: string, code?: string) {
  logger.info('withdrawal ended', {
    transactionId,
    walletId,
    status,
    code,
    durationMs: now - Date.parse(createdAt),
  });
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

const env = readEnvironment('withdrawals');
const table = openTable(dynamodbClient(), env.TABLE_NAME);
const bank = openBank({
  url: env.BANK_URL,
  keys: openRequestKeys(secretsClient(), env.BANK_REQUEST_SECRET_ARN),
  timeoutMs: bankCallMs,
  onBreaker(state) {
    logger.warn('circuit breaker of the bank changed', { state });
    putBreaker(table, { state, since: iso(table.now()) }).catch((error: unknown) => {
      logger.error('breaker not recorded', { error: describe(error) });
    });
  },
});
const policy: WithdrawalPolicy = {
  maxAttempts: positiveInteger('BANK_MAX_ATTEMPTS', env.BANK_MAX_ATTEMPTS),
  notFoundWindowMs: 1000 * positiveInteger('BANK_NOT_FOUND_WINDOW_SECONDS', env.BANK_NOT_FOUND_WINDOW_SECONDS),
};

/** Consumes the withdrawal queue. */
export const handler = consume({
  queue: openQueue(sqsClient(), env.WITHDRAWAL_QUEUE_URL),
  handle: (transactionId) => advanceWithdrawal(transactionId, { table, bank, policy }),
  now: table.now,
});
