/** Batches in the sweeper's run: which are queued again, and what one batch can do to the others. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import { transactionIdOfBatch } from '../../lambdas/domain/ids.ts';
import { batchKey } from '../../lambdas/store/keys.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { complete, sendBatch, transferLine } from './batch-commands.ts';
import { changeItem } from './inspect.ts';
import { queueOfDepth } from './work.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

const ages: number[] = [];
beforeEach(() => {
  ages.length = 0;
  watchMetrics((name, _unit, value) => {
    if (name === names.oldestBatch) ages.push(value);
  });
});

const run = async (table: TestTable, depth = 0) => {
  const batches = queueOfDepth(depth);
  await sweep({ table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0), batches });
  return batches.sent;
};

/** Accepts this number of batches with one line each, a second apart. */
async function openBatches(table: TestTable, count: number) {
  const [from, to] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'bob')];
  const batches = [];
  for (let n = 0; n < count; n++) {
    batches.push((await sendBatch(table, [transferLine('line', from, to, 1)])).batch);
    table.clock.now += 1_000;
  }
  return batches;
}

describe('overdue batches', () => {
  it('are queued once a minute until they are completed, and their age is published', async () => {
    const table = await engine.newTable();
    const [batch] = await openBatches(table, 1);
    assert.ok(batch);
    const id = transactionIdOfBatch(batch.batchId);
    assert.deepEqual(await run(table), []);
    table.clock.now += 60_000;
    assert.deepEqual(await run(table), [id]);
    assert.deepEqual(await run(table), [], 'its message is on the way');
    table.clock.now += 61_000;
    assert.deepEqual(await run(table), [id]);
    assert.deepEqual(ages, [1, 61, 61, 122]);
    await complete(table, batch);
    table.clock.now += 600_000;
    assert.deepEqual(await run(table), []);
    assert.equal(ages.at(-1), 0);
  });

  it('are not queued behind a backlog of batches', async () => {
    const table = await engine.newTable();
    await openBatches(table, 1);
    table.clock.now += 120_000;
    assert.deepEqual(await run(table, 101), []);
    assert.equal((await run(table, 100)).length, 1);
  });

  it('are queued ten in a run, those that have waited the longest first', async () => {
    const table = await engine.newTable();
    const batches = await openBatches(table, 12);
    table.clock.now += 120_000;
    const ids = batches.map(({ batchId }) => transactionIdOfBatch(batchId));
    assert.deepEqual(await run(table), ids.slice(0, 10));
    assert.deepEqual(await run(table), ids.slice(10));
  });

  it('are queued while another one cannot be read, which fails the run', async () => {
    const table = await engine.newTable();
    const [newer, batch] = await openBatches(table, 2);
    assert.ok(newer && batch);
    await changeItem(table, batchKey(newer.batchId), { v: 2 });
    table.clock.now += 120_000;
    const batches = queueOfDepth(0);
    const services = { table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0), batches };
    await assert.rejects(sweep(services), { name: 'UnreadableItem' });
    assert.deepEqual(batches.sent, [transactionIdOfBatch(batch.batchId)]);
  });
});
