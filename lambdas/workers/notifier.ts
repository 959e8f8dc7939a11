import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context } from 'aws-lambda';
import { notifiedEvents } from '../contract.ts';
import { channelsFor } from '../domain/preferences.ts';
import type { Preferences } from '../domain/preferences.ts';
import type { EventOf } from '../event-schemas.ts';
import { dynamodbClient, snsClient, sqsClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { consumeEvents } from '../runtime/event-consumer.ts';
import { openQueue } from '../runtime/queue.ts';
import { logger } from '../runtime/telemetry.ts';
import { openTopic } from '../runtime/topic.ts';
import type { Notification, Notify } from '../runtime/topic.ts';
import { noticeOf } from '../runtime/views.ts';
import { getPreferencesOf } from '../store/preferences.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallets } from '../store/wallets.ts';

type NotifiedEvent = EventOf<(typeof notifiedEvents)[number]>;

export interface NotifierServices {
  readonly table: Table;
  /** Tells somebody something, once however often it is asked to. */
  readonly notify: Notify;
}

/** What one batch read takes. */
const mostKeys = 100;

/**
 * Tells the owners of the wallets in each event, on the channels that they wish.
 *
 * @returns the ids of the events of which somebody could not be told, with the reason
 */
export async function notifyOwners(
  events: readonly NotifiedEvent[],
  { table, notify }: NotifierServices,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  let notifications: Notification[];
  try {
    notifications = await addressed(table, events);
  } catch (error) {
    return new Map(events.map(({ eventId }) => [eventId, error]));
  }
  const results = await Promise.allSettled(notifications.map(notify));
  for (const [index, result] of results.entries()) {
    const notification = notifications[index];
    if (result.status === 'rejected' && notification) failed.set(notification.eventId, result.reason);
  }
  logger.info('owners notified', { events: events.length, notifications: notifications.length, failed: failed.size });
  return failed;
}

/** Who is told of what, and how. */
async function addressed(table: Table, events: readonly NotifiedEvent[]): Promise<Notification[]> {
  const walletIds = events.flatMap((event) => ('wallet' in event ? [] : event.walletIds));
  const wallets = new Map(await inParts(walletIds, async (part) => [...(await getWallets(table, part))]));
  const ownersOf = (event: NotifiedEvent) =>
    'wallet' in event
      ? [event.wallet.ownerId]
      : [...new Set(event.walletIds.flatMap((walletId) => wallets.get(walletId)?.ownerId ?? []))];
  const preferences = new Map<string, Preferences>(
    await inParts(events.flatMap(ownersOf), async (part) => [...(await getPreferencesOf(table, part))]),
  );
  return events.flatMap((event) =>
    ownersOf(event).flatMap((ownerId) => {
      const wishes = preferences.get(ownerId);
      const channels = wishes === undefined ? [] : channelsFor(wishes, event.type);
      const sends = !('transaction' in event) || wallets.get(event.transaction.walletId)?.ownerId === ownerId;
      const notice = noticeOf(event, sends ? 'owner' : 'counterparty');
      return channels.map((channel) => ({ eventId: event.eventId, ownerId, channel, event: notice }));
    }),
  );
}

async function inParts<T>(ids: readonly string[], read: (part: readonly string[]) => Promise<T[]>): Promise<T[]> {
  const distinct = [...new Set(ids)];
  const parts = Array.from({ length: Math.ceil(distinct.length / mostKeys) }, (_, index) =>
    distinct.slice(index * mostKeys, (index + 1) * mostKeys),
  );
  return (await Promise.all(parts.map(read))).flat();
}

/**
 * Longer than a message can wait in the queue and then in the dead letters (14 days each). An older event that comes
 * out of the bus's archive again is notified again.
 */
const rememberSeconds = 30 * 86_400;

/**
 * `notify`, once for each event, owner and channel, by Powertools Idempotency: a record is written before SNS is asked,
 * completed after it has answered, and deleted when it failed, which is right here: to tell nobody is worse than to
 * tell twice. Twice happens only when nobody knows whether SNS has published: its answer was lost, or the function
 * died before the record was completed; then the record ends with the invocation that wrote it.
 */
export function notifyOnce(
  notify: Notify,
  records: DynamoDBPersistenceLayer,
): { notify: Notify; register: (context: Context) => void } {
  const config = new IdempotencyConfig({ expiresAfterSeconds: rememberSeconds, hashFunction: 'sha256' });
  const once = makeIdempotent((_key: readonly string[], notification: Notification) => notify(notification), {
    persistenceStore: records,
    keyPrefix: 'notification',
    config,
  });
  return {
    notify: async (notification) => {
      await once([notification.eventId, notification.ownerId, notification.channel], notification);
    },
    register(context) {
      config.registerLambdaContext(context);
    },
  };
}

const env = readEnvironment('notifier');
const table = openTable(dynamodbClient(), env.TABLE_NAME);
const once = notifyOnce(
  openTopic(snsClient(), env.NOTIFICATION_TOPIC_ARN),
  new DynamoDBPersistenceLayer({ tableName: env.SENT_TABLE_NAME, awsSdkV3Client: dynamodbClient({ maxAttempts: 4 }) }),
);

/** Consumes the notification queue. */
export const handler = consumeEvents({
  queue: openQueue(sqsClient(), env.NOTIFICATION_QUEUE_URL),
  types: notifiedEvents,
  handle(events, context) {
    once.register(context);
    return notifyOwners(events, { table, notify: once.notify });
  },
});
