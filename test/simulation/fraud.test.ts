import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { screenedEvents } from '../../lambdas/contract.ts';
import type { FraudPolicy } from '../../lambdas/contract.ts';
import type { Activity, FraudRule } from '../../lambdas/domain/fraud.ts';
import type { EventOf, ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { consumeEvents } from '../../lambdas/events/event-consumer.ts';
import { getActivities } from '../../lambdas/store/activity.ts';
import { activityKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { screen } from '../../lambdas/workers/fraud.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { charge, queueTransfer, transfer, withdraw } from '../store/commands.ts';
import { capture, holdOf, openHold } from '../store/hold-commands.ts';
import { fieldsOf } from '../store/inspect.ts';
import { chargedWallet, payment, refund } from '../store/refund-commands.ts';
import { bankId } from '../store/visits.ts';
import { fundedWallet, openWallet, setStatus } from '../store/wallets.ts';
import { Death, eachDoom, eventsIn, keepingBus, mortal, numbers, publisherTo, sqsEvent } from './consumers.ts';

type ScreenedEvent = EventOf<(typeof screenedEvents)[number]>;
type Suspicion = EventOf<'activity.suspicious'>;

const engine = useEngine();
let books: TestBooks;
beforeAll(async () => {
  books = await newBooks(engine);
});
afterAll(() => {
  books.close();
});

const policy: FraudPolicy = {
  outgoingPerMinute: { count: 3, amount: 1_000 },
  outgoingPerHour: { count: 10, amount: 5_000 },
  outgoingPerDay: { count: 100, amount: 50_000 },
  inAndOut: { minutes: 10, amount: 10_000 },
  newDestination: { amount: 400 },
  byCurrency: { JPY: { newDestination: { amount: 40_000 } } },
};

/** Returns the events since the last call, as the queue delivers them. */
async function takeEvents(): Promise<ScreenedEvent[]> {
  const events = [...eventsIn(await books.takeRecords()).values()];
  return events.filter((event): event is ScreenedEvent => screenedEvents.some((type) => type === event.type));
}

interface Screening {
  readonly activity: TestTable;
  readonly delivered: ServiceEvent[];
  /** Runs the screening. Returns the events that failed. With `call` it runs in a new process. */
  readonly run: (
    events: readonly ScreenedEvent[],
    call?: <T>(perform: () => Promise<T>) => Promise<T>,
  ) => Promise<ScreenedEvent[]>;
}

async function newScreening(options: { freezeOnSuspicion?: boolean; away?: () => boolean } = {}): Promise<Screening> {
  const activity = await engine.newTable();
  const bus = keepingBus();
  return {
    activity,
    delivered: bus.delivered,
    async run(events, call = (perform) => perform()) {
      const process = (name: string) => {
        const table = engine.openTable(name);
        table.clock.now = books.table.clock.now;
        table.fault = (_call, send) => call(send);
        return table;
      };
      const publisher = publisherTo((entries) =>
        options.away?.() ? Promise.reject(new Error('EventBridge is away')) : call(() => bus.put(entries)),
      );
      const services = {
        table: process(books.table.name),
        activity: process(activity.name),
        publisher,
        policy,
        freezeOnSuspicion: options.freezeOnSuspicion ?? false,
      };
      const handler = consumeEvents({
        queue: { delay: () => Promise.resolve() },
        types: screenedEvents,
        handle: (deliveries) => screen(deliveries, services, 20_000),
      });
      const { batchItemFailures } = await handler(sqsEvent(events), {} as Context);
      return batchItemFailures.flatMap(({ itemIdentifier }) => events[Number(itemIdentifier)] ?? []);
    },
  };
}

function suspicions(delivered: readonly ServiceEvent[]): Suspicion[] {
  const distinct = new Map(delivered.map((event) => [event.eventId, event]));
  return [...distinct.values()].filter((event) => event.type === 'activity.suspicious');
}

function rulesOf(delivered: readonly ServiceEvent[], walletId: string): FraudRule[] {
  return suspicions(delivered)
    .filter(({ activity }) => activity.walletId === walletId)
    .map(({ activity }) => activity.rule)
    .sort();
}

/** Moves money out of a wallet so often and so much that it breaks three rules. */
async function burst(table: Table): Promise<{ walletId: string; events: ScreenedEvent[] }> {
  const walletId = await fundedWallet(table, 'ann', 100_000);
  const other = await openWallet(table, 'bob');
  for (const amount of [100, 200, 300, 350, 380]) await transfer(table, walletId, other, { owner: 'ann', amount });
  await withdraw(table, walletId, { owner: 'ann', amount: 500 });
  const events = await takeEvents();
  return { walletId, events };
}

async function activityOf(table: Table, walletId: string): Promise<Activity> {
  return (await getActivities(table, [walletId]))(walletId).memory.activity;
}

async function countOf(table: Table, walletId: string): Promise<number> {
  const activity = await activityOf(table, walletId);
  return activity.outDay.reduce((sum, [, count]) => sum + count, 0);
}

describe('screening', () => {
  it('signals each limit once, with the rule, the figures and the transaction', async () => {
    const { walletId, events } = await burst(books.table);
    const screening = await newScreening();
    assert.deepEqual(await screening.run(events), []);
    assert.deepEqual(rulesOf(screening.delivered, walletId), [
      'new-destination',
      'outgoing-per-minute',
      'outgoing-per-minute',
    ]);
    const [byCount] = suspicions(screening.delivered).filter(({ activity }) => activity.rule === 'outgoing-per-minute');
    assert.deepEqual(byCount?.activity.figures, { count: 4, amount: 950 });
    assert.deepEqual(byCount.activity.limits, { count: 3, amount: 1_000 });
    assert.deepEqual(byCount.walletIds, [walletId]);
    assert.equal((await getWallet(books.table, walletId))?.status, 'active');
  });

  it('stops payouts that have not left when it freezes', async () => {
    const { walletId, events } = await burst(books.table);
    const { transactionId } = events.find(({ type }) => type === 'withdrawal.accepted')?.transaction ?? {};
    assert.ok(transactionId);
    const screening = await newScreening({ freezeOnSuspicion: true });
    assert.deepEqual(await screening.run(events), []);
    const next = await advanceWithdrawal(transactionId, {
      table: books.table,
      bank: {
        submit: () => Promise.reject(new Error('no payout leaves a frozen wallet')),
        find: () => Promise.reject(new Error('nothing was submitted')),
        isDown: () => false,
      },
      policy: { maxAttempts: 3, notFoundWindowMs: 30_000 },
      bankId,
    });
    assert.equal(next, undefined);
    const waiting = await fieldsOf(books.table, transactionId);
    assert.deepEqual([waiting?.waitingFor, waiting?.attempts], ['wallet_frozen', undefined]);
    const wallet = await getWallet(books.table, walletId, { consistent: true });
    assert.deepEqual([wallet?.status, wallet?.held], ['frozen', 500]);
  });

  it('counts both events of a queued transfer as one movement, and its arrival as money in', async () => {
    const ann = await fundedWallet(books.table, 'ann', 10_000);
    const bob = await openWallet(books.table, 'bob');
    await queueTransfer(books.table, ann, bob, { owner: 'ann', amount: 100 });
    const [funded, accepted] = await takeEvents();
    assert.ok(funded && accepted);
    const completed = { ...accepted, eventId: `ev_${'a'.repeat(26)}`, type: 'transfer.completed' as const };
    const screening = await newScreening();
    assert.deepEqual(await screening.run([funded, accepted]), []);
    assert.deepEqual(await screening.run([completed]), []);
    assert.equal(await countOf(screening.activity, ann), 1);
    const arrived = await activityOf(screening.activity, bob);
    assert.deepEqual(
      arrived.inRecent.map(([, count, amount]) => [count, amount]),
      [[1, 100]],
    );
  });

  it('counts a hold as money out once, and each of its captures as money into its receiver', async () => {
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 10_000);
    const bob = await openWallet(table, 'bob');
    const hold = await openHold(table, ann, { amount: 100, to: bob });
    await capture(table, hold, { amount: 30 });
    await capture(table, await holdOf(table, hold), { amount: 40, isFinal: true });
    const outside = await openHold(table, ann, { amount: 50 });
    await capture(table, outside);
    const screening = await newScreening();
    assert.deepEqual(await screening.run(await takeEvents()), []);
    const [paid, received] = [await activityOf(screening.activity, ann), await activityOf(screening.activity, bob)];
    const figures = (buckets: Activity['outDay']) => buckets.map(([, count, amount]) => [count, amount]);
    assert.deepEqual([figures(paid.outDay), figures(received.inRecent)], [[[2, 150]], [[2, 70]]]);
    assert.equal(paid.destinations.length, 1);
  });

  it('counts a refund as money into the wallet that it pays, and not as money out', async () => {
    const { table } = books;
    const { payer, shop, original } = await payment(table, 'transfer', 100);
    await refund(table, original, { amount: 40 });
    const { walletId, original: charged } = await chargedWallet(table, 100);
    await refund(table, charged, { chargeback: true, operator: 'operator-1' });
    const screening = await newScreening();
    assert.deepEqual(await screening.run(await takeEvents()), []);
    const figures = (buckets: Activity['outDay']) => buckets.map(([, count, amount]) => [count, amount]);
    const figuresOf = async (id: string) => {
      const { outDay, inRecent } = await activityOf(screening.activity, id);
      return [figures(outDay), figures(inRecent)];
    };
    assert.deepEqual(await figuresOf(payer), [[[1, 100]], [[2, 1_040]]]);
    assert.deepEqual(await figuresOf(shop), [[], [[1, 100]]]);
    assert.deepEqual(await figuresOf(walletId), [[], [[1, 100]]]);
  });

  it('uses the limits of the currency where it has some', async () => {
    const yen = await fundedWallet(books.table, 'ann', 100_000, 'JPY');
    await withdraw(books.table, yen, { owner: 'ann', amount: 900 });
    const screening = await newScreening();
    await screening.run(await takeEvents());
    assert.deepEqual(rulesOf(screening.delivered, yen), []);
  });

  it('counts each movement once, for any split, repetition and mixture of events, in several workers at a time', async () => {
    const { walletId, events } = await burst(books.table);
    for (let seed = 1; seed <= 5; seed++) {
      const random = numbers(seed);
      const screening = await newScreening();
      const mixed = [...events, ...events, ...events].sort(() => random() - 0.5);
      const batches = Array.from({ length: 6 }, (_, index) => mixed.slice(index * 4, index * 4 + 4));
      let left = (await Promise.all(batches.map((batch) => screening.run(batch)))).flat();
      for (let tries = 0; left.length > 0 && tries < 20; tries++) left = await screening.run(left);
      assert.deepEqual(left, []);
      assert.equal(await countOf(screening.activity, walletId), 6);
      assert.ok(rulesOf(screening.delivered, walletId).includes('outgoing-per-minute'));
    }
  });

  it('counts once and signals at least once when it dies before or after any call', async () => {
    const { walletId, events } = await burst(books.table);
    const calls = await eachDoom(async (doom) => {
      const screening = await newScreening();
      const life = mortal(doom);
      let left: readonly ScreenedEvent[] = events;
      try {
        left = await screening.run(events, (perform) => life.call(perform));
      } catch (error) {
        if (!(error instanceof Death)) throw error;
      }
      if (life.died) left = events;
      for (let tries = 0; left.length > 0 && tries < 20; tries++) left = await screening.run(left);
      assert.deepEqual(left, []);
      assert.equal(await countOf(screening.activity, walletId), 6, JSON.stringify(doom));
      assert.deepEqual(rulesOf(screening.delivered, walletId), [
        'new-destination',
        'outgoing-per-minute',
        'outgoing-per-minute',
      ]);
      return { struck: life.died };
    });
    assert.ok(calls >= 3, String(calls));
  });

  it('publishes its findings from an outage of the bus when the bus is back', async () => {
    const { walletId, events } = await burst(books.table);
    let away = true;
    const screening = await newScreening({ away: () => away });
    const failed = await screening.run(events);
    assert.ok(failed.length > 0);
    away = false;
    assert.deepEqual(await screening.run(failed), []);
    assert.equal(rulesOf(screening.delivered, walletId).length, 3);
    assert.equal(await countOf(screening.activity, walletId), 6);
  });

  it('counts later when no memory can be read, and every message is redelivered', async () => {
    const { walletId, events } = await burst(books.table);
    const screening = await newScreening();
    const failed = await screening.run(events, () => Promise.reject(new Error('DynamoDB is down')));
    assert.deepEqual(failed, events);
    assert.equal(await countOf(screening.activity, walletId), 0);
    assert.deepEqual(await screening.run(failed), []);
    assert.equal(await countOf(screening.activity, walletId), 6);
  });

  it('fails for a wallet whose memory cannot be read, and for no other wallet', async () => {
    const { walletId, events } = await burst(books.table);
    const other = await fundedWallet(books.table, 'bob', 100);
    const screening = await newScreening();
    const { client, name } = screening.activity;
    const Item = toItem({ ...activityKey(walletId), version: 1, memory: new Uint8Array([99]) });
    await client.send(new PutItemCommand({ TableName: name, Item }));
    const failed = await screening.run([...events, ...(await takeEvents())]);
    assert.deepEqual(
      failed.map(({ eventId }) => eventId),
      events.map(({ eventId }) => eventId),
    );
    assert.equal((await activityOf(screening.activity, other)).inRecent.length, 1);
  });

  it('publishes its findings of a wallet that was busy meanwhile under the same ids, and counts nothing again', async () => {
    const { walletId, events } = await burst(books.table);
    let away = true;
    const screening = await newScreening({ away: () => away });
    const failed = await screening.run(events);
    const [first] = events.filter(({ type }) => type === 'withdrawal.accepted');
    const startMs = Date.parse(first!.transaction.createdAt);
    const busy = Array.from({ length: 900 }, (_, number): ScreenedEvent => {
      const id = String(number)
        .padStart(26, '0')
        .replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
      const createdAt = new Date(startMs + 1_000 + number).toISOString();
      const transaction = { ...first!.transaction, transactionId: `tx_${id}`, createdAt, amount: 1 };
      return { ...first!, eventId: `ev_${id}`, transaction };
    });
    away = false;
    for (let start = 0; start < busy.length; start += 100) {
      assert.equal((await screening.run(busy.slice(start, start + 100))).length, 0);
    }
    const counted = await countOf(screening.activity, walletId);
    assert.equal(counted, 906);
    assert.deepEqual(rulesOf(screening.delivered, walletId), ['outgoing-per-day', 'outgoing-per-hour']);
    assert.equal((await screening.run(failed)).length, 0);
    assert.deepEqual(rulesOf(screening.delivered, walletId), [
      'new-destination',
      'outgoing-per-day',
      'outgoing-per-hour',
      'outgoing-per-minute',
      'outgoing-per-minute',
    ]);
    for (let start = 0; start < busy.length; start += 100) await screening.run(busy.slice(start, start + 100));
    assert.equal(await countOf(screening.activity, walletId), counted);
  });
});

describe('freezing on suspicion', () => {
  it('freezes once; a wallet that an operator unfroze stays active when the events are redelivered', async () => {
    const { walletId, events } = await burst(books.table);
    const screening = await newScreening({ freezeOnSuspicion: true });
    await screening.run(events);
    assert.equal((await getWallet(books.table, walletId))?.status, 'frozen');
    await assert.rejects(withdraw(books.table, walletId, { owner: 'ann', amount: 1 }), { code: 'wallet_frozen' });
    await setStatus(books.table, walletId, 'active');
    await screening.run(events);
    assert.equal((await getWallet(books.table, walletId))?.status, 'active');
    // A new suspicion freezes again.
    books.table.clock.now += 3 * 3_600_000;
    await charge(books.table, walletId, { amount: 5_000 });
    await withdraw(books.table, walletId, {
      owner: 'ann',
      amount: 4_000,
      destination: { account: 'FR7630006000011234567890189' },
    });
    await takeEvents().then((later) => screening.run(later));
    assert.equal((await getWallet(books.table, walletId))?.status, 'frozen');
  });

  it('does not change a wallet that was closed meanwhile', async () => {
    const walletId = await fundedWallet(books.table, 'ann', 700);
    const other = await openWallet(books.table, 'bob');
    await transfer(books.table, walletId, other, { owner: 'ann', amount: 700 });
    await setStatus(books.table, walletId, 'closed');
    const screening = await newScreening({ freezeOnSuspicion: true });
    assert.deepEqual(await screening.run(await takeEvents()), []);
    assert.deepEqual(rulesOf(screening.delivered, walletId), ['new-destination']);
    assert.equal((await getWallet(books.table, walletId))?.status, 'closed');
  });
});
