import { isAmount } from './money.ts';
import { accounts, move, sum } from './postings.ts';
import type { Posting } from './postings.ts';
import { arrivalPostings, refundPostings, releasePostings, settlePostings } from './transaction.ts';
import type { Transaction } from './transaction.ts';

/** Postings that were booked together, and the time of the booking (ISO 8601 UTC). */
export interface Booking {
  readonly at: string;
  readonly postings: readonly Posting[];
}

/** The members of a transaction that its bookings are read from. */
export type BookedTransaction = Pick<Transaction, 'postings' | 'createdAt' | 'updatedAt' | 'completedAt'>;

/** Number of postings at acceptance. A second booking may follow at the end. */
const postingsAtFirst = 2;

/**
 * Returns a transaction's bookings with their times: one at its acceptance, perhaps one at its end. A booking never
 * changes, so a later reader can compute every earlier balance.
 */
export function bookingsOf(transaction: BookedTransaction): Booking[] {
  const { postings, createdAt, completedAt, updatedAt } = transaction;
  const later = postings.slice(postingsAtFirst);
  return [
    { at: createdAt, postings: postings.slice(0, postingsAtFirst) },
    ...(later.length > 0 ? [{ at: completedAt ?? updatedAt, postings: later }] : []),
  ];
}

/** Returns the booking that a change of a transaction added, with the number of postings after it. */
export function newBooking(
  before: Transaction | undefined,
  after: Transaction,
): (Booking & { readonly count: number }) | undefined {
  // The stored item may have any shape.
  if (!hasBookings(after)) return undefined;
  const postings = after.postings.slice(before !== undefined && hasBookings(before) ? before.postings.length : 0);
  const last = bookingsOf(after).at(-1);
  return postings.length === 0 || last === undefined
    ? undefined
    : { at: last.at, postings, count: after.postings.length };
}

/** Returns a sentence about the defect of a stored transaction; undefined when it is sound. */
export function problemOf(transaction: Transaction): string | undefined {
  const { postings, amount, status, completedAt } = transaction;
  if (!isAmount(amount)) return `its amount is ${String(amount)}`;
  if (!hasPostings(transaction)) return 'it has no postings';
  if (!hasTimes(transaction)) return 'its times are no times';
  if (!postings.every((posting) => Number.isSafeInteger(posting.amount))) return 'a posting has no whole amount';
  const total = sum(postings);
  if (total !== 0n) return `its postings sum to ${String(total)}`;
  const expected = expectedPostings(transaction);
  if (expected === undefined) return `a ${transaction.type} cannot be ${status}`;
  if (!samePostings(postings, expected)) {
    return `its postings are not those of a ${status} ${transaction.type} of ${amount}`;
  }
  if ((status === 'completed' || status === 'failed') !== (completedAt !== undefined)) {
    return `it is ${status}, and ${completedAt === undefined ? 'has no' : 'has a'} time of its end`;
  }
  return undefined;
}

/** Returns whether the bookings of a stored transaction can be read. The stored item may have any shape. */
export function hasBookings(transaction: Partial<BookedTransaction>): boolean {
  return hasPostings(transaction) && hasTimes(transaction);
}

/** Returns whether the bookings can be read, and their amounts too: totals count nothing else. */
export function hasWholeBookings(transaction: BookedTransaction): boolean {
  return hasBookings(transaction) && transaction.postings.every(({ amount }) => Number.isSafeInteger(amount));
}

function hasPostings({ postings }: { readonly postings?: readonly (Partial<Posting> | null)[] }): boolean {
  const hasAccount = (posting: Partial<Posting> | null) => typeof posting?.account === 'string';
  return Array.isArray(postings) && postings.length > 0 && postings.every(hasAccount);
}

function hasTimes({ createdAt, updatedAt, completedAt }: Partial<BookedTransaction>): boolean {
  return [createdAt, completedAt ?? updatedAt].every((time) => typeof time === 'string');
}

/** Returns the postings that type, status and amount require; undefined when no such transaction exists. */
function expectedPostings(transaction: Transaction): Posting[] | undefined {
  const { type, status, amount, currency, walletId, counterpartyWalletId, queued } = transaction;
  const available = accounts.available(walletId);
  switch (type) {
    case 'charge':
    case 'return':
      return status === 'completed' ? move(amount, accounts.external(currency), available) : undefined;
    case 'withdrawal': {
      const held = move(amount, available, accounts.held(walletId));
      if (status === 'completed') return [...held, ...settlePostings(transaction)];
      return status === 'failed' ? [...held, ...releasePostings(transaction)] : held;
    }
    case 'transfer': {
      if (counterpartyWalletId === undefined) return undefined;
      if (!queued) {
        return status === 'completed' ? move(amount, available, accounts.available(counterpartyWalletId)) : undefined;
      }
      const sent = move(amount, available, accounts.transit(currency));
      if (status === 'completed') return [...sent, ...arrivalPostings({ ...transaction, counterpartyWalletId })];
      if (status === 'failed') return [...sent, ...refundPostings(transaction)];
      return status === 'pending' ? sent : undefined;
    }
    default:
      return undefined;
  }
}

function samePostings(some: readonly Posting[], others: readonly Posting[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ account, amount }, index) => account === others[index]?.account && amount === others[index].amount)
  );
}
