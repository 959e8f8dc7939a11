import { notifiedEvents } from '../contract.ts';
import type { Environment } from '../contract.ts';
import { channelsFor } from '../domain/preferences.ts';
import type { Preferences } from '../domain/preferences.ts';
import type { Wallet } from '../domain/wallet.ts';
import { dynamodbClient, snsClient, sqsClient } from '../aws/clients.ts';
import { consumeEvents } from '../events/event-consumer.ts';
import type { Delivery } from '../events/event-consumer.ts';
import { openQueue } from '../aws/queue.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { openTopic } from '../events/topic.ts';
import type { Notification, Notify } from '../events/topic.ts';
import { noticeOf } from '../views/notice.ts';
import { claimNotification, finishNotification } from '../store/notifications.ts';
import { getPreferencesOf } from '../store/preferences.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { parsed, readable, UnreadableItem } from '../store/unreadable.ts';
import { getWallets } from '../store/wallets.ts';

type NotifiedDelivery = Delivery<(typeof notifiedEvents)[number]>;

export interface NotifierServices {
  /** Wallets and preferences. */
  readonly table: Table;
  /** The record of notifications. */
  readonly sent: Table;
  readonly notify: Notify;
}

/** The notifications of one message. */
interface Addressed {
  readonly envelopeId: string;
  readonly notifications: readonly Notification[];
}

/** How many items one batch read returns at most. */
const mostKeys = 100;

/**
 * Notifies the owners of the wallets in each event, on the channels of their preferences.
 *
 * @returns the ids of the envelopes that must be redelivered, with the reason
 * @throws WalletError `busy` when wallets or preferences cannot be read; no owner is notified then
 */
export async function notifyOwners(
  deliveries: readonly NotifiedDelivery[],
  services: NotifierServices,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const known = await read(services.table, deliveries);
  const addressed = deliveries.flatMap((delivery) => {
    const message = parsed(() => address(delivery, known));
    if (!(message instanceof UnreadableItem)) return message;
    failed.set(delivery.envelopeId, message);
    return [];
  });
  await Promise.all(
    addressed.map(async (message) => {
      try {
        await sendAll(message, services);
      } catch (error) {
        failed.set(message.envelopeId, error);
      }
    }),
  );
  const notifications = addressed.reduce((sum, message) => sum + message.notifications.length, 0);
  logger.info('owners notified', { events: deliveries.length, notifications, failed: failed.size });
  return failed;
}

/**
 * Sends the notifications of a message, except those that another message is responsible for. When one fails, SQS
 * redelivers the message. Those that SNS accepted are recorded as finished then, so that they are not sent again.
 *
 * @throws the reason of the first that failed
 */
async function sendAll({ envelopeId, notifications }: Addressed, { sent, notify }: NotifierServices): Promise<void> {
  const taken: Notification[] = [];
  const results = await Promise.allSettled(
    notifications.map(async (notification) => {
      if (!(await claimNotification(sent, notification, envelopeId))) return;
      await notify(notification);
      taken.push(notification);
    }),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure === undefined) return;
  const finished = await Promise.allSettled(taken.map((notification) => finishNotification(sent, notification)));
  for (const result of finished) {
    if (result.status !== 'rejected') continue;
    logger.warn('notification not recorded, so sent again', { error: describe(result.reason) });
  }
  throw failure.reason;
}

/** The wallets of a batch of events, and the preferences of their owners, as far as they can be read. */
interface Known {
  readonly wallets: ReadonlyMap<string, Wallet | UnreadableItem>;
  readonly preferences: ReadonlyMap<string, Preferences | UnreadableItem>;
}

async function read(table: Table, deliveries: readonly NotifiedDelivery[]): Promise<Known> {
  const walletIds = deliveries.flatMap(({ event }) => ('wallet' in event ? [] : event.walletIds));
  const wallets = new Map(await inParts(walletIds, async (part) => [...(await getWallets(table, part))]));
  const owners = deliveries.flatMap((delivery) => {
    const found = parsed(() => ownersOf(delivery, wallets));
    return found instanceof UnreadableItem ? [] : found;
  });
  const preferences = new Map(await inParts(owners, async (part) => [...(await getPreferencesOf(table, part))]));
  return { wallets, preferences };
}

/**
 * Returns the owners of the wallets of an event.
 *
 * @throws UnreadableItem when a wallet of the event cannot be read
 */
function ownersOf({ event }: NotifiedDelivery, wallets: Known['wallets']): string[] {
  if ('wallet' in event) return [event.wallet.ownerId];
  return [...new Set(event.walletIds.flatMap((walletId) => readable(wallets.get(walletId))?.ownerId ?? []))];
}

/**
 * Returns the notifications of a message: one for each owner and channel.
 *
 * @throws UnreadableItem when a wallet of the event, or preferences of an owner, cannot be read
 */
function address(delivery: NotifiedDelivery, { wallets, preferences }: Known): Addressed {
  const { envelopeId, event } = delivery;
  const notifications = ownersOf(delivery, wallets).flatMap((ownerId) => {
    const wishes = readable(preferences.get(ownerId));
    const channels = wishes === undefined ? [] : channelsFor(wishes, event.type);
    if (channels.length === 0) return [];
    const sends = !('transaction' in event) || readable(wallets.get(event.transaction.walletId))?.ownerId === ownerId;
    const notice = noticeOf(event, sends ? 'owner' : 'counterparty');
    return channels.map((channel) => ({ eventId: event.eventId, ownerId, channel, event: notice }));
  });
  return { envelopeId, notifications };
}

async function inParts<T>(ids: readonly string[], read: (part: readonly string[]) => Promise<T[]>): Promise<T[]> {
  const distinct = [...new Set(ids)];
  const parts = Array.from({ length: Math.ceil(distinct.length / mostKeys) }, (_, index) =>
    distinct.slice(index * mostKeys, (index + 1) * mostKeys),
  );
  return (await Promise.all(parts.map(read))).flat();
}

/** Opens the consumer of the notification queue. */
export function open(environment: Environment<'notifier'>) {
  const client = dynamodbClient();
  const services: NotifierServices = {
    table: openTable(client, environment.TABLE_NAME),
    sent: openTable(client, environment.SENT_TABLE_NAME),
    notify: openTopic(snsClient(), environment.NOTIFICATION_TOPIC_ARN),
  };
  return consumeEvents({
    queue: openQueue(sqsClient(), environment.NOTIFICATION_QUEUE_URL),
    types: notifiedEvents,
    handle: (deliveries) => notifyOwners(deliveries, services),
  });
}
