import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { earliestDue } from '../../lambdas/store/due.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShard, dueShardOf, waitingShard } from '../../lambdas/store/due-keys.ts';
import { putBackWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { answer } from '../faults.ts';
import { timeOf, withdraw } from './commands.ts';
import { holdOf, openHold } from './hold-commands.ts';
import { fieldsOf, plant } from './inspect.ts';
import { acceptedWithdrawal, claimed } from './visits.ts';
import { scheduleTransfer } from './schedule-commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { openWork, plantDue, queueOfDepth } from './work.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();

describe('the sweeper', () => {
  it('finds work of one type behind any backlog of the other, and does not touch that backlog', async () => {
    const table = await engine.newTable();
    const { transactionId: lost } = await acceptedWithdrawal(table);
    // More work than one run takes from a shard. All of it would come first if types shared their shards.
    const waiting = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const transactionId = `tx_${i}${lost.slice(-2)}`;
        const dueAt = timeOf(table, -300_000 - i);
        const dueShard = dueShardOf('transfer', transactionId);
        await plant(table, { ...transactionKey(transactionId), transactionId, type: 'transfer', dueShard, dueAt });
        return dueAt;
      }),
    );
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOfDepth(0), queueOfDepth(2_500)];
    assert.equal(await sweep({ table, withdrawals, transfers }), 1);
    assert.deepEqual([withdrawals.sent, transfers.sent], [[lost], []]);
    assert.equal(await earliestDue(table), waiting.sort()[0], 'work in the queue is not touched');
  });

  it('resumes withdrawals that wait for their wallet behind any backlog, a thousand in a run', async () => {
    const table = await engine.newTable();
    const { transactionId: lost } = await acceptedWithdrawal(table);
    const ids = await plantDue(table, waitingShard, 1_010, { waitingFor: 'wallet_frozen' });
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOfDepth(2_500), queueOfDepth(0)];
    assert.equal(await sweep({ table, withdrawals, transfers }), 0);
    assert.equal(withdrawals.sent.length, 1_000);
    await sweep({ table, withdrawals, transfers });
    assert.deepEqual(withdrawals.sent.sort(), ids.sort(), 'each once');
    assert.ok(!withdrawals.sent.includes(lost), 'overdue work may still be in the queue');
  });

  it('queues all overdue work again, even when one shard holds most of it', async () => {
    const table = await engine.newTable();
    const ids = await plantDue(table, dueShard('withdrawal', 7), 420);
    table.clock.now += 600_000;
    const withdrawals = queueOfDepth(0);
    assert.equal(await sweep({ table, withdrawals, transfers: queueOfDepth(0) }), 420);
    assert.deepEqual(withdrawals.sent.sort(), ids.sort(), 'each once');
  });

  it('takes a page of each shard, and no more while the workers do not keep up', async () => {
    const table = await engine.newTable();
    await plantDue(table, dueShard('withdrawal', 7), 150);
    const other = await plantDue(table, dueShard('withdrawal', 40), 3);
    table.clock.now += 600_000;
    const withdrawals = queueOfDepth(0);
    const depth = () => Promise.resolve(withdrawals.sent.length === 0 ? 0 : 2_001);
    assert.equal(await sweep({ table, withdrawals: { ...withdrawals, depth }, transfers: queueOfDepth(0) }), 103);
    assert.deepEqual(
      other.filter((id) => !withdrawals.sent.includes(id)),
      [],
    );
  });

  it('finds within an hour the work that was written under other numbers of shards', async () => {
    for (const dueShards of [1, 8, 256]) {
      const table: TestTable = { ...(await engine.newTable()), dueShards };
      const ids: string[] = [];
      for (const shard of [0, 7, 8, 63, 64, 255]) {
        ids.push(...(await plantDue(table, dueShard('withdrawal', shard), 1)));
      }
      const withdrawals = queueOfDepth(0);
      let minutes = 2;
      table.clock.now += 2 * 60_000;
      // Queued work is overdue again after the grace period.
      for (; new Set(withdrawals.sent).size < ids.length && minutes < 99; minutes++) {
        await sweep({ table, withdrawals, transfers: queueOfDepth(0) });
        table.clock.now += 60_000;
      }
      assert.ok(minutes <= 62, `${minutes} minutes with ${dueShards} shards`);
    }
  });

  it('reads the shards in use, and some others, when nothing is overdue: half a read unit each', async () => {
    const table = await engine.newTable();
    const { readUnits, writeUnits } = await measure(table, () =>
      sweep({ table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0) }),
    );
    // 67 or 68 of withdrawals and of transfers, 16 of holds and of scheduled payments, 4 of standing orders, the waiting
    // withdrawals, and those in review.
    checkUnits(() => {
      assert.ok(readUnits >= 86 && readUnits <= 87, `${readUnits} units`);
    });
    assert.equal(writeUnits, 0);
  });

  it('sweeps the other type when the depth of a queue cannot be read, and fails in the end', async () => {
    const table = await engine.newTable();
    const work = await openWork(table);
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOfDepth(0), queueOfDepth(0)];
    const depth = () => Promise.reject(new Error('no depth'));
    await assert.rejects(sweep({ table, withdrawals: { ...withdrawals, depth }, transfers }), /no depth/);
    const queued = work.filter(({ type }) => type === 'transfer').map(({ transactionId }) => transactionId);
    assert.deepEqual(transfers.sent, queued);
  });

  it('queues all other work when one item, one shard and one message batch fail, and fails in the end', async () => {
    const table = await engine.newTable();
    const ids = await plantDue(table, dueShard('withdrawal', 3), 25);
    const unreadable = await plantDue(table, dueShard('withdrawal', 5), 1);
    const later = await plantDue(table, dueShard('withdrawal', 60), 1);
    table.clock.now += 600_000;
    table.fault = (call, pass) => {
      const text = JSON.stringify(call.input);
      if (call.operation === 'UpdateItem' && text.includes(`TX#${ids[0]!}"`)) {
        return answer('ValidationException')(call, pass);
      }
      if (call.operation === 'Query' && text.includes(`"${dueShard('withdrawal', 5)}"`)) {
        return answer('ValidationException')(call, pass);
      }
      return pass();
    };
    const withdrawals = queueOfDepth(0);
    const refused: string[] = [];
    const send = (batch: readonly { transactionId: string }[]) => {
      if (!batch.some(({ transactionId }) => transactionId === ids[15])) return withdrawals.send(batch);
      refused.push(...batch.map(({ transactionId }) => transactionId));
      return Promise.reject(new Error('refused batch'));
    };
    await assert.rejects(sweep({ table, withdrawals: { ...withdrawals, send }, transfers: queueOfDepth(0) }), {
      name: 'ValidationException',
    });
    const expected = [...ids.slice(1), ...later].filter((id) => !refused.includes(id));
    assert.deepEqual(withdrawals.sent.sort(), expected.sort());
    table.fault = undefined;
    table.clock.now += 120_000;
    await sweep({ table, withdrawals, transfers: queueOfDepth(0) });
    const missing = [ids[0]!, ...refused, ...unreadable].filter((id) => !withdrawals.sent.includes(id));
    assert.deepEqual(missing, [], 'the next run queues what has failed');
  });

  it('goes on behind a full page of work that it cannot read', async () => {
    const table = await engine.newTable();
    const shard = dueShard('withdrawal', 7);
    await plantDue(table, shard, 220, { v: 2 });
    await plantDue(table, waitingShard, 1_050, { v: 2 });
    table.clock.now += 1_000;
    const ids = await plantDue(table, shard, 5);
    const { transactionId: waited } = await acceptedWithdrawal(table);
    await putBackWithdrawal(table, await claimed(table, waited), {
      dueAt: timeOf(table),
      submitBy: undefined,
      waitingFor: 'wallet_frozen',
    });
    table.clock.now += 600_000;
    const withdrawals = queueOfDepth(0);
    await assert.rejects(sweep({ table, withdrawals, transfers: queueOfDepth(0) }), { name: 'UnreadableItem' });
    assert.deepEqual(withdrawals.sent.sort(), [...ids, waited].sort());
  });

  it('queues the work beside an item without an id, and fails in the end', async () => {
    const table = await engine.newTable();
    const shard = dueShard('withdrawal', 7);
    await plantDue(table, shard, 1, { transactionId: 7 });
    const ids = await plantDue(table, shard, 2);
    table.clock.now += 600_000;
    const withdrawals = queueOfDepth(0);
    await assert.rejects(sweep({ table, withdrawals, transfers: queueOfDepth(0) }), {
      problem: 'it has no id or time',
    });
    assert.deepEqual(withdrawals.sent.sort(), ids.sort());
  });

  it('ends in time, and sweeps the other type, while the writes of one type are throttled', async () => {
    const table = await engine.newTable();
    for (let shard = 0; shard < 16; shard++) await plantDue(table, dueShard('withdrawal', shard), 40);
    const work = await openWork(table);
    const transfers = work.filter(({ type }) => type === 'transfer').map(({ transactionId }) => transactionId);
    table.clock.now += 600_000;
    const startedAt = table.now();
    table.fault = (call, pass) =>
      call.operation === 'UpdateItem' && !transfers.some((id) => JSON.stringify(call.input).includes(id))
        ? answer('ThrottlingException')(call, pass)
        : pass();
    const [withdrawals, other] = [queueOfDepth(0), queueOfDepth(0)];
    await assert.rejects(sweep({ table, withdrawals, transfers: other }), { code: 'busy' });
    assert.deepEqual(other.sent, transfers);
    assert.ok(table.now() - startedAt < 50_000, `${table.now() - startedAt} ms`);
  });

  it('queues overdue work of both types again, each once', async () => {
    const table = await engine.newTable();
    const work = await openWork(table);
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOfDepth(0), queueOfDepth(0)];
    assert.equal(await sweep({ table, withdrawals, transfers }), work.length);
    assert.equal(await sweep({ table, withdrawals, transfers }), 0);
    const sent = (type: string) => work.filter((one) => one.type === type).map(({ transactionId }) => transactionId);
    assert.deepEqual(withdrawals.sent.sort(), sent('withdrawal').sort());
    assert.deepEqual(transfers.sent, sent('transfer'));
  });
});

describe("a sweeper whose clock is not the database's", () => {
  for (const aheadMs of [290_000, -290_000]) {
    it(`by ${aheadMs} ms queues the work that is overdue by the database's clock, and no other`, async () => {
      const table = await engine.newTable();
      const overdue = (await openWork(table))[0]!.transactionId;
      table.clock.now += 100_000;
      const walletId = await fundedWallet(table, 'ann', 100);
      const { transaction: fresh } = await withdraw(table, walletId, { owner: 'ann', amount: 1 });
      const right = table.clock.now;
      table.clock.now += aheadMs;
      table.fault = async (_call, pass) => {
        const response = await pass();
        response.headers['date'] = new Date(right).toUTCString();
        return response;
      };
      const queue = queueOfDepth(0);
      await sweep({ table, withdrawals: queue, transfers: queue });
      table.fault = undefined;
      assert.deepEqual([queue.sent.includes(overdue), queue.sent.includes(fresh.transactionId)], [true, false]);
      const { dueAt } = (await fieldsOf(table, overdue))!;
      assert.equal(
        dueAt,
        new Date(Math.floor(right / 1000) * 1000).toISOString(),
        'a right worker may take it at once',
      );
    });

    it(`by ${aheadMs} ms ends the holds that have expired by the database's clock, and no other`, async () => {
      const table = await engine.newTable();
      const payer = await fundedWallet(table, 'ann', 100);
      const [over, open] = [
        await openHold(table, payer, { amount: 1, forMs: 600_000 }),
        await openHold(table, payer, { amount: 1, forMs: 610_000 }),
      ];
      const right = table.now() + 605_000;
      table.clock.now = right + aheadMs;
      table.fault = async (_call, pass) => {
        const response = await pass();
        response.headers['date'] = new Date(right).toUTCString();
        return response;
      };
      await sweep({ table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0) });
      table.fault = undefined;
      assert.deepEqual([(await holdOf(table, over)).status, (await holdOf(table, open)).status], ['ended', 'open']);
    });

    it(`by ${aheadMs} ms queues the payments that are due by the database's clock, and no other`, async () => {
      const table = await engine.newTable();
      const [payer, shop] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'shop')];
      const [due, later] = [
        await scheduleTransfer(table, payer, shop, { amount: 1, inMs: 600_000 }),
        await scheduleTransfer(table, payer, shop, { amount: 1, inMs: 610_000 }),
      ];
      const right = table.now() + 605_000;
      table.clock.now = right + aheadMs;
      table.fault = async (_call, pass) => {
        const response = await pass();
        response.headers['date'] = new Date(right).toUTCString();
        return response;
      };
      const transfers = queueOfDepth(0);
      await sweep({ table, withdrawals: queueOfDepth(0), transfers });
      table.fault = undefined;
      assert.deepEqual(transfers.sent, [due.transactionId]);
      assert.equal((await fieldsOf(table, later.transactionId))?.dueAt, later.executeAt);
    });
  }
});
