/** Fees and their collections in the check of the books, on the real engine. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, it } from '@jest/globals';
import { collectionIdOf } from '../../lambdas/domain/ids.ts';
import { checkFees, noteCollection } from '../../lambdas/integrity/fee-check.ts';
import type { LastCollections } from '../../lambdas/integrity/fee-check.ts';
import { beginHours, hoursFromText, hoursToText, runHours } from '../../lambdas/integrity/hours.ts';
import { addOutside } from '../../lambdas/integrity/sums.ts';
import type { AllSums } from '../../lambdas/integrity/sums.ts';
import { scanBooks } from '../../lambdas/store/books.ts';
import { feesKey, transactionKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { epoch } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { transfer } from './commands.ts';
import { findingsOf } from './findings.ts';
import { collect, hourMs, newScene, paidInFees } from './fee-scenes.ts';
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

const remove = (table: TestTable, key: { pk: string; sk: string }) =>
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

  it('finds records whose fee or postings someone changed', async () => {
    const { table, sent, charged, waiting, captured, arrived, payer, shop } = scene;
    const change = ({ transactionId }: { readonly transactionId: string }, members: object) =>
      changeItem(table, transactionKey(transactionId), members);
    await change(sent, { fee: 2 });
    await change(charged, { fee: undefined, v: undefined });
    await change(waiting, { fee: 18 });
    await change(captured, { fee: 250 });
    const toReceiver = [
      { account: `wallet:${payer}:available`, amount: -211 },
      { account: 'transit:EUR', amount: 211 },
      { account: 'transit:EUR', amount: -211 },
      { account: `wallet:${shop}:available`, amount: 211 },
    ];
    await change(arrived, { postings: toReceiver });
    const found = (await findingsOf(scene)).join('\n');
    for (const { transactionId } of [sent, charged, waiting, arrived]) {
      assert.match(found, new RegExp(`transaction_invalid ${transactionId}: its postings are not those`));
    }
    assert.match(found, new RegExp(`transaction_invalid ${captured.transactionId}: its fee is 250`));
    await putBack();
  });

  it('finds a fee that someone gave to the receiver, with its record', async () => {
    const { table, sent, payer, shop } = scene;
    const postings = [
      { account: `wallet:${payer}:available`, amount: -103 },
      { account: `wallet:${shop}:available`, amount: 103 },
    ];
    const members = { amount: 103, fee: undefined, v: undefined, postings };
    await changeItem(table, transactionKey(sent.transactionId), members);
    const found = (await findingsOf(scene)).join('\n');
    assert.match(found, /total_differs fees:EUR: its total is 43, its postings sum to 40/);
    assert.match(found, /fees_differ EUR: 43 were collected, and 40 were paid/);
    await putBack();
  });

  const collected = (members: object) => (table: TestTable) => changeItem(table, transactionKey(second), members);
  const record = (members: object) => (table: TestTable) => changeItem(table, feesKey('EUR'), members);
  const says = 'its record says';
  const tamperings: Record<string, [(table: TestTable) => Promise<unknown>, string]> = {
    'the amount of a collection': [
      collected({ amount: 104, collected: 143, postings: [{ account: 'collected:EUR', amount: -104 }] }),
      '143 were collected, and 43 were paid',
    ],
    'what a collection says of all': [
      collected({ collected: 42 }),
      'its collections add up to 43, and the last one says 42',
    ],
    'a collection, by removing it': [
      (table) => remove(table, transactionKey(first)),
      'its collections add up to 4, and the last one says 43',
    ],
    'the last collection, by removing it': [
      (table) => remove(table, transactionKey(second)),
      `${says} 2 collections of 43, and collection 2 does not exist`,
    ],
    'the record of what was collected': [
      record({ collected: 3 }),
      `${says} 2 collections of 3, and collection 2 says 43`,
    ],
    'that record, to the one before the last collection': [
      record({ sequence: 1, collected: 39 }),
      `${says} 1 collections of 39, and collection 2 exists`,
    ],
    'that record, by removing it': [
      (table) => remove(table, feesKey('EUR')),
      `${says} 0 collections of 0, and collection 1 exists`,
    ],
    'that record, to nonsense': [
      record({ settled: 'much' }),
      'the record of what was collected cannot be read: what was collected of the fees is not known',
    ],
  };
  it.each(Object.entries(tamperings))('finds it when someone changed %s', async (_name, [change, expected]) => {
    await change(scene.table);
    assert.deepEqual(await feeFindings(scene), [`fees_differ EUR: ${expected}`]);
    await putBack();
    assert.deepEqual(await feeFindings(scene), []);
  });
});

/** Returns what the check of the books finds about fees, without the other parts of a pass. */
async function feeFindings({ table }: Scene): Promise<string[]> {
  const [sums, last]: [AllSums, LastCollections] = [{}, {}];
  const { items } = await scanBooks(table, { segment: 0, segments: 1, after: undefined });
  for (const item of items) {
    if (item.kind !== 'transaction') continue;
    addOutside(sums, item.transaction.postings);
    if (item.transaction.type === 'collection') noteCollection(last, item.transaction);
  }
  const { found } = await checkFees(table, sums, last);
  return found.map(({ kind, subject, detail }) => `${kind} ${subject}: ${detail}`);
}

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
