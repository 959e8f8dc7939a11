/** Holds in the check of the books, in the sweeper's run and in a recovery, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { Hold } from '../../lambdas/domain/transaction.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { answer } from '../faults.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { findingsOf, findingsOfHour } from './findings.ts';
import { capture, dayMs, holdOf, openHold, release } from './hold-commands.ts';
import { allItems, changeItem, fieldsOf, isDue, itemOf, plant } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { plantDue, queueOfDepth } from './work.ts';
import { recover } from './recovering.ts';

const engine = useEngine();
const hourMs = 3_600_000;

/** Opens books with holds in each state, at different times. */
async function busyHolds() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 10_000);
  const shop = await openWallet(table, 'shop');
  const open = async (amount: number, to: string | undefined = shop) => {
    table.clock.now += 1_000;
    return openHold(table, payer, { amount, to });
  };
  const parts = await open(100);
  const final = await open(200);
  const released = await open(300);
  const expired = await open(400);
  const outside = await openHold(table, payer, { amount: 500 });
  const whole = await open(600);
  table.clock.now += 7_000;
  const first = (await capture(table, parts, { amount: 30 })).transaction;
  await capture(table, parts, { amount: 20 });
  const last = (await capture(table, final, { amount: 150, isFinal: true })).transaction;
  await capture(table, released, { amount: 10 });
  await capture(table, outside, { amount: 100 });
  await capture(table, whole);
  table.clock.now += 7_000;
  await release(table, await holdOf(table, released));
  await books.follow();
  return { ...books, payer, shop, parts, final, released, expired, outside, whole, first, last };
}
type Scene = Awaited<ReturnType<typeof busyHolds>>;

const sweeping = ({ table }: Pick<Scene, 'table'>) =>
  sweep({ table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0) });

describe('the check of the books', () => {
  it('finds nothing wrong with holds in any state, at rest and after an hour', async () => {
    const scene = await busyHolds();
    assert.deepEqual(await findingsOf(scene), []);
    scene.table.clock.now += 2 * hourMs;
    // This hold is changed after the moment of the check.
    await capture(scene.table, scene.parts, { amount: 1 });
    await scene.follow();
    assert.deepEqual(await findingsOf(scene, false), []);
  });

  it('finds nothing wrong with the closed hour of holds, and names a capture after the expiry in it', async () => {
    const scene = await busyHolds();
    const { table, parts, first } = scene;
    const { found, counts } = await findingsOfHour(scene);
    assert.deepEqual([found, counts?.bookings, counts?.wallets], [[], 14, 2]);
    await changeItem(table, transactionKey(parts.transactionId), { expiresAt: first.createdAt });
    assert.ok((await findingsOfHour(scene)).found.includes(`hold_differs ${first.transactionId}`));
  });

  const sum = 'captures add up to another amount than the hold';
  const tamperings: [string, (scene: Scene) => [Hold | Scene['first'], Item], (scene: Scene) => RegExp][] = [
    [
      'what a hold says of its captures',
      ({ parts }) => [parts, { captured: 20 }],
      ({ payer, parts }) => new RegExp(`hold_differs ${payer}: ${sum} ${parts.transactionId} says`),
    ],
    [
      'what two holds say, by the same amount',
      ({ parts }) => [parts, { captured: 60 }],
      ({ payer }) => new RegExp(`hold_differs ${payer}: captures add up to another amount than one of its holds says`),
    ],
    [
      'the hold of a capture',
      ({ first, outside }) => [first, { originalTransactionId: outside.transactionId }],
      ({ first }) => new RegExp(`hold_differs ${first.transactionId}: its counterpartyWalletId is not that`),
    ],
    [
      'the hold of a capture to one that does not exist',
      ({ first }) => [first, { originalTransactionId: 'tx_none' }],
      ({ first }) => new RegExp(`hold_differs ${first.transactionId}: its hold tx_none does not exist`),
    ],
    [
      'the time of a capture, to one after the expiry',
      ({ first }) => [first, { createdAt: new Date(epoch + 3 * dayMs).toISOString() }],
      ({ first }) => new RegExp(`hold_differs ${first.transactionId}: it was made at \\S+, and its hold has expired`),
    ],
    [
      'the expiry of a hold, to a time before its captures',
      ({ parts }) => [parts, { expiresAt: new Date(epoch).toISOString() }],
      ({ first }) => new RegExp(`hold_differs ${first.transactionId}: it was made at`),
    ],
    [
      'the end of a hold',
      ({ final }) => [final, { end: 'expired' }],
      ({ final }) => new RegExp(`transaction_invalid ${final.transactionId}: its postings are not those of`),
    ],
    [
      'the amount that a hold says, beyond it',
      ({ parts }) => [parts, { captured: 101 }],
      ({ parts }) => new RegExp(`transaction_invalid ${parts.transactionId}: it lacks what a hold needs`),
    ],
    [
      'an open hold to an ended one',
      ({ parts }) => [parts, { status: 'ended', end: 'captured', completedAt: new Date(epoch).toISOString() }],
      ({ payer, parts }) =>
        new RegExp(
          `hold_differs ${payer}: final captures give back another amount than the hold ${parts.transactionId}`,
        ),
    ],
  ];
  it.each(tamperings)('finds it when someone changed %s', async (name, change, expected) => {
    const scene = await busyHolds();
    const [{ transactionId }, members] = change(scene);
    await changeItem(scene.table, transactionKey(transactionId), members);
    if (name.includes('two holds')) {
      await changeItem(scene.table, transactionKey(scene.outside.transactionId), { captured: 90 });
    }
    const found = await findingsOf(scene);
    assert.match(found.join('\n'), expected(scene));
  });

  it('finds a hold that is open long after its expiry, and a capture that is gone', async () => {
    const scene = await busyHolds();
    const { table, parts, payer, last } = scene;
    table.clock.now += dayMs + 2 * hourMs;
    assert.match(
      (await findingsOf(scene)).join('\n'),
      new RegExp(`hold_differs ${parts.transactionId}: it is open, and`),
    );
    await forget(scene, last.transactionId);
    assert.match((await findingsOf(scene)).join('\n'), new RegExp(`hold_differs ${payer}`));
  });
});

async function forget({ table }: Pick<TestBooks, 'table'>, transactionId: string): Promise<void> {
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(transactionKey(transactionId)) }));
}

describe('the sweeper', () => {
  it('ends expired holds once, also in a frozen wallet, and no other hold', async () => {
    const scene = await busyHolds();
    const { table, payer, expired, parts, outside } = scene;
    const later = await openHold(table, payer, { amount: 7, forMs: 2 * dayMs });
    await setStatus(table, payer, 'frozen');
    await sweeping(scene);
    assert.equal((await holdOf(table, expired)).status, 'open');
    const ends = async () => {
      table.clock.now = Date.parse(parts.expiresAt) + dayMs / 2;
      await sweeping(scene);
    };
    await ends();
    for (const hold of [expired, parts, outside]) {
      const { status, end, dueAt } = (await fieldsOf(table, hold.transactionId)) ?? {};
      assert.deepEqual([status, end, dueAt], ['ended', 'expired', undefined]);
    }
    assert.equal((await holdOf(table, later)).status, 'open');
    assert.equal(await isDue(table, later.transactionId), true);
    const balance = await balanceOf(table, payer);
    assert.deepEqual(balance, { available: 10_000 - 50 - 150 - 10 - 100 - 600 - 7, held: 7, total: 9_090 });
    await ends();
    assert.deepEqual(await balanceOf(table, payer), balance);
  });

  it('ends the holds behind a page of holds that it cannot read', async () => {
    const { table, parts } = await busyHolds();
    const { dueShard } = (await itemOf(table, transactionKey(parts.transactionId))) ?? {};
    await plantDue(table, String(dueShard), 100, { type: 'hold', v: 2 });
    table.clock.now = Date.parse(parts.expiresAt) + dayMs / 2;
    await assert.rejects(sweeping({ table }), /version 2/);
    assert.equal((await holdOf(table, parts)).status, 'ended');
  });

  it('ends the holds of one wallet one after the other, whatever their shards and the number of shards', async () => {
    const { table, payer, parts } = await busyHolds();
    const more = await Promise.all(Array.from({ length: 40 }, () => openHold(table, payer, { amount: 1 })));
    table.clock.now = Date.parse(parts.expiresAt) + dayMs / 2;
    let [writing, most] = [0, 0];
    table.fault = async (call, send) => {
      if (call.operation !== 'TransactWriteItems') return send();
      most = Math.max(most, ++writing);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return send().finally(() => writing--);
    };
    await sweeping({ table: { ...table, dueShards: 1 } });
    table.fault = undefined;
    assert.equal(most, 1);
    for (const hold of more) assert.equal((await holdOf(table, hold)).status, 'ended');
  });

  it('ends the other holds when one of them fails, and throws its failure', async () => {
    const scene = await busyHolds();
    const { table, expired, parts } = scene;
    table.clock.now = Date.parse(parts.expiresAt) + dayMs / 2;
    table.fault = (call, send) =>
      call.operation === 'TransactWriteItems' && JSON.stringify(call.input).includes(expired.transactionId)
        ? answer('ValidationException')(call, send)
        : send();
    await assert.rejects(sweeping(scene), /ValidationException/);
    table.fault = undefined;
    assert.deepEqual([(await holdOf(table, expired)).status, (await holdOf(table, parts)).status], ['open', 'ended']);
  });
});

describe('a recovery', () => {
  /** Returns what the check of the books finds after a recovery. */
  async function afterwards(scene: Scene): Promise<string[]> {
    const found = await findingsOf(scene);
    // The clock of the recovery is the real one, and so these holds are overdue.
    return found.filter((line) => !line.includes('it is open, and has expired'));
  }

  /** Returns books and their events, before the projector has followed. */
  async function withEvents() {
    const scene = await busyHolds();
    const { table, payer, shop, takeRecords, hand } = scene;
    const hold = await openHold(table, payer, { amount: 100, to: shop });
    const before = (await itemOf(table, transactionKey(hold.transactionId))) ?? {};
    table.clock.now += 1_000;
    const part = (await capture(table, hold, { amount: 30 })).transaction;
    table.clock.now += 1_000;
    const end = (await capture(table, await holdOf(table, hold), { amount: 20, isFinal: true })).transaction;
    const records = await takeRecords();
    await hand(records);
    return { ...scene, hold, before, part, end, events: [...eventsIn(records).values()] };
  }

  it('puts a hold and its captures back from their events', async () => {
    const scene = await withEvents();
    const { table, payer, hold, part, end, events } = scene;
    const balance = await balanceOf(table, payer);
    for (const { transactionId } of [hold, part, end]) await forget(scene, transactionId);
    const lines = await recover(scene, events);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('DIFFERENCE')),
      [],
    );
    const ended = await fieldsOf(table, hold.transactionId);
    assert.deepEqual(
      [ended?.status, ended?.end, ended?.captured, ended?.counterpartyWalletId, ended?.endedBy?.principal],
      ['ended', 'captured', 50, scene.shop, 'shop'],
    );
    const put = await fieldsOf(table, part.transactionId);
    assert.deepEqual([put?.capturedBy, put?.principal, put?.ownerId], ['owner', 'shop', 'ann']);
    assert.deepEqual(await balanceOf(table, payer), balance);
    assert.deepEqual(await afterwards(scene), []);
    assert.deepEqual(await recover(scene, events), [], 'a second run changes nothing');
  });

  it('brings a hold forward to what its captures took, without events', async () => {
    const scene = await withEvents();
    const { table, hold, before } = scene;
    await plant(table, before);
    const lines = await recover(scene, []);
    assert.match(lines.join('\n'), new RegExp(`${hold.transactionId}: its captures took 50, and have ended it`));
    const ended = await fieldsOf(table, hold.transactionId);
    assert.deepEqual([ended?.status, ended?.end, ended?.captured], ['ended', 'captured', 50]);
    assert.deepEqual(await afterwards(scene), []);
  });

  it('opens a hold again whose last capture was forgotten, and keeps its money held', async () => {
    const scene = await withEvents();
    const { table, hold, end } = scene;
    await forget(scene, end.transactionId);
    const lines = await recover(scene, []);
    const again = await fieldsOf(table, hold.transactionId);
    assert.deepEqual(
      [again?.status, again?.end, again?.captured, again?.dueAt],
      ['open', undefined, 30, hold.expiresAt],
    );
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE transaction_forgotten ${end.transactionId}`));
    assert.deepEqual(await afterwards(scene), []);
  });

  it('gives back more of a released hold whose capture was forgotten', async () => {
    const scene = await busyHolds();
    const { table, payer, released } = scene;
    const items = await allItems(table);
    const lost = items.find(({ originalTransactionId }) => originalTransactionId === released.transactionId);
    await forget(scene, String(lost?.['transactionId']));
    await recover(scene, []);
    const ended = await fieldsOf(table, released.transactionId);
    assert.deepEqual([ended?.status, ended?.captured, ended?.postings.at(-1)?.amount], ['ended', 0, 300]);
    assert.deepEqual(await afterwards(scene), []);
    assert.equal((await balanceOf(table, payer)).held, 50 + 400 + 400);
  });
});
