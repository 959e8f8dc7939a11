import { bank, service } from './actor.ts';
import type { Actor } from './actor.ts';
import { requesterOf } from './transaction.ts';
import type { Transaction } from './transaction.ts';
import type { Wallet } from './wallet.ts';

/** The types of events that the service publishes. The names are the contract: docs/events.md. */
export const eventTypes = [
  'wallet.created',
  'wallet.funded',
  'wallet.frozen',
  'wallet.unfrozen',
  'wallet.closed',
  'withdrawal.accepted',
  'withdrawal.executing',
  'withdrawal.completed',
  'withdrawal.failed',
  'withdrawal.review',
  'withdrawal.returned',
  'transfer.accepted',
  'transfer.completed',
  'transfer.failed',
  'activity.suspicious',
  'ledger.discrepancy',
] as const;

export type EventType = (typeof eventTypes)[number];

/**
 * Returns the event of a change of a wallet. A changed balance has none: its transaction's event reports it.
 *
 * @param before undefined when the wallet was opened
 */
export function walletEvent(before: Wallet | undefined, after: Wallet) {
  if (before === undefined) return 'wallet.created';
  if (before.status === after.status) return undefined;
  const types = { active: 'wallet.unfrozen', frozen: 'wallet.frozen', closed: 'wallet.closed' } as const;
  return types[after.status];
}

/**
 * Returns the event of a change of a transaction: its acceptance, or a change of its status. Each happens once to a
 * transaction. A visit to the bank without a decision has no event.
 *
 * @param before undefined when the transaction was made
 */
export function transactionEvent(before: Transaction | undefined, after: Transaction) {
  if (before?.status === after.status) return undefined;
  switch (after.type) {
    case 'charge':
      return 'wallet.funded';
    case 'return':
      return 'withdrawal.returned';
    case 'withdrawal':
      return after.status === 'pending' ? 'withdrawal.accepted' : (`withdrawal.${after.status}` as const);
    case 'transfer':
      switch (after.status) {
        case 'pending':
          return 'transfer.accepted';
        case 'completed':
        case 'failed':
          return `transfer.${after.status}` as const;
        case 'executing':
        case 'review':
          throw new Error(`transfer ${after.transactionId} is ${after.status}, an impossible status`);
      }
  }
}

/** The type of a transaction's event. */
type TransactionEvent = NonNullable<ReturnType<typeof transactionEvent>>;

/** Returns the actor of a transaction's event. `after` is the transaction after the change. */
export function transactionActor(type: TransactionEvent, after: Transaction): Actor {
  switch (type) {
    case 'wallet.funded':
    case 'withdrawal.accepted':
    case 'transfer.accepted':
      return requesterOf(after);
    case 'withdrawal.executing':
    case 'withdrawal.review':
      return service;
    case 'withdrawal.completed':
    case 'withdrawal.failed':
      return after.endedBy ?? after.cancellation?.actor ?? resolverOf(after) ?? bank;
    case 'withdrawal.returned':
      return bank;
    case 'transfer.completed':
      return after.queued ? service : requesterOf(after);
    case 'transfer.failed':
      return service;
  }
}

/** Returns the operator of the resolution, for records of earlier releases: they have no `endedBy`. */
function resolverOf({ resolution }: Transaction): Actor | undefined {
  return resolution && { kind: 'operator', principal: resolution.principal };
}

/** Returns the actor of a wallet's event. `after` is the wallet after the change. */
export function walletActor(type: NonNullable<ReturnType<typeof walletEvent>>, after: Wallet): Actor {
  if (type === 'wallet.created') return after.createdBy ?? { kind: 'owner', principal: after.ownerId };
  // Earlier releases stored no actor; operators and the screening changed statuses.
  return after.lastStatusChange?.actor ?? { kind: 'operator', principal: 'unknown' };
}
