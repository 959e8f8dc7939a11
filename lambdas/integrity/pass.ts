import { bookingsOf, hasBookings, problemOf } from '../domain/bookings.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { isTransactionId, numberOfTransactionId } from '../domain/ids.ts';
import { addTo, emptySketch, sketchFromText, sketchToText } from '../domain/sketch.ts';
import type { Sketch } from '../domain/sketch.ts';
import type { Transaction } from '../domain/transaction.ts';
import { forEachOf } from '../aws/parallel.ts';
import { scanBooks } from '../store/books.ts';
import type { BookItem, Place } from '../store/books.ts';
import type { Table } from '../store/table.ts';
import { totalOf } from '../store/totals.ts';
import { getWallet } from '../store/wallets.ts';
import { compareWithBank, notPaid, otherBankOf, readStatement } from './statement.ts';
import type { Statement } from './statement.ts';
import { addOutside, differentTotals, sumsOf, unbalanced } from './sums.ts';
import type { AllSums } from './sums.ts';
import { stateFromText, stateToText } from './text.ts';
import { beginWalletCheck, stepWalletCheck } from './wallet-check.ts';
import type { WalletCheck } from './wallet-check.ts';

/** Where the books are. */
export interface Books {
  /** Wallets and transactions. */
  readonly table: Table;
  /** Entries and totals. */
  readonly entries: Table;
  /** The bank's statement; undefined leaves the comparison with the bank out. */
  readonly statement: Statement | undefined;
}

/** One segment of the scan: how far it came, and the checks of wallets that were begun before that place. */
interface Segment {
  after?: Place | undefined;
  done: boolean;
  open: WalletCheck[];
}

/** A wallet that did not look right, and when (epoch ms) that was seen. */
interface Suspect {
  readonly walletId: string;
  /** The wallet's version then. */
  readonly version: number;
  readonly seenAt: number;
}

/**
 * One pass over all books: what it has found so far, and where it goes on. Its size does not grow with the books, so
 * that it can be stored between runs (`passToText`).
 */
export interface Pass {
  readonly passId: string;
  readonly startedAt: string;
  /** Sums are compared as of this moment (ISO 8601), a full hour; undefined: as of now, for books that stand still. */
  readonly asOf: string | undefined;
  /** The bank whose statement is compared; undefined: none. */
  readonly bankId: string | undefined;
  /** Items that the table had about when the pass began; undefined: not known. */
  readonly items?: number | undefined;
  /** Items that were scanned. */
  scanned: number;
  stage: 'books' | 'bank' | 'sums' | 'done';
  readonly segments: Segment[];
  readonly sums: AllSums;
  readonly counts: { wallets: number; transactions: number; entries: number; payments: number };
  /** Payments of the bank against its completed withdrawals. */
  readonly paid: Sketch;
  /** Completed withdrawals of other banks, by bank: they are not compared with anything. */
  readonly otherBanks: Record<string, number>;
  /** Where the bank's statement goes on. */
  statementAfter?: string | undefined;
  /** Wallets to be looked at once more, when what was under way has arrived. */
  suspects: Suspect[];
  /** When the totals differed first (epoch ms); they are compared once more, too. */
  totalsSuspectAt?: number | undefined;
  /** The first of them; `found` counts all. */
  readonly discrepancies: Discrepancy[];
  found: number;
  runs: number;
  readUnits: number;
  finishedAt?: string;
}

/** How a run of a pass is led. Times in milliseconds. */
export interface RunControl {
  readonly now: () => number;
  /** Asked between pages: whether to stop at the next place from which the pass can go on. */
  readonly stop: () => boolean;
  /** How long after a first look a suspect is looked at again: longer than anything takes to arrive. */
  readonly secondLookMs: number;
  /**
   * Takes each discrepancy.
   *
   * @param hour given where the sums of one hour are wrong
   */
  readonly report: (discrepancy: Discrepancy, hour?: string) => void;
  /** Told after each page. */
  readonly progress?: (pass: Pass) => void;
}

/** Whether the pass is over; or waits for a second look, which is due then (epoch ms); or was stopped. */
export type RunOutcome = 'done' | 'stopped' | { readonly waitUntil: number };

const hourMs = 3_600_000;
/** What is booked later than this long after its time is late by any measure: tries end after seconds. */
const settledMs = 300_000;
/** Checks of wallets that a segment has under way at a time. */
const walletsAtATime = 8;
/** More suspects than these are not worth more reading before they are looked at again. */
const mostSuspects = 100;
/** Discrepancies that a pass remembers by name. */
const mostDiscrepancies = 100;
/** Other banks that are counted by name, and the name for all the rest. */
const mostOtherBanks = 20;
/** Before the first payment of any bank. */
const beginning = '1970-01-01T00:00:00.000Z';
const furtherBanks = '(further banks)';

/**
 * A new pass over the books.
 *
 * @param options `standStill` says that nothing moves, so that everything can be compared until now
 */
export function beginPass(options: {
  passId: string;
  now: number;
  segments: number;
  standStill: boolean;
  bankId: string | undefined;
  /** Items in the table, as far as that is known. */
  items?: number | undefined;
}): Pass {
  const { passId, now, standStill, bankId, items } = options;
  const lastHour = Math.floor((now - settledMs) / hourMs) * hourMs;
  return {
    passId,
    startedAt: new Date(now).toISOString(),
    asOf: standStill ? undefined : new Date(lastHour).toISOString(),
    bankId,
    items,
    scanned: 0,
    stage: 'books',
    segments: Array.from({ length: options.segments }, (): Segment => ({ done: false, open: [] })),
    sums: {},
    counts: { wallets: 0, transactions: 0, entries: 0, payments: 0 },
    paid: emptySketch(),
    otherBanks: {},
    suspects: [],
    discrepancies: [],
    found: 0,
    runs: 0,
    readUnits: 0,
  };
}

/** Takes the pass further until it is over, has to wait, or is stopped. Changes `pass` as it goes. */
export async function runPass(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome> {
  for (;;) {
    if (pass.stage === 'done') return 'done';
    if (control.stop()) return 'stopped';
    const outcome = await stages[pass.stage](books, pass, control);
    if (outcome !== undefined) return outcome;
  }
}

/** Each stage ends by naming the next one; it gives an outcome when the run cannot go on at once. */
const stages = { books: checkBooks, bank: checkBank, sums: checkSums };

async function checkBooks(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome | undefined> {
  await Promise.all(pass.segments.map((segment) => readSegment(books, pass, segment, control)));
  await lookAgain(books, pass, control);
  if (control.stop()) return 'stopped';
  const [first] = pass.suspects;
  if (first !== undefined && (pass.suspects.length >= mostSuspects || pass.segments.every(isRead))) {
    return { waitUntil: first.seenAt + control.secondLookMs };
  }
  if (pass.segments.every(isRead)) pass.stage = pass.bankId === undefined ? 'sums' : 'bank';
  return undefined;
}

function isRead(segment: Segment): boolean {
  return segment.done && segment.open.length === 0;
}

async function readSegment(books: Books, pass: Pass, segment: Segment, control: RunControl): Promise<void> {
  const paused = () => control.stop() || pass.suspects.length >= mostSuspects;
  await finishOpen(books, pass, segment, control);
  while (!segment.done && !paused()) {
    const page = await scanBooks(books.table, {
      segment: pass.segments.indexOf(segment),
      segments: pass.segments.length,
      after: segment.after,
    });
    pass.readUnits += page.readUnits;
    pass.scanned += page.scanned;
    for (const item of page.items) {
      if (segment.open.length >= walletsAtATime) await finishOpen(books, pass, segment, control);
      if (paused()) return;
      takeItem(pass, segment, item, control);
    }
    await finishOpen(books, pass, segment, control);
    // The wallets of the page may have stopped half-way: the segment goes on behind the page all the same.
    segment.after = page.next;
    segment.done = page.next === undefined;
    control.progress?.(pass);
  }
}

function takeItem(pass: Pass, segment: Segment, item: BookItem, control: RunControl): void {
  segment.after = item.place;
  switch (item.kind) {
    case 'unreadable':
      report(pass, control, { kind: 'unreadable', subject: item.place.pk, detail: item.problem });
      return;
    case 'wallet':
      pass.counts.wallets++;
      segment.open.push(beginWalletCheck(item.wallet));
      return;
    case 'transaction':
      pass.counts.transactions++;
      takeTransaction(pass, item.transaction, control);
  }
}

function takeTransaction(pass: Pass, transaction: Transaction, control: RunControl): void {
  const { transactionId, type, status, completedAt } = transaction;
  const problem = problemOf(transaction);
  if (problem !== undefined) {
    report(pass, control, { kind: 'transaction_invalid', subject: transactionId, detail: problem });
  }
  for (const { at, postings } of hasBookings(transaction) ? bookingsOf(transaction) : []) {
    if (isBefore(at, pass.asOf)) addOutside(pass.sums, postings);
  }
  if (pass.bankId === undefined || type !== 'withdrawal' || status !== 'completed') return;
  if (completedAt === undefined || !isBefore(completedAt, pass.asOf) || !isTransactionId(transactionId)) return;
  const otherBank = otherBankOf(transaction, pass.bankId);
  if (otherBank === undefined) addTo(pass.paid, numberOfTransactionId(transactionId), -1);
  else countOther(pass, otherBank);
}

function countOther({ otherBanks }: Pass, bankId: string): void {
  const isNamed = bankId in otherBanks || Object.keys(otherBanks).length < mostOtherBanks;
  const name = isNamed ? bankId : furtherBanks;
  otherBanks[name] = (otherBanks[name] ?? 0) + 1;
}

/** Takes the open checks of a segment to their ends, or as far as they come until the stop. */
async function finishOpen(books: Books, pass: Pass, segment: Segment, control: RunControl): Promise<void> {
  await Promise.all(segment.open.map((check) => finishCheck(books, pass, check, control)));
  for (const check of segment.open) {
    if (check.stage !== 'done') continue;
    if (check.found.length > 0) {
      const { walletId, version } = check.wallet;
      pass.suspects.push({ walletId, version, seenAt: control.now() });
    } else {
      addWallet(pass, check);
    }
  }
  segment.open = segment.open.filter(({ stage }) => stage !== 'done');
}

async function finishCheck(books: Books, pass: Pass, check: WalletCheck, control: RunControl): Promise<void> {
  while (check.stage !== 'done' && !control.stop()) {
    const entries = check.stage === 'entries';
    const { items, readUnits } = await stepWalletCheck(books, check, pass.asOf);
    pass.readUnits += readUnits;
    if (entries) pass.counts.entries += items;
    control.progress?.(pass);
  }
}

function addWallet(pass: Pass, { wallet, entered }: WalletCheck): void {
  sumsOf(pass.sums, wallet.currency).wallets += entered.available + entered.held;
}

/**
 * Looks again at wallets that did not look right. Images of a moment may not fit together while money moves and
 * indexes and entries follow; what still does not fit long after is a discrepancy.
 */
async function lookAgain(books: Books, pass: Pass, control: RunControl): Promise<void> {
  const due = pass.suspects.filter(({ seenAt }) => control.now() >= seenAt + control.secondLookMs);
  await forEachOf(due, walletsAtATime, async (suspect) => {
    const wallet = await getWallet(books.table, suspect.walletId, { consistent: true });
    if (wallet !== undefined) {
      const check = beginWalletCheck(wallet, suspect);
      await finishCheck(books, pass, check, control);
      if (check.stage !== 'done') return;
      for (const discrepancy of check.found) report(pass, control, discrepancy);
      addWallet(pass, check);
    }
    pass.suspects = pass.suspects.filter((other) => other !== suspect);
  });
}

async function checkBank(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome | undefined> {
  if (books.statement === undefined) throw new Error('the pass compares with the bank, and there is no statement');
  // A payment is dated by the bank's clock, and we complete a withdrawal after it.
  const until = new Date(pass.asOf === undefined ? control.now() + settledMs : Date.parse(pass.asOf) + settledMs);
  const page = await readStatement(books.statement, {
    from: beginning,
    until: until.toISOString(),
    after: pass.statementAfter,
  });
  if ('unavailable' in page) return { waitUntil: control.now() + settledMs };
  pass.counts.payments += page.items.length;
  // A withdrawal for each of them is read, consistently, one unit a piece.
  pass.readUnits += page.items.length;
  const { matched, discrepancies } = await compareWithBank(books.table, books.statement.bankId, page.items);
  for (const [, discrepancy] of discrepancies) report(pass, control, discrepancy);
  for (const [, { transactionId, completedAt }] of matched) {
    if (completedAt !== undefined && isBefore(completedAt, pass.asOf)) {
      addTo(pass.paid, numberOfTransactionId(transactionId), 1);
    }
  }
  pass.statementAfter = page.next;
  control.progress?.(pass);
  if (page.next === undefined) pass.stage = 'sums';
  return undefined;
}

async function checkSums(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome | undefined> {
  const different = await differentTotals(pass.sums, (account) => totalOf(books.entries, account, pass.asOf));
  if (different.length > 0 && pass.totalsSuspectAt === undefined) pass.totalsSuspectAt = control.now();
  const secondLookAt = (pass.totalsSuspectAt ?? 0) + control.secondLookMs;
  if (different.length > 0 && control.now() < secondLookAt) return { waitUntil: secondLookAt };
  for (const discrepancy of different) report(pass, control, discrepancy);
  for (const discrepancy of unbalanced(pass.sums)) report(pass, control, discrepancy);
  for (const discrepancy of notPaid(pass.paid)) report(pass, control, discrepancy);
  pass.stage = 'done';
  pass.finishedAt = new Date(control.now()).toISOString();
  return undefined;
}

function isBefore(at: string, asOf: string | undefined): boolean {
  return asOf === undefined || at < asOf;
}

function report(pass: Pass, control: RunControl, discrepancy: Discrepancy): void {
  pass.found++;
  if (pass.discrepancies.length < mostDiscrepancies) pass.discrepancies.push(discrepancy);
  control.report(discrepancy);
}

/** A pass as text, some ten kilobytes. */
export function passToText(pass: Pass): string {
  return stateToText({ ...pass, paid: sketchToText(pass.paid) });
}

/** @param text as `passToText` made it */
export function passFromText(text: string): Pass {
  const pass = stateFromText(text) as Omit<Pass, 'paid' | 'otherBanks' | 'scanned'> & {
    paid: string;
    otherBanks?: Pass['otherBanks'];
    scanned?: number;
  };
  // Older releases stored passes without these.
  return { ...pass, paid: sketchFromText(pass.paid), otherBanks: pass.otherBanks ?? {}, scanned: pass.scanned ?? 0 };
}
