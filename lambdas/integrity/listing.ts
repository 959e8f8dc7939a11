import { hourAfter, hourOfMs } from '../domain/hours.ts';
import { readJournal } from '../store/journal.ts';
import type { JournalLine } from '../store/journal.ts';
import type { Table } from '../store/table.ts';
import type { WalletChanges } from './changes.ts';

/** The changes that the journal lists of some wallets. */
export interface Listing {
  /** In the order of the wallets' ids. */
  readonly wallets: readonly WalletChanges[];
  /** Whether there are wallets behind the last one. */
  readonly more: boolean;
  /** The earliest hour of their bookings; undefined: there is none. */
  readonly earliest: string | undefined;
  /** Items of the journal that cannot be read. */
  readonly unreadable: readonly string[];
  readonly readUnits: number;
}

/**
 * How many hours behind an hour the check reads on for late changes of it. A check that is up to date has no later
 * ones. A check that is a day behind must not read a day for each hour.
 */
const hoursBehind = 2;

type Changes = { readonly versions: Set<number>; readonly bookings: Set<string> };

/**
 * Reads the changes that are listed in an hour, each once. Reads all lines of the hour, and keeps the first wallets
 * behind `after`, so that memory has a bound.
 *
 * @param isLateIncluded reads the changes that were booked in the hour wherever they are listed, in place of those that
 *   are listed in it
 * @param most how many wallets are returned at most
 */
export async function listHour(
  entries: Table,
  hour: string,
  { after, most, isLateIncluded }: { after: string | undefined; most: number; isLateIncluded: boolean },
): Promise<Listing> {
  const wallets = new Map<string, Changes>();
  let behind: string | undefined;
  const hours = isLateIncluded ? hoursAround(hour, hour, entries.now()) : [hour];
  const read = await readLines(entries, hours, isLateIncluded ? hour : undefined, (line) => {
    if (after !== undefined && line.walletId <= after) return;
    if (behind !== undefined && line.walletId > behind) return;
    add(wallets, line);
    if (wallets.size > 2 * most) behind = keepFirst(wallets, most);
  });
  if (wallets.size > most) behind = keepFirst(wallets, most);
  return { wallets: sorted(wallets), more: behind !== undefined, ...read };
}

/**
 * Reads the changes of these wallets that are listed around an hour: all that were booked together with those that the
 * hour lists.
 *
 * @param earliest the earliest hour of the bookings that the hour lists
 */
export async function listWallets(
  entries: Table,
  walletIds: ReadonlySet<string>,
  { hour, earliest }: { readonly hour: string; readonly earliest: string },
): Promise<{ wallets: WalletChanges[]; readUnits: number }> {
  const wallets = new Map<string, Changes>();
  const hours = hoursAround(earliest, hour, entries.now());
  const { readUnits } = await readLines(entries, hours, undefined, (line) => {
    if (walletIds.has(line.walletId)) add(wallets, line);
  });
  return { wallets: sorted(wallets), readUnits };
}

async function readLines(
  entries: Table,
  hours: readonly string[],
  booked: string | undefined,
  addLine: (line: JournalLine) => void,
): Promise<{ earliest: string | undefined; unreadable: string[]; readUnits: number }> {
  let earliest: string | undefined;
  const unreadable: string[] = [];
  let readUnits = 0;
  for (const hour of hours) {
    for await (const page of readJournal(entries, hour, booked)) {
      readUnits += page.readUnits;
      for (const one of page.booked) if (earliest === undefined || one < earliest) earliest = one;
      unreadable.push(...page.unreadable);
      page.lines.forEach(addLine);
    }
  }
  return { earliest, unreadable, readUnits };
}

function hoursAround(first: string, last: string, now: number): string[] {
  const hours: string[] = [];
  const end = [hourAfter(last, hoursBehind), hourOfMs(now)].sort()[0] ?? last;
  for (let hour = hourAfter(first, -1); hour <= end; hour = hourAfter(hour)) hours.push(hour);
  return hours;
}

function add(wallets: Map<string, Changes>, { walletId, versions, bookings }: JournalLine): void {
  const changes = wallets.get(walletId) ?? { versions: new Set(), bookings: new Set() };
  wallets.set(walletId, changes);
  for (const version of versions) changes.versions.add(version);
  for (const { transactionId, count } of bookings) changes.bookings.add(`${transactionId}:${count}`);
}

/** Drops all but the first wallets; returns the last one that is left. */
function keepFirst(wallets: Map<string, Changes>, most: number): string | undefined {
  const ids = [...wallets.keys()].sort();
  for (const walletId of ids.slice(most)) wallets.delete(walletId);
  return ids[most - 1];
}

function sorted(wallets: ReadonlyMap<string, Changes>): WalletChanges[] {
  return [...wallets]
    .map(([walletId, changes]) => ({ walletId, ...changes }))
    .sort((one, other) => (one.walletId < other.walletId ? -1 : 1));
}
