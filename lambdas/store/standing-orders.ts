import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import { aliasIn, aliasNameOf } from '../domain/alias.ts';
import { WalletError } from '../domain/errors.ts';
import { fingerprintOf } from '../domain/ids.ts';
import { advanceTo, latestPayments, nextPayment, orderCancelRefusal } from '../domain/standing-order.ts';
import type { ActiveOrder, Advance, OrderCancellation, StandingOrder } from '../domain/standing-order.ts';
import type { ScheduledPayment } from '../domain/transaction.ts';
import { commit, movement } from './commit.ts';
import { orderKey } from './keys.ts';
import { orderShard, scheduleShardOf } from './due-keys.ts';
import { ordersPartition, standingOrderIdOfHistoryKey } from './history-keys.ts';
import { countOrder, schedule, unschedule } from './wallet-counts.ts';
import { putOperation, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { Changed, changedRecord, retryChanged } from './retry-changed.ts';
import { cancelledPayment } from './schedules.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { getTransactions } from './transactions.ts';
import { ofThisVersion, parsed, readable, UnreadableItem } from './unreadable.ts';
import { changed, denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';
import { parseOrder, storedOrder } from './order-item.ts';

/**
 * Opens a standing order, in one write of 10 write units: the record of the key, the order, its wallet, which counts it, and
 * the caller's window.
 *
 * @param refusal why no order can be opened; when given, only a replay is answered
 * @throws WalletError of `orderRefusal` for the wallet, `rate_limited`, `idempotency_key_reused`, `busy`, or `refusal`
 */
export async function openOrder(
  table: Table,
  operation: Operation,
  order: ActiveOrder,
  rate: RateLimit | undefined,
  refusal?: WalletError,
): Promise<{ order: StandingOrder; replayed: boolean }> {
  const record = putOperation(table, operation);
  const { items, reads } = limitedBy(table, rate, order.createdAt);
  const { walletId, ownerId, currency, createdAt: at } = order;
  const counted = countOrder(table, { walletId, ownerId, currency, at });
  const opened = [record, putOrder(table, order), counted, ...items];
  const result = await write(table, refusal === undefined ? opened : [replayOnly(record, refusal)], reads);
  if (replayedRecord(result) === undefined) return { order, replayed: false };
  const current = await getOrder(table, order.standingOrderId);
  if (current === undefined) throw new WalletError('standing_order_not_found');
  return { order: current, replayed: true };
}

function putOrder(table: Table, order: ActiveOrder): WriteItem {
  return {
    label: 'standing order',
    request: {
      Put: {
        TableName: table.name,
        Item: storedOrder(order),
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    // Its id is that of the key's record, which decides first. A recovery opens an order again without that record.
    refused: (image) => {
      if (image === undefined) return undefined;
      return isSameOrder(parseOrder(image), order)
        ? { kind: 'replay', record: image }
        : denied(new WalletError('idempotency_key_reused'));
    },
  };
}

/** Returns whether both orders were asked for with the same payments. */
function isSameOrder(one: StandingOrder, other: StandingOrder): boolean {
  // An alias may name another wallet of its owner by now, or none.
  const areNamed = one.to !== undefined && other.to !== undefined;
  const receiverOf = ({ to, toWalletId }: StandingOrder) =>
    areNamed && to !== undefined ? aliasNameOf(aliasIn(to)) : (toWalletId ?? '');
  const textOf = (order: StandingOrder) => {
    const { walletId, amount, destination, every, firstAt, until, count } = order;
    return fingerprintOf([
      ...[walletId, amount, receiverOf(order), destination ?? {}],
      ...[every, firstAt, until ?? '', count ?? 0],
    ]);
  };
  return textOf(one) === textOf(other);
}

/** Reads a standing order, consistently; undefined when there is none of this id. */
export async function getOrder(table: Table, standingOrderId: string): Promise<StandingOrder | undefined> {
  const command = new GetCommand({ TableName: table.name, Key: orderKey(standingOrderId), ConsistentRead: true });
  const { Item } = await withRetries(table, () => table.client.send(command));
  return Item && parseOrder(Item);
}

/** A page of the orders of a wallet. `after`: the `next` of the page before. */
export interface OrderQuery {
  readonly walletId: string;
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Lists the standing orders of a wallet, the newest first. One that cannot be read does not hide the others. */
export async function listOrders(
  table: Table,
  { walletId, limit, after }: OrderQuery,
): Promise<{ items: StandingOrder[]; next?: string }> {
  const partition = ordersPartition(walletId);
  const start = after !== undefined && {
    ...orderKey(standingOrderIdOfHistoryKey(after)),
    walletId: partition,
    historyKey: after,
  };
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.byWallet,
        KeyConditionExpression: 'walletId = :partition',
        ExpressionAttributeValues: { ':partition': partition },
        ScanIndexForward: false,
        ...(start && { ExclusiveStartKey: start }),
        Limit: limit,
      }),
    ),
  );
  const items = Items.flatMap((item) => {
    const order = parsed(() => parseOrder(item));
    return order instanceof UnreadableItem ? [] : [order];
  });
  return LastEvaluatedKey === undefined ? { items } : { items, next: LastEvaluatedKey['historyKey'] as string };
}

/** Counts the active orders among those of a wallet, of which it reads up to a megabyte. */
export async function countActiveOrders(
  table: Table,
  walletId: string,
): Promise<{ readonly active: number; readonly isComplete: boolean; readonly readUnits: number }> {
  const command = new QueryCommand({
    TableName: table.name,
    IndexName: indexes.byWallet,
    KeyConditionExpression: 'walletId = :partition',
    // Only an active order is due.
    FilterExpression: 'attribute_exists(dueShard)',
    ExpressionAttributeValues: { ':partition': ordersPartition(walletId) },
    Select: 'COUNT',
    ReturnConsumedCapacity: 'TOTAL',
  });
  const { Count = 0, LastEvaluatedKey, ConsumedCapacity } = await withRetries(table, () => table.client.send(command));
  return {
    active: Count,
    isComplete: LastEvaluatedKey === undefined,
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

/** A page of orders whose next payment is due to be made. `next`: where the next page begins; undefined at the end. */
export interface DueOrders {
  readonly orders: readonly (StandingOrder | UnreadableItem)[];
  readonly next: Item | undefined;
}

/**
 * Lists the orders of a shard (from 0) that were due before `before` (ISO 8601), the earliest first, as the index has them:
 * perhaps as they were a moment ago.
 */
export async function listDueOrders(
  table: Table,
  shard: number,
  { before, limit, from }: { readonly before: string; readonly limit: number; readonly from?: Item | undefined },
): Promise<DueOrders> {
  const command = new QueryCommand({
    TableName: table.name,
    IndexName: indexes.due,
    KeyConditionExpression: 'dueShard = :shard AND dueAt < :before',
    ExpressionAttributeValues: { ':shard': orderShard(shard), ':before': before },
    ...(from && { ExclusiveStartKey: from }),
    Limit: limit,
  });
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () => table.client.send(command));
  return { orders: Items.map((item) => parsed(() => parseOrder(item))), next: LastEvaluatedKey };
}

/**
 * Makes the next payment of an order: a scheduled payment, together with the order's advance to the one after it. So of a
 * simultaneous cancel of the order exactly one is written. The order of a closed wallet ends instead.
 *
 * @param at ISO 8601 UTC
 * @returns false when another writer was faster
 * @throws WalletError `busy`, `wallet_not_found`
 */
export async function makeNextPayment(table: Table, order: ActiveOrder, at: string): Promise<boolean> {
  const payment = nextPayment(order, at);
  const next = advanceTo(order, order.made + 1);
  const ends = next.status === 'ended';
  const advance = orderUpdate(table, order, next, { at });
  const counted = unschedule(table, { walletId: order.walletId, at }, { order: true });
  const fingerprint = fingerprintOf(['standing-order', payment.transactionId]);
  try {
    const changes = [schedule(table, movement(payment), { ends }), advance];
    const dueShard = scheduleShardOf(payment);
    const { replayed } = await commit(table, payment, fingerprint, changes, { items: [] }, { dueShard });
    // A recovery may have put the payment back beside an order from before it.
    return replayed ? (await write(table, ends ? [advance, counted] : [advance])).written : true;
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    if (error.code === 'standing_order_ended') return false;
    if (error.code !== 'wallet_closed') throw error;
    const ended = orderUpdate(table, order, { status: 'ended', end: 'wallet_closed' }, { at });
    return (await write(table, [ended, counted])).written;
  }
}

/**
 * Cancels an order, and with it the payments that it has scheduled and that were not executed, in one write of 8 write
 * units, and 4 for each payment. The write is made again when a payment was executed or made meanwhile.
 *
 * @param order as it was read
 * @returns `replayed`: the caller's key was used before for the same request
 * @throws WalletError `standing_order_ended`, `idempotency_key_reused`, `busy`
 */
export async function cancelOrder(
  table: Table,
  operation: Operation,
  order: StandingOrder,
  cancellation: OrderCancellation,
): Promise<{ replayed: boolean }> {
  return retryChanged(table, order, async (seen, within) => {
    const payments = await scheduledPayments(within, seen);
    const { at } = cancellation;
    const result = await write(within, [
      putOperation(table, operation),
      orderUpdate(table, seen, { status: 'ended', end: 'cancelled' }, cancellation),
      ...payments.map((payment) => cancelledPayment(table, payment, cancellation, changed)),
      unschedule(table, { walletId: seen.walletId, at }, { payments: payments.length, order: true }),
    ]);
    // The order itself, or one of its payments, which are read again.
    const isChanged = !result.written && result.refusals[0].kind === 'changed';
    if (isChanged) return changedRecord(result, toOrder) ?? new Changed(seen);
    return { replayed: replayedRecord(result) !== undefined };
  });
}

/** Reads the payments of an order that are still scheduled. */
async function scheduledPayments(table: Table, order: StandingOrder): Promise<ScheduledPayment[]> {
  if (order.made === 0 || order.status === 'ended') return [];
  const found = await getTransactions(table, latestPayments(order));
  return [...found.values()].map(readable).flatMap((payment) => {
    const isPayment = payment.type === 'transfer' || payment.type === 'withdrawal';
    return isPayment && payment.status === 'scheduled' ? [payment] : [];
  });
}

/** Returns the update of an active order, on condition that it has made as many payments as when it was read. */
function orderUpdate(
  table: Table,
  { standingOrderId, made }: StandingOrder,
  next: Advance,
  { actor, reason, at }: Omit<OrderCancellation, 'actor'> & Partial<Pick<OrderCancellation, 'actor'>>,
): WriteItem {
  const isEnded = next.status === 'ended';
  const hasPaid = next.status === 'active' || next.end === 'completed';
  const values = {
    ...(hasPaid && { made: made + 1 }),
    ...(isEnded ? { end: next.end, endedAt: at, endedBy: actor, reason } : { nextAt: next.nextAt, dueAt: next.dueAt }),
  };
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const changes = given.map(([name]) => `${name === 'end' ? '#end' : name} = :${name}`);
  return {
    label: `standing order ${standingOrderId}`,
    request: {
      Update: update(table, orderKey(standingOrderId), {
        set: ['#status = :status, updatedAt = :at', ...changes].join(', '),
        ...(isEnded && { remove: 'nextAt, dueAt, dueShard' }),
        if: `attribute_exists(pk) AND ${ofThisVersion.if} AND #status = :active AND made = :seen`,
        values: {
          ...Object.fromEntries(given),
          ...ofThisVersion.values,
          ...{ status: next.status, at, active: 'active', seen: made },
        },
      }),
    },
    refused: (image) => denied(orderCancelRefusal(toOrder(image))) ?? changed(image),
  };
}

function toOrder(item: Item | undefined): StandingOrder | undefined {
  return item?.['sk'] === orderKey('').sk ? parseOrder(item) : undefined;
}
