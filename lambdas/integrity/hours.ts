import { hourAfter, hourMs, hourOf, hourOfMs, startOf } from '../domain/hours.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { totalOfHour } from '../store/totals.ts';
import { bankAt, bankFromStored, bankToStored, checkBankHours, closeBankHour, noteCompleted } from './bank-hours.ts';
import type { BankHours, HourBooks, StoredBankHours } from './bank-hours.ts';
import { checkChanges } from './changes.ts';
import type { ChangesOutcome, WalletChanges } from './changes.ts';
import { listHour, listWallets } from './listing.ts';
import type { RunControl, RunOutcome } from './pass.ts';
import { addOutside, differentTotals, sumsOf, unbalanced } from './sums.ts';
import type { AllSums } from './sums.ts';
import { stateFromText, stateToText } from './text.ts';

/** A wallet whose changes did not look right, and when (epoch ms) that was seen. */
interface Suspect {
  readonly walletId: string;
  readonly seenAt: number;
}

/**
 * How far the closed hours are checked, one after the other. Its size does not grow with the hour, so that it can be
 * stored between runs (`hoursToText`).
 */
export interface Hours {
  /** The hour that is checked now, or when it is closed; all before it are checked. */
  hour: string;
  stage: 'changes' | 'sums';
  /** The last wallet that is done, in the order of their ids. */
  after?: string | undefined;
  isRead: boolean;
  /** The earliest hour of what is listed in this one. */
  earliest: string;
  suspects: Suspect[];
  sums: AllSums;
  /** Since the sums of the hour did not fit: until when (epoch ms) late changes are waited for before all is read again. */
  secondLookAt?: number | undefined;
  /** Currencies that were seen in any hour. */
  currencies: string[];
  counts: { wallets: number; entries: number; bookings: number };
  /** Of the hour. */
  readUnits: number;
  /** The last hour that was checked. */
  last?: { readonly hour: string; readonly at: string; readonly counts: Hours['counts']; readonly readUnits: number };
  bank: BankHours;
}

/** How long after its end an hour is checked: longer than changes are listed in it, for clocks that differ. */
const closedAfterMs = 600_000;
/** A change is in the stream for a day; what is listed as older has a wrong time. */
const mostHoursLate = 26;
/** Changes that are read together, and groups of them that are read side by side. */
const changesOfGroup = 100;
const groupsAtATime = 8;
/** Wallets of an hour that are in memory at a time. */
const mostWallets = 100_000;
/** More suspects than these are not worth more reading before they are looked at again. */
const mostSuspects = 100;

/** Begins with the first hour that is wholly in the journal. */
export function beginHours(now: number, bankId: string | undefined): Hours {
  const hour = hourAfter(hourOfMs(now));
  return { ...anHour(hour), currencies: [], bank: bankAt(hour, bankId) };
}

function anHour(hour: string): Omit<Hours, 'currencies' | 'bank'> {
  return {
    hour,
    stage: 'changes',
    after: undefined,
    isRead: false,
    earliest: hour,
    suspects: [],
    sums: {},
    secondLookAt: undefined,
    counts: { wallets: 0, entries: 0, bookings: 0 },
    readUnits: 0,
  };
}

/** Returns how long ago the oldest hour ended that is not checked, its payments included, ms; 0 when there is none. */
export function uncheckedMs({ hour, bank }: Hours, now: number): number {
  const oldest = bank.from < hour ? bank.from : hour;
  return Math.max(0, now - startOf(oldest) - hourMs);
}

/**
 * Checks the closed hours until none is left, the run has to wait, or is stopped. Changes `hours` as it goes. What is wrong
 * is reported when a second look finds it, too.
 */
export async function runHours(books: HourBooks, hours: Hours, control: RunControl): Promise<RunOutcome> {
  for (;;) {
    const bank = await checkBankHours(books, hours.bank, control);
    if (bank === 'stopped' || control.stop()) return 'stopped';
    if (control.now() < startOf(hours.hour) + hourMs + closedAfterMs) return bank ?? 'done';
    const outcome = await stages[hours.stage](books, hours, control);
    if (outcome !== undefined) return outcome;
  }
}

/** Each stage ends by naming the next one; it gives an outcome when the run cannot go on at once. */
const stages = { changes: checkListed, sums: checkSums };

async function checkListed(books: HourBooks, hours: Hours, control: RunControl): Promise<RunOutcome | undefined> {
  if (control.now() < (hours.secondLookAt ?? 0)) return { waitUntil: hours.secondLookAt ?? 0 };
  await lookAgain(books, hours, control);
  if (control.stop()) return 'stopped';
  if (hours.suspects.length < mostSuspects && !hours.isRead) await readHour(books, hours, control);
  if (control.stop()) return 'stopped';
  const [first] = hours.suspects;
  if (first !== undefined) return { waitUntil: first.seenAt + control.secondLookMs };
  if (hours.isRead) hours.stage = 'sums';
  return undefined;
}

async function readHour(books: HourBooks, hours: Hours, control: RunControl): Promise<void> {
  const listing = await listHour(books.entries, hours.hour, {
    after: hours.after,
    most: mostWallets,
    isLateIncluded: hours.secondLookAt !== undefined,
  });
  hours.readUnits += listing.readUnits;
  for (const item of listing.unreadable) {
    const detail = `item ${item} cannot be read: changes may be missing in the check of this hour`;
    control.report({ kind: 'unreadable', subject: `journal of ${hours.hour}`, detail });
  }
  if (listing.earliest !== undefined && listing.earliest < hours.earliest) {
    const limit = hourAfter(hours.hour, -mostHoursLate);
    hours.earliest = listing.earliest < limit ? limit : listing.earliest;
  }
  const groups = groupsOf(listing.wallets);
  for (let start = 0; start < groups.length; start += groupsAtATime) {
    if (hours.suspects.length >= mostSuspects) return;
    // Each reading of the journal takes the check further, however long it takes.
    if (start > 0 && control.stop()) return;
    const side = groups.slice(start, start + groupsAtATime);
    const checked = await Promise.all(side.map((group) => checkChanges(books, group, false)));
    // Nothing waits between here and the place of the next group, so that each wallet counts once.
    for (const { outcomes, readUnits } of checked) {
      hours.readUnits += readUnits;
      for (const outcome of outcomes) {
        if (outcome.found.length > 0) hours.suspects.push({ walletId: outcome.walletId, seenAt: control.now() });
        else addOutcome(hours, outcome, control);
      }
    }
    hours.after = side.at(-1)?.at(-1)?.walletId ?? hours.after;
  }
  hours.isRead = !listing.more;
}

/** Cuts wallets into groups whose changes are read together. */
function groupsOf(wallets: readonly WalletChanges[]): WalletChanges[][] {
  const groups: WalletChanges[][] = [];
  let size = changesOfGroup;
  for (const wallet of wallets) {
    const changes = wallet.versions.size + wallet.bookings.size;
    if (size + changes > changesOfGroup) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(wallet);
    size += changes;
  }
  return groups;
}

function addOutcome(hours: Hours, { entered, booked, completed }: ChangesOutcome, { report }: RunControl): void {
  const { hour, sums, counts } = hours;
  counts.wallets++;
  counts.entries += entered.length;
  counts.bookings += booked.length;
  for (const { at, currency, amount } of entered) if (hourOf(at) === hour) sumsOf(sums, currency).wallets += amount;
  for (const { at, postings } of booked) if (hourOf(at) === hour) addOutside(sums, postings);
  // The first reading of the hour has noted them.
  if (hours.secondLookAt !== undefined) return;
  for (const withdrawal of completed) noteCompleted(hours.bank, hour, withdrawal, report);
}

/**
 * Looks again at wallets whose changes did not look right, with all changes that were booked together with theirs, also
 * where these came late. What still does not fit is a discrepancy.
 */
async function lookAgain(books: HourBooks, hours: Hours, control: RunControl): Promise<void> {
  const due = hours.suspects.filter(({ seenAt }) => control.now() >= seenAt + control.secondLookMs);
  if (due.length === 0) return;
  const walletIds = new Set(due.map(({ walletId }) => walletId));
  const listing = await listWallets(books.entries, walletIds, hours);
  hours.readUnits += listing.readUnits;
  for (const [place, wallet] of listing.wallets.entries()) {
    if (place > 0 && control.stop()) return;
    const { outcomes, readUnits } = await checkChanges(books, [wallet], true);
    hours.readUnits += readUnits;
    for (const outcome of outcomes) {
      for (const discrepancy of outcome.found) control.report(discrepancy);
      addOutcome(hours, outcome, control);
    }
    hours.suspects = hours.suspects.filter(({ walletId }) => walletId !== wallet.walletId);
  }
}

/**
 * Compares the sums of the hour. Where they do not fit, changes may have come late: the whole hour is read again, with
 * what was listed later, before that is a discrepancy.
 */
async function checkSums({ entries }: HourBooks, hours: Hours, control: RunControl): Promise<RunOutcome | undefined> {
  const { hour, sums } = hours;
  hours.currencies = [...new Set([...hours.currencies, ...Object.keys(sums)])].sort();
  for (const currency of hours.currencies) sumsOf(sums, currency);
  const different: Discrepancy[] = unbalanced(sums);
  different.push(
    ...(await differentTotals(sums, async (account) => {
      const { total, readUnits } = await totalOfHour(entries, account, hour);
      hours.readUnits += readUnits;
      return total;
    })),
  );
  if (different.length > 0 && hours.secondLookAt === undefined) {
    const { readUnits } = hours;
    const secondLookAt = control.now() + control.secondLookMs;
    Object.assign(hours, { ...anHour(hour), secondLookAt, readUnits });
    return { waitUntil: secondLookAt };
  }
  for (const discrepancy of different) {
    control.report({ ...discrepancy, detail: `${discrepancy.detail}, in the hour ${hour}` }, hour);
  }
  const { counts, readUnits } = hours;
  const last = { hour, at: new Date(control.now()).toISOString(), counts, readUnits };
  closeBankHour(hours.bank, hour);
  Object.assign(hours, { ...anHour(hourAfter(hour)), last });
  return undefined;
}

/** The state as text, some thirty kilobytes. */
export function hoursToText(hours: Hours): string {
  return stateToText({ ...hours, bank: bankToStored(hours.bank) });
}

/** @param text as `hoursToText` made it */
export function hoursFromText(text: string): Hours {
  const stored = stateFromText(text) as Omit<Hours, 'bank'> & { readonly bank: StoredBankHours };
  return { ...stored, bank: bankFromStored(stored.bank) };
}
