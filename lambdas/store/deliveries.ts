import { QueryCommand as StoredQueryCommand } from '@aws-sdk/client-dynamodb';
import { PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import { deliveryStatuses, keptMs } from '../domain/webhook.ts';
import type { AfterAttempt, Delivery } from '../domain/webhook.ts';
import { deliveryKey, deliveryPartition } from './keys.ts';
import { readMany } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, parsed, requireVersion, UnreadableItem } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import { fromItem, toItem, update } from './write.ts';
import type { Item } from './write.ts';

/** The deliveries in the table of webhooks. Those that wait are also in its index `due`, by endpoint and time. */

/** The members of a delivery's key. */
type Name = Parameters<typeof deliveryKey>[0];

/** Stores a delivery that waits. Leaves one that is stored as it is, so that a repetition of the event sends nothing. */
export async function putDelivery(table: Table, delivery: Delivery): Promise<void> {
  const { webhookId: due } = delivery;
  await writeOne(
    table,
    new PutCommand({
      TableName: table.name,
      Item: { ...deliveryKey(delivery), v: itemVersion, ...delivery, due, ttl: expiry(table) },
      ConditionExpression: 'attribute_not_exists(pk)',
    }),
  );
}

function expiry(table: Table): number {
  return Math.ceil((table.now() + keptMs) / 1000);
}

/**
 * Lists the sort keys of deliveries of an endpoint that are due, the longest due first. The index follows the table by
 * moments: an attempt that has just been recorded may be missing.
 */
export async function listDue(table: Table, webhookId: string, limit: number): Promise<string[]> {
  const { Items = [] } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.due,
        KeyConditionExpression: 'due = :webhookId AND dueAt <= :now',
        ExpressionAttributeValues: { ':webhookId': webhookId, ':now': new Date(table.now()).toISOString() },
        Limit: limit,
      }),
    ),
  );
  return Items.map(({ sk }) => String(sk));
}

/** A delivery that cannot be read, by its sort key. */
export interface UnreadableDelivery {
  readonly sk: string;
  readonly error: UnreadableItem;
}

/**
 * Reads deliveries by their sort keys, consistently. One that cannot be read does not fail the others.
 *
 * @returns `waiting`: those that wait, the longest due first
 */
export async function getWaiting(
  table: Table,
  webhookId: string,
  keys: readonly string[],
): Promise<{ readonly waiting: Delivery[]; readonly unreadable: UnreadableDelivery[] }> {
  const pk = deliveryPartition(webhookId);
  const { items } = await readMany(
    table,
    keys.map((sk) => ({ pk, sk })),
    true,
    (item) => ({ sk: item['sk']?.S ?? '', delivery: parsed(() => parseDelivery(fromItem(item))) }),
  );
  const waiting: Delivery[] = [];
  const unreadable: UnreadableDelivery[] = [];
  for (const { sk, delivery } of items) {
    if (delivery instanceof UnreadableItem) unreadable.push({ sk, error: delivery });
    else if (delivery.status === 'waiting') waiting.push(delivery);
  }
  return { waiting: waiting.sort((a, b) => ((a.dueAt ?? '') < (b.dueAt ?? '') ? -1 : 1)), unreadable };
}

/**
 * Sets a delivery aside that cannot be read: it is due again at `dueAt`, ISO 8601 UTC. Nothing else of it changes, so that
 * a newer release may still send it.
 */
export async function setAside(table: Table, webhookId: string, sk: string, dueAt: string): Promise<void> {
  const command = update(
    table,
    { pk: deliveryPartition(webhookId), sk },
    { set: 'dueAt = :dueAt', if: 'due = :webhookId', values: { dueAt, webhookId } },
  );
  await writeOne(table, new UpdateCommand(command));
}

/**
 * Records an attempt.
 *
 * @returns false when another worker has recorded one since the delivery was read
 */
export async function recordAttempt(table: Table, delivery: Delivery, after: AfterAttempt): Promise<boolean> {
  const { status, attempts, lastAttempt, dueAt } = after;
  const waits = dueAt !== undefined;
  const command = update(table, deliveryKey(delivery), {
    set: `#status = :status, attempts = :attempts, lastAttempt = :lastAttempt${waits ? ', dueAt = :dueAt' : ''}`,
    ...(!waits && { remove: 'dueAt, due' }),
    if: '#status = :waiting AND dueAt = :seen',
    values: { status, attempts, lastAttempt, waiting: 'waiting', seen: delivery.dueAt, ...(waits && { dueAt }) },
  });
  return (await writeOne(table, new UpdateCommand(command))).written;
}

/** A page of deliveries. */
export interface DeliveryPage {
  readonly items: readonly (Delivery | UnreadableItem)[];
  /** The position after which there are more. */
  readonly next: string | undefined;
}

/** A part of the deliveries of an endpoint, by the time of their events. */
export interface DeliveryRange {
  readonly webhookId: string;
  readonly order: 'newest first' | 'oldest first';
  readonly limit: number;
  /** The position of the last delivery of the page before. */
  readonly after?: string | undefined;
  /** The moments of the first and last event, ISO 8601 UTC. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Lists deliveries of an endpoint, consistently. One that cannot be read is an error among the others. */
export async function listDeliveries(table: Table, range: DeliveryRange): Promise<DeliveryPage> {
  const { webhookId, order, limit, after, from = '0', to = '9' } = range;
  const pk = deliveryPartition(webhookId);
  const { Items = [], LastEvaluatedKey: last } = await withRetries(table, () =>
    table.client.send(
      new StoredQueryCommand({
        TableName: table.name,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        // The character after the one that ends a time in a key.
        ExpressionAttributeValues: toItem({ ':pk': pk, ':from': from, ':to': `${to}$` }),
        ...(after !== undefined && { ExclusiveStartKey: toItem({ pk, sk: after }) }),
        ScanIndexForward: order === 'oldest first',
        ConsistentRead: true,
        Limit: limit,
      }),
    ),
  );
  return { items: Items.map((item) => parsed(() => parseDelivery(fromItem(item)))), next: last?.['sk']?.S };
}

/**
 * Makes a delivery wait again, from its first attempt on. The same replay does it once.
 *
 * @returns false when it waits already, or this replay has sent it again before
 */
export async function resend(table: Table, name: Name, replayKey: string): Promise<boolean> {
  const command = update(table, deliveryKey(name), {
    set: '#status = :waiting, attempts = :none, dueAt = :now, due = :webhookId, replayKey = :replayKey, #ttl = :ttl',
    if: '#status <> :waiting AND (attribute_not_exists(replayKey) OR replayKey <> :replayKey)',
    values: {
      ...{ waiting: 'waiting', none: 0, now: new Date(table.now()).toISOString() },
      ...{ webhookId: name.webhookId, replayKey, ttl: expiry(table) },
    },
  });
  return (await writeOne(table, new UpdateCommand(command))).written;
}

/** Returns the position of a delivery in the list of its endpoint. */
export function positionOf(name: Name): string {
  return deliveryKey(name).sk;
}

/**
 * Returns the delivery in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for an item that lacks a member
 */
function parseDelivery(item: Item): Delivery {
  requireVersion(item);
  const { pk, sk, v, due, ttl, ...delivery } = item;
  const { webhookId, eventId, type, occurredAt, body, createdAt, status, attempts, dueAt } = delivery;
  const needed = [webhookId, eventId, type, occurredAt, body, createdAt, ...(status === 'waiting' ? [dueAt] : [])];
  const isWhole = needed.every((text) => typeof text === 'string');
  if (!isWhole || !Number.isSafeInteger(attempts) || !deliveryStatuses.some((one) => one === status)) {
    throw new InvalidItem(item, 'it lacks what a delivery needs');
  }
  return delivery as unknown as Delivery;
}
