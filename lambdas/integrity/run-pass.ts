/** The run of a pass: its stages, and the findings of each. The pass itself, which runs change and store, is pass.ts. */
import { forEachOf } from '../aws/parallel.ts';
import { bookingsOf, hasBookings, problemOf } from '../domain/bookings.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { isTransactionId, numberOfTransactionId } from '../domain/ids.ts';
import { addTo } from '../domain/sketch.ts';
import type { Transaction } from '../domain/transaction.ts';
import { scanBooks } from '../store/books.ts';
import type { ScannedItem } from '../store/books.ts';
import { subjectOfKey } from '../store/keys.ts';
import { referringIn } from '../store/references.ts';
import { totalOf } from '../store/totals.ts';
import { getWallet } from '../store/wallets.ts';
import { checkFees, noteCollection } from './fee-check.ts';
import { settledMs } from './pass.ts';
import type { Books, Pass, RunControl, RunOutcome, Segment } from './pass.ts';
import { checkAliases, mostAliasesChecked } from './alias-check.ts';
import { checkReferences, mostReferences, nameOf } from './reference-check.ts';
import { compareWithBank, notPaid, otherBankOf, readStatement } from './statement.ts';
import { addOutside, differentTotals, sumsOf, unbalanced } from './sums.ts';
import { stepWalletCheck } from './wallet-check.ts';
import { beginWalletCheck } from './wallet-check-state.ts';
import type { WalletCheck } from './wallet-check-state.ts';

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
      const { references = [], aliases = [] } = segment;
      const isFull = references.length >= mostReferences || aliases.length >= mostAliasesChecked;
      if (isFull) await finishNames(books, pass, segment, control);
      if (paused()) return;
      addItem(pass, segment, item, control);
    }
    await finishOpen(books, pass, segment, control);
    await finishNames(books, pass, segment, control);
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
      return;
    case 'alias': {
      const { alias, ownerId, wallets } = item.alias;
      (segment.aliases ??= []).push({ alias, ownerId, wallets });
    }
  }
}

/** Checks the references and aliases that the segment has met since the last time. */
async function finishNames(books: Books, pass: Pass, segment: Segment, control: RunControl): Promise<void> {
  const { references = [], aliases = [] } = segment;
  const checks = [
    ...(references.length > 0 ? [await checkReferences(books.table, references)] : []),
    ...(aliases.length > 0 ? [await checkAliases(books.table, aliases)] : []),
  ];
  for (const { found, readUnits } of checks) {
    pass.readUnits += readUnits;
    for (const discrepancy of found) report(pass, control, discrepancy);
  }
  if (references.length > 0) segment.references = [];
  if (aliases.length > 0) segment.aliases = [];
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
