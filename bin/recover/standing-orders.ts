/** Standing orders after a restore: those that ended stay ended, and those that were opened are opened again. */
import { newOrder } from '../../lambdas/domain/standing-order.ts';
import type { EndedOrder, StandingOrder } from '../../lambdas/domain/standing-order.ts';
import { orderKey } from '../../lambdas/store/keys.ts';
import { parseOrder, storedOrder } from '../../lambdas/store/standing-orders.ts';
import { parsed, UnreadableItem } from '../../lambdas/store/unreadable.ts';
import type { StandingOrderEvent } from './archive.ts';
import { storedActor } from './records.ts';
import type { Recovery } from './recovery.ts';

/**
 * Ends the orders that are active in the restored table, and that ended since: they would pay against their owners' will.
 * Opens orders to wallets again that the restore forgot. Their payments have the ids that they had. An order through the
 * bank is named, as its event hides the account.
 */
export async function recoverOrders(recovery: Recovery): Promise<void> {
  const events = recovery.copy.query({ event: 'text' }, 'SELECT event FROM order_events');
  for (const { event: text } of events.all()) {
    const event = JSON.parse(text) as StandingOrderEvent;
    const item = await recovery.read(orderKey(event.standingOrder.standingOrderId));
    if (item === undefined) await openAgain(recovery, event);
    else if (event.standingOrder.status === 'ended') await end(recovery, event, item);
  }
}

/** Ends an order as its event says. */
async function end(recovery: Recovery, event: StandingOrderEvent, item: Record<string, unknown>): Promise<void> {
  const { copy, report, table } = recovery;
  const { standingOrderId } = event.standingOrder;
  const order = parsed(() => parseOrder(item));
  if (order instanceof UnreadableItem) {
    const remedy = 'restore the item by hand: it has ended';
    report.differs({ kind: 'unreadable', subject: standingOrderId, detail: order.problem, remedy });
    return;
  }
  const ended = endedOrder(order, event);
  if (ended === undefined) return;
  report.repairs('standing order', standingOrderId, `ended at ${ended.endedAt}: ${ended.end}`);
  await recovery.put(table, storedOrder(ended), item);
  copy.putOrder(ended);
}

/** Returns an active order as it ended; undefined when it had ended before. */
function endedOrder(
  order: StandingOrder,
  { standingOrder, actor, occurredAt }: StandingOrderEvent,
): EndedOrder | undefined {
  if (order.status === 'ended') return undefined;
  const { nextAt, dueAt, ...lasting } = order;
  const { made, end = 'cancelled', endedAt = occurredAt, reason } = standingOrder;
  return {
    ...lasting,
    status: 'ended',
    made,
    end,
    endedAt,
    ...(end === 'cancelled' && actor && { endedBy: storedActor(actor) }),
    ...(reason !== undefined && { reason }),
    updatedAt: occurredAt,
  };
}

/** Opens an order again that was opened after the restored moment. One that has ended since makes no payments. */
async function openAgain(recovery: Recovery, event: StandingOrderEvent): Promise<void> {
  const { copy, report, table } = recovery;
  const { standingOrder, actor, ownerId } = event;
  const { standingOrderId, walletId, toWalletId } = standingOrder;
  if (standingOrder.status === 'ended') return;
  if (toWalletId === undefined || actor === undefined) {
    const detail = `the restored table does not have this order of ${walletId}, and its event hides the account`;
    report.differs({
      kind: 'standing_order_forgotten',
      subject: standingOrderId,
      detail,
      remedy: 'ask its owner to open it again',
    });
    return;
  }
  const { principal, issuer } = storedActor(actor);
  const order = newOrder({
    ...standingOrder,
    transactionId: `tx_${standingOrderId.slice('so_'.length)}`,
    ...{ principal, issuer, ownerId, at: standingOrder.createdAt },
    receiver: { toWalletId },
  });
  report.repairs('standing order', standingOrderId, `opened again for ${walletId}`);
  await recovery.put(table, storedOrder(order), undefined);
  copy.putOrder(order);
}
