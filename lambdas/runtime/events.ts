import type { EventOf, ServiceEvent } from '../event-schemas.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { transactionEvent, walletEvent } from '../domain/events.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { destinationFingerprintOf, eventIdOf, isWalletId, transactionKey, walletKey } from '../store/keys.ts';
import type { Change } from '../store/stream.ts';
import { transactionView, walletView } from './views.ts';

/**
 * The event that a change is, made from the images of this one item; undefined when it is none.
 *
 * @param fingerprintKey see `destinationFingerprintOf`
 */
export function eventOf(change: Change, fingerprintKey: string): ServiceEvent | undefined {
  return change.kind === 'wallet'
    ? eventOfWallet(change.before, change.after)
    : eventOfTransaction(change.before, change.after, fingerprintKey);
}

/** The event that tells of something wrong with the books; the same for the same finding of the same pass. */
export function discrepancyEvent(discrepancy: Discrepancy, passId: string, now: number): EventOf<'ledger.discrepancy'> {
  const { kind, subject, detail } = discrepancy;
  return {
    eventId: eventIdOf(['ledger.discrepancy', passId, kind, subject, detail]),
    type: 'ledger.discrepancy',
    version: 1,
    occurredAt: new Date(now).toISOString(),
    walletIds: isWalletId(subject) ? [subject] : [],
    discrepancy,
  };
}

function eventOfWallet(before: Wallet | undefined, after: Wallet): ServiceEvent | undefined {
  const type = walletEvent(before, after);
  if (type === undefined) return undefined;
  return {
    eventId: eventIdOf([walletKey(after.walletId).pk, type, after.version, after.updatedAt]),
    type,
    version: 1,
    occurredAt: after.updatedAt,
    walletIds: [after.walletId],
    ownerId: after.ownerId,
    wallet: walletView(after),
  };
}

function eventOfTransaction(
  before: Transaction | undefined,
  after: Transaction,
  fingerprintKey: string,
): ServiceEvent | undefined {
  const type = transactionEvent(before, after);
  if (type === undefined) return undefined;
  const { walletId, counterpartyWalletId } = after;
  return {
    eventId: eventIdOf([transactionKey(after.transactionId).pk, type, after.updatedAt]),
    type,
    version: 1,
    occurredAt: after.updatedAt,
    walletIds: counterpartyWalletId === undefined ? [walletId] : [walletId, counterpartyWalletId],
    ownerId: after.ownerId,
    transaction: published(after, fingerprintKey),
  };
}

/**
 * A transaction as callers see it, without the name behind the account: events are kept where nobody can take a name
 * out again. A fingerprint says whether two withdrawals of a wallet go to the same account.
 */
function published(transaction: Transaction, fingerprintKey: string) {
  const view = transactionView(transaction);
  const { destination, walletId } = transaction;
  return {
    ...view,
    postings: [...view.postings],
    attempts: view.attempts && [...view.attempts],
    destination:
      destination && view.destination
        ? {
            account: view.destination.account,
            fingerprint: destinationFingerprintOf(fingerprintKey, walletId, destination.account),
          }
        : undefined,
  };
}
