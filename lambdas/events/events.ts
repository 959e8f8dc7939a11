import { destinationFingerprintOf, eventIdOf, issuerMarkOf, isWalletId } from '../domain/ids.ts';
import type { EventOf, ServiceEvent } from '../views/event-schemas.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { service } from '../domain/actor.ts';
import type { Actor } from '../domain/actor.ts';
import type { Approval } from '../domain/approval.ts';
import type { StandingOrder } from '../domain/standing-order.ts';
import {
  approvalActor,
  approvalEvent,
  isImporter,
  orderActor,
  orderEvent,
  transactionActor,
  transactionApprover,
  transactionEvent,
  walletActor,
  walletApprover,
  walletEvent,
  walletReason,
} from '../domain/events.ts';
import { receiverOf } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { StoredDetails } from '../domain/wallet-details.ts';
import { approvalKey, detailsKey, orderKey, transactionKey, walletKey } from '../store/keys.ts';
import type { Change } from '../store/stream.ts';
import { publishedApproval } from '../views/approval-view.ts';
import { publishedOrder } from '../views/standing-order-view.ts';
import { publishedTransaction } from '../views/transaction-view.ts';
import { publishedDetails, publishedWallet } from '../views/wallet-view.ts';

/** Facts in events that the records do not have. */
export interface EventFacts {
  /** See `destinationFingerprintOf`. */
  readonly fingerprintKey: string;
  /** The issuer whose tokens the stack accepts; records have its mark. */
  readonly issuer: string;
}

/** Returns the event of a change, made from the images of this one item; undefined when the change is no event. */
export function eventOf(change: Change, facts: EventFacts): ServiceEvent | undefined {
  switch (change.kind) {
    case 'wallet':
      return eventOfWallet(change.before, change.after, facts);
    case 'details':
      return isImporter(change.after.changedBy) ? undefined : eventOfDetails(change.after, facts);
    case 'transaction':
      return eventOfTransaction(change.before, change.after, facts);
    case 'approval':
      return eventOfApproval(change.before, change.after, facts);
    case 'order':
      return eventOfOrder(change.before, change.after, facts);
  }
}

/**
 * Returns the actor with its issuer in place of the mark. The mark of an earlier issuer of the stack stays. An owner's
 * transaction has no mark: the stack accepts tokens of one issuer, so it is that one.
 */
function spelledOut(actor: Actor, issuer: string): Actor {
  const isThis = actor.issuer === undefined ? actor.kind === 'owner' : actor.issuer === issuerMarkOf(issuer);
  return isThis ? { ...actor, issuer } : actor;
}

function approver(actor: Actor | undefined, issuer: string): { readonly approvedBy?: Actor } {
  return actor === undefined ? {} : { approvedBy: spelledOut(actor, issuer) };
}

/** Returns the event that reports a discrepancy in the books. It is the same for the same finding of the same pass. */
export function discrepancyEvent(discrepancy: Discrepancy, passId: string, now: number): EventOf<'ledger.discrepancy'> {
  const { kind, subject, detail } = discrepancy;
  return {
    eventId: eventIdOf(['ledger.discrepancy', passId, kind, subject, detail]),
    type: 'ledger.discrepancy',
    version: 1,
    occurredAt: new Date(now).toISOString(),
    walletIds: isWalletId(subject) ? [subject] : [],
    actor: service,
    discrepancy,
  };
}

/** Returns the event that reports the comparison of a bank's file. It has one id for each object with this entity tag. */
export function bankFileEvent(
  bankFile: EventOf<'bank_file.reconciled'>['bankFile'],
  etag: string,
  now: number,
): EventOf<'bank_file.reconciled'> {
  return {
    eventId: eventIdOf(['bank_file.reconciled', bankFile.object, etag]),
    type: 'bank_file.reconciled',
    version: 1,
    occurredAt: new Date(now).toISOString(),
    walletIds: [],
    actor: service,
    bankFile,
  };
}

function eventOfWallet(before: Wallet | undefined, after: Wallet, { issuer }: EventFacts): ServiceEvent | undefined {
  const type = walletEvent(before, after);
  if (type === undefined) return undefined;
  return {
    eventId: eventIdOf([walletKey(after.walletId).pk, type, after.version, after.updatedAt]),
    type,
    version: 1,
    occurredAt: after.updatedAt,
    walletIds: [after.walletId],
    ownerId: after.ownerId,
    actor: spelledOut(walletActor(type, after), issuer),
    ...approver(walletApprover(type, after), issuer),
    ...(type !== 'wallet.created' && { reason: walletReason(type, after) }),
    wallet: publishedWallet(after),
  };
}

function eventOfDetails(after: StoredDetails, { issuer }: EventFacts): EventOf<'wallet.changed'> {
  const { walletId, ownerId, version, updatedAt, changedBy } = after;
  return {
    eventId: eventIdOf([detailsKey(walletId).pk, 'wallet.changed', version, updatedAt]),
    type: 'wallet.changed',
    version: 1,
    occurredAt: updatedAt,
    walletIds: [walletId],
    ownerId,
    actor: spelledOut(changedBy, issuer),
    details: publishedDetails(after),
  };
}

function eventOfTransaction(
  before: Transaction | undefined,
  after: Transaction,
  { fingerprintKey, issuer }: EventFacts,
): ServiceEvent | undefined {
  const type = transactionEvent(before, after);
  if (type === undefined) return undefined;
  const { walletId } = after;
  const receiver = receiverOf(after);
  return {
    eventId: eventIdOf([transactionKey(after.transactionId).pk, type, after.updatedAt]),
    type,
    version: 1,
    occurredAt: after.updatedAt,
    walletIds: receiver === undefined ? [walletId] : [walletId, receiver],
    ownerId: after.ownerId,
    actor: spelledOut(transactionActor(after), issuer),
    ...approver(transactionApprover(after), issuer),
    transaction: publishedTransaction(
      after,
      after.type === 'withdrawal'
        ? destinationFingerprintOf(fingerprintKey, walletId, after.destination.account)
        : undefined,
    ),
  };
}

function eventOfApproval(
  before: Approval | undefined,
  after: Approval,
  { issuer }: EventFacts,
): ServiceEvent | undefined {
  const type = approvalEvent(before, after);
  if (type === undefined) return undefined;
  return {
    eventId: eventIdOf([approvalKey(after.approvalId).pk, type, after.updatedAt]),
    type,
    version: 1,
    occurredAt: after.updatedAt,
    walletIds: [...after.walletIds],
    actor: spelledOut(approvalActor(after), issuer),
    approval: publishedApproval(after),
  };
}

function eventOfOrder(
  before: StandingOrder | undefined,
  after: StandingOrder,
  { fingerprintKey, issuer }: EventFacts,
): ServiceEvent | undefined {
  const type = orderEvent(before, after);
  if (type === undefined) return undefined;
  const { standingOrderId, walletId, ownerId, updatedAt, destination } = after;
  return {
    eventId: eventIdOf([orderKey(standingOrderId).pk, type, updatedAt]),
    type,
    version: 1,
    occurredAt: updatedAt,
    // Its receiver learns of payments only.
    walletIds: [walletId],
    ownerId,
    actor: spelledOut(orderActor(after), issuer),
    standingOrder: publishedOrder(
      after,
      destination && destinationFingerprintOf(fingerprintKey, walletId, destination.account),
    ),
  };
}
