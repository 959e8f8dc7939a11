import { bank, importer, service } from './actor.ts';
import type { Actor } from './actor.ts';
import type { Approval } from './approval.ts';
import { orderedBy } from './standing-order.ts';
import type { StandingOrder } from './standing-order.ts';
import { isUnexecuted, requesterOf } from './transaction.ts';
import type { CompletedWithdrawal, FailedWithdrawal, Transaction, Transfer, Withdrawal } from './transaction.ts';
import type { LimitsChange, StatusChange, Wallet } from './wallet.ts';

/** The types of events that the service publishes. The names are the contract: docs/events.md. */
export const eventTypes = [
  'wallet.created',
  'wallet.funded',
  'wallet.frozen',
  'wallet.unfrozen',
  'wallet.closed',
  'wallet.limits_changed',
  'wallet.changed',
  'withdrawal.scheduled',
  'withdrawal.accepted',
  'withdrawal.executing',
  'withdrawal.completed',
  'withdrawal.failed',
  'withdrawal.review',
  'withdrawal.returned',
  'transfer.scheduled',
  'transfer.accepted',
  'transfer.completed',
  'transfer.failed',
  'hold.opened',
  'hold.captured',
  'hold.ended',
  'refund.completed',
  'fees.collected',
  'standing_order.opened',
  'standing_order.ended',
  'approval.asked',
  'approval.approved',
  'approval.rejected',
  'activity.suspicious',
  'ledger.discrepancy',
  'bank_file.reconciled',
  'webhook.disabled',
] as const;

export type EventType = (typeof eventTypes)[number];
/** The events of standing orders. */
export type OrderEvent = Extract<EventType, `standing_order.${string}`>;
/** The events of approvals: for operators and the audit, never for owners. */
export type ApprovalEvent = Extract<EventType, `approval.${string}`>;

/**
 * Returns the event of a change of a wallet. A changed balance has none: its transaction's event reports it. An import has
 * none either: consumers would take what is years old for news.
 *
 * @param before undefined when the wallet was opened
 */
export function walletEvent(before: Wallet | undefined, after: Wallet) {
  if (before === undefined) return isImporter(after.createdBy) ? undefined : 'wallet.created';
  // No command changes both.
  if (before.limitsVersion !== after.limitsVersion) return 'wallet.limits_changed';
  if (before.status === after.status || isImporter(after.lastStatusChange?.actor)) return undefined;
  const types = { active: 'wallet.unfrozen', frozen: 'wallet.frozen', closed: 'wallet.closed' } as const;
  return types[after.status];
}

/** Returns whether an import made a change. */
export function isImporter(actor: Actor | undefined): boolean {
  return actor?.principal === importer.principal;
}

/**
 * Returns the event of a change of a transaction: its acceptance, or a change of its status. Each happens once to a
 * transaction. A visit to the bank without a decision has no event, and neither has what an import wrote.
 *
 * @param before undefined when the transaction was made
 */
export function transactionEvent(before: Transaction | undefined, after: Transaction) {
  if (before?.status === after.status || (before === undefined && after.importedAt !== undefined)) return undefined;
  switch (after.type) {
    case 'charge':
      return 'wallet.funded';
    case 'return':
      return 'withdrawal.returned';
    case 'withdrawal':
      return after.status === 'pending' ? 'withdrawal.accepted' : (`withdrawal.${after.status}` as const);
    case 'transfer':
      return after.status === 'pending' ? 'transfer.accepted' : (`transfer.${after.status}` as const);
    case 'hold':
      return after.status === 'open' ? 'hold.opened' : 'hold.ended';
    case 'capture':
      return 'hold.captured';
    case 'refund':
      return 'refund.completed';
    case 'collection':
      return 'fees.collected';
  }
}

/** Returns the actor of a transaction's event. `after` is the transaction after the change. */
export function transactionActor(after: Transaction): Actor {
  switch (after.type) {
    case 'charge':
    case 'capture':
    case 'refund':
    case 'collection':
      return requesterOf(after);
    case 'return':
      return bank;
    case 'hold':
      return after.status === 'open' ? requesterOf(after) : (after.endedBy ?? service);
    case 'withdrawal':
      return withdrawalActor(after);
    case 'transfer':
      return transferActor(after);
  }
}

/** Returns the second operator behind a transaction's event; undefined when the command needed none. */
export function transactionApprover(after: Transaction): Actor | undefined {
  switch (after.type) {
    case 'charge':
    case 'refund':
      return after.approvedBy;
    case 'withdrawal':
      return after.status === 'completed' || after.status === 'failed' ? after.resolution?.approvedBy : undefined;
    default:
      return undefined;
  }
}

function transferActor(after: Transfer): Actor {
  if (!after.queued || after.status === 'scheduled' || after.status === 'pending') return requesterOf(after);
  return after.status === 'failed' ? (after.cancellation?.actor ?? service) : service;
}

function withdrawalActor(after: Withdrawal): Actor {
  switch (after.status) {
    case 'scheduled':
    case 'pending':
      return requesterOf(after);
    case 'executing':
    case 'review':
      return service;
    case 'completed':
    case 'failed':
      return enderOf(after);
  }
}

/** Returns the actor that ended a withdrawal: the bank, unless the record names another one. */
function enderOf(withdrawal: CompletedWithdrawal | FailedWithdrawal): Actor {
  const { endedBy, resolution } = withdrawal;
  if (endedBy !== undefined) return endedBy;
  if (withdrawal.status === 'failed' && withdrawal.cancellation !== undefined) return withdrawal.cancellation.actor;
  if (isUnexecuted(withdrawal)) return service;
  // Records of earlier releases have no `endedBy`.
  return resolution === undefined ? bank : { kind: 'operator', principal: resolution.principal };
}

/** Returns the actor of a wallet's event. `after` is the wallet after the change. */
export function walletActor(type: WalletEventType, after: Wallet): Actor {
  if (type === 'wallet.created') return after.createdBy ?? { kind: 'owner', principal: after.ownerId };
  // Earlier releases stored no actor; operators and the screening changed statuses.
  return changeIn(type, after)?.actor ?? { kind: 'operator', principal: 'unknown' };
}

/** Returns the reason of a wallet's event; undefined when the actor gave none. */
export function walletReason(type: WalletEventType, after: Wallet): string | undefined {
  return changeIn(type, after)?.reason;
}

/** Returns the second operator behind a wallet's event; undefined when the command needed none. */
export function walletApprover(type: WalletEventType, after: Wallet): Actor | undefined {
  return changeIn(type, after)?.approvedBy;
}

type WalletEventType = NonNullable<ReturnType<typeof walletEvent>>;

/** Returns the command behind a wallet's event. */
function changeIn(type: WalletEventType, after: Wallet): StatusChange | LimitsChange | undefined {
  if (type === 'wallet.created') return undefined;
  return type === 'wallet.limits_changed' ? after.lastLimitsChange : after.lastStatusChange;
}

/**
 * Returns the event of a change of an approval: its request, or its end. An expiry has none, as nothing is written then.
 *
 * @param before undefined when it was asked for
 */
export function approvalEvent(before: Approval | undefined, after: Approval): ApprovalEvent | undefined {
  return before?.status === after.status ? undefined : `approval.${after.status}`;
}

/** Returns the actor of an approval's event. `after` is the approval after the change. */
export function approvalActor(after: Approval): Actor {
  return after.status === 'asked' ? after.askedBy : after.endedBy;
}

/**
 * Returns the event of a change of a standing order: its request, or its end. A payment that it makes has events of its own.
 *
 * @param before undefined when it was opened
 */
export function orderEvent(before: StandingOrder | undefined, after: StandingOrder): OrderEvent | undefined {
  if (before === undefined) return 'standing_order.opened';
  return before.status === after.status ? undefined : 'standing_order.ended';
}

/** Returns the actor of an order's event. `after` is the order after the change. */
export function orderActor(after: StandingOrder): Actor {
  return after.status === 'active' ? orderedBy(after) : (after.endedBy ?? service);
}
