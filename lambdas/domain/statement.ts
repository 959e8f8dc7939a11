import { bookingsOf, entryNameOf, groupOf, hasBookings } from './bookings.ts';
import type { Booking } from './bookings.ts';
import { bookedAtOf } from './entries.ts';
import type { Balance, Entry } from './entries.ts';
import { minus, plus } from './money.ts';
import type { Sum } from './money.ts';
import { accounts, net } from './postings.ts';
import type { Posting } from './postings.ts';
import type { Transaction } from './transaction.ts';

/** A line of a wallet's statement: a change of its total, which is what it has available and what it holds. */
export interface StatementLine {
  /** The version of the entry. The lines of transactions that were booked together have the same one. */
  readonly version: number;
  /** ISO 8601 UTC, as in the entry. */
  readonly at: string;
  /** Signed, in minor units: what the total gained. A fee that the wallet pays is in it. */
  readonly amount: Sum;
  /** The fee in `amount`: positive where the wallet paid it, negative where it came back. */
  readonly fee: number;
  /** The total after the line. */
  readonly balance: Sum;
  /** Undefined where no transaction explains the change. */
  readonly transaction: Transaction | undefined;
  /** The id in the entry; of a line in a group the id of its own transaction. */
  readonly transactionId: string | undefined;
  /** Whether it gives back what an earlier line of the same transaction took. */
  readonly isReversal: boolean;
}

/** The sums of lines, in minor units. `fees` is what was paid less what came back. */
export interface StatementSums {
  readonly lines: number;
  readonly in: Sum;
  readonly out: Sum;
  readonly fees: Sum;
}

export const noSums: StatementSums = { lines: 0, in: 0, out: 0, fees: 0 };

export function addLine(sums: StatementSums, { amount, fee }: Pick<StatementLine, 'amount' | 'fee'>): StatementSums {
  return {
    lines: sums.lines + 1,
    in: amount > 0 ? plus(sums.in, amount) : sums.in,
    out: amount < 0 ? minus(sums.out, amount) : sums.out,
    fees: plus(sums.fees, fee),
  };
}

/** Returns what a wallet has altogether. */
export function totalOf({ available, held }: Balance): Sum {
  return plus(available, held);
}

/** Returns what an entry adds to the total of its wallet. */
export function totalChangeOf({ changes }: Pick<Entry, 'changes'>): Sum {
  return changes.reduce<Sum>((sum, { amount }) => plus(sum, amount), 0);
}

/** A booking of a transaction that an entry covers. */
interface Part {
  readonly transaction: Transaction;
  readonly position: number;
  readonly booking: Booking;
}

/**
 * Returns the lines of an entry; none where the total stays as it was. The lines add up to the change of the entry, whatever
 * the transactions are.
 *
 * @param before the total before the entry
 * @param candidates transactions that may be in the entry: those that it names, and those that were booked with it
 * @returns `isExplained` is false where the transactions do not account for the change: then one line has it
 */
export function linesOf(
  entry: Entry,
  before: Sum,
  candidates: readonly Transaction[],
): { readonly lines: StatementLine[]; readonly isExplained: boolean } {
  const change = totalChangeOf(entry);
  if (change === 0) return { lines: [], isExplained: true };
  const parts = partsOf(entry, candidates);
  if (parts === undefined) return { lines: [unexplained(entry, before, change)], isExplained: false };
  let balance = before;
  const lines = parts.map(({ transaction, position, booking }): StatementLine => {
    const amount = totalIn(booking, entry.walletId);
    balance = plus(balance, amount);
    const isReversal = transaction.type === 'transfer' && transaction.status === 'failed' && position > 0;
    const fee = paidFee(transaction, entry.walletId);
    return {
      ...{ version: entry.version, at: entry.at, amount, fee: isReversal ? -fee : fee, balance },
      ...{ transaction, transactionId: transaction.transactionId, isReversal },
    };
  });
  return { lines, isExplained: true };
}

function unexplained({ version, at, transactionId }: Entry, before: Sum, amount: Sum): StatementLine {
  const balance = plus(before, amount);
  return { version, at, amount, fee: 0, balance, transaction: undefined, transactionId, isReversal: false };
}

/** Returns the bookings that make the change of an entry, in the order of their ids; undefined: they do not make it. */
function partsOf(entry: Entry, candidates: readonly Transaction[]): Part[] | undefined {
  const { walletId, transactionId } = entry;
  const unique = [...new Map(candidates.map((one) => [one.transactionId, one])).values()];
  const named = unique.filter(hasBookings).flatMap((transaction) =>
    bookingsOf(transaction).flatMap((booking, position): Part[] => {
      const isInEntry = entryNameOf(transaction, position, walletId) === transactionId;
      return isInEntry && ownPostings(booking, walletId).length > 0 ? [{ transaction, position, booking }] : [];
    }),
  );
  const together = named
    .filter(({ booking }) => booking.at === bookedAtOf(entry))
    .sort((a, b) => (a.transaction.transactionId < b.transaction.transactionId ? -1 : 1));
  if (makes(entry, together)) return together;
  // A transfer that failed in the millisecond of its acceptance has two bookings at one time.
  const alone = named.find((part) => makes(entry, [part]));
  return alone && [alone];
}

/**
 * Returns whether the lines of an entry need the transactions that were booked with the one that it names. Legs of a split always do:
 * others can cancel each other out.
 */
export function needsGroup(entry: Entry, named: Transaction): boolean {
  if (groupOf(named, 0, entry.walletId) === undefined) return false;
  return 'splitId' in named || !linesOf(entry, 0, [named]).isExplained;
}

/** Returns whether bookings make exactly the changes of an entry. */
function makes({ walletId, changes }: Entry, parts: readonly Part[]): boolean {
  const made = net(parts.flatMap(({ booking }) => booking.postings));
  return (['available', 'held'] as const).every((account) => {
    const booked = made.get(accounts[account](walletId)) ?? 0n;
    return booked === BigInt(changes.find((change) => change.account === account)?.amount ?? 0);
  });
}

function ownPostings({ postings }: Booking, walletId: string): Posting[] {
  return postings.filter(
    ({ account }) => account === accounts.available(walletId) || account === accounts.held(walletId),
  );
}

function totalIn(booking: Booking, walletId: string): Sum {
  return ownPostings(booking, walletId).reduce<Sum>((sum, { amount }) => plus(sum, amount), 0);
}

/** Returns the fee of a transaction where this wallet pays it, else 0. */
function paidFee(transaction: Transaction, walletId: string): number {
  if (!('fee' in transaction)) return 0;
  const paysOut = transaction.type === 'transfer' || transaction.type === 'withdrawal' || transaction.type === 'charge';
  const payer = paysOut ? transaction.walletId : transaction.counterpartyWalletId;
  return payer === walletId ? transaction.fee : 0;
}
