/** Charges that a recovery has booked in place of forgotten credits. */
import { bookingsOf, hasWholeBookings } from '../../lambdas/domain/bookings.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { changesOf } from './copy.ts';
import type { Recovery } from './recovery.ts';

/** What a person must do where a credit meets the charge that may stand in for it. */
export const standInRemedy =
  'if the charge stands in for this credit, leave it; otherwise correct the balance by agreement with the owner';

/**
 * Returns why a record would credit a wallet twice; undefined when it would not. A charge of an earlier recovery may stand
 * in for the same credit, so no further money becomes available in its wallet.
 */
export function creditedTwice({ copy }: Recovery, transaction: Transaction): string | undefined {
  if (!hasWholeBookings(transaction)) return undefined;
  const { transactionId } = transaction;
  for (const [account, { available }] of changesOf(bookingsOf(transaction).flatMap(({ postings }) => postings))) {
    const standIn = account.includes(':') ? undefined : copy.standInOf(account);
    if (standIn === undefined || available <= copy.availableBy(transactionId, account)) continue;
    return `${account} has the charge ${standIn} of an earlier recovery in place of a forgotten credit`;
  }
  return undefined;
}
