import { capturePostings, endPostings, returnedBy } from './hold.ts';
import { isTime } from './hours.ts';
import { isAmount } from './money.ts';
import { accounts, move, sum } from './postings.ts';
import type { Posting } from './postings.ts';
import { problemOfRefunds, refundPostings } from './refund.ts';
import { collectionPostings, problemOfCollection } from './collection.ts';
import { arrivalPostings, failurePostings, sentPostings, transferPostings } from './transfer.ts';
import { heldPostings, importedWithdrawalPostings, releasePostings, settlePostings } from './withdrawal.ts';
import { isUnexecuted } from './transaction.ts';
import { chargePostings } from './charge.ts';
import type { Transaction, Transfer } from './transaction.ts';

/** Postings that were booked together, and the time of the booking (ISO 8601 UTC). */
export interface Booking {
  readonly at: string;
  readonly postings: readonly Posting[];
}

/** The members of a transaction that its bookings are read from. */
export interface BookedTransaction extends Pick<Transaction, 'type' | 'postings' | 'createdAt' | 'updatedAt'> {
  /** Absent while it is open. */
  readonly completedAt?: string;
  /** Of a payment that was scheduled. */
  readonly executeAt?: string | undefined;
  readonly executedAt?: string;
}

/** Number of postings at acceptance of work that a second booking ends. */
const postingsAtFirst = 2;

/**
 * Returns a transaction's bookings with their times: one at its acceptance or execution, perhaps one at its end; none of
 * one that was scheduled and not executed. A booking never changes, so a later reader can compute every earlier balance.
 */
export function bookingsOf(transaction: BookedTransaction): Booking[] {
  const { postings, createdAt, executedAt = createdAt, completedAt, updatedAt } = transaction;
  if (postings.length === 0) return [];
  const atFirst = isBookedAtOnce(transaction, postings.length) ? postings.length : postingsAtFirst;
  const later = postings.slice(atFirst);
  return [
    { at: executedAt, postings: postings.slice(0, atFirst) },
    ...(later.length > 0 ? [{ at: completedAt ?? updatedAt, postings: later }] : []),
  ];
}

/** Returns the position of the booking after which a transaction has `count` postings. */
export function positionOfCount(transaction: BookedTransaction, count: number): 0 | 1 {
  return isBookedAtOnce(transaction, count) ? 0 : 1;
}

/**
 * Returns the transaction that a wallet's entry of a booking names: the first of those that were booked there in one
 * write. They have one entry, with the sum of their changes; there is none when the sum is zero.
 *
 * @param position of the booking among those of the transaction
 */
export function entryNameOf(transaction: Transaction, position: number, walletId: string): string {
  return groupOf(transaction, position, walletId) ?? transaction.transactionId;
}

/** Returns the first of the transactions with which a booking shares its entry in a wallet; undefined: it is alone. */
export function groupOf(transaction: Transaction, position: number, walletId: string): string | undefined {
  const { type, walletId: sender } = transaction;
  if (type !== 'transfer' && type !== 'withdrawal') return undefined;
  if (walletId === sender) return position === 0 ? transaction.sentWith : undefined;
  const isReceiver = type === 'transfer' && walletId === transaction.counterpartyWalletId;
  return isReceiver && transaction.status === 'completed' ? transaction.settledWith : undefined;
}

/**
 * Returns whether the first `count` postings of a transaction are one booking: two, or three with a fee. A capture may have
 * two more, of what it gives back.
 */
function isBookedAtOnce({ type }: BookedTransaction, count: number): boolean {
  return type === 'capture' || count <= postingsAtFirst + 1;
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
  const { amount, status } = transaction;
  const { postings, completedAt }: BookedTransaction = transaction;
  if (!isAmount(amount)) return `its amount is ${String(amount)}`;
  if (!hasPostings(transaction)) return 'it has no postings';
  if (!hasTimes(transaction)) return 'its times are no times';
  if (!postings.every((posting) => Number.isSafeInteger(posting.amount))) return 'a posting has no whole amount';
  const total = sum(postings);
  if (total !== 0n) return `its postings sum to ${String(total)}`;
  if (!samePostings(postings, expectedPostings(transaction))) {
    return `its postings are not those of a ${status} ${transaction.type} of ${amount}`;
  }
  const scheduleProblem = problemOfSchedule(transaction);
  if (scheduleProblem !== undefined) return scheduleProblem;
  if ((status === 'completed' || status === 'failed' || status === 'ended') !== (completedAt !== undefined)) {
    return `it is ${status}, and ${completedAt === undefined ? 'has no' : 'has a'} time of its end`;
  }
  return problemOfCollection(transaction) ?? problemOfRefunds(transaction);
}

/** Returns whether the bookings of a stored transaction can be read. The stored item may have any shape. */
export function hasBookings(transaction: StoredBookings): transaction is BookedTransaction {
  return hasPostings(transaction) && hasTimes(transaction);
}

/** Members as they are stored: any of them may be missing, or be anything. */
export type StoredBookings = { readonly [Member in keyof BookedTransaction]?: unknown };

/** Returns whether the bookings can be read, and their amounts too: totals count nothing else. */
export function hasWholeBookings(transaction: BookedTransaction): boolean {
  return hasBookings(transaction) && transaction.postings.every(({ amount }) => Number.isSafeInteger(amount));
}

function hasPostings({ postings, executeAt, executedAt }: StoredBookings): boolean {
  const hasAccount = (posting: Partial<Posting> | null) => typeof posting?.account === 'string';
  const isUnexecuted = executeAt !== undefined && executedAt === undefined;
  return Array.isArray(postings) && (postings.length > 0 || isUnexecuted) && postings.every(hasAccount);
}

function hasTimes({ createdAt, executedAt = createdAt, updatedAt, completedAt }: StoredBookings): boolean {
  return [createdAt, executedAt, completedAt ?? updatedAt].every(isTime);
}

/** Returns how the times of a scheduled payment contradict its status. */
function problemOfSchedule(transaction: Transaction): string | undefined {
  const { status, executeAt, executedAt }: BookedTransaction & Pick<Transaction, 'status'> = transaction;
  if (executeAt === undefined) return executedAt === undefined ? undefined : 'it was executed, and never scheduled';
  if (!isTime(executeAt)) return 'its executeAt is no time';
  if (executedAt === undefined) {
    return status === 'scheduled' || status === 'failed' ? undefined : `it is ${status}, and was never executed`;
  }
  if (status === 'scheduled') return `it is scheduled, and was executed at ${executedAt}`;
  return executedAt < executeAt ? `it was executed at ${executedAt}, before ${executeAt}` : undefined;
}

/** Returns the postings that type, status and amount require. */
function expectedPostings(transaction: Transaction): Posting[] {
  const { amount, currency, walletId } = transaction;
  const available = accounts.available(walletId);
  switch (transaction.type) {
    case 'charge':
      return chargePostings(transaction);
    case 'collection':
      return collectionPostings(transaction);
    case 'return':
      return move(amount, accounts.external(currency), available);
    case 'withdrawal': {
      if (isUnexecuted(transaction)) return [];
      if (transaction.importedAt !== undefined) return importedWithdrawalPostings(transaction);
      const held = heldPostings(transaction);
      if (transaction.status === 'completed') return [...held, ...settlePostings(transaction)];
      return transaction.status === 'failed' ? [...held, ...releasePostings(transaction)] : held;
    }
    case 'transfer':
      return postingsOfTransfer(transaction);
    case 'hold': {
      const held = move(amount, available, accounts.held(walletId));
      const isReturned = transaction.status === 'ended' && transaction.end !== 'captured';
      return isReturned ? [...held, ...endPostings(transaction)] : held;
    }
    case 'capture':
      // Only its hold shows how much it gives back, so that is read from its record.
      return capturePostings(transaction, transaction, returnedBy(transaction));
    case 'refund':
      return refundPostings(transaction);
  }
}

function postingsOfTransfer(transfer: Transfer): Posting[] {
  if (!transfer.queued) return transferPostings(transfer);
  if (transfer.status === 'scheduled' || isUnexecuted(transfer)) return [];
  const sent = sentPostings(transfer);
  switch (transfer.status) {
    case 'pending':
      return sent;
    case 'completed':
      return [...sent, ...arrivalPostings(transfer)];
    case 'failed':
      return [...sent, ...failurePostings(transfer)];
  }
}

function samePostings(some: readonly Posting[], others: readonly Posting[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ account, amount }, index) => account === others[index]?.account && amount === others[index].amount)
  );
}
