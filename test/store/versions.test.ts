/** Items and messages that this release does not know: of an unknown type, or of a newer version. */
import type { Context, DynamoDBRecord, SQSEvent } from 'aws-lambda';
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { consume, consumeTogether } from '../../lambdas/aws/consumer.ts';
import { notifiedEvents, screenedEvents, workMessage } from '../../lambdas/contract.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { consumeEvents } from '../../lambdas/events/event-consumer.ts';
import { beginPass, runPass } from '../../lambdas/integrity/pass.ts';
import { listDue } from '../../lambdas/store/due.ts';
import { lastEntry } from '../../lambdas/store/entries.ts';
import { getState, putState } from '../../lambdas/store/integrity.ts';
import { readJournal } from '../../lambdas/store/journal.ts';
import {
  dueShardOf,
  entryKey,
  integrityKey,
  preferencesKey,
  transactionKey,
  walletKey,
} from '../../lambdas/store/keys.ts';
import { getPreferences, putPreferences } from '../../lambdas/store/preferences.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { notifyOwners } from '../../lambdas/workers/notifier.ts';
import { relay } from '../../lambdas/workers/relay.ts';
import type { SetAside } from '../../lambdas/workers/relay.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { newSentTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { eventsIn, fingerprintKey, issuer, keepingBus, publisherTo } from '../simulation/consumers.ts';
import { charge, queueTransfer, transfer } from './commands.ts';
import { allItems, itemOf, plant } from './inspect.ts';
import { acceptedWithdrawal, bankId } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
let books: TestBooks;
beforeAll(async () => {
  books = await newBooks(engine);
});
afterAll(() => {
  books.close();
});

type Key = { readonly pk: string; readonly sk: string };

/** An item as this release stores it, where it is, and how it is read. */
interface Stored {
  readonly table: Table;
  readonly key: Key;
  readonly read: () => Promise<unknown>;
}

async function changeItem({ table, key }: Stored, members: object): Promise<void> {
  await plant(table, { ...(await itemOf(table, key)), ...members });
}

const at = '2026-03-01T12:00:00.000Z';
const later = '9';

function storedTransaction(transactionId: string): Stored {
  const { table } = books;
  return { table, key: transactionKey(transactionId), read: () => getTransaction(table, transactionId) };
}

/** One item of each type that has a parser. */
const items: Record<string, () => Promise<Stored>> = {
  'a charge': async () => {
    const { transaction } = await charge(books.table, await openWallet(books.table, 'ann'), { amount: 5 });
    return storedTransaction(transaction.transactionId);
  },
  'a withdrawal': async () => storedTransaction((await acceptedWithdrawal(books.table)).transactionId),
  'a transfer': async () => {
    const { table } = books;
    const [from, to] = [await fundedWallet(table, 'ann', 5), await openWallet(table, 'bob')];
    const { transaction } = await transfer(table, from, to, { owner: 'ann', amount: 5 });
    return storedTransaction(transaction.transactionId);
  },
  'a wallet': async () => {
    const { table } = books;
    const walletId = await openWallet(table, 'ann');
    return { table, key: walletKey(walletId), read: () => getWallet(table, walletId) };
  },
  'an entry': async () => {
    const { table, entries } = books;
    const walletId = await openWallet(table, 'ann');
    await books.follow();
    return { table: entries, key: entryKey(walletId, 0), read: () => lastEntry(entries, walletId) };
  },
  'due work': async () => {
    const { table } = books;
    const { transactionId } = await acceptedWithdrawal(table);
    const shard = Number(dueShardOf('withdrawal', transactionId).slice('DUE#w'.length));
    const read = async () => {
      const { work: listed } = await listDue(table, { type: 'withdrawal', shard, before: later, limit: 100 });
      const failed = listed.find((one) => one instanceof UnreadableItem);
      if (failed !== undefined) throw failed;
      return listed.find((one) => !(one instanceof UnreadableItem) && one.transactionId === transactionId);
    };
    return { table, key: transactionKey(transactionId), read };
  },
  'preferences of an owner': async () => {
    const { table } = books;
    const channels = { email: true, sms: false, push: false };
    await putPreferences(table, 'ann', { channels, mutedEvents: [] }, at);
    return { table, key: preferencesKey('ann'), read: () => getPreferences(table, 'ann') };
  },
  'the state of the check': async () => {
    const { entries } = books;
    await putState(entries, 'running', '{}', (await getState(entries, 'running'))?.revision);
    return { table: entries, key: integrityKey('running'), read: () => getState(entries, 'running') };
  },
};

describe('an item that is stored', () => {
  for (const [name, make] of Object.entries(items)) {
    it(`is read the same when an earlier release stored it without a version: ${name}`, async () => {
      const stored = await make();
      const expected = await stored.read();
      assert.notEqual(expected, undefined);
      await changeItem(stored, { v: undefined });
      assert.deepEqual(await stored.read(), expected);
    });

    it(`is an error of its reader when its version is a newer one: ${name}`, async () => {
      const stored = await make();
      await changeItem(stored, { v: 2 });
      const { pk } = stored.key;
      await assert.rejects(stored.read(), (error) => {
        assert.ok(error instanceof UnreadableItem);
        assert.ok(error.message.includes(pk) && error.message.includes('version 2'), error.message);
        return true;
      });
      await changeItem(stored, { v: undefined });
    });
  }

  /** Members that name a type or status of a newer release, or that no item of the type has. */
  const unknown: readonly (readonly [string, object, RegExp])[] = [
    ['a charge', { type: 'capture' }, /type "capture"/],
    ['a charge', { status: 'pending' }, /a charge cannot be pending/],
    ['a charge', { amount: 0.5 }, /its amount is 0.5/],
    ['a charge', { walletId: undefined }, /no wallet/],
    ['a withdrawal', { destination: undefined }, /lacks what a withdrawal needs/],
    ['a withdrawal', { dueAt: undefined, dueShard: undefined }, /never due/],
    ['a transfer', { counterpartyWalletId: undefined }, /lacks what a transfer needs/],
    ['a transfer', { completedAt: undefined }, /no time of its end/],
    ['a wallet', { status: 'dormant' }, /status "dormant"/],
    ['an entry', { hash: undefined }, /no hash/],
    ['due work', { type: 'capture' }, /type "capture"/],
    ['preferences of an owner', { channels: undefined }, /no preferences/],
    ['the state of the check', { text: undefined }, /no text/],
  ];
  for (const [name, members, message] of unknown) {
    it(`is an error of its reader when it is ${name} with ${JSON.stringify(members)}`, async () => {
      const stored = await items[name]!();
      const original = await itemOf(stored.table, stored.key);
      await changeItem(stored, members);
      await assert.rejects(stored.read(), message);
      await plant(stored.table, original!);
    });
  }

  it('is refused for a transfer in a status that no transfer has', async () => {
    const stored = await items['a transfer']!();
    await changeItem(stored, { status: 'review' });
    await assert.rejects(stored.read(), /a transfer cannot be review/);
  });

  it('lacks a version only where its kilobyte is full or a write only adds to it', async () => {
    const own = await newBooks(engine);
    await acceptedWithdrawal(own.table);
    await own.follow();
    own.close();
    const unversioned = new Set<string>();
    for (const table of [own.table, own.entries]) {
      for (const { pk, v } of await allItems(table)) {
        if (v === undefined) unversioned.add(String(pk).split('#')[0] ?? '');
      }
    }
    assert.ok(unversioned.has('TX'));
    for (const type of ['WALLET', 'ENTRY', 'JOURNAL']) assert.ok(!unversioned.has(type), type);
  });

  it('is reported by its journal when it is a page of a newer version', async () => {
    const { table, entries, follow } = await newBooks(engine);
    await openWallet(table, 'ann');
    await follow();
    const [page] = (await allItems(entries)).filter(({ lines }) => lines !== undefined);
    assert.ok(page);
    await plant(entries, { ...page, v: 2 });
    const unreadable: string[] = [];
    for await (const read of readJournal(entries, String(page['booked']))) unreadable.push(...read.unreadable);
    assert.deepEqual(unreadable, [page['sk']]);
  });
});

/** Records of changes that this release does not know. */
function unknownRecords(record: DynamoDBRecord): Record<string, DynamoDBRecord> {
  const change = (members: object, keys: object = {}) => {
    const changed = structuredClone(record);
    Object.assign(changed.dynamodb!.NewImage!, toItem(members));
    Object.assign(changed.dynamodb!.Keys!, toItem(keys));
    return changed;
  };
  return {
    'a newer version': change({ v: 2 }),
    'an unknown type': change({ type: 'capture' }),
    'an unknown sort key': change({}, { sk: 'CARD' }),
  };
}

describe('a change that this release does not know', () => {
  it('is set aside whole by the relay, which publishes those behind it', async () => {
    const { table, takeRecords, close } = await newBooks(engine);
    await charge(table, await openWallet(table, 'ann'), { amount: 5 });
    const records = await takeRecords();
    const [funding] = records.filter((record) => [...eventsIn([record]).values()][0]?.type === 'wallet.funded');
    for (const [name, unknown] of Object.entries(unknownRecords(funding!))) {
      const aside: DynamoDBRecord[] = [];
      const bus = keepingBus();
      const setAside = {
        send: ({ Records }: SetAside) => {
          aside.push(...Records);
          return Promise.resolve();
        },
      };
      const key = () => Promise.resolve([fingerprintKey] as const);
      const services = { publisher: publisherTo(bus.put), setAside, fingerprintKey: key, issuer };
      assert.equal(await relay([unknown, ...records], services, 20_000), undefined, name);
      assert.deepEqual(aside, [unknown], name);
      assert.deepEqual(bus.delivered, [...eventsIn(records).values()], name);
    }
    close();
  });

  it('is set aside whole by the projector, which follows the other wallets', async () => {
    const own = await newBooks(engine);
    const ann = await fundedWallet(own.table, 'ann', 5);
    const records = await own.takeRecords();
    const [funding] = records.filter((record) => [...eventsIn([record]).values()][0]?.type === 'wallet.funded');
    for (const [name, unknown] of Object.entries(unknownRecords(funding!))) {
      own.aside.length = 0;
      assert.equal(await own.hand([unknown, ...records]), undefined, name);
      assert.deepEqual(own.aside, [unknown], name);
      assert.equal((await lastEntry(own.entries, ann))?.version, 1, name);
    }
    own.close();
  });

  it('of a wallet is set aside by the projector with the changes behind it, and projected in their order later', async () => {
    const own = await newBooks(engine);
    const ann = await openWallet(own.table, 'ann');
    for (const amount of [1, 2, 3]) await charge(own.table, ann, { amount });
    const records = await own.takeRecords();
    const newer = records.map((record) => {
      const { dynamodb } = record;
      if (dynamodb?.Keys?.['sk']?.S !== 'WALLET' || dynamodb.NewImage?.['version']?.N === '0') return record;
      const NewImage = { ...dynamodb.NewImage, v: { N: '2' } };
      return { ...record, dynamodb: { ...dynamodb, NewImage } };
    });
    assert.equal(await own.hand(newer), undefined);
    assert.equal((await lastEntry(own.entries, ann))?.version, 0);
    const aside = own.aside.map(({ dynamodb }) => dynamodb?.SequenceNumber);
    // A newer release reads them.
    const again = records.filter(({ dynamodb }) => aside.includes(dynamodb?.SequenceNumber));
    assert.equal(again.length, 3);
    assert.equal(await own.hand(again), undefined);
    assert.equal((await lastEntry(own.entries, ann))?.version, 3);
    own.close();
  });
});

/** Delivers messages to a consumer. Returns the ids of those that it keeps. */
async function deliver(
  handler: (event: SQSEvent, context: Context) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>,
  ...bodies: readonly object[]
): Promise<string[]> {
  const Records = bodies.map((body, index) => ({
    messageId: String(index),
    receiptHandle: String(index),
    body: JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '1' },
  }));
  const { batchItemFailures } = await handler({ Records } as unknown as SQSEvent, {} as Context);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

const queue = { delay: () => Promise.resolve() };

describe('a message of work', () => {
  const ids = ['one', 'two', 'three'].map((key) => transactionIdOf('ann', key));
  const [first = '', second = '', third = ''] = ids;
  const messages = [workMessage(first), { ...workMessage(second), version: 2 }, { transactionId: third }];

  it('of a newer version is kept by both kinds of consumers; one of an earlier release is handled', async () => {
    const handled: string[] = [];
    const alone = consume({
      queue,
      handle: (id) => {
        handled.push(id);
        return Promise.resolve(undefined);
      },
      now: () => 0,
    });
    const together = consumeTogether({
      queue,
      handle: (some) => {
        handled.push(...some);
        return Promise.resolve(new Map());
      },
    });
    for (const handler of [alone, together]) {
      handled.length = 0;
      assert.deepEqual(await deliver(handler, ...messages), ['1']);
      assert.deepEqual(handled, [first, third]);
    }
  });

  it('for a withdrawal of a newer version is kept, and nothing is written to it', async () => {
    const { table } = books;
    const { transactionId } = await acceptedWithdrawal(table);
    const stored = storedTransaction(transactionId);
    await changeItem(stored, { v: 2 });
    const before = await itemOf(table, stored.key);
    const wrong = () => Promise.reject(new Error('the bank must not be called'));
    const bank = { submit: wrong, find: wrong, isDown: () => false };
    const policy = { maxAttempts: 5, notFoundWindowMs: 60_000 };
    const handler = consume({
      queue,
      handle: (id) => advanceWithdrawal(id, { table, bank, bankId, policy }),
      now: table.now,
    });
    assert.deepEqual(await deliver(handler, workMessage(transactionId)), ['0']);
    assert.deepEqual(await itemOf(table, stored.key), before);
    await changeItem(stored, { v: undefined });
  });

  it('for a transfer of a newer version is kept, and the others arrive', async () => {
    const { table } = books;
    const [from, to] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'bob')];
    const sent: string[] = [];
    for (const amount of [1, 2]) {
      sent.push((await queueTransfer(table, from, to, { owner: 'ann', amount })).transaction.transactionId);
    }
    const stored = storedTransaction(sent[0]!);
    await changeItem(stored, { v: 2 });
    const handler = consumeTogether({ queue, handle: (some) => endTransfers(some, table) });
    assert.deepEqual(await deliver(handler, ...sent.map(workMessage)), ['0']);
    assert.equal((await getTransaction(table, sent[1]!))?.status, 'completed');
    await changeItem(stored, { v: undefined });
    assert.deepEqual(await deliver(handler, ...sent.map(workMessage)), []);
    assert.equal((await getTransaction(table, sent[0]!))?.status, 'completed');
  });
});

describe('an event', () => {
  const bodyOf = (event: object, id: string) => ({ id, source: 'wallet', detail: event });

  it('of a newer version or an unknown type is kept by screening and notifications', async () => {
    const { table, takeRecords, close } = await newBooks(engine);
    await charge(table, await openWallet(table, 'ann'), { amount: 5 });
    const [event] = [...eventsIn(await takeRecords()).values()].filter(({ type }) => type === 'wallet.funded');
    close();
    for (const types of [screenedEvents, notifiedEvents]) {
      const seen: string[] = [];
      const handle = (deliveries: readonly { readonly envelopeId: string }[]) => {
        seen.push(...deliveries.map(({ envelopeId }) => envelopeId));
        return Promise.resolve(new Map<string, unknown>());
      };
      const handler = consumeEvents({ queue, types, handle });
      const kept = await deliver(
        handler,
        bodyOf({ ...event, version: 2 }, 'newer'),
        bodyOf({ ...event, type: 'card.captured' }, 'unknown'),
        bodyOf(event!, 'known'),
      );
      assert.deepEqual([kept, seen], [['0', '1'], ['known']]);
    }
  });

  it('about a wallet of a newer version is kept by the notifier, and the others are told', async () => {
    const { table, takeRecords, close } = await newBooks(engine);
    const wallets: string[] = [];
    for (const owner of ['ann', 'bob']) {
      await putPreferences(table, owner, { channels: { email: true, sms: false, push: false }, mutedEvents: [] }, at);
      wallets.push(await fundedWallet(table, owner, 5));
    }
    const events = [...eventsIn(await takeRecords()).values()].filter(({ type }) => type === 'wallet.funded');
    close();
    await changeItem({ table, key: walletKey(wallets[0]!), read: () => Promise.resolve() }, { v: 2 });
    const told: string[] = [];
    const sent = engine.openTable(await newSentTable(engine));
    const notify = ({ ownerId }: { readonly ownerId: string }) => {
      told.push(ownerId);
      return Promise.resolve();
    };
    const handler = consumeEvents({
      queue,
      types: notifiedEvents,
      handle: (deliveries) => notifyOwners(deliveries, { table, sent, notify }),
    });
    assert.deepEqual(await deliver(handler, ...events.map((event, n) => bodyOf(event, String(n)))), ['0']);
    assert.deepEqual(told, ['bob']);
  });
});

describe('work and books of a newer release', () => {
  it('stay due when the sweeper meets them, which queues all other work and fails', async () => {
    const table = await engine.newTable();
    const { transactionId: unknown } = await acceptedWithdrawal(table);
    const { transactionId: lost } = await acceptedWithdrawal(table);
    const key = transactionKey(unknown);
    await changeItem({ table, key, read: () => Promise.resolve() }, { v: 2 });
    const before = await itemOf(table, key);
    table.clock.now += 600_000;
    const sent: string[] = [];
    const swept = {
      send: (batch: readonly { readonly transactionId: string }[]) => {
        sent.push(...batch.map(({ transactionId }) => transactionId));
        return Promise.resolve([]);
      },
      depth: () => Promise.resolve(0),
    };
    await assert.rejects(sweep({ table, withdrawals: swept, transfers: swept }), UnreadableItem);
    assert.deepEqual(sent, [lost]);
    assert.deepEqual(await itemOf(table, key), before);
  });

  it('are reported by the check of the books, which comes to its end', async () => {
    const own = await newBooks(engine);
    const { table, entries } = own;
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const { walletId: other } = await acceptedWithdrawal(table);
    await own.follow();
    for (const key of [walletKey(other), transactionKey(transactionId)]) {
      await changeItem({ table, key, read: () => Promise.resolve() }, { v: 2 });
    }
    const found: string[] = [];
    const pass = beginPass({ passId: 'pass', now: table.now(), segments: 2, standStill: true, bankId: undefined });
    for (;;) {
      const outcome = await runPass({ table, entries, statement: undefined }, pass, {
        now: table.now,
        stop: () => false,
        secondLookMs: 60_000,
        report: ({ kind, subject, detail }) => found.push(`${kind} ${subject} ${detail}`),
      });
      if (outcome === 'done') break;
      table.clock.now += 60_000;
    }
    for (const { pk } of [walletKey(other), transactionKey(transactionId)]) {
      assert.ok(
        found.some((one) => one.startsWith(`unreadable ${pk} version 2`)),
        found.join('\n'),
      );
    }
    assert.equal((await lastEntry(entries, walletId))?.version, 2);
    own.close();
  });
});
