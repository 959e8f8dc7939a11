/** Compares the entries of a wallet with what its transactions have booked. */
import { bookingsOf, entryNameOf, hasBookings } from '../domain/bookings.ts';
import type { Booking } from '../domain/bookings.ts';
import { bookedAtOf } from '../domain/entries.ts';
import type { Balance, ChainedEntry } from '../domain/entries.ts';
import { accounts } from '../domain/postings.ts';
import type { Transaction } from '../domain/transaction.ts';
import { integer } from './wallet-check.ts';

const both = ['available', 'held'] as const;

/** A change of a wallet's money. */
export type Amounts = Record<keyof Balance, bigint>;

/** The bookings with which a wallet's entries are compared. */
export interface Booked {
  /** As `sumBookings` returns them. */
  readonly sums: ReadonlyMap<string, Amounts>;
  readonly transactions: ReadonlyMap<string, Transaction>;
  /** The version whose entry has a booking, by the entry's name and the position of the booking. */
  readonly known: Map<string, number>;
}

/** The name and time of an entry, and the position of the bookings that it sums up in their transactions. */
export function sumKey(name: string, position: number, at: string): string {
  return `${name} ${position} ${at}`;
}

/**
 * Sums what transactions have booked on a wallet by its entries, so that no entry has to read through all of them. Each sum
 * is under its `sumKey`.
 */
export function sumBookings(walletId: string, transactions: Iterable<Transaction>): Map<string, Amounts> {
  const sums = new Map<string, Amounts>();
  for (const transaction of transactions) {
    if (!hasBookings(transaction)) continue;
    for (const [position, booking] of bookingsOf(transaction).entries()) {
      const key = sumKey(entryNameOf(transaction, position, walletId), position, booking.at);
      const [sum, more] = [sums.get(key) ?? { available: 0n, held: 0n }, amountsOf(booking, walletId)];
      sums.set(key, { available: sum.available + more.available, held: sum.held + more.held });
    }
  }
  return sums;
}

function amountsOf({ postings }: Booking, walletId: string): Amounts {
  const sum = (account: keyof Balance) =>
    postings.reduce(
      (total, posting) => total + (posting.account === accounts[account](walletId) ? integer(posting.amount) : 0n),
      0n,
    );
  return { available: sum('available'), held: sum('held') };
}

/**
 * Returns the change that an entry must show if it is of the bookings at a position: the sum of the listed ones that share
 * it. A booking that is listed under another wallet has an entry of its own.
 */
function expectedOf(
  { walletId, transactionId = '', ...entry }: ChainedEntry,
  position: number,
  { sums, transactions }: Booked,
): Amounts | undefined {
  const at = bookedAtOf(entry);
  const transaction = transactions.get(transactionId);
  if (transaction === undefined || !hasBookings(transaction)) return undefined;
  const booking = bookingsOf(transaction)[position];
  if (booking?.at !== at || entryNameOf(transaction, position, walletId) !== transactionId) return undefined;
  return sums.get(sumKey(transactionId, position, at)) ?? amountsOf(booking, walletId);
}

/** Returns how an entry contradicts the transaction that it names; undefined when the two agree. */
export function problemOfEntry(
  entry: ChainedEntry,
  booked: Booked,
): { kind: 'postings_differ' | 'held_differs'; detail: string } | undefined {
  const { version, transactionId = '', changes } = entry;
  if (changes.length === 0) return undefined;
  if (!booked.transactions.has(transactionId)) {
    const name = entry.transactionId ?? 'no transaction';
    return { kind: 'postings_differ', detail: `entry ${version} names ${name}, which does not exist` };
  }
  const changed = (account: keyof Balance) =>
    changes.reduce((sum, one) => (one.account === account ? sum + BigInt(one.amount) : sum), 0n);
  const differences = [0, 1].map((position) => {
    const expected = expectedOf(entry, position, booked);
    return both.filter((account) => expected?.[account] !== changed(account));
  });
  const matching = differences.findIndex((accounts) => accounts.length === 0);
  if (matching >= 0) {
    const name = `${transactionId} ${matching}`;
    const other = booked.known.get(name);
    booked.known.set(name, version);
    if (other === undefined) return undefined;
    const detail = `entry ${version} books ${transactionId} again, as entry ${other} does`;
    return { kind: 'postings_differ', detail };
  }
  const [least = []] = differences.sort((a, b) => a.length - b.length);
  const detail = `entry ${version} changes ${both.map((account) => `${account} by ${String(changed(account))}`).join(' and ')}, and ${transactionId} does not`;
  return { kind: least.join() === 'held' ? 'held_differs' : 'postings_differ', detail };
}
