import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { defaultDueShards as dueShards, metrics as names } from '../../lambdas/contract.ts';
import { getBreaker, putBreaker } from '../../lambdas/store/breaker.ts';
import { earliestDue, listDue, listReviews, touchDue } from '../../lambdas/store/due.ts';
import { dueShard, dueShardOf, dueTypes, transactionKey, waitingShard } from '../../lambdas/store/keys.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { endWithdrawal, putBackWithdrawal, reviewWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { answer } from '../faults.ts';
import { watchMetrics } from '../watch-metrics.ts';
import {
  acceptedWithdrawal,
  claim,
  claimed,
  fundedWallet,
  openWallet,
  queueTransfer,
  visit,
  withdraw,
} from './commands.ts';
import { fieldsOf, plant, withdrawalOf } from './inspect.ts';

const engine = useEngine();

const iso = (ms: number) => new Date(ms).toISOString();
const anyTime = '9';

async function everyShard(table: TestTable, before: string) {
  const shards = await Promise.all(
    dueTypes.flatMap((type) =>
      Array.from({ length: dueShards }, (_, shard) => listDue(table, { type, shard, before, limit: 100 })),
    ),
  );
  return shards.flatMap(({ work }) => work).map(readable);
}

/** Accepts twenty withdrawals and one queued transfer, a second apart. */
async function openWork(table: TestTable) {
  const walletId = await fundedWallet(table, 'ann', 1_000);
  const to = await openWallet(table, 'bob');
  const work = [];
  for (let i = 0; i < 20; i++) {
    work.push((await withdraw(table, walletId, { owner: 'ann', amount: 1 })).transaction);
    table.clock.now += 1_000;
  }
  work.push((await queueTransfer(table, walletId, to, { owner: 'ann', amount: 1 })).transaction);
  return work;
}

describe('open work', () => {
  it('is found on all shards with its type, the most overdue of a shard first, from its due time on', async () => {
    const table = await engine.newTable();
    assert.equal(await earliestDue(table), undefined);
    const work = await openWork(table);
    const found = await everyShard(table, anyTime);
    const expected = work.map(({ transactionId, type, createdAt }) => ({ transactionId, type, dueAt: createdAt }));
    assert.deepEqual(
      found
        .map(({ transactionId, type, dueAt }) => ({ transactionId, type, dueAt }))
        .sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1)),
      expected,
    );
    assert.equal(await earliestDue(table), work[0]?.createdAt);
    const tenth = work[10]!.createdAt;
    assert.equal((await everyShard(table, tenth)).length, 10, 'work that is due at that moment is not before it');
    for (let shard = 0; shard < dueShards; shard++) {
      const times = (await listDue(table, { type: 'withdrawal', shard, before: anyTime, limit: 3 })).work.map(
        (work) => readable(work).dueAt,
      );
      assert.ok(times.length <= 3);
      assert.deepEqual(times, [...times].sort());
    }
  });

  it('is touched once, and not after another run has moved it', async () => {
    const table = await engine.newTable();
    const [work] = await everyShard(table, anyTime).then(async (none) => {
      assert.deepEqual(none, []);
      await openWork(table);
      return everyShard(table, anyTime);
    });
    assert.ok(work);
    const at = iso(table.now() + 60_000);
    const touched = await Promise.all([1, 2, 3].map(() => touchDue(table, work, at)));
    assert.equal(touched.filter(Boolean).length, 1);
    const again = (await everyShard(table, anyTime)).find(({ transactionId }) => transactionId === work.transactionId);
    assert.equal(again?.dueAt, at);
  });

  it('may be claimed immediately after a touch', async () => {
    const table = await engine.newTable();
    const walletId = await fundedWallet(table, 'ann', 10);
    const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 1 });
    const { transactionId, createdAt } = transaction;
    table.clock.now += 120_000;
    const at = iso(table.now());
    assert.equal(await touchDue(table, { transactionId, type: 'withdrawal', dueAt: createdAt }, at), true);
    assert.equal((await claim(table, transactionId)).claimed, true);
  });
});

describe('the sweeper', () => {
  /** Returns a queue of this depth that accepts every message, and the ids that were sent to it. */
  const queueOf = (messages: number) => {
    const sent: string[] = [];
    const send = (batch: readonly { transactionId: string }[]) => {
      sent.push(...batch.map(({ transactionId }) => transactionId));
      return Promise.resolve([]);
    };
    return { sent, send, depth: () => Promise.resolve(messages) };
  };

  it('finds work of one type behind any backlog of the other, and does not touch that backlog', async () => {
    const table = await engine.newTable();
    const { transactionId: lost } = await acceptedWithdrawal(table);
    // More work than one run takes from a shard. All of it would come first if types shared their shards.
    const waiting = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const transactionId = `tx_${i}${lost.slice(-2)}`;
        const dueAt = iso(table.now() - 300_000 - i);
        const dueShard = dueShardOf('transfer', transactionId);
        await plant(table, { ...transactionKey(transactionId), transactionId, type: 'transfer', dueShard, dueAt });
        return dueAt;
      }),
    );
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOf(0), queueOf(2_500)];
    assert.equal(await sweep({ table, withdrawals, transfers }), 1);
    assert.deepEqual([withdrawals.sent, transfers.sent], [[lost], []]);
    assert.equal(await earliestDue(table), waiting.sort()[0], 'work in the queue is not touched');
  });

  it('resumes withdrawals that wait for their wallet behind any backlog, a thousand in a run', async () => {
    const table = await engine.newTable();
    const { transactionId: lost } = await acceptedWithdrawal(table);
    const dueAt = iso(table.now());
    const ids = Array.from({ length: 1_010 }, (_, n) => `tx_${n}`);
    await plant(
      table,
      ...ids.map((transactionId) => ({
        ...transactionKey(transactionId),
        transactionId,
        type: 'withdrawal',
        waitingFor: 'wallet_frozen',
        dueShard: waitingShard,
        dueAt,
      })),
    );
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOf(2_500), queueOf(0)];
    assert.equal(await sweep({ table, withdrawals, transfers }), 0);
    assert.equal(withdrawals.sent.length, 1_000);
    await sweep({ table, withdrawals, transfers });
    assert.deepEqual(withdrawals.sent.sort(), ids.sort(), 'each once');
    assert.ok(!withdrawals.sent.includes(lost), 'overdue work may still be in the queue');
  });

  /** Plants overdue withdrawals in this partition of the index. */
  const plantOverdue = async (table: TestTable, shard: string, count: number) => {
    const ids = Array.from({ length: count }, (_, n) => `tx_${shard}${n}aa`);
    const dueAt = iso(table.now());
    await plant(
      table,
      ...ids.map((transactionId) => ({
        ...transactionKey(transactionId),
        transactionId,
        type: 'withdrawal',
        dueShard: shard,
        dueAt,
      })),
    );
    return ids;
  };

  it('queues all overdue work again, even when one shard holds most of it', async () => {
    const table = await engine.newTable();
    const ids = await plantOverdue(table, dueShard('withdrawal', 7), 420);
    table.clock.now += 600_000;
    const withdrawals = queueOf(0);
    assert.equal(await sweep({ table, withdrawals, transfers: queueOf(0) }), 420);
    assert.deepEqual(withdrawals.sent.sort(), ids.sort(), 'each once');
  });

  it('takes a page of each shard, and no more while the workers do not keep up', async () => {
    const table = await engine.newTable();
    await plantOverdue(table, dueShard('withdrawal', 7), 150);
    const other = await plantOverdue(table, dueShard('withdrawal', 40), 3);
    table.clock.now += 600_000;
    const withdrawals = queueOf(0);
    const depth = () => Promise.resolve(withdrawals.sent.length === 0 ? 0 : 2_001);
    assert.equal(await sweep({ table, withdrawals: { ...withdrawals, depth }, transfers: queueOf(0) }), 103);
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
        ids.push(...(await plantOverdue(table, dueShard('withdrawal', shard), 1)));
      }
      const withdrawals = queueOf(0);
      let minutes = 2;
      table.clock.now += 2 * 60_000;
      // Queued work is overdue again after the grace period.
      for (; new Set(withdrawals.sent).size < ids.length && minutes < 99; minutes++) {
        await sweep({ table, withdrawals, transfers: queueOf(0) });
        table.clock.now += 60_000;
      }
      assert.ok(minutes <= 62, `${minutes} minutes with ${dueShards} shards`);
    }
  });

  it('reads the shards in use, and some others, when nothing is overdue: half a read unit each', async () => {
    const table = await engine.newTable();
    const { readUnits, writeUnits } = await measure(table, () =>
      sweep({ table, withdrawals: queueOf(0), transfers: queueOf(0) }),
    );
    // 64 and 3 or 4 of each type, the waiting withdrawals, and those in review.
    assert.ok(readUnits >= 68 && readUnits <= 69, `${readUnits} units`);
    assert.equal(writeUnits, 0);
  });

  it('sweeps the other type when the depth of a queue cannot be read, and fails in the end', async () => {
    const table = await engine.newTable();
    const work = await openWork(table);
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOf(0), queueOf(0)];
    const depth = () => Promise.reject(new Error('no depth'));
    await assert.rejects(sweep({ table, withdrawals: { ...withdrawals, depth }, transfers }), /no depth/);
    const queued = work.filter(({ type }) => type === 'transfer').map(({ transactionId }) => transactionId);
    assert.deepEqual(transfers.sent, queued);
  });

  it('queues all other work when one item, one shard and one message batch fail, and fails in the end', async () => {
    const table = await engine.newTable();
    const ids = await plantOverdue(table, dueShard('withdrawal', 3), 25);
    const unreadable = await plantOverdue(table, dueShard('withdrawal', 5), 1);
    const later = await plantOverdue(table, dueShard('withdrawal', 60), 1);
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
    const withdrawals = queueOf(0);
    const refused: string[] = [];
    const send = (batch: readonly { transactionId: string }[]) => {
      if (!batch.some(({ transactionId }) => transactionId === ids[15])) return withdrawals.send(batch);
      refused.push(...batch.map(({ transactionId }) => transactionId));
      return Promise.reject(new Error('refused batch'));
    };
    await assert.rejects(sweep({ table, withdrawals: { ...withdrawals, send }, transfers: queueOf(0) }), {
      name: 'ValidationException',
    });
    const expected = [...ids.slice(1), ...later].filter((id) => !refused.includes(id));
    assert.deepEqual(withdrawals.sent.sort(), expected.sort());
    table.fault = undefined;
    table.clock.now += 120_000;
    await sweep({ table, withdrawals, transfers: queueOf(0) });
    const missing = [ids[0]!, ...refused, ...unreadable].filter((id) => !withdrawals.sent.includes(id));
    assert.deepEqual(missing, [], 'the next run queues what has failed');
  });

  it('goes on behind a full page of work that it cannot read', async () => {
    const table = await engine.newTable();
    const shard = dueShard('withdrawal', 7);
    const dueAt = iso(table.now());
    const newer = Array.from({ length: 220 }, (_, n) => `tx_newer${n}`);
    const waiting = Array.from({ length: 1_050 }, (_, n) => `tx_waiting${n}`);
    await plant(
      table,
      ...newer.map((id) => ({
        ...transactionKey(id),
        transactionId: id,
        type: 'withdrawal',
        v: 2,
        dueShard: shard,
        dueAt,
      })),
      ...waiting.map((id) => ({
        ...transactionKey(id),
        ...{ transactionId: id, type: 'withdrawal', v: 2, dueShard: waitingShard, dueAt },
      })),
    );
    table.clock.now += 1_000;
    const ids = await plantOverdue(table, shard, 5);
    const { transactionId: waited } = await acceptedWithdrawal(table);
    await putBackWithdrawal(table, await claimed(table, waited), {
      dueAt: iso(table.now()),
      submitBy: undefined,
      waitingFor: 'wallet_frozen',
    });
    table.clock.now += 600_000;
    const withdrawals = queueOf(0);
    await assert.rejects(sweep({ table, withdrawals, transfers: queueOf(0) }), { name: 'UnreadableItem' });
    assert.deepEqual(withdrawals.sent.sort(), [...ids, waited].sort());
  });

  it('ends in time, and sweeps the other type, while the writes of one type are throttled', async () => {
    const table = await engine.newTable();
    for (let shard = 0; shard < 16; shard++) await plantOverdue(table, dueShard('withdrawal', shard), 40);
    const work = await openWork(table);
    const transfers = work.filter(({ type }) => type === 'transfer').map(({ transactionId }) => transactionId);
    table.clock.now += 600_000;
    const startedAt = table.now();
    table.fault = (call, pass) =>
      call.operation === 'UpdateItem' && !transfers.some((id) => JSON.stringify(call.input).includes(id))
        ? answer('ThrottlingException')(call, pass)
        : pass();
    const [withdrawals, other] = [queueOf(0), queueOf(0)];
    await assert.rejects(sweep({ table, withdrawals, transfers: other }), { code: 'busy' });
    assert.deepEqual(other.sent, transfers);
    assert.ok(table.now() - startedAt < 50_000, `${table.now() - startedAt} ms`);
  });

  it('queues overdue work of both types again, each once', async () => {
    const table = await engine.newTable();
    const work = await openWork(table);
    table.clock.now += 600_000;
    const [withdrawals, transfers] = [queueOf(0), queueOf(0)];
    assert.equal(await sweep({ table, withdrawals, transfers }), work.length);
    assert.equal(await sweep({ table, withdrawals, transfers }), 0);
    const sent = (type: string) => work.filter((one) => one.type === type).map(({ transactionId }) => transactionId);
    assert.deepEqual(withdrawals.sent.sort(), sent('withdrawal').sort());
    assert.deepEqual(transfers.sent, sent('transfer'));
  });
});

describe('withdrawals in review', () => {
  it('are listed from the oldest on and counted by the sweeper until an operator ends them', async () => {
    const table = await engine.newTable();
    const nothing = { send: () => Promise.resolve([]), depth: () => Promise.resolve(0) };
    const counted: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.withdrawalsInReview) counted.push(value);
    });
    const sweepAll = () => sweep({ table, withdrawals: nothing, transfers: nothing });
    await sweepAll();
    const reviews = [];
    for (let n = 0; n < 3; n++) {
      const { transactionId } = await acceptedWithdrawal(table);
      await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
      reviews.push({ transactionId, since: iso(table.now()) });
      table.clock.now += 3_600_000;
    }
    assert.deepEqual(await listReviews(table, 100), reviews);
    assert.deepEqual(await listReviews(table, 2), reviews.slice(0, 2));
    assert.equal(await sweepAll(), 0, 'no work for a worker');
    const [oldest] = reviews;
    assert.ok(oldest);
    const withdrawal = await withdrawalOf(table, oldest.transactionId);
    await endWithdrawal(table, { withdrawal, at: iso(table.now()), from: ['review'], failure: undefined });
    assert.deepEqual(await listReviews(table, 100), reviews.slice(1));
    await sweepAll();
    assert.deepEqual(counted, [0, 3, 2]);
  });
});

describe('the breaker', () => {
  it('has the state that was last reported, and none at the beginning', async () => {
    const table = await engine.newTable();
    assert.equal(await getBreaker(table), undefined);
    await putBreaker(table, { state: 'open', since: iso(table.now()) });
    await putBreaker(table, { state: 'half-open', since: iso(table.now() + 1) });
    assert.deepEqual(await getBreaker(table), { state: 'half-open', since: iso(table.now() + 1) });
    await putBreaker(table, { state: 'open', since: iso(table.now()) });
    assert.equal((await getBreaker(table))?.state, 'half-open', 'a late report hides nothing');
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
      const sent: string[] = [];
      const queue = {
        depth: () => Promise.resolve(0),
        send(messages: readonly { transactionId: string }[]) {
          sent.push(...messages.map((message) => message.transactionId));
          return Promise.resolve([]);
        },
      };
      await sweep({ table, withdrawals: queue, transfers: queue });
      table.fault = undefined;
      assert.deepEqual([sent.includes(overdue), sent.includes(fresh.transactionId)], [true, false]);
      const { dueAt } = (await fieldsOf(table, overdue))!;
      assert.equal(dueAt, iso(Math.floor(right / 1000) * 1000), 'a right worker may take it at once');
    });
  }
});
