/** The recovery of transactions with fees, and of collections, on the real engine. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, it } from '@jest/globals';
import { collectionIdOf } from '../../lambdas/domain/ids.ts';
import { getFeeState } from '../../lambdas/store/fees.ts';
import { feesKey, transactionKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { epoch } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { transfer } from './commands.ts';
import { collect, hourMs, newScene, paidInFees } from './fee-scenes.ts';
import type { Scene } from './fee-scenes.ts';
import { allItems, changeItem, fieldsOf, itemOf, plant } from './inspect.ts';
import { refund } from './refund-scenes.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { balanceOf } from './wallets.ts';

const engine = useEngine();
const [first, second] = [1, 2].map((sequence) => collectionIdOf('EUR', sequence)) as [string, string];

/** Opens books with fees that were collected once, and whose projector has followed, with their events. */
async function collectedOnce() {
  const scene = await newScene(engine);
  const events = await eventsOf(scene);
  scene.table.clock.now = scene.entries.clock.now = epoch + hourMs + 300_000;
  await collect(scene, scene.revenue);
  events.push(...(await eventsOf(scene)));
  return { ...scene, events };
}

const balances = ({ table, payer, shop, revenue }: Scene) =>
  Promise.all([payer, shop, revenue].map((walletId) => balanceOf(table, walletId)));
const differences = (lines: readonly string[]) => lines.filter((line) => line.startsWith('DIFFERENCE'));

describe('a recovery', () => {
  it('puts each transaction with a fee back from its event, as it was', async () => {
    const scene = await collectedOnce();
    const { table, charged, sent, arrived, failed, captured, paid, refused, events } = scene;
    const before = await balances(scene);
    const ended = [charged, sent, arrived, failed, captured, paid, refused];
    const records = await Promise.all(ended.map(({ transactionId }) => fieldsOf(table, transactionId)));
    for (const one of ended) await forget(scene, one);
    assert.deepEqual(differences(await recover(scene, events)), []);
    assert.deepEqual(await balances(scene), before);
    for (const record of records) {
      const again = await fieldsOf(table, record?.transactionId ?? '');
      assert.deepEqual([again?.fee, again?.postings, again?.status], [record?.fee, record?.postings, record?.status]);
      assert.equal((await itemOf(table, transactionKey(record?.transactionId ?? '')))?.['v'], 2);
    }
    await assertSound(scene, events);
  });

  it('keeps the fee of an open withdrawal held, which an operator then ends', async () => {
    const scene = await collectedOnce();
    const { table, payer, waiting, events } = scene;
    const before = await balanceOf(table, payer);
    await forget(scene, waiting);
    await recover(scene, events);
    const { status, fee } = (await fieldsOf(table, waiting.transactionId)) ?? {};
    assert.deepEqual([status, fee], ['review', 19]);
    assert.deepEqual(await balanceOf(table, payer), before);
    await assertSound(scene, events);
  });

  it('ends a queued transfer and a withdrawal that the table has open, with their fees', async () => {
    const scene = await collectedOnce();
    const { table, arrived, paid, events } = scene;
    const before = await balances(scene);
    for (const { transactionId } of [arrived, paid]) {
      const { completedAt, settledWith, counterpartyWalletId, bankId, attempts, ...record } =
        (await itemOf(table, transactionKey(transactionId))) ?? {};
      const isTransfer = record['type'] === 'transfer';
      const postings = (record['postings'] as object[]).slice(0, 2);
      const open = { status: 'pending', postings, dueAt: record['createdAt'], updatedAt: record['createdAt'] };
      await plant(table, { ...record, ...open, ...(isTransfer && { toWalletId: counterpartyWalletId }) });
    }
    assert.deepEqual(differences(await recover(scene, events)), []);
    assert.deepEqual(await balances(scene), before);
    await assertSound(scene, events);
  });

  it('puts a collection back from its event, and does not collect its fees again', async () => {
    const scene = await collectedOnce();
    const { table, entries, revenue, events } = scene;
    await forget(scene, { transactionId: first });
    await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(feesKey('EUR')) }));
    assert.deepEqual(differences(await recover(scene, events)), []);
    assert.equal((await balanceOf(table, revenue)).available, paidInFees);
    await assertSound(scene, events);
    await collect({ table, entries }, revenue);
    assert.equal((await balanceOf(table, revenue)).available, paidInFees);
    const { sequence, collected } = await getFeeState(table, 'EUR');
    assert.deepEqual({ sequence, collected }, { sequence: 1, collected: paidInFees });
  });

  it('lets fees be collected again whose collection no source shows', async () => {
    const scene = await collectedOnce();
    const { table, revenue } = scene;
    await forget(scene, { transactionId: first });
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE transaction_forgotten ${first}`));
    assert.equal((await balanceOf(table, revenue)).available, 0);
    await assertSound(scene);
    await collect(scene, revenue);
    assert.equal((await balanceOf(table, revenue)).available, paidInFees);
    await scene.follow();
    await assertSound(scene);
  });

  it('corrects the later collections when an earlier one is forgotten, and uses no number twice', async () => {
    const scene = await collectedOnce();
    const { table, entries, revenue, payer, shop, follow } = scene;
    await transfer(table, payer, shop, { amount: 1, owner: 'ann', fee: 4 });
    await follow();
    table.clock.now = entries.clock.now = epoch + 2 * hourMs + 300_000;
    await collect(scene, revenue);
    await follow();
    await forget(scene, { transactionId: first });
    await recover(scene);
    assert.equal((await fieldsOf(table, second))?.collected, 4);
    const { sequence, collected } = await getFeeState(table, 'EUR');
    assert.deepEqual({ sequence, collected }, { sequence: 2, collected: 4 });
    await assertSound(scene);
    await collect(scene, revenue);
    assert.equal((await balanceOf(table, revenue)).available, paidInFees + 4);
    await follow();
    await assertSound(scene);
    assert.equal((await allItems(table)).filter(({ type }) => type === 'collection').length, 2);
  });

  it('does not put a collection back whose fees are forgotten', async () => {
    const scene = await collectedOnce();
    const { table, revenue, charged, sent, events } = scene;
    for (const id of [first, sent.transactionId]) await forget(scene, { transactionId: id });
    const some = events.filter(
      (event) => !('transaction' in event) || event.transaction.transactionId !== sent.transactionId,
    );
    const lines = await recover(scene, some);
    assert.match(lines.join('\n'), /the fees in EUR, as the table has them, are less/);
    assert.equal((await balanceOf(table, revenue)).available, 0);
    await assertSound(scene, some);
    assert.equal((await fieldsOf(table, charged.transactionId))?.fee, 7);
  });

  it('names a currency of which more was collected than its records paid, and collects nothing of it', async () => {
    const scene = await collectedOnce();
    const { table, entries, revenue, payer, shop, sent, follow } = scene;
    await forget(scene, sent);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), /DIFFERENCE fees_forgotten EUR: 3 more were collected than the fees that are known/);
    await collect({ table, entries }, revenue);
    assert.equal((await balanceOf(table, revenue)).available, paidInFees);
    await transfer(table, payer, shop, { amount: 1, owner: 'ann', fee: 3 });
    await follow();
    await assertSound(scene);
  });

  it('finds the fee of a forgotten transfer and capture in the ledger', async () => {
    const scene = await newScene(engine);
    const { table, sent, captured, follow } = scene;
    await refund(table, sent, { amount: 10 });
    await refund(table, captured, { amount: 20 });
    await follow();
    const before = await balances(scene);
    for (const one of [sent, captured]) await forget(scene, one);
    await recover(scene);
    assert.deepEqual(
      [(await fieldsOf(table, sent.transactionId))?.fee, (await fieldsOf(table, captured.transactionId))?.fee],
      [3, 5],
    );
    assert.deepEqual(await balances(scene), before);
    await assertSound(scene);
  });

  it('finds the fee of a forgotten withdrawal in the ledger when the whole sum has left', async () => {
    const scene = await newScene(engine);
    const { table, paid, waiting, follow } = scene;
    await follow();
    const before = await balances(scene);
    for (const one of [paid, waiting]) await forget(scene, one);
    const payments = [paid, waiting].map(({ transactionId: reference, amount, currency, createdAt: paidAt }) => ({
      ...{ reference, amount, currency, paidAt },
    }));
    const lines = await recover(scene, [], payments);
    assert.deepEqual(
      [(await fieldsOf(table, paid.transactionId))?.fee, lines.filter((line) => /forgotten/.test(line)).length],
      [13, 1],
    );
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE payment_forgotten ${waiting.transactionId}`));
    const [payer, ...others] = before;
    // What was held beside the payment may be a fee or another withdrawal, so an operator decides.
    const released = { ...payer, available: Number(payer?.available) + 79, held: 0 };
    const after = await balances(scene);
    assert.deepEqual([after[0]?.available, after[0]?.held], [released.available, released.held]);
    assert.deepEqual(after.slice(1), others);
    await assertSound(scene);
  });

  it('corrects a record of what was collected that is older than the collections, and keeps a right one', async () => {
    const scene = await collectedOnce();
    const { table } = scene;
    await recover(scene);
    assert.deepEqual(await recover(scene), []);
    await changeItem(table, feesKey('EUR'), { sequence: 0, collected: 0 });
    const lines = await recover(scene);
    assert.match(lines.join('\n'), /fees EUR: 1 collections of 39, and not 0 of 0/);
    await assertSound(scene);
  });
});
