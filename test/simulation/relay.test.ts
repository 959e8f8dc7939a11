import { Ajv2020 } from 'ajv/dist/2020.js';
import type { DynamoDBRecord } from 'aws-lambda';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, it } from '@jest/globals';
import { promisify } from 'node:util';
import { eventTypes } from '../../lambdas/domain/events.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import type { PutEvents } from '../../lambdas/events/bus.ts';
import { walletKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import type { SetAside } from '../../lambdas/aws/set-aside.ts';
import { relay } from '../../lambdas/workers/relay.ts';
import { newBooks } from '../books.ts';
import { destination } from '../store/commands.ts';
import { fundedWallet, setStatus } from '../store/wallets.ts';
import {
  Death,
  eachDoom,
  eventsIn,
  fingerprintKey,
  issuer,
  keepingBus,
  liveThrough,
  mortal,
  numbers,
  publisherTo,
} from './consumers.ts';
import { useEngine } from '../fixture.ts';

const engine = useEngine();
let records: DynamoDBRecord[];
let expected: Map<string, ServiceEvent>;
beforeAll(async () => {
  const books = await newBooks(engine);
  await liveThrough(books.table);
  records = await books.takeRecords();
  books.close();
  expected = eventsIn(records);
});

const budgetMs = 20_000;

/** Passes records to the relay. Returns the record from which they are to be delivered again. */
function hand(batch: readonly DynamoDBRecord[], put: PutEvents, aside: DynamoDBRecord[] = []) {
  const services = {
    publisher: publisherTo(put),
    setAside: {
      send({ Records }: SetAside) {
        aside.push(...Records);
        return Promise.resolve();
      },
    },
    fingerprintKey: () => Promise.resolve([fingerprintKey] as const),
    issuer,
  };
  return relay(batch, services, budgetMs);
}

/** Delivers as Lambda does: from the record that the function names, or the whole batch when it died. */
async function deliver(
  batch: readonly DynamoDBRecord[],
  handOver: (batch: readonly DynamoDBRecord[]) => Promise<DynamoDBRecord | undefined>,
): Promise<void> {
  let rest = batch;
  for (let tries = 0; rest.length > 0; tries++) {
    if (tries > 500) throw new Error('there is no end of tries');
    try {
      const again = await handOver(rest);
      rest = again === undefined ? [] : rest.slice(rest.indexOf(again));
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }
}

function assertAllPublished(delivered: readonly ServiceEvent[]): void {
  const published = new Map<string, ServiceEvent>();
  for (const event of delivered) {
    const known = published.get(event.eventId);
    if (known) assert.deepEqual(event, known, 'a repetition says something else');
    published.set(event.eventId, event);
  }
  assert.deepEqual([...published.keys()].sort(), [...expected.keys()].sort());
}

describe('events', () => {
  it('cover every promised event of wallets, transactions and approvals, each from one record', () => {
    const types = new Set([...expected.values()].map(({ type }) => type));
    const elsewhere = ['activity.suspicious', 'bank_file.reconciled', 'ledger.discrepancy', 'webhook.disabled'];
    assert.deepEqual([...types, ...elsewhere].sort(), [...eventTypes].sort());
    const changes = records.filter((record) => eventsIn([record]).size === 1);
    assert.equal(expected.size, changes.length, 'two changes have the same event id');
  });

  it('have another id when the table was put back to an earlier state, and the same version is made again', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 5);
    const key = { TableName: books.table.name, Key: toItem(walletKey(walletId)), ConsistentRead: true };
    const { Item: backup } = await books.table.client.send(new GetItemCommand(key));
    await setStatus(books.table, walletId, 'frozen');
    await books.table.client.send(new PutItemCommand({ TableName: books.table.name, Item: backup }));
    books.table.clock.now += 60_000;
    await setStatus(books.table, walletId, 'frozen');
    const events = eventsIn(await books.takeRecords());
    books.close();
    assert.equal([...events.values()].filter(({ type }) => type === 'wallet.frozen').length, 2);
  });

  it('match their published schemas and have no other members', () => {
    const ajv = new Ajv2020({ formats: { 'date-time': true } });
    for (const event of expected.values()) {
      const file = new URL(`../../docs/events/${event.type}.json`, import.meta.url);
      const validate = ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
      assert.ok(validate(event), `${event.type}: ${ajv.errorsText(validate.errors)}`);
      assert.deepEqual(eventSchemas[event.type].parse(event), event, `${event.type} has members that no schema names`);
    }
  });

  it('have schemas in docs/events that match the code', async () => {
    await promisify(execFile)(process.execPath, ['bin/schemas.ts', '--check'], {
      cwd: new URL('../..', import.meta.url),
    });
  });

  it('never carry an account or the name of its holder', () => {
    const text = JSON.stringify([...expected.values()]);
    assert.ok(!text.includes(destination.account));
    assert.ok(!text.includes(destination.name ?? ''));
    assert.match(text, /"account":"\*\*\*\*2051","fingerprint":"[a-z2-7]{26}"/);
  });
});

describe('the relay', () => {
  it('publishes ten at a time, in order', async () => {
    const bus = keepingBus();
    assert.equal(await hand(records, bus.put), undefined);
    assert.deepEqual(bus.delivered, [...expected.values()]);
    assert.ok(bus.sizes.every((size) => size <= 10));
    assert.equal(bus.sizes.length, Math.ceil(expected.size / 10));
  });

  it('sends refused entries again, and only those', async () => {
    const refused = new Set<string>();
    const bus = keepingBus(({ eventId, type }) => {
      if (type !== 'wallet.funded' || refused.has(eventId)) return undefined;
      refused.add(eventId);
      return 'ThrottlingException';
    });
    assert.equal(await hand(records, bus.put), undefined);
    assert.ok(refused.size > 0);
    assert.equal(bus.delivered.length, expected.size, 'something was sent twice');
    assertAllPublished(bus.delivered);
  });

  it('names the first record that it could not publish in its time, and publishes all of them later', async () => {
    const bus = keepingBus();
    const away: PutEvents = () => Promise.reject(new Error('EventBridge is away'));
    assert.equal(
      await hand(records, away),
      records.find((record) => eventsIn([record]).size > 0),
    );
    await deliver(records, (batch) => hand(batch, bus.put));
    assertAllPublished(bus.delivered);
  });

  it('sets aside records that can never be published, and continues behind them', async () => {
    const [bad] = [...expected.values()].filter(({ type }) => type === 'wallet.funded');
    const bus = keepingBus(({ eventId }) => (eventId === bad?.eventId ? 'MalformedDetail' : undefined));
    const broken = structuredClone(records.find((record) => eventsIn([record]).size > 0)!);
    broken.dynamodb!.NewImage!['total'] = { N: '1e100' };
    broken.dynamodb!.NewImage!['amount'] = { N: '123456789012345678901234567890' };
    const aside: DynamoDBRecord[] = [];
    assert.equal(await hand([broken, ...records], bus.put, aside), undefined);
    assert.equal(aside.length, 2);
    assert.equal(aside[0], broken);
    assert.deepEqual([...eventsIn(aside.slice(1)).keys()], [bad?.eventId]);
    assert.equal(bus.delivered.length, expected.size - 1);
  });

  it('does not set aside twice a record behind one that must be redelivered', async () => {
    const [first] = expected.values();
    const aside: DynamoDBRecord[] = [];
    const bus = keepingBus(({ eventId, type }) =>
      eventId === first?.eventId ? 'InternalFailure' : type === 'wallet.closed' ? 'InvalidArgument' : undefined,
    );
    const again = await hand(records, bus.put, aside);
    assert.deepEqual([...eventsIn([again!]).keys()], [first?.eventId]);
    assert.deepEqual(aside, []);
  });

  it('misses nothing when it dies before or after any call', async () => {
    const calls = await eachDoom(async (doom) => {
      const bus = keepingBus();
      const life = mortal(doom);
      let reborn = false;
      await deliver(records, async (batch) => {
        const put: PutEvents = (entries) => (reborn ? bus.put(entries) : life.call(() => bus.put(entries)));
        const again = await hand(batch, put);
        if (life.died && !reborn) {
          reborn = true;
          throw new Death();
        }
        return again;
      });
      assertAllPublished(bus.delivered);
      return { struck: life.died };
    });
    assert.ok(calls >= 3, String(calls));
  });

  it('misses nothing when batches are split, repeated and interleaved, and calls fail at random', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = numbers(seed);
      const bus = keepingBus(() => (random() < 0.2 ? 'ThrottlingException' : undefined));
      const put: PutEvents = async (entries) => {
        if (random() < 0.1) throw new Error('lost request');
        const codes = await bus.put(entries);
        if (random() < 0.1) throw new Error('lost answer');
        return codes;
      };
      // Keeps the order of each item; items change places.
      const lanes = Map.groupBy(records, ({ dynamodb }) => JSON.stringify(dynamodb?.Keys));
      const shards = [...lanes.values()].flatMap((lane) => (random() < 0.2 ? [lane, lane] : [lane]));
      const interleaved: DynamoDBRecord[] = [];
      const left = shards.map((lane) => [...lane]);
      while (left.some((lane) => lane.length > 0)) {
        const lane = left[Math.floor(random() * left.length)];
        const record = lane?.shift();
        if (record) interleaved.push(record);
      }
      while (interleaved.length > 0) {
        const batch = interleaved.splice(0, 1 + Math.floor(random() * 30));
        await deliver(batch, (rest) => hand(rest, put));
      }
      assertAllPublished(bus.delivered);
    }
  });
});
