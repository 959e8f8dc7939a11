/** Scheduled payments whose time has come: what a crowd of one payer does to the queues, and to the payments of others. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import { dueShard, scheduleShardOf } from '../../lambdas/store/due-keys.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { newKey, timeOf } from './commands.ts';
import { allItems } from './inspect.ts';
import { cancel, hourMs, scheduleTransfer } from './schedule-commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { plantDue, queueOfDepth } from './work.ts';

const engine = useEngine();

const seen = new Map<string, number>();
beforeEach(() => {
  seen.clear();
  watchMetrics((name, _unit, value) => {
    seen.set(name, value);
  });
});

/** Plants scheduled payments whose time is now. Returns their ids. */
const plantScheduled = (table: TestTable, shard: number, count: number, type = 'transfer') =>
  plantDue(table, dueShard('scheduled', shard), count, {
    ...{ type, status: 'scheduled', executeAt: timeOf(table), createdAt: timeOf(table, -hourMs) },
  });

describe('a crowd of scheduled payments', () => {
  it('fills a queue to half of what it may have, and the rest waits for later runs', async () => {
    const table = await engine.newTable();
    const ids = await plantScheduled(table, 3, 250);
    table.clock.now += 2_000;
    const transfers = queueOfDepth(100);
    const run = () => sweep({ table, withdrawals: queueOfDepth(0), transfers, mostQueued: 240 });
    await run();
    assert.equal(transfers.sent.length, 140);
    table.clock.now += 30_000;
    await run();
    assert.equal(transfers.sent.length, 250);
    assert.deepEqual([...new Set(transfers.sent)].sort(), ids.sort(), 'each once');
  });

  it('leaves others their turn, and to each shard the first turn once', async () => {
    const table = await engine.newTable();
    await plantScheduled(table, 3, 300);
    const others = [...(await plantScheduled(table, 0, 2)), ...(await plantScheduled(table, 15, 2))];
    table.clock.now += 2_000;
    const transfers = queueOfDepth(0);
    await sweep({ table, withdrawals: queueOfDepth(0), transfers, mostQueued: 160 });
    assert.equal(transfers.sent.length, 160);
    assert.deepEqual(
      others.filter((id) => !transfers.sent.includes(id)),
      [],
    );
    const scarce = queueOfDepth(0);
    await plantScheduled(table, 0, 100);
    const last = await plantScheduled(table, 15, 1);
    // Each run has room for one payment.
    for (let n = 0; n < 16; n++) {
      table.clock.now += 60_000;
      await sweep({ table, withdrawals: queueOfDepth(0), transfers: scarce, mostQueued: 1 });
    }
    assert.ok(scarce.sent.includes(last[0] ?? ''));
  });

  it('does not keep payments of the other type waiting when its own queue is full', async () => {
    const table = await engine.newTable();
    await plantScheduled(table, 3, 250, 'withdrawal');
    table.clock.now += 1_000;
    const [transfer] = await plantScheduled(table, 3, 1);
    table.clock.now += 2_000;
    const [withdrawals, transfers] = [queueOfDepth(10_000), queueOfDepth(0)];
    await sweep({ table, withdrawals, transfers });
    assert.deepEqual([withdrawals.sent, transfers.sent], [[], [transfer]]);
  });

  it('counts as late payments, and not as work that its workers leave', async () => {
    const table = await engine.newTable();
    await plantScheduled(table, 3, 20);
    table.clock.now += 1_800_000;
    const full = queueOfDepth(10_000);
    await sweep({ table, withdrawals: queueOfDepth(0), transfers: full });
    assert.deepEqual(full.sent, []);
    // The database names whole seconds.
    assert.ok(Math.abs((seen.get(names.oldestScheduled) ?? 0) - 1_800) < 2, `${seen.get(names.oldestScheduled)} s`);
    assert.equal(seen.get(names.oldestTransfer), 0);
    const transfers = queueOfDepth(9_985);
    await sweep({ table, withdrawals: queueOfDepth(0), transfers });
    assert.equal(transfers.sent.length, 15);
    table.clock.now += 400_000;
    await sweep({ table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(10_000) });
    const late = seen.get(names.oldestTransfer) ?? 0;
    assert.ok(late >= 399 && late < 402, `${late} s since they were queued: their message is lost`);
  });

  it('counts as open work when there is room and it cannot be queued', async () => {
    const table = await engine.newTable();
    await plantScheduled(table, 3, 1);
    table.clock.now += 600_000;
    const transfers = { ...queueOfDepth(0), send: () => Promise.reject(new Error('no queue')) };
    await assert.rejects(sweep({ table, withdrawals: queueOfDepth(0), transfers }), /no queue/);
    assert.ok((seen.get(names.oldestTransfer) ?? 0) > 598);
  });

  it('waits, and nothing is queued, while the depth of the queue cannot be read', async () => {
    const table = await engine.newTable();
    await plantScheduled(table, 3, 1);
    table.clock.now += 2_000;
    const transfers = { ...queueOfDepth(0), depth: () => Promise.reject(new Error('no depth')) };
    await assert.rejects(sweep({ table, withdrawals: queueOfDepth(0), transfers }), /no depth/);
    assert.deepEqual(transfers.sent, []);
  });

  it('is in one shard, whatever wallet of its owner it is from', async () => {
    const table = await engine.newTable();
    const shop = await openWallet(table, 'shop');
    const wallets = [await fundedWallet(table, 'ann', 10), await fundedWallet(table, 'ann', 10)];
    for (const walletId of wallets) {
      for (let n = 0; n < 4; n++) await scheduleTransfer(table, walletId, shop, { amount: 1 });
    }
    const shards = new Set((await allItems(table, 'due')).map(({ dueShard: shard }) => shard));
    assert.deepEqual([...shards], [scheduleShardOf({ ownerId: 'ann', walletId: '' })]);
    const ofOperators = new Set(Array.from({ length: 200 }, (_, n) => scheduleShardOf({ walletId: `w_${n}` })));
    assert.equal(ofOperators.size, 16);
  });
});

describe('a wallet with as many scheduled payments as it can have', () => {
  it('takes no further one until one has ended, and still answers repetitions', async () => {
    const table: TestTable = { ...(await engine.newTable()), caps: { scheduled: 2, orders: 1 } };
    const [payer, shop] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'shop')];
    const key = newKey();
    const first = await scheduleTransfer(table, payer, shop, { amount: 1, key });
    await scheduleTransfer(table, payer, shop, { amount: 1 });
    const before = await allItems(table);
    await assert.rejects(scheduleTransfer(table, payer, shop, { amount: 1 }), {
      code: 'too_many_scheduled',
      message: 'a wallet has at most 2 scheduled payments',
    });
    const again = await scheduleTransfer(table, payer, shop, { amount: 1, key });
    assert.equal(again.transactionId, first.transactionId);
    assert.deepEqual(await allItems(table), before);
    await cancel(table, first);
    await scheduleTransfer(table, payer, shop, { amount: 1 });
    await assert.rejects(scheduleTransfer(table, payer, shop, { amount: 1 }), { code: 'too_many_scheduled' });
  });

  it('takes no more when many are asked for at once', async () => {
    const table: TestTable = { ...(await engine.newTable()), caps: { scheduled: 3, orders: 1 } };
    const [payer, shop] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'shop')];
    const all = Array.from({ length: 8 }, () => scheduleTransfer(table, payer, shop, { amount: 1 }));
    const outcomes = await Promise.allSettled(all);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  });
});
