/** How much work is open, and for how long, as the sweeper publishes it every minute. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { defaultDueShards, metrics as names } from '../../lambdas/contract.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShard, holdShards, orderShards, scheduleShards } from '../../lambdas/store/due-keys.ts';
import { putBackWithdrawal, reviewWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { queueTransfer } from './commands.ts';
import { acceptedWithdrawal, claimed, visit } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { plant } from './inspect.ts';

const engine = useEngine();
const iso = (ms: number) => new Date(ms).toISOString();

const gauges = new Map<string, number>();
beforeEach(() => {
  gauges.clear();
  watchMetrics((name, _unit, value) => gauges.set(name, value));
});

const queueOf = (messages: number) => {
  const sent: string[] = [];
  return {
    sent,
    send: (batch: readonly { transactionId: string }[]) => {
      sent.push(...batch.map(({ transactionId }) => transactionId));
      return Promise.resolve([]);
    },
    depth: () => Promise.resolve(messages),
  };
};

/** Sweeps with empty queues. Returns the ages of the oldest open work, in seconds, and the number of open withdrawals. */
async function gaugesOf(table: TestTable, queues = { withdrawals: queueOf(0), transfers: queueOf(0) }) {
  await sweep({ table, ...queues });
  return {
    withdrawal: gauges.get(names.oldestWithdrawal),
    transfer: gauges.get(names.oldestTransfer),
    open: gauges.get(names.openWithdrawals),
  };
}

/** Puts a withdrawal back as a worker does when the bank has not accepted it. */
async function putBack(table: TestTable, transactionId: string, waitingFor?: 'wallet_frozen') {
  const dueAt = iso(table.now() + 300_000);
  await putBackWithdrawal(table, await claimed(table, transactionId), { dueAt, submitBy: undefined, waitingFor });
}

describe('open work', () => {
  it('has the age of the oldest since its acceptance, however often it was put back', async () => {
    const table = await engine.newTable();
    assert.deepEqual(await gaugesOf(table), { withdrawal: 0, transfer: 0, open: 0 });
    const { transactionId } = await acceptedWithdrawal(table);
    table.clock.now += 20_000;
    const [sender, receiver] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'bob')];
    await queueTransfer(table, sender, receiver, { owner: 'ann', amount: 1 });
    await acceptedWithdrawal(table);
    table.clock.now += 10_000;
    assert.deepEqual(await gaugesOf(table), { withdrawal: 30, transfer: 10, open: 2 });
    for (let visits = 1; visits <= 3; visits++) {
      table.clock.now += 400_000;
      await putBack(table, transactionId);
    }
    assert.deepEqual(await gaugesOf(table), { withdrawal: 1_230, transfer: 1_210, open: 2 });
  });

  it('is not what waits in review, or for a frozen wallet: those have their own ends', async () => {
    const table = await engine.newTable();
    const { transactionId: reviewed } = await acceptedWithdrawal(table);
    const { transactionId: waiting } = await acceptedWithdrawal(table);
    await reviewWithdrawal(table, await claimed(table, reviewed), visit(table, 'unknown'));
    await putBack(table, waiting, 'wallet_frozen');
    table.clock.now += 60_000;
    assert.deepEqual(await gaugesOf(table), { withdrawal: 0, transfer: 0, open: 0 });
  });

  for (const [why, depth] of [
    ['behind a backlog', () => Promise.resolve(2_500)],
    ['while SQS fails', () => Promise.reject(new Error('no answer'))],
  ] as const) {
    it(`is measured ${why}, when none is queued again`, async () => {
      const table = await engine.newTable();
      await acceptedWithdrawal(table);
      table.clock.now += 600_000;
      const withdrawals = { ...queueOf(0), depth };
      await gaugesOf(table, { withdrawals, transfers: queueOf(0) }).catch(() => undefined);
      assert.deepEqual([gauges.get(names.oldestWithdrawal), gauges.get(names.openWithdrawals)], [600, 1]);
      assert.deepEqual(withdrawals.sent, []);
    });
  }

  it('is counted up to a page of each partition, also when more of it is overdue, and each only once', async () => {
    const table = await engine.newTable();
    const plantAll = (shard: number, dueAt: string) =>
      plant(
        table,
        ...Array.from({ length: 150 }, (_, n) => {
          const transactionId = `tx_${shard}${n}aa`;
          const work = { transactionId, type: 'withdrawal', createdAt: iso(table.now()), dueAt };
          return { ...transactionKey(transactionId), ...work, dueShard: dueShard('withdrawal', shard) };
        }),
      );
    await plantAll(3, iso(table.now() + 300_000));
    assert.equal((await gaugesOf(table)).open, 100);
    await plantAll(5, iso(table.now() - 300_000));
    assert.equal((await gaugesOf(table)).open, 200);
  });

  it('costs no further call: a page of each partition, of the reviews and of the waits', async () => {
    const table = await engine.newTable();
    await acceptedWithdrawal(table);
    // At this minute no partition beyond those in use has its turn.
    table.clock.now += 59_000;
    const before = table.calls.length;
    await gaugesOf(table);
    const calls = table.calls.slice(before);
    const turns = calls.length - 2 * defaultDueShards - holdShards - scheduleShards - orderShards - 2;
    assert.ok(calls.every(({ operation }) => operation === 'Query'));
    assert.ok(turns >= 0 && turns <= 8, `${calls.length} calls`);
  });
});
