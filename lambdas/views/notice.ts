import type { ApprovalEvent, EventType, OrderEvent } from '../domain/events.ts';
import type { EventOf, ServiceEvent } from './event-schemas.ts';
import { transactionFields } from './transaction-view.ts';
import type { ShownTransaction } from './transaction-view.ts';
import { shown } from './view.ts';
import { walletFields } from './wallet-view.ts';
import type { ShownWallet } from './wallet-view.ts';

/** The content of a notification to one owner. */
export interface Notice {
  readonly eventId: string;
  readonly type: EventType;
  readonly version: 1;
  readonly occurredAt: string;
  readonly walletIds: readonly string[];
  readonly wallet?: object;
  readonly transaction?: object;
  readonly activity?: object;
}

/** Events that owners are notified of, as `notifiedEvents` of the contract lists them. */
type Notified = Exclude<
  ServiceEvent,
  EventOf<
    'ledger.discrepancy' | 'bank_file.reconciled' | 'wallet.changed' | 'webhook.disabled' | ApprovalEvent | OrderEvent
  >
>;

/**
 * Returns an event cut to the fields that one owner may see, without the actor, the reason and the limits of the
 * screening.
 */
export function noticeOf(event: Notified, audience: 'owner' | 'counterparty'): Notice {
  const { eventId, type, version, occurredAt } = event;
  const walletIds = walletIdsOf(event, audience);
  return { eventId, type, version, occurredAt, walletIds, ...subjectOf(event, audience) };
}

/** Returns the wallets of an event, for a payer by an alias without the one behind it. */
function walletIdsOf(event: Notified, audience: 'owner' | 'counterparty'): readonly string[] {
  if (audience !== 'owner' || !('transaction' in event) || event.transaction.to === undefined) return event.walletIds;
  return event.walletIds.filter((walletId) => walletId === event.transaction.walletId);
}

function subjectOf(
  event: Notified,
  audience: 'owner' | 'counterparty',
): Pick<Notice, 'wallet' | 'transaction' | 'activity'> {
  if ('wallet' in event) return { wallet: shown(walletFields, event.wallet as Partial<ShownWallet>, 'owner') };
  if ('activity' in event) {
    const { rule, walletId, transactionId, currency } = event.activity;
    return { activity: { rule, walletId, transactionId, currency } };
  }
  // The event has the masked account, the cut cancellation, and the reason for a release only where owners may see it.
  // The fingerprint is for consumers that compare events.
  const { destination, cancellation, releaseReason, ...transaction } = event.transaction;
  return {
    transaction: {
      ...shown(transactionFields, transaction as Partial<ShownTransaction>, audience),
      ...(audience === 'owner' && destination && { destination: { account: destination.account } }),
      ...(audience === 'owner' && cancellation && { cancellation }),
      ...(releaseReason !== undefined && { releaseReason }),
    },
  };
}
