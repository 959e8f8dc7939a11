import { bookingsOf, hasBookings, problemOf } from '../domain/bookings.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { isTransactionId, numberOfTransactionId } from '../domain/ids.ts';
import { addTo, emptySketch, sketchFromText, sketchToText } from '../domain/sketch.ts';
import type { Sketch } from '../domain/sketch.ts';
import type { Transaction } from '../domain/transaction.ts';
import { forEachOf } from '../aws/parallel.ts';
import { scanBooks } from '../store/books.ts';
import type { ItemKey, ScannedItem } from '../store/books.ts';
import { subjectOfKey } from '../store/keys.ts';
import { referringIn } from '../store/references.ts';
import type { Table } from '../store/table.ts';
import { totalOf } from '../store/totals.ts';
import { getWallet } from '../store/wallets.ts';
import { checkFees, noteCollection } from './fee-check.ts';
import type { LastCollections } from './fee-check.ts';
import { compareWithBank, notPaid, otherBankOf, readStatement } from './statement.ts';
import type { Statement } from './statement.ts';
import { addOutside, differentTotals, sumsOf, unbalanced } from './sums.ts';
import type { AllSums } from './sums.ts';
import { checkReferences, mostReferences, nameOf } from './reference-check.ts';
import type { NamedReference } from './reference-check.ts';
import { stateFromText, stateToText } from './text.ts';
import { beginWalletCheck, stepWalletCheck } from './wallet-check.ts';
import type { WalletCheck } from './wallet-check.ts';

/** The tables of the books, and the bank's statement. */
export interface Books {
  /** Wallets and transactions. */
  readonly table: Table;
  /** Entries and totals. */
  readonly entries: Table;
  /** The bank's statement; undefined leaves the comparison with the bank out. */
  readonly statement: Statement | undefined;
}

/** One segment of the scan: its position, and the open checks of wallets before it. */
interface Segment {
  after?: ItemKey | undefined;
  done: boolean;
  open: WalletCheck[];
  /** References to check; absent from a pass that an earlier release began, and while there is none. */
  references?: NamedReference[];
}

/** A wallet that seemed wrong, and the time (epoch ms) of that look. */
interface Suspect {
  readonly walletId: string;
  /** The wallet's version then. */
  readonly version: number;
  readonly seenAt: number;
}

/**
 * One pass over all books: its findings and its position. Its size does not grow with the books, so it can be stored
 * between runs (`passToText`).
 */
export interface Pass {
  readonly passId: string;
  readonly startedAt: string;
  /** When the pass before it ended (ISO 8601); undefined for the first pass. */
  readonly lastEndedAt?: string | undefined;
  /** The moment (ISO 8601), a full hour, as of which sums are compared; undefined: now, for books that stand still. */
  readonly asOf: string | undefined;
  /** The bank whose statement is compared; undefined: none. */
  readonly bankId: string | undefined;
  /** About how many items the table had when the pass began; undefined: not known. */
  readonly items?: number | undefined;
  /** How many items were scanned. */
  scanned: number;
  stage: 'books' | 'sums' | 'bank' | 'done';
  /** Whether the sums were compared; undefined in a pass that an earlier release took to its bank. */
  sumsCompared?: boolean | undefined;
  /** Whether the bank's part has ended. */
  bankCompared?: boolean | undefined;
  readonly segments: Segment[];
  readonly sums: AllSums;
  /** The last collections of fees before `asOf`. Absent from a pass that an earlier release began. */
  readonly collections?: LastCollections;
  readonly counts: { wallets: number; transactions: number; entries: number; payments: number };
  /** The bank's payments minus its completed withdrawals. */
  readonly paid: Sketch;
  /** Completed withdrawals of other banks, by bank. The pass does not compare them. */
  readonly otherBanks: Record<string, number>;
  /** The cursor of the statement's next page. */
  statementAfter?: string | undefined;
  /** Wallets to look at again, after the changes under way have arrived. */
  suspects: Suspect[];
  /** The time (epoch ms) since which the bank has given no statement. */
  noStatementSince?: number | undefined;
  /** The time (epoch ms) at which the totals first differed. They are compared once more. */
  totalsSuspectAt?: number | undefined;
  /** The first discrepancies; `found` counts all. */
  readonly discrepancies: Discrepancy[];
  found: number;
  runs: number;
  readUnits: number;
  finishedAt?: string;
}

/** The callbacks and limits of a run of a pass. Times in milliseconds. */
export interface RunControl {
  readonly now: () => number;
  /** Returns whether the run must stop. Called between pages, where the pass can go on later. */
  readonly stop: () => boolean;
  /** How long after its first look a suspect is looked at again. Longer than any change takes to arrive. */
  readonly secondLookMs: number;
  /**
   * Reports a discrepancy.
   *
   * @param hour given when the sums of one hour are wrong
   */
  readonly report: (discrepancy: Discrepancy, hour?: string) => void;
  /**
   * How long a pass waits for the bank's statement before it reports that there is none.
   *
   * @default an hour
   */
  readonly statementPatienceMs?: number;
  /** Receives the pass after each page. */
  readonly progress?: (pass: Pass) => void;
}

/** The end of a run: the pass is over, was stopped, or waits until (epoch ms) a second look is due. */
export type RunOutcome = 'done' | 'stopped' | { readonly waitUntil: number };

const hourMs = 3_600_000;
/** After this long, a change that is not there is missing: retries end within seconds. */
const settledMs = 300_000;
/** How many checks of wallets a segment has under way at a time. */
const walletsAtATime = 8;
/** After this long without a statement, the bank's part of a pass is given up. The other parts have their results. */
const statementPatienceMs = 3_600_000;
/** With this many suspects, reading stops until they are looked at again. */
const mostSuspects = 100;
/** How many discrepancies a pass lists; it counts the others. */
const mostDiscrepancies = 100;
/** How many other banks are counted by name, and the name for all others. */
const mostOtherBanks = 20;
/** Earlier than the first payment of any bank. */
const beginning = '1970-01-01T00:00:00.000Z';
const furtherBanks = '(further banks)';

/**
 * Returns a new pass over the books.
 *
 * @param options `standStill` says that no money moves, so that sums are compared as of now
 */
export function beginPass(options: {
  passId: string;
  now: number;
  segments: number;
  standStill: boolean;
  bankId: string | undefined;
  /** The number of items in the table, when known. */
  items?: number | undefined;
  /** When the pass before this one ended (ISO 8601). */
  lastEndedAt?: string | undefined;
}): Pass {
  const { passId, now, standStill, bankId, items, lastEndedAt } = options;
  const lastHour = Math.floor((now - settledMs) / hourMs) * hourMs;
  return {
    passId,
    startedAt: new Date(now).toISOString(),
    lastEndedAt,
    asOf: standStill ? undefined : new Date(lastHour).toISOString(),
    bankId,
    items,
    scanned: 0,
    stage: 'books',
    segments: Array.from({ length: options.segments }, (): Segment => ({ done: false, open: [] })),
    sums: {},
    collections: {},
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

/** Advances the pass until it is over, has to wait, or is stopped. Changes `pass` as it goes. */
export async function runPass(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome> {
  for (;;) {
    if (pass.stage === 'done') return 'done';
    if (control.stop()) return 'stopped';
    const outcome = await stages[pass.stage](books, pass, control);
    if (outcome !== undefined) return outcome;
  }
}

/** Each stage ends by setting the next one. It returns an outcome when the run cannot go on at once. */
const stages = { books: checkBooks, bank: checkBank, sums: checkSums };

async function checkBooks(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome | undefined> {
  await Promise.all(pass.segments.map((segment) => readSegment(books, pass, segment, control)));
  await lookAgain(books, pass, control);
  if (control.stop()) return 'stopped';
  const [first] = pass.suspects;
  if (first !== undefined && (pass.suspects.length >= mostSuspects || pass.segments.every(isRead))) {
    return { waitUntil: first.seenAt + control.secondLookMs };
  }
  // The sums come first: they need no answer of the bank.
  if (pass.segments.every(isRead)) Object.assign(pass, { stage: 'sums', sumsCompared: false } satisfies Partial<Pass>);
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
      if ((segment.references?.length ?? 0) >= mostReferences) await finishReferences(books, pass, segment, control);
      if (paused()) return;
      addItem(pass, segment, item, control);
    }
    await finishOpen(books, pass, segment, control);
    await finishReferences(books, pass, segment, control);
    // Checks of the page's wallets may have stopped half-way. They stay open, and the segment goes on behind the page.
    segment.after = page.next;
    segment.done = page.next === undefined;
    control.progress?.(pass);
  }
}

function addItem(pass: Pass, segment: Segment, item: ScannedItem, control: RunControl): void {
  segment.after = item.key;
  switch (item.kind) {
    case 'unreadable':
      report(pass, control, { kind: 'unreadable', subject: item.key.pk, detail: item.problem });
      return;
    case 'invalid': {
      pass.counts.transactions++;
      const { id: subject } = subjectOfKey(item.key.pk, item.key.sk) ?? { id: item.key.pk };
      report(pass, control, { kind: 'transaction_invalid', subject, detail: item.problem });
      return;
    }
    case 'wallet':
      pass.counts.wallets++;
      segment.open.push(beginWalletCheck(item.wallet));
      return;
    case 'transaction': {
      pass.counts.transactions++;
      addTransaction(pass, item.transaction, control);
      const referring = referringIn(item.transaction);
      if (referring !== undefined) (segment.references ??= []).push(nameOf(referring));
      return;
    }
    case 'reference':
      (segment.references ??= []).push({ pk: item.key.pk, transactionId: item.transactionId });
  }
}

/** Checks the references that the segment has met since the last time. */
async function finishReferences(books: Books, pass: Pass, segment: Segment, control: RunControl): Promise<void> {
  const { references = [] } = segment;
  if (references.length === 0) return;
  const { found, readUnits } = await checkReferences(books.table, references);
  pass.readUnits += readUnits;
  for (const discrepancy of found) report(pass, control, discrepancy);
  segment.references = [];
}

function addTransaction(pass: Pass, transaction: Transaction, control: RunControl): void {
  const { transactionId } = transaction;
  const problem = problemOf(transaction);
  if (problem !== undefined) {
    report(pass, control, { kind: 'transaction_invalid', subject: transactionId, detail: problem });
  }
  for (const { at, postings } of hasBookings(transaction) ? bookingsOf(transaction) : []) {
    if (isBefore(at, pass.asOf)) addOutside(pass.sums, postings);
  }
  if (transaction.type === 'collection' && isBefore(transaction.createdAt, pass.asOf) && pass.collections) {
    noteCollection(pass.collections, transaction);
  }
  if (pass.bankId === undefined || transaction.type !== 'withdrawal' || transaction.status !== 'completed') return;
  if (!isBefore(transaction.completedAt, pass.asOf) || !isTransactionId(transactionId)) return;
  const otherBank = otherBankOf(transaction, pass.bankId);
  if (otherBank === undefined) addTo(pass.paid, numberOfTransactionId(transactionId), -1);
  else countOther(pass, otherBank);
}

function countOther({ otherBanks }: Pass, bankId: string): void {
  const isNamed = bankId in otherBanks || Object.keys(otherBanks).length < mostOtherBanks;
  const name = isNamed ? bankId : furtherBanks;
  otherBanks[name] = (otherBanks[name] ?? 0) + 1;
}

/** Advances the open checks of a segment to their ends, or until the stop. */
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
 * Looks again at wallets that seemed wrong. While money moves, the images of a moment may disagree: indexes and entries
 * follow later. A difference that remains long after is a discrepancy.
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
  // The bank's clock dates a payment, and the service completes the withdrawal later.
  const until = new Date(pass.asOf === undefined ? control.now() + settledMs : Date.parse(pass.asOf) + settledMs);
  const page = await readStatement(books.statement, {
    from: beginning,
    until: until.toISOString(),
    after: pass.statementAfter,
  });
  if ('unavailable' in page) return waitForStatement(pass, control);
  pass.noStatementSince = undefined;
  pass.counts.payments += page.items.length;
  // One consistent read, of one unit, for the withdrawal of each payment.
  pass.readUnits += page.items.length;
  const { matched, discrepancies } = await compareWithBank(books.table, books.statement.bankId, page.items);
  for (const [, discrepancy] of discrepancies) report(pass, control, discrepancy);
  for (const [, { transactionId, completedAt }] of matched) {
    if (isBefore(completedAt, pass.asOf)) {
      addTo(pass.paid, numberOfTransactionId(transactionId), 1);
    }
  }
  pass.statementAfter = page.next;
  control.progress?.(pass);
  if (page.next !== undefined) return undefined;
  for (const discrepancy of notPaid(pass.paid)) report(pass, control, discrepancy);
  leaveBank(pass, control);
  return undefined;
}

/** Waits for the statement, and at last reports that there is none: the payments of this pass are not compared then. */
function waitForStatement(pass: Pass, control: RunControl): RunOutcome | undefined {
  const now = control.now();
  const since = (pass.noStatementSince ??= now);
  const until = since + (control.statementPatienceMs ?? statementPatienceMs);
  if (now < until) return { waitUntil: Math.min(now + settledMs, until) };
  const detail = `the bank has given no statement since ${new Date(since).toISOString()}: payments were not compared`;
  report(pass, control, { kind: 'statement_missing', subject: String(pass.bankId), detail });
  leaveBank(pass, control);
  return undefined;
}

/** Ends the bank's part. A pass of an earlier release has its sums still to compare. */
function leaveBank(pass: Pass, control: RunControl): void {
  pass.bankCompared = true;
  if (pass.sumsCompared === true) finish(pass, control);
  else pass.stage = 'sums';
}

function finish(pass: Pass, control: RunControl): void {
  pass.stage = 'done';
  pass.finishedAt = new Date(control.now()).toISOString();
}

async function checkSums(books: Books, pass: Pass, control: RunControl): Promise<RunOutcome | undefined> {
  const different = await differentTotals(pass.sums, (account) => totalOf(books.entries, account, pass.asOf));
  if (different.length > 0 && pass.totalsSuspectAt === undefined) pass.totalsSuspectAt = control.now();
  const secondLookAt = (pass.totalsSuspectAt ?? 0) + control.secondLookMs;
  if (different.length > 0 && control.now() < secondLookAt) return { waitUntil: secondLookAt };
  for (const discrepancy of different) report(pass, control, discrepancy);
  for (const discrepancy of unbalanced(pass.sums)) report(pass, control, discrepancy);
  if (pass.collections) {
    const fees = await checkFees(books.table, pass.sums, pass.collections);
    pass.readUnits += fees.readUnits;
    for (const discrepancy of fees.found) report(pass, control, discrepancy);
  }
  const isOfEarlierRelease = pass.sumsCompared === undefined;
  pass.sumsCompared = true;
  if (pass.bankId !== undefined && pass.bankCompared !== true) {
    if (!isOfEarlierRelease) {
      pass.stage = 'bank';
      return undefined;
    }
    // It has read the whole statement before the sums.
    for (const discrepancy of notPaid(pass.paid)) report(pass, control, discrepancy);
  }
  finish(pass, control);
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

/** Returns a pass as text, some ten kilobytes. */
export function passToText(pass: Pass): string {
  return stateToText({ ...pass, paid: sketchToText(pass.paid) });
}

/**
 * Parses a pass.
 *
 * @param text as `passToText` returns it
 */
export function passFromText(text: string): Pass {
  const pass = stateFromText(text) as Omit<Pass, 'paid' | 'otherBanks' | 'scanned'> & {
    paid: string;
    otherBanks?: Pass['otherBanks'];
    scanned?: number;
  };
  // A pass that an earlier release stored has not these members.
  return { ...pass, paid: sketchFromText(pass.paid), otherBanks: pass.otherBanks ?? {}, scanned: pass.scanned ?? 0 };
}
