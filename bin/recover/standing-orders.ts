/**
 * Standing orders after a restore. Those that ended stay ended, and those that were opened are opened again. Each has made
 * the payments that are there, so it makes again what the restore forgot.
 */
import { service } from '../../lambdas/domain/actor.ts';
import { occurrenceIdOf } from '../../lambdas/domain/ids.ts';
import { cancelledSchedule } from '../../lambdas/domain/schedule.ts';
import { advanceTo, aheadMs, latestPayments, newOrder, paymentTime } from '../../lambdas/domain/standing-order.ts';
import type { EndedOrder, StandingOrder } from '../../lambdas/domain/standing-order.ts';
import { stateFromText } from '../../lambdas/integrity/text.ts';
import { storedOrder } from '../../lambdas/store/order-item.ts';
import type { Maker, StandingOrderEvent } from './archive.ts';
import type { BooksCopy } from './copy.ts';
import { storedActor } from './records.ts';
import type { Recovery } from './recovery.ts';
import { changeRecord } from './torn.ts';

/**
 * Ends the orders that are active in the restored table, and that ended since: they would pay against their owners' will.
 * Opens orders to wallets again that the restore forgot. Their payments have the ids that they had. An order through the
 * bank is named, as its event hides the account. Then each order counts the payments that are there.
 */
export async function recoverOrders(recovery: Recovery): Promise<void> {
  const { copy } = recovery;
  const events = copy.query({ id: 'text', event: 'text', maker: 'text' }, 'SELECT id, event, maker FROM order_events');
  for (const { id, event: text, maker } of events.all()) {
    const event = JSON.parse(text) as StandingOrderEvent;
    const order = orderIn(copy, id);
    if (order === undefined) await openAgain(recovery, event, maker);
    else if (event.standingOrder.status === 'ended') await end(recovery, event, order);
  }
  for (const { id } of copy.query({ id: 'text' }, 'SELECT id FROM orders').all()) {
    await countPayments(recovery, id);
    await cancelPayments(recovery, id);
    noteUpcoming(recovery, id);
  }
}

function orderIn(copy: BooksCopy, standingOrderId: string): StandingOrder | undefined {
  const readable = copy.query({ item: 'text' }, "SELECT item FROM orders WHERE id = ? AND item <> ''");
  const row = readable.first(standingOrderId);
  return row && (stateFromText(row.item) as StandingOrder);
}

/** Puts an order in place of the one that was seen; undefined: there was none. */
async function putOrder(recovery: Recovery, order: StandingOrder, seen: StandingOrder | undefined): Promise<void> {
  await recovery.put(recovery.table, storedOrder(order), seen && storedOrder(seen));
  recovery.copy.putOrder(order);
}

/** Ends an order as its event says. */
async function end(recovery: Recovery, event: StandingOrderEvent, order: StandingOrder): Promise<void> {
  const ended = endedOrder(order, event);
  if (ended === undefined) return;
  recovery.report.repairs('standing order', order.standingOrderId, `ended at ${ended.endedAt}: ${ended.end}`);
  await putOrder(recovery, ended, order);
}

/**
 * Returns an active order as it ended; undefined when it had ended before, and for one that has made its last payment: that
 * shows in its payments.
 */
function endedOrder(
  order: StandingOrder,
  { standingOrder, actor, occurredAt }: StandingOrderEvent,
): EndedOrder | undefined {
  const { made, end: how = 'cancelled', endedAt = occurredAt, reason } = standingOrder;
  if (order.status === 'ended' || how === 'completed') return undefined;
  const { nextAt, dueAt, ...lasting } = order;
  return {
    ...lasting,
    status: 'ended',
    made,
    end: how,
    endedAt,
    ...(how === 'cancelled' && actor && { endedBy: storedActor(actor) }),
    ...(reason !== undefined && { reason }),
    updatedAt: occurredAt,
  };
}

/**
 * Opens an order again that was opened after the restored moment. One that has ended since makes no payments.
 *
 * @param maker who opened it, a `Maker` as JSON; empty where the archive lacks that event. Then the service stands in
 */
async function openAgain(recovery: Recovery, event: StandingOrderEvent, maker: string): Promise<void> {
  const { copy, report } = recovery;
  const { standingOrder, ownerId } = event;
  const { standingOrderId, walletId, toWalletId, to } = standingOrder;
  const isOver = standingOrder.status === 'ended' && standingOrder.end !== 'completed';
  if (isOver || copy.has('SELECT 1 FROM unreadable WHERE id = ?', standingOrderId)) return;
  if (toWalletId === undefined) {
    const detail = `the restored table does not have this order of ${walletId}, and its event hides the account`;
    report.differs({
      kind: 'standing_order_forgotten',
      subject: standingOrderId,
      detail,
      remedy: 'ask its owner to open it again',
    });
    return;
  }
  const { principal, issuer } = storedActor(maker === '' ? service : (JSON.parse(maker) as Maker));
  const order = newOrder({
    ...standingOrder,
    transactionId: `tx_${standingOrderId.slice('so_'.length)}`,
    ...{ principal, issuer, ownerId, at: standingOrder.createdAt },
    receiver: { toWalletId, ...(to !== undefined && { to }) },
  });
  report.repairs('standing order', standingOrderId, `opened again for ${walletId}`);
  await putOrder(recovery, order, undefined);
}

/**
 * Corrects the number of payments that an order has made to the records of its payments. One that is behind them could not
 * be cancelled with them. One that is ahead would never make the first that is missing.
 */
async function countPayments(recovery: Recovery, standingOrderId: string): Promise<void> {
  const { copy, report, at } = recovery;
  const order = orderIn(copy, standingOrderId);
  if (order === undefined) return;
  let made = 0;
  while (copy.knows(occurrenceIdOf(standingOrderId, made))) made++;
  if (made === order.made) return;
  report.repairs('standing order', standingOrderId, `had made ${order.made} payments, and ${made} are there`);
  const isOver = order.status === 'ended' && order.end !== 'completed';
  await putOrder(recovery, isOver ? { ...order, made, updatedAt: at } : orderAfter(order, made, at), order);
}

/** Returns an order that has made this number of payments. */
function orderAfter(order: StandingOrder, made: number, at: string): StandingOrder {
  const changed = { ...withoutState(order), made, updatedAt: at };
  const next = advanceTo(order, made);
  return next.status === 'ended' ? { ...changed, ...next, endedAt: at } : { ...changed, ...next };
}

function withoutState(order: StandingOrder) {
  if (order.status === 'active') {
    const { nextAt, dueAt, ...lasting } = order;
    return lasting;
  }
  const { end: how, endedAt, endedBy, reason, ...lasting } = order;
  return lasting;
}

/** Cancels the payments of a cancelled order that are still scheduled: the cancel was for them, too. */
async function cancelPayments(recovery: Recovery, standingOrderId: string): Promise<void> {
  const { copy } = recovery;
  const order = orderIn(copy, standingOrderId);
  if (order?.status !== 'ended' || order.end !== 'cancelled' || order.endedBy === undefined) return;
  const { endedAt, endedBy, reason } = order;
  for (const id of latestPayments(order)) {
    if (copy.record(id)?.status !== 'scheduled') continue;
    const what = `scheduled in the table, and cancelled with ${standingOrderId}`;
    const cancellation = { actor: endedBy, reason, at: endedAt };
    await changeRecord(recovery, id, what, ({ dueAt, dueShard, ...record }) => ({
      ...{ ...record, status: 'failed', failure: cancelledSchedule, cancellation },
      ...{ completedAt: endedAt, updatedAt: endedAt },
    }));
  }
}

/** Notes the payments that an order makes when the service starts. Those that the restore forgot are among them. */
function noteUpcoming({ copy, at }: Recovery, standingOrderId: string): void {
  const order = orderIn(copy, standingOrderId);
  if (order?.status !== 'active') return;
  const until = new Date(Date.parse(at) + aheadMs).toISOString();
  for (let n = order.made; (paymentTime(order, n) ?? '~') <= until; n++) {
    copy.run('INSERT OR REPLACE INTO upcoming VALUES (?, ?)', occurrenceIdOf(standingOrderId, n), standingOrderId);
  }
}
