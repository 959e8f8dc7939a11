/** Batches in the check of the books and in a recovery, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOfLine } from '../../lambdas/domain/ids.ts';
import type { BatchLine } from '../../lambdas/domain/batch.ts';
import { batchKey, chunkKey, transactionKey } from '../../lambdas/store/keys.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { complete, sendBatch, transferLine, withdrawalLine } from './batch-commands.ts';
import { findingsOf, findingsOfHour } from './findings.ts';
import { changeItem, entriesOf, fieldsOf, itemOf, plant } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/** Books after a batch: some of its transfers have arrived, one has failed, and a withdrawal has ended. */
async function busyBatch() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 1_000);
  const other = await fundedWallet(table, 'eve', 100);
  const [shop, gone] = [await openWallet(table, 'shop'), `w_eur_${'a'.repeat(26)}`];
  await books.follow();
  const lines: BatchLine[] = [
    ...[1, 2, 3, 4, 5].map((amount) => transferLine(`t-${amount}`, payer, shop, amount)),
    transferLine('t-gone', payer, gone, 6),
    ...[10, 20, 30].map((amount) => withdrawalLine(`w-${amount}`, payer, amount)),
    transferLine('alone', other, shop, 7),
    transferLine('too-much', other, shop, 1_000),
  ];
  const { batch } = await sendBatch(table, lines);
  // As a restore to this moment brings them back.
  const items = [batchKey(batch.batchId), chunkKey(batch.batchId, 0)].map((key) => itemOf(table, key));
  const accepted = (await Promise.all(items)).map((item) => ({ ...item }));
  table.clock.now += 1_000;
  await complete(table, batch);
  const ids = Object.fromEntries(lines.map(({ key }) => [key, transactionIdOfLine(batch.batchId, key)]));
  const idOf = (key: string) => ids[key] ?? '';
  table.clock.now += 1_000;
  await endTransfers(['t-1', 't-3', 't-gone', 'alone'].map(idOf), table);
  return { ...books, payer, other, shop, lines, batch, accepted, idOf };
}

describe('the check of the books', () => {
  it('finds nothing wrong with a batch, whose payments out of a wallet have one entry for each write', async () => {
    const scene = await busyBatch();
    await scene.follow();
    assert.deepEqual(scene.aside, []);
    assert.deepEqual(await findingsOf(scene), []);
    const entries = (await entriesOf(scene.entries, scene.payer)).slice(2, 4);
    assert.deepEqual(
      entries.map(({ transactionId, changes }) => [transactionId, changes.map(({ amount }) => amount)]),
      [
        [scene.idOf('t-1'), [-21]],
        [scene.idOf('w-10'), [-60, 60]],
      ],
    );
    assert.deepEqual((await findingsOfHour(scene)).found, []);
  });

  const tamperings: [string, string, object, RegExp][] = [
    ['the group of a payment', 't-2', { sentWith: undefined }, /postings_differ|balance_differs/],
    ['the group of a withdrawal', 'w-20', { sentWith: 'tx_none' }, /postings_differ/],
    ['the wallet of a payment', 't-4', { walletId: `w_eur_${'b'.repeat(26)}` }, /transaction_invalid/],
    ['the amount of a payment', 't-5', { amount: 50 }, /transaction_invalid/],
  ];
  it.each(tamperings)('finds it when someone changed %s', async (_name, key, members, expected) => {
    const scene = await busyBatch();
    await scene.follow();
    await changeItem(scene.table, transactionKey(scene.idOf(key)), members);
    assert.match((await findingsOfHour(scene)).found.join('\n'), expected);
  });

  it('finds a payment of a group that is gone', async () => {
    const scene = await busyBatch();
    await scene.follow();
    await forget(scene, { transactionId: scene.idOf('w-20') });
    assert.match((await findingsOf(scene)).join('\n'), /postings_differ|transaction_missing|held_differs/);
  });
});

describe('a recovery', () => {
  it('puts payments back, and the batch that goes on makes none of them again', async () => {
    const scene = await busyBatch();
    const { table, payer, batch, accepted, lines, idOf } = scene;
    const events = await eventsOf(scene);
    const balance = await balanceOf(table, payer);
    // The restored table has the batch as it was accepted, and none of its payments.
    for (const { key } of lines) await forget(scene, { transactionId: idOf(key) });
    const found = (await recover(scene, events)).filter((line) => line.startsWith('DIFFERENCE'));
    assert.deepEqual(found, []);
    assert.deepEqual(await balanceOf(table, payer), balance);
    await assertSound(scene, events);
    await plant(table, ...accepted);
    const completed = await complete(table, batch);
    assert.deepEqual([completed.accepted, completed.refused], [10, 1]);
    assert.deepEqual(await balanceOf(table, payer), balance);
    const put = await fieldsOf(table, idOf('t-1'));
    assert.deepEqual([put?.batchId, put?.sentWith], [batch.batchId, idOf('t-1')]);
  });
});
