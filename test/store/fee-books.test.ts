/** Fees and their collections in the check of the books, on the real engine. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, it } from '@jest/globals';
import { collectionIdOf } from '../../lambdas/domain/ids.ts';
import { beginHours, hoursFromText, hoursToText, runHours } from '../../lambdas/integrity/hours.ts';
import { feesKey, transactionKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { epoch } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { transfer } from './commands.ts';
import { collect, findingsOf, hourMs, newScene, paidInFees } from './fee-scenes.ts';
import type { Scene } from './fee-scenes.ts';
import { allItems, changeItem, itemOf, plant } from './inspect.ts';

const engine = useEngine();
const [first, second] = [1, 2].map((sequence) => collectionIdOf('EUR', sequence)) as [string, string];

let scene: Scene;
let stored: readonly Item[];

/** Opens books with fees that were collected twice. */
async function collectedTwice(): Promise<Scene> {
  const scene = await newScene(engine);
  const { table, entries, payer, shop, revenue, follow } = scene;
  await follow();
  table.clock.now = entries.clock.now = epoch + hourMs + 300_000;
  await collect(scene, revenue);
  await transfer(table, payer, shop, { amount: 1, owner: 'ann', fee: 4 });
  await follow();
  table.clock.now = entries.clock.now = epoch + 2 * hourMs + 300_000;
  await collect(scene, revenue);
  await follow();
  return scene;
}

/** Puts the books back as they were opened. */
async function putBack(): Promise<void> {
  await plant(scene.table, ...stored);
}

const remove = ({ table }: Scene, key: { pk: string; sk: string }) =>
  table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));

describe('the check of the books', () => {
  beforeAll(async () => {
    scene = await collectedTwice();
    stored = await allItems(scene.table);
  });

  it('finds nothing wrong with fees of every command and their collections, at rest and as of an hour', async () => {
    assert.deepEqual(await findingsOf(scene), []);
    for (const ms of [10 * 60_000, hourMs, 5 * hourMs]) {
      scene.table.clock.now = scene.entries.clock.now = epoch + 2 * hourMs + 300_000 + ms;
      assert.deepEqual(await findingsOf(scene, false), []);
    }
  });

  it('finds nothing wrong with fees that nobody collects', async () => {
    const scene = await newScene(engine);
    await scene.follow();
    assert.deepEqual(await findingsOf(scene), []);
  });

  it('finds nothing wrong with the closed hours, and names a total of fees that was changed in a later one', async () => {
    const { table, entries } = await collectedTwice();
    const found: string[] = [];
    let hours = beginHours(epoch - hourMs, undefined);
    const checkTo = async (ms: number) => {
      table.clock.now = entries.clock.now = epoch + ms + 660_000;
      for (;;) {
        const outcome = await runHours({ table, entries, statement: undefined }, hours, {
          now: table.now,
          stop: () => false,
          secondLookMs: 1_000,
          report: ({ kind, subject }) => found.push(`${kind} ${subject}`),
        });
        hours = hoursFromText(hoursToText(hours));
        if (typeof outcome !== 'object') return;
        table.clock.now = entries.clock.now = outcome.waitUntil;
      }
    };
    await checkTo(3 * hourMs);
    assert.deepEqual(found, []);
    const total = (await allItems(entries)).find(({ pk }) => String(pk).startsWith('TOTAL#fees:EUR'));
    await plant(entries, { ...total, sk: '2026-03-01T16', booked: 5 });
    await checkTo(5 * hourMs);
    assert.deepEqual(found, ['total_differs fees:EUR']);
  });

  const tamperings: Record<string, [(scene: Scene) => Promise<unknown>, (scene: Scene) => RegExp]> = {
    'the fee of a transfer': [
      ({ table, sent }) => changeItem(table, transactionKey(sent.transactionId), { fee: 2 }),
      ({ sent }) => new RegExp(`transaction_invalid ${sent.transactionId}: its postings are not those`),
    ],
    'the fee of a charge, to none': [
      ({ table, charged }) =>
        changeItem(table, transactionKey(charged.transactionId), { fee: undefined, v: undefined }),
      ({ charged }) => new RegExp(`transaction_invalid ${charged.transactionId}: its postings are not those`),
    ],
    'the fee of an open withdrawal': [
      ({ table, waiting }) => changeItem(table, transactionKey(waiting.transactionId), { fee: 18 }),
      ({ waiting }) => new RegExp(`transaction_invalid ${waiting.transactionId}: its postings are not those`),
    ],
    'the fee of a capture, to all of it': [
      ({ table, captured }) => changeItem(table, transactionKey(captured.transactionId), { fee: 250 }),
      ({ captured }) => new RegExp(`transaction_invalid ${captured.transactionId}: its fee is 250`),
    ],
    'the posting of a fee, to the receiver': [
      async ({ table, sent, payer, shop }) => {
        const postings = [
          { account: `wallet:${payer}:available`, amount: -103 },
          { account: `wallet:${shop}:available`, amount: 103 },
        ];
        await changeItem(table, transactionKey(sent.transactionId), { postings });
      },
      ({ sent }) => new RegExp(`transaction_invalid ${sent.transactionId}: its postings are not those`),
    ],
    'the fee and the postings of a transfer, together': [
      async ({ table, sent, payer, shop }) => {
        const postings = [
          { account: `wallet:${payer}:available`, amount: -103 },
          { account: `wallet:${shop}:available`, amount: 103 },
        ];
        await changeItem(table, transactionKey(sent.transactionId), {
          amount: 103,
          fee: undefined,
          v: undefined,
          postings,
        });
      },
      () => /total_differs fees:EUR: its total is 43, its postings sum to 40/,
    ],
    'the amount of a collection and its wallet with it': [
      async ({ table, revenue }) => {
        const postings = [
          { account: 'collected:EUR', amount: -104 },
          { account: `wallet:${revenue}:available`, amount: 104 },
        ];
        await changeItem(table, transactionKey(second), { amount: 104, collected: 143, postings });
      },
      () => /fees_differ EUR: 143 were collected, and 43 were paid/,
    ],
    'a collection to one of a wallet that never got it': [
      ({ table }) => changeItem(table, transactionKey(second), { sequence: 7 }),
      () => new RegExp(`transaction_invalid ${second}: its id is not that of collection 7`),
    ],
    'what a collection says of all': [
      ({ table }) => changeItem(table, transactionKey(second), { collected: 42 }),
      () => /fees_differ EUR: its collections add up to 43, and the last one says 42/,
    ],
    'a collection by removing it': [
      (scene) => remove(scene, transactionKey(first)),
      () => /fees_differ EUR: its collections add up to 4, and the last one says 43/,
    ],
    'the last collection by removing it': [
      (scene) => remove(scene, transactionKey(second)),
      () => /fees_differ EUR: its record says 2 collections of 43, and collection 2 does not exist/,
    ],
    'the record of what was collected': [
      ({ table }) => changeItem(table, feesKey('EUR'), { collected: 3 }),
      () => /fees_differ EUR: its record says 2 collections of 3, and collection 2 says 43/,
    ],
    'the record of what was collected, to one before the last': [
      ({ table }) => changeItem(table, feesKey('EUR'), { sequence: 1, collected: 39 }),
      () => /fees_differ EUR: its record says 1 collections of 39, and collection 2 exists/,
    ],
    'the record of what was collected by removing it': [
      (scene) => remove(scene, feesKey('EUR')),
      () => /fees_differ EUR: its record says 0 collections of 0, and collection 1 exists/,
    ],
    'the record of what was collected to nonsense': [
      ({ table }) => changeItem(table, feesKey('EUR'), { settled: 'much' }),
      () => /fees_differ EUR: the record of what was collected cannot be read/,
    ],
  };
  it.each(Object.entries(tamperings))('finds it when someone changed %s', async (_name, [change, expected]) => {
    await change(scene);
    assert.match((await findingsOf(scene)).join('\n'), expected(scene));
    await putBack();
  });
});

describe('the next collection', () => {
  it('is not made from a record that was put back to before the last one', async () => {
    const scene = await newScene(engine);
    const { table, entries, revenue, follow } = scene;
    await follow();
    table.clock.now = entries.clock.now = epoch + hourMs + 300_000;
    await collect(scene, revenue);
    const before = { ...(await itemOf(table, feesKey('EUR'))), sequence: 0, collected: 0, countedTo: '2026-03-01T10' };
    await plant(table, before);
    await assert.rejects(collect(scene, revenue), /collection 1 of EUR exists/);
    assert.equal((await allItems(table)).filter(({ type }) => type === 'collection').length, 1);
  });

  it('is not made from a total that is no number', async () => {
    const scene = await newScene(engine);
    const { table, entries, revenue, follow } = scene;
    await follow();
    const total = (await allItems(entries)).find(({ pk }) => String(pk).startsWith('TOTAL#fees:EUR'));
    await plant(entries, { ...total, booked: 'much' });
    table.clock.now = entries.clock.now = epoch + hourMs + 300_000;
    await assert.rejects(collect(scene, revenue), /a part of the total of fees:EUR is no whole number/);
    await plant(entries, { ...total });
    await collect(scene, revenue);
    assert.equal((await itemOf(table, transactionKey(first)))?.['amount'], paidInFees);
  });
});
