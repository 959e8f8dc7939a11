import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { defaultDueShards as dueShards, metrics as names } from '../../lambdas/contract.ts';
import { getBreaker, putBreaker } from '../../lambdas/store/breaker.ts';
import { earliestDue, listDue, listReviews, touchDue } from '../../lambdas/store/due.ts';
import { dueTypes } from '../../lambdas/store/due-keys.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { endWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { reviewWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { timeOf, withdraw } from './commands.ts';
import { openHold } from './hold-commands.ts';
import { withdrawalOf } from './inspect.ts';
import { acceptedWithdrawal, claim, claimed, visit } from './visits.ts';
import { fundedWallet } from './wallets.ts';
import { openWork, queueOfDepth } from './work.ts';

const engine = useEngine();

const anyTime = '9';

async function everyShard(table: TestTable, before: string) {
  const shards = await Promise.all(
    dueTypes.flatMap((type) =>
      Array.from({ length: dueShards }, (_, shard) => listDue(table, { type, shard, before, limit: 100 })),
    ),
  );
  return shards.flatMap(({ work }) => work).map(readable);
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

  it('of holds is due at their expiry, apart from the work of workers', async () => {
    const table = await engine.newTable();
    const walletId = await fundedWallet(table, 'ann', 100);
    for (const forMs of [7_200_000, 3_600_000]) {
      const { expiresAt } = await openHold(table, walletId, { amount: 1, forMs });
      assert.equal(await earliestDue(table, ['hold']), expiresAt);
    }
    assert.equal(await earliestDue(table), undefined);
  });

  it('is touched once, and not after another run has moved it', async () => {
    const table = await engine.newTable();
    const [work] = await everyShard(table, anyTime).then(async (none) => {
      assert.deepEqual(none, []);
      await openWork(table);
      return everyShard(table, anyTime);
    });
    assert.ok(work);
    const at = timeOf(table, 60_000);
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
    const at = timeOf(table);
    assert.equal(await touchDue(table, { transactionId, type: 'withdrawal', dueAt: createdAt }, at), true);
    assert.equal((await claim(table, transactionId)).claimed, true);
  });
});

describe('withdrawals in review', () => {
  it('are listed from the oldest on and counted by the sweeper until an operator ends them', async () => {
    const table = await engine.newTable();
    const nothing = queueOfDepth(0);
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
      reviews.push({ transactionId, since: timeOf(table) });
      table.clock.now += 3_600_000;
    }
    assert.deepEqual(await listReviews(table, 100), reviews);
    assert.deepEqual(await listReviews(table, 2), reviews.slice(0, 2));
    assert.equal(await sweepAll(), 0, 'no work for a worker');
    const [oldest] = reviews;
    assert.ok(oldest);
    const withdrawal = await withdrawalOf(table, oldest.transactionId);
    await endWithdrawal(table, { withdrawal, at: timeOf(table), from: ['review'], failure: undefined });
    assert.deepEqual(await listReviews(table, 100), reviews.slice(1));
    await sweepAll();
    assert.deepEqual(counted, [0, 3, 2]);
  });
});

describe('the breaker', () => {
  it('has the state that was last reported, and none at the beginning', async () => {
    const table = await engine.newTable();
    assert.equal(await getBreaker(table), undefined);
    await putBreaker(table, { state: 'open', since: timeOf(table) });
    await putBreaker(table, { state: 'half-open', since: timeOf(table, 1) });
    assert.deepEqual(await getBreaker(table), { state: 'half-open', since: timeOf(table, 1) });
    await putBreaker(table, { state: 'open', since: timeOf(table) });
    assert.equal((await getBreaker(table))?.state, 'half-open', 'a late report hides nothing');
  });
});
