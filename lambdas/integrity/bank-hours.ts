import { BankUnavailable } from '../bank/client.ts';
import type { StatementItem } from '../bank/answers.ts';
import { hourAfter, hourOf, startOf } from '../domain/hours.ts';
import { numberOfTransactionId, transactionIdOfNumber } from '../domain/ids.ts';
import { addTo, differencesOf, emptySketch, sketchFromText, sketchToText } from '../domain/sketch.ts';
import type { Sketch } from '../domain/sketch.ts';
import type { CompletedWithdrawal, Transaction } from '../domain/transaction.ts';
import type { Table } from '../store/table.ts';
import { getTransactions } from '../store/transactions.ts';
import { UnreadableItem } from '../store/unreadable.ts';
import type { Books, RunControl } from './pass.ts';
import { compareWithBank, otherBankOf, readStatement } from './statement.ts';
import type { AskedStatement } from './statement.ts';

/** The books, with a bank that is asked for single payments. */
export interface HourBooks extends Books {
  readonly statement: AskedStatement | undefined;
}

/** The parts of a comparison, in their order; see `nextStage`. */
type Stage = 'statement' | 'earlier' | 'late' | 'twice' | 'ask';

/**
 * The comparison of the bank's statement with the withdrawals of closed hours. A bank that does not return its
 * statement delays this comparison and no other check.
 */
export interface BankHours {
  readonly bankId: string | undefined;
  /** All payments of earlier hours are compared. */
  from: string;
  /** The hour at which the comparison under way ends (exclusive). Equal to `from` when none is under way. */
  to: string;
  stage: Stage;
  /** The cursor of the statement's next page. */
  after: string | undefined;
  /** The payments minus the withdrawals that were completed in the hours of the comparison under way. */
  paid: Sketch;
  /** The withdrawals of the hours after that, up to `closed`. */
  later: Sketch;
  closed: string;
  /** Payments whose withdrawals were open at the comparison. */
  open: StatementItem[];
  /** Completed withdrawals whose payments were not in the statement. The bank is asked for each of them. */
  asked: string[];
  /** How often the statement lists the payments that seem to be paid twice, by transaction. */
  times: Record<string, number>;
  /** The time from which they are counted (ISO 8601); undefined: the time from which the statement is read. */
  countFrom?: string | undefined;
}

/** `BankHours` as it is stored. */
export interface StoredBankHours extends Omit<BankHours, 'paid' | 'later'> {
  readonly paid: string;
  readonly later: string;
}

const minuteMs = 60_000;
/** How long after its payment a withdrawal is completed at most, as a rule. */
const aheadMs = 15 * minuteMs;
/** How far the bank's clock is ahead of ours at most. */
const behindMs = 5 * minuteMs;
/** How much earlier the statement is read when there are too many late withdrawals to name each. */
const earlierMs = 24 * 60 * minuteMs;
/** How long the comparison waits for a bank that does not answer. */
const pauseMs = 5 * minuteMs;
/** How many open payments wait at most. The pass over all books checks the others. */
const mostOpen = 1_000;
const mostCounted = 200;
/** How many payments the bank may leave unanswered at the end of a comparison. With more of them it waits. */
const mostAsked = 200;
/** The same limit while hours are read. Further ones are reported by their hour. */
const mostNoted = 2_000;
/** How many transactions one read returns. */
const batchSize = 100;

/** Returns a comparison that begins with the payments of an hour. */
export function bankAt(hour: string, bankId: string | undefined): BankHours {
  return {
    ...{ bankId, from: hour, to: hour, closed: hour, stage: 'statement', after: undefined },
    ...{ paid: emptySketch(), later: emptySketch(), open: [], asked: [], times: {} },
  };
}

/** Notes a completed withdrawal that the journal lists in the hour that is being checked. */
export function noteCompleted(
  bank: BankHours,
  hour: string,
  withdrawal: CompletedWithdrawal,
  report: RunControl['report'],
): void {
  if (bank.bankId === undefined || otherBankOf(withdrawal, bank.bankId) !== undefined) return;
  const { transactionId, completedAt } = withdrawal;
  const completed = hourOf(completedAt);
  const isOpen = bank.stage !== 'twice' && bank.stage !== 'ask';
  if (completed === hour || (completed >= bank.to && completed < hour)) {
    addTo(bank.later, numberOfTransactionId(transactionId), -1);
  } else if (isOpen && completed >= bank.from && completed < bank.to) {
    addTo(bank.paid, numberOfTransactionId(transactionId), -1);
  } else if (bank.asked.length < mostNoted) {
    // The journal listed it late: the statement of its hour is already compared.
    bank.asked.push(transactionId);
  } else {
    const detail = `too many withdrawals of the hour ${completed} were listed late to ask the bank for each`;
    report({ kind: 'payment_missing', subject: `bank ${completed}`, detail });
  }
}

/** Marks an hour as closed: all its withdrawals are noted. */
export function closeBankHour(bank: BankHours, hour: string): void {
  bank.closed = hourAfter(hour);
}

/**
 * Compares the hours that were closed, page by page.
 *
 * @returns undefined when all are compared; else whether the run was stopped, or has to wait
 */
export async function checkBankHours(
  { table, statement }: HourBooks,
  bank: BankHours,
  control: RunControl,
): Promise<'stopped' | { readonly waitUntil: number } | undefined> {
  for (;;) {
    if (bank.from === bank.to) {
      if (bank.closed === bank.from) return undefined;
      Object.assign(bank, { to: bank.closed, stage: 'statement', paid: bank.later, later: emptySketch() });
    }
    if (statement === undefined) {
      bank.from = bank.to;
    } else if (bank.stage === 'late') {
      // The next hour may list withdrawals of these hours.
      if (bank.closed === bank.to) return undefined;
      bank.stage = nextStage(bank, control);
    } else {
      if (control.stop()) return 'stopped';
      const isDone =
        bank.stage === 'ask'
          ? await askForPayments(table, statement, bank, control)
          : await readPage(table, statement, bank, control);
      if (!isDone) return { waitUntil: control.now() + pauseMs };
    }
  }
}

/** Reads a page of the statement. Returns whether the bank has returned it. */
async function readPage(
  table: Table,
  statement: AskedStatement,
  bank: BankHours,
  control: RunControl,
): Promise<boolean> {
  const [first, end] = [startOf(bank.from), startOf(bank.to)];
  const isEarlier = bank.stage === 'earlier';
  const usual = isEarlier ? first - earlierMs : first - aheadMs;
  const from =
    bank.stage === 'twice' && bank.countFrom !== undefined
      ? Math.min(usual, Date.parse(bank.countFrom) - behindMs)
      : usual;
  const until = isEarlier ? first - aheadMs : end + behindMs;
  const page = await readStatement(statement, { from: iso(from), until: iso(until), after: bank.after });
  if ('unavailable' in page) return false;
  if (bank.stage === 'twice') {
    for (const { reference } of page.items) {
      const times = bank.times[reference];
      if (times !== undefined) bank.times[reference] = times + 1;
    }
  } else {
    await comparePage(table, bank, page.items, control);
  }
  bank.after = page.next;
  if (page.next === undefined) bank.stage = nextStage(bank, control);
  return true;
}

async function comparePage(
  table: Table,
  bank: BankHours,
  payments: readonly StatementItem[],
  control: RunControl,
): Promise<void> {
  const { matched, open, discrepancies } = await compareWithBank(table, bank.bankId ?? '', payments);
  // A payment outside these hours is judged with its own hour.
  const isOfHours = ({ paidAt }: StatementItem) => hourOf(paidAt) >= bank.from && hourOf(paidAt) < bank.to;
  for (const [payment, withdrawal] of matched) {
    const { completedAt } = withdrawal;
    const hour = hourOf(completedAt);
    if (hour >= bank.from && hour < bank.to) addTo(bank.paid, numberOfTransactionId(withdrawal.transactionId), 1);
    const isLate = hour < bank.from && Date.parse(payment.paidAt) > Date.parse(completedAt) + behindMs;
    if (isLate && isOfHours(payment)) countLater(bank, withdrawal, control);
  }
  for (const [payment, discrepancy] of discrepancies) if (isOfHours(payment)) control.report(discrepancy);
  bank.open.push(...open.filter(isOfHours).slice(0, mostOpen - bank.open.length));
}

/**
 * Counts the payments of a withdrawal that was paid long after its end. The statement of its hour does not list them.
 */
function countLater(bank: BankHours, { transactionId, createdAt }: CompletedWithdrawal, { report }: RunControl): void {
  if (!(transactionId in bank.times) && Object.keys(bank.times).length >= mostCounted) {
    const detail = 'too many withdrawals were paid after their ends to count each';
    report({ kind: 'payment_differs', subject: `bank ${bank.from}`, detail });
    return;
  }
  bank.times[transactionId] = 0;
  if (bank.countFrom === undefined || createdAt < bank.countFrom) bank.countFrom = createdAt;
}

/**
 * Returns the stage that follows the last page of a statement.
 *
 * When there are too many differences to name each, reads the statement further back. Then waits for the next hour,
 * which may list withdrawals late. Counts the payments of a withdrawal that seems to be paid twice: it may only be
 * listed late. Asks the bank for each payment that is missing.
 */
function nextStage(bank: BankHours, control: RunControl): Stage {
  if (bank.stage === 'twice') {
    for (const [subject, times] of Object.entries(bank.times)) {
      if (times > 1) {
        control.report({ kind: 'payment_differs', subject, detail: `the bank has paid it ${times} times` });
      }
    }
    Object.assign(bank, { times: {}, countFrom: undefined });
    return 'ask';
  }
  const { ids, complete } = differencesOf(bank.paid);
  if (!complete) {
    if (bank.stage === 'statement') return 'earlier';
    if (bank.stage === 'earlier') return 'late';
    const detail = `too many payments are missing to name each, of the hours from ${bank.from} on`;
    control.report({ kind: 'payment_missing', subject: `bank ${bank.from}`, detail });
  }
  const names = [...ids].map(([id, times]) => ({ transactionId: transactionIdOfNumber(id), times }));
  const missing = names.filter(({ times }) => times < 0);
  bank.asked.push(...missing.map(({ transactionId }) => transactionId));
  const twice = names.filter(({ times }) => times > 0);
  for (const { transactionId } of twice) bank.times[transactionId] = 0;
  return Object.keys(bank.times).length > 0 ? 'twice' : 'ask';
}

/**
 * Asks the bank for each missing payment, and compares again the payments whose withdrawals were open. Ends the
 * comparison. A payment that the bank does not answer for is asked for at the end of the next one.
 *
 * @returns false when too many are left to ask for: the comparison waits
 */
async function askForPayments(
  table: Table,
  statement: AskedStatement,
  bank: BankHours,
  control: RunControl,
): Promise<boolean> {
  const known = new Map<string, Transaction>();
  for (let start = 0; start < bank.asked.length; start += batchSize) {
    const part = [...new Set(bank.asked.slice(start, start + batchSize))];
    for (const [id, transaction] of await getTransactions(table, part)) {
      if (!(transaction instanceof UnreadableItem)) known.set(id, transaction);
      else control.report({ kind: 'unreadable', subject: id, detail: transaction.problem });
    }
  }
  const left: string[] = [];
  bank.asked = [...known.keys()];
  for (const [transactionId, { amount, currency }] of known) {
    if (control.stop()) break;
    const answer = await findPayment(statement, { reference: transactionId, amount, currency });
    bank.asked = bank.asked.slice(1);
    if (answer === 'unknown') left.push(transactionId);
    if (answer === 'none') {
      const detail = 'it is completed, and the bank knows no payment for it';
      control.report({ kind: 'payment_missing', subject: transactionId, detail });
    }
  }
  const isStopped = bank.asked.length > 0;
  bank.asked.push(...left);
  if (isStopped || left.length > mostAsked) return false;
  const { discrepancies, open } = await compareWithBank(table, bank.bankId ?? '', bank.open);
  for (const [, discrepancy] of discrepancies) control.report(discrepancy);
  bank.open = open;
  Object.assign(bank, { from: bank.to, stage: 'statement', after: undefined });
  return true;
}

async function findPayment(
  statement: AskedStatement,
  payment: { readonly reference: string; readonly amount: number; readonly currency: string },
): Promise<'paid' | 'none' | 'unknown'> {
  try {
    const { outcome } = await statement.find(payment);
    if (outcome === 'accepted') return 'paid';
    return outcome === 'not_found' || outcome === 'rejected' ? 'none' : 'unknown';
  } catch (error) {
    if (error instanceof BankUnavailable) return 'unknown';
    throw error;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export function bankToStored(bank: BankHours): StoredBankHours {
  return { ...bank, paid: sketchToText(bank.paid), later: sketchToText(bank.later) };
}

export function bankFromStored(bank: StoredBankHours): BankHours {
  return { ...bank, paid: sketchFromText(bank.paid), later: sketchFromText(bank.later) };
}
