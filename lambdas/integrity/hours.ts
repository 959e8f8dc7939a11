import { hourAfter, hourMs, hourOf, hourOfMs, startOf } from '../domain/hours.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { totalOfHour } from '../store/totals.ts';
import { bankAt, bankFromStored, bankToStored, checkBankHours, closeBankHour, noteCompleted } from './bank-hours.ts';
import type { BankHours, HourBooks, StoredBankHours } from './bank-hours.ts';
import { checkChanges } from './changes.ts';
import type { ChangesOutcome, WalletChanges } from './changes.ts';
import { listHour, listWallets } from './listing.ts';
import type { RunControl, RunOutcome } from './pass.ts';
import { addFeeAccounts, addOutside, differentTotals, hasFees, sumsOf, unbalanced } from './sums.ts';
import type { AllSums } from './sums.ts';
import { stateFromText, stateToText } from './text.ts';

/** A wallet whose changes seemed wrong, and the time (epoch ms) of that look. */
interface Suspect {
  readonly walletId: string;
  readonly seenAt: number;
}

/**
 * The progress of the check of closed hours, one after the other. Its size does not grow with the hour, so it can be
 * stored between runs (`hoursToText`).
 */
export interface Hours {
  /** The hour that is checked now, or as soon as it is closed. All earlier hours are checked. */
  hour: string;
  stage: 'changes' | 'sums';
  /** The last wallet that is checked, in the order of their ids. */
  after?: string | undefined;
  isRead: boolean;
  /** The earliest hour of the bookings that this one lists. */
  earliest: string;
  suspects: Suspect[];
  sums: AllSums;
  /**
   * The time (epoch ms) of the second reading of the whole hour; set when its sums differed. Late changes arrive until
   * then.
   */
  secondLookAt?: number | undefined;
  /** Currencies that were seen in any hour. */
  currencies: string[];
  /** Those of them with fees; absent: none was seen. */
  feeCurrencies?: string[];
  counts: { wallets: number; entries: number; bookings: number };
  /** The read units of the hour. */
  readUnits: number;
  /** The last hour that was checked. */
  last?: { readonly hour: string; readonly at: string; readonly counts: Hours['counts']; readonly readUnits: number };
  bank: BankHours;
}

/** How long after its end an hour is checked. Longer than changes are still listed in it, as clocks differ. */
const closedAfterMs = 600_000;
/** How many hours late a change is at most: the stream keeps it for a day. An older time is wrong. */
const mostHoursLate = 26;
/** How many changes are read together, and how many groups of them side by side. */
const changesOfGroup = 100;
const groupsAtATime = 8;
/** How many wallets of an hour are in memory at a time. */
const mostWallets = 100_000;
/** With this many suspects, reading stops until they are looked at again. */
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

/** Returns the age of the oldest unchecked hour, its payments included, in ms since its end; 0 when there is none. */
export function uncheckedMs({ hour, bank }: Hours, now: number): number {
  const oldest = bank.from < hour ? bank.from : hour;
  return Math.max(0, now - startOf(oldest) - hourMs);
}

/**
 * Checks the closed hours until none is left, the run has to wait, or is stopped. Changes `hours` as it goes. Reports
 * what a second look finds, too.
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

/** Each stage ends by setting the next one. It returns an outcome when the run cannot go on at once. */
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
    // Each reading of the journal makes progress, however long it takes.
    if (start > 0 && control.stop()) return;
    const side = groups.slice(start, start + groupsAtATime);
    const checked = await Promise.all(side.map((group) => checkChanges(books, group, false)));
    // No await between here and `hours.after`: a stop in between would count wallets twice.
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
 * Looks again at wallets whose changes seemed wrong, with all changes that were booked together with theirs, even late
 * ones. A difference that remains is a discrepancy.
 */
async function lookAgain(books: HourBooks, hours: Hours, control: RunControl): Promise<void> {
  const due = hours.suspects.filter(({ seenAt }) => control.now() >= seenAt + control.secondLookMs);
  if (due.length === 0) return;
  const walletIds = new Set(due.map(({ walletId }) => walletId));
  const listing = await listWallets(books.entries, walletIds, hours);
  hours.readUnits += listing.readUnits;
  for (const [index, wallet] of listing.wallets.entries()) {
    if (index > 0 && control.stop()) return;
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
 * Compares the sums of the hour. When they differ, changes may have come late: the check reads the whole hour again,
 * with the changes that were listed later. A difference that remains is a discrepancy.
 */
async function checkSums({ entries }: HourBooks, hours: Hours, control: RunControl): Promise<RunOutcome | undefined> {
  const { hour, sums } = hours;
  hours.currencies = [...new Set([...hours.currencies, ...Object.keys(sums)])].sort();
  for (const currency of hours.currencies) sumsOf(sums, currency);
  const seen = Object.keys(sums).filter((currency) => hasFees(sumsOf(sums, currency)));
  const feeCurrencies = [...new Set([...(hours.feeCurrencies ?? []), ...seen])].sort();
  if (feeCurrencies.length > 0) hours.feeCurrencies = feeCurrencies;
  for (const currency of feeCurrencies) addFeeAccounts(sumsOf(sums, currency));
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

/** Returns the state as text, some thirty kilobytes. */
export function hoursToText(hours: Hours): string {
  return stateToText({ ...hours, bank: bankToStored(hours.bank) });
}

/**
 * Parses the state.
 *
 * @param text as `hoursToText` returns it
 */
export function hoursFromText(text: string): Hours {
  const stored = stateFromText(text) as Omit<Hours, 'bank'> & { readonly bank: StoredBankHours };
  return { ...stored, bank: bankFromStored(stored.bank) };
}
