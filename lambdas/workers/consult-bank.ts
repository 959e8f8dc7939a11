import { BankUnavailable, TooLate } from '../bank/client.ts';
import type { BankClient } from '../bank/client.ts';
import type { Payment, SubmitOutcome } from '../bank/answers.ts';
import { metrics as names } from '../contract.ts';
import type { ExecutingWithdrawal, OpenWithdrawal, Withdrawal } from '../domain/transaction.ts';
import type { Attempt } from '../domain/transaction-record.ts';
import { dueInOpening } from '../domain/payout-window.ts';
import { bankCallMs, nextThawCheckAt, nextTryAt, notFoundCountsAt } from '../domain/withdrawal.ts';
import type { WithdrawalPolicy } from '../domain/withdrawal.ts';
import { describe, logger, metrics } from '../aws/telemetry.ts';
import type { Table } from '../store/table.ts';
import { UnreadableItem } from '../store/unreadable.ts';
import { getWalletWithClock } from '../store/wallets.ts';
import type { Claim } from '../store/withdrawal-claims.ts';
import { doubtedReading, leaveToRightClock } from './doubted-clock.ts';

export interface BankServices {
  readonly table: Table;
  readonly bank: Pick<BankClient, 'submit' | 'find' | 'isDown'>;
  readonly policy: WithdrawalPolicy;
}

/** A withdrawal that this worker has claimed, as it was before, and the claim. */
export interface Visit {
  readonly withdrawal: OpenWithdrawal;
  readonly claim: Claim;
}

/** An answer of the bank, to be booked. */
export interface Answered {
  readonly answer: SubmitOutcome;
  /** Whether it answers a submit of this visit; otherwise the worker only asked. */
  readonly submitted: boolean;
  /** Latest time at which a submit may have left (ISO 8601 UTC); undefined when none can have left. */
  readonly submitBy: string | undefined;
}

/** The end of a visit without an answer: how the withdrawal is put back. See `putBackWithdrawal`. */
export interface PutBack {
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

/** Asks the bank about an earlier submit, if one may have left, and submits when none can be at the bank. */
export async function consultBank(visit: Visit, services: BankServices): Promise<Answered | PutBack> {
  const { withdrawal } = visit;
  const { table } = services;
  try {
    return (
      (await askAboutSubmit(withdrawal, services)) ??
      untilOpening(withdrawal, services) ??
      (await reasonToWait(visit, table)) ??
      (await submit(visit, services))
    );
  } catch (error) {
    // Where these errors are thrown, this visit has sent no payment.
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
  { table, bank, policy }: BankServices,
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

/** Returns how to put back a withdrawal until the bank opens; undefined while the bank takes payments. */
function untilOpening({ transactionId, submitBy }: OpenWithdrawal, services: BankServices): PutBack | undefined {
  const { hours } = services.policy;
  const now = services.table.now();
  if (hours === undefined || hours.current(now) !== undefined) return undefined;
  const dueAt = dueInOpening(hours.next(now), services.table.random());
  logger.info('bank closed', { transactionId, dueAt: iso(dueAt) });
  return { dueAt, submitBy, waitingFor: 'bank_closed' };
}

/**
 * Returns how to put back a withdrawal that must not be submitted now; undefined when it may be submitted. It must not
 * when its wallet is frozen, this worker's clock is doubted, or too little of the claim is left.
 *
 * The wallet is read after the claim, and before every submit: a freeze that was answered before this delivery stops the
 * payout. The answer checks the clock once more, as a clock may jump.
 */
async function reasonToWait({ withdrawal, claim }: Visit, table: Table): Promise<PutBack | undefined> {
  const { transactionId, walletId, submitBy } = withdrawal;
  const { wallet, clock } = await getWalletWithClock(table, walletId);
  const doubted = doubtedReading(clock);
  if (doubted !== undefined) return leaveToRightClock(withdrawal, doubted);
  if (wallet === undefined) throw new Error(`the wallet of withdrawal ${transactionId} does not exist`);
  if (wallet.status === 'frozen') {
    const dueAt = nextThawCheckAt({ ...withdrawal, now: table.now() });
    logger.info('wallet frozen', { transactionId, walletId, dueAt: iso(dueAt) });
    return { dueAt, submitBy, waitingFor: 'wallet_frozen' };
  }
  return table.now() > lastBegin(claim) ? { dueAt: table.now(), submitBy } : undefined;
}

async function submit({ withdrawal, claim }: Visit, { table, bank, policy }: BankServices): Promise<Answered> {
  const answer = await bank.submit(paymentOf(withdrawal), Math.min(lastBegin(claim), lastOpenAt(policy, table.now())));
  return { answer, submitted: true, submitBy: iso(table.now()) };
}

/** Returns the last moment of the bank's current opening, epoch ms: the bank may have closed since it was looked at. */
function lastOpenAt({ hours }: WithdrawalPolicy, now: number): number {
  return hours === undefined ? Infinity : (hours.current(now)?.closesAt ?? 0) - 1;
}

/** Returns the latest time at which a submit may begin, epoch ms: it ends by the `submitBy` that the claim stored. */
function lastBegin({ submitBy }: Claim): number {
  return Date.parse(submitBy) - bankCallMs;
}

/** Shortest wait before a wallet that this release cannot read is read again. */
const unreadableWaitMs = 60_000;

/** Puts a withdrawal back whose wallet a newer release has written: this one cannot see whether it is frozen. */
function leaveToNewerRelease(withdrawal: OpenWithdrawal, error: UnreadableItem, table: Table): PutBack {
  const { transactionId, submitBy } = withdrawal;
  const dueAt = nextTryAt({ ...withdrawal, now: table.now(), retryAfterMs: unreadableWaitMs });
  logger.error('wallet not readable', { transactionId, dueAt: iso(dueAt), error: describe(error) });
  return { dueAt, submitBy };
}

/**
 * Counts a withdrawal's turn at the bank. A call that an open breaker stopped counts as failed: otherwise the share of
 * failures would fall while the breakers of a bank that is down keep calls back.
 */
export function countTurn({ failed, breakerOpen }: { readonly failed: boolean; readonly breakerOpen: boolean }): void {
  metrics.addMetric(names.bankFailed, 'Count', Number(failed));
  metrics.addMetric(names.breakerOpen, 'Count', Number(breakerOpen));
}

/** Puts a withdrawal back while the bank cannot be called. */
function leaveBankAlone(withdrawal: OpenWithdrawal, { retryAfterMs }: BankUnavailable, table: Table): PutBack {
  const { transactionId, submitBy } = withdrawal;
  const dueAt = nextTryAt({ ...withdrawal, now: table.now(), retryAfterMs });
  logger.info('bank left alone', { transactionId, dueAt: iso(dueAt) });
  return { dueAt, submitBy };
}

function paymentOf({ transactionId, amount, currency, destination }: Withdrawal): Payment {
  return { reference: transactionId, amount, currency, destination };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
