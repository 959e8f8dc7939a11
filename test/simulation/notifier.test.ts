import type { PublishBatchCommand, PublishBatchCommandOutput, SNSClient } from '@aws-sdk/client-sns';
import type { Context } from 'aws-lambda';
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { notifiedEvents } from '../../lambdas/contract.ts';
import type { EventOf, ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { consumeEvents } from '../../lambdas/events/event-consumer.ts';
import { openTopic } from '../../lambdas/events/topic.ts';
import type { Notification } from '../../lambdas/events/topic.ts';
import { putPreferences } from '../../lambdas/store/preferences.ts';
import { notifyOwners } from '../../lambdas/workers/notifier.ts';
import { newBooks } from '../books.ts';
import { measure, newSentTable } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { eachDoom, eventsIn, liveThrough, mortal, numbers, sqsEvent } from './consumers.ts';
import type { Message } from './consumers.ts';

const engine = useEngine();
let table: TestTable;
let events: ServiceEvent[];
const at = '2026-03-01T12:00:00.000Z';
beforeAll(async () => {
  const books = await newBooks(engine);
  table = books.table;
  await liveThrough(table);
  // Ann wants everything by e-mail. Bob wants everything on two channels, except money that arrives.
  const channels = { email: true, sms: false, push: false };
  await putPreferences(table, 'ann', { channels, mutedEvents: [] }, at);
  await putPreferences(table, 'bob', { channels: { ...channels, sms: true }, mutedEvents: ['wallet.funded'] }, at);
  events = [...eventsIn(await books.takeRecords()).values()].filter(isNotified);
  books.close();
});

type Told = Pick<Notification, 'eventId' | 'ownerId' | 'channel'>;
const nameOf = ({ eventId, ownerId, channel }: Told) => `${eventId} ${ownerId} ${channel}`;

/** Returns the notifications that are due, computed from the events one by one. */
function expectedNames(): string[] {
  const names = events.flatMap((event) => {
    const owners = new Set<string>();
    if ('wallet' in event) owners.add(event.wallet.ownerId);
    else for (const walletId of event.walletIds) owners.add(ownerOf(walletId));
    return [...owners].flatMap((ownerId) => {
      if (ownerId === 'ann') return [{ eventId: event.eventId, ownerId, channel: 'email' as const }];
      if (event.type === 'wallet.funded') return [];
      return (['email', 'sms'] as const).map((channel) => ({ eventId: event.eventId, ownerId, channel }));
    });
  });
  return names.map(nameOf).sort();
}

/** Returns the owner of a wallet. Ann's wallets are those in the events that she caused. */
function ownerOf(walletId: string): string {
  const own = events.find((event) => event.ownerId !== undefined && event.walletIds[0] === walletId);
  return own?.ownerId === 'ann' ? 'ann' : 'bob';
}

/** Creates a notifier with its own record of sent notifications, and a topic that keeps its messages. */
async function newNotifier(
  options: {
    /** Returns a message's code of refusal, or throws to fail the whole call. */
    refuse?: (name: string) => string | undefined;
    call?: <T>(perform: () => Promise<T>) => Promise<T>;
  } = {},
) {
  const sentTable = await newSentTable(engine);
  const told: string[] = [];
  const sizes: number[] = [];
  const sns = {
    send: (command: PublishBatchCommand): Promise<PublishBatchCommandOutput> => {
      const perform = () => {
        const entries = command.input.PublishBatchRequestEntries ?? [];
        sizes.push(entries.length);
        const Failed = entries.flatMap(({ Id, Message = '', MessageAttributes }) => {
          const notification = JSON.parse(Message) as Notification;
          assert.equal(MessageAttributes?.['channel']?.StringValue, notification.channel);
          assert.equal(MessageAttributes['ownerId']?.StringValue, notification.ownerId);
          assert.equal(MessageAttributes['eventType']?.StringValue, notification.event.type);
          const Code = options.refuse?.(nameOf(notification));
          if (Code === undefined) told.push(nameOf(notification));
          return Code === undefined ? [] : [{ Id, Code, SenderFault: false }];
        });
        return Promise.resolve({ Failed, $metadata: {} });
      };
      return options.call ? options.call(perform) : perform();
    },
  } as Pick<SNSClient, 'send'>;

  /** Runs one invocation in a new process. Returns the numbers of the messages that failed. */
  async function invoke(
    delivered: readonly (ServiceEvent | Message)[],
    call: <T>(perform: () => Promise<T>) => Promise<T> = (perform) => perform(),
  ): Promise<number[]> {
    const sent = engine.openTable(sentTable);
    sent.fault = (_call, send) => call(send);
    const notify = openTopic(
      { send: ((command: PublishBatchCommand) => call(() => sns.send(command))) as SNSClient['send'] },
      'topic',
    );
    const handler = consumeEvents({
      queue: { delay: () => Promise.resolve() },
      types: notifiedEvents,
      handle: (deliveries) => notifyOwners(deliveries, { table, sent, notify }),
    });
    const { batchItemFailures } = await handler(sqsEvent(delivered), {} as Context);
    return batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
  }

  /** Delivers until no message fails. */
  async function deliverAll(from: readonly (ServiceEvent | Message)[] = events): Promise<void> {
    let left = [...from];
    for (let tries = 0; left.length > 0; tries++) {
      if (tries > 100) throw new Error('there is no end of tries');
      const failed = new Set(await invoke(left));
      left = left.filter((_, index) => failed.has(index));
    }
  }

  return { told, sizes, sentTable, invoke, deliverAll };
}

describe('notifications', () => {
  it('go to the owners of all wallets of an event, on the channels that they chose', async () => {
    const notifier = await newNotifier();
    assert.deepEqual(await notifier.invoke(events), []);
    assert.deepEqual([...notifier.told].sort(), expectedNames());
    assert.ok(notifier.sizes.every((size) => size <= 10));
  });

  it('are sent later when the wallets cannot be read, and every message is redelivered', async () => {
    const notifier = await newNotifier();
    table.fault = () => Promise.reject(new Error('DynamoDB is down'));
    const failed = await notifier.invoke(events);
    table.fault = undefined;
    assert.deepEqual(
      failed,
      events.map((_, index) => index),
    );
    assert.deepEqual(notifier.told, []);
    assert.deepEqual(await notifier.invoke(events), []);
    assert.deepEqual([...notifier.told].sort(), expectedNames());
  });

  it('that are published at about the same time share calls, ten in each', async () => {
    const sizes: number[] = [];
    const sns = {
      send: ({ input }: PublishBatchCommand) => {
        sizes.push(input.PublishBatchRequestEntries?.length ?? 0);
        return Promise.resolve({ Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }], $metadata: {} });
      },
    } as Pick<SNSClient, 'send'>;
    const notify = openTopic(sns, 'topic');
    const [event] = events;
    const results = await Promise.allSettled(
      Array.from({ length: 25 }, (_, index) =>
        notify({ eventId: event!.eventId, ownerId: String(index), channel: 'push', event: event! }),
      ),
    );
    assert.deepEqual(sizes, [10, 10, 5]);
    const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
    assert.deepEqual(failed, [1, 11, 21]);
  });

  it('are not sent to owners who asked for none, and nothing is stored for them', async () => {
    const books = await newBooks(engine);
    await liveThrough(books.table);
    const unasked = [...eventsIn(await books.takeRecords()).values()].filter(isNotified);
    books.close();
    const sent = engine.openTable((await newNotifier()).sentTable);
    const notify = () => Promise.reject(new Error('an owner was notified'));
    const deliveries = unasked.map((event) => ({ envelopeId: event.eventId, event }));
    assert.ok(deliveries.length > 10);
    assert.equal((await notifyOwners(deliveries, { table: books.table, sent, notify })).size, 0);
    assert.equal(sent.calls.length, 0);
  });

  it('cost one write unit and one round trip each', async () => {
    const sent = engine.openTable((await newNotifier()).sentTable);
    const notify = () => Promise.resolve();
    const deliveries = events.filter(isNotified).map((event) => ({ envelopeId: event.eventId, event }));
    const { writeUnits, roundTrips } = await measure(sent, () => notifyOwners(deliveries, { table, sent, notify }));
    assert.deepEqual([writeUnits, roundTrips], [expectedNames().length, expectedNames().length]);
  });

  it('are sent once, for any number of publications of an event, in any batches', async () => {
    const notifier = await newNotifier();
    const random = numbers(7);
    const published = events.flatMap((event) => ['a', 'b', 'c'].map((id) => ({ event, id: `${event.eventId} ${id}` })));
    const mixed = published.sort(() => random() - 0.5);
    const batches = Array.from({ length: Math.ceil(mixed.length / 9) }, (_, batch) =>
      mixed.slice(batch * 9, batch * 9 + 9),
    );
    const failed = await Promise.all(batches.map((batch) => notifier.invoke(batch)));
    assert.deepEqual(failed.flat(), []);
    assert.deepEqual([...notifier.told].sort(), expectedNames());
  });

  it('are not sent again by a replay, except for events that never arrived', async () => {
    const notifier = await newNotifier();
    const [missed, ...others] = events;
    await notifier.deliverAll(others);
    const told = notifier.told.length;
    await notifier.deliverAll(events.map((event) => ({ event, id: `${event.eventId} first`, replay: 'replay-1' })));
    assert.deepEqual([...notifier.told].sort(), expectedNames());
    assert.ok(notifier.told.slice(told).every((name) => name.startsWith(missed!.eventId)));
  });

  it('that one message could not send are not lost when another message of the event comes first', async () => {
    let isAway = true;
    const notifier = await newNotifier({
      call: (perform) => (isAway ? Promise.reject(new Error('SNS is down')) : perform()),
    });
    const messages = (id: string) => events.map((event) => ({ event, id: `${event.eventId} ${id}` }));
    const failed = await notifier.invoke(messages('a'));
    isAway = false;
    assert.deepEqual(await notifier.invoke(messages('b')), []);
    assert.deepEqual(notifier.told, []);
    await notifier.deliverAll(messages('a').filter((_, index) => failed.includes(index)));
    assert.deepEqual([...notifier.told].sort(), expectedNames());
  });

  it('that SNS refuses are sent again, and only those', async () => {
    const random = numbers(11);
    const notifier = await newNotifier({ refuse: () => (random() < 0.4 ? 'InternalError' : undefined) });
    await notifier.deliverAll();
    assert.deepEqual([...notifier.told].sort(), expectedNames());
  });

  it('wait while SNS is down, and are all sent once when it is up', async () => {
    let away = true;
    const notifier = await newNotifier({
      call: (perform) => (away ? Promise.reject(new Error('SNS is down')) : perform()),
    });
    assert.equal((await notifier.invoke(events)).length, events.filter((event) => isTold(event)).length);
    away = false;
    await notifier.deliverAll();
    assert.deepEqual([...notifier.told].sort(), expectedNames());
  });

  it('are all sent when the process dies before or after any call; twice only if no record of the first send exists', async () => {
    const few = events.slice(0, 3);
    const wanted = new Set(expectedNames().filter((name) => few.some(({ eventId }) => name.startsWith(eventId))));
    await eachDoom(async (doom) => {
      const life = mortal(doom);
      const notifier = await newNotifier();
      const failed = await notifier.invoke(few, (perform) => life.call(perform));
      const published = notifier.told.length;
      // A process that died reports nothing, so all messages are redelivered.
      await notifier.deliverAll(few.filter((_, index) => life.died || failed.includes(index)));
      assert.deepEqual(new Set(notifier.told), wanted, JSON.stringify(doom));
      const twice = notifier.told.length - wanted.size;
      assert.ok(twice <= (life.died ? published : 0), 'a recorded notification was sent again');
      return { struck: life.died };
    });
  });

  it('fail for a message that is no event, which finally becomes a dead letter', async () => {
    const notifier = await newNotifier();
    const [event] = events;
    const wrong = { ...event!, eventId: 'not one of ours' };
    assert.deepEqual(await notifier.invoke([wrong, event!]), [0]);
    assert.ok(notifier.told.length > 0);
  });
});

function isNotified(event: ServiceEvent): event is EventOf<(typeof notifiedEvents)[number]> {
  return notifiedEvents.some((type) => type === event.type);
}

function isTold({ eventId }: ServiceEvent): boolean {
  return expectedNames().some((name) => name.startsWith(eventId));
}
