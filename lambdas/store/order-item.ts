/** The stored item of a standing order. */
import { isTime } from '../domain/hours.ts';
import { isAmount } from '../domain/money.ts';
import { intervals, orderEnds, orderStatuses } from '../domain/standing-order.ts';
import type { StandingOrder } from '../domain/standing-order.ts';
import { orderKey } from './keys.ts';
import { orderShardOf } from './due-keys.ts';
import { orderHistoryKeyOf, ordersPartition, walletIdOfOrders } from './history-keys.ts';
import { InvalidItem, itemVersion, requireVersion, UnreadableItem } from './unreadable.ts';
import type { Item } from './write.ts';

/** Returns a standing order as it is stored. */
export function storedOrder(order: StandingOrder): Item {
  const { standingOrderId, walletId, status } = order;
  return {
    ...orderKey(standingOrderId),
    v: itemVersion,
    ...order,
    walletId: ordersPartition(walletId),
    historyKey: orderHistoryKeyOf(order),
    ...(status === 'active' && { dueShard: orderShardOf(standingOrderId) }),
  };
}

/**
 * Returns the standing order in a stored item.
 *
 * @throws UnreadableItem for a newer version and an unknown status; InvalidItem for the id of another order, and for an item
 * that lacks a member
 */
export function parseOrder(item: Item): StandingOrder {
  requireVersion(item);
  const { pk, sk, v, historyKey, dueShard, walletId, ...order } = item;
  const { standingOrderId, status, amount, currency, every, toWalletId, destination, made } = order;
  if (typeof standingOrderId !== 'string') throw new UnreadableItem(item, 'it has no id');
  if (orderKey(standingOrderId).pk !== pk) throw new InvalidItem(item, `its id is ${standingOrderId}`);
  if (!orderStatuses.some((one) => one === status)) {
    throw new UnreadableItem(item, `status "${String(status)}", which this release does not know`);
  }
  if (!intervals.some((one) => one === every)) {
    throw new UnreadableItem(item, `interval "${String(every)}", which this release does not know`);
  }
  if (typeof walletId !== 'string' || typeof currency !== 'string' || !isAmount(amount)) {
    throw new InvalidItem(item, 'it has no wallet or no amount');
  }
  const hasReceiver = (toWalletId === undefined) !== (destination === undefined);
  const isCounted = made === 0 || isAmount(made);
  const isWhole =
    status === 'active'
      ? isTime(order['nextAt']) && isTime(order['dueAt'])
      : isTime(order['endedAt']) && orderEnds.some((one) => one === order['end']);
  if (!hasReceiver || !isCounted || !isWhole || !isTime(order['firstAt'])) {
    throw new InvalidItem(item, 'it lacks what a standing order needs');
  }
  return { ...order, walletId: walletIdOfOrders(walletId) } as unknown as StandingOrder;
}
