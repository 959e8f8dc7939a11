/** The withdrawal worker by a clock that is not the database's. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import { leaseMs } from '../../lambdas/domain/withdrawal.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { itemOf } from './inspect.ts';
import { hourMs, scheduleWithdrawal } from './schedule-commands.ts';
import { acceptedWithdrawal, claimed } from './visits.ts';
import { fundedWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { advanceOnce } from './bank-says.ts';
import type { Says } from './bank-says.ts';

const table = useTable();
let transactionId: string;
beforeEach(async () => {
  ({ transactionId } = await acceptedWithdrawal(table));
});
afterEach(() => {
  table.fault = undefined;
});

const advance = (says: Says, maxAttempts?: number) => advanceOnce(table, transactionId, says, maxAttempts);

describe("a worker's clock", () => {
  interface Time {
    /** The lead of the worker's clock over the database's. */
    readonly aheadMs: number;
    readonly tookMs?: number;
  }

  /**
   * Sets the database's time in the next answers, one entry for each. An answer with an undefined entry has no date.
   */
  function databaseSays(...times: readonly (Time | undefined)[]) {
    const left = [...times];
    table.fault = async (_call, send) => {
      const response = await send();
      const time = left.shift();
      if (time === undefined) return response;
      response.headers['date'] = new Date(table.clock.now - time.aheadMs).toUTCString();
      table.clock.now += time.tookMs ?? 0;
      return response;
    };
  }

  function leaveCounts() {
    const counted: string[] = [];
    watchMetrics((name) => counted.push(name));
    return counted;
  }

  const sayings: [string, ...(Time | undefined)[]][] = [
    ['ahead at the claim', { aheadMs: 10_000 }],
    ['behind at the claim', { aheadMs: -10_000 }],
    ['unknown, as the claim took too long', { aheadMs: 0, tookMs: 5_000 }],
    ['ahead when the wallet is read', { aheadMs: 0 }, { aheadMs: 4_000 }],
    ['behind when the wallet is read', undefined, { aheadMs: -4_000 }],
  ];
  for (const [name, ...times] of sayings) {
    it(`that is ${name} keeps the worker from the bank, and another worker pays soon`, async () => {
      const counted = leaveCounts();
      databaseSays(...times);
      const waitMs = (await advance({}))! - table.clock.now;
      assert.equal(waitMs, 10_000);
      assert.deepEqual(counted, [names.clockDoubted]);
      const { submitBy, dueAt, claimId, attempts } = (await itemOf(table, transactionKey(transactionId)))!;
      assert.deepEqual([submitBy, claimId, attempts], [undefined, undefined, undefined]);
      const { aheadMs, tookMs = 0 } = times.findLast((time) => time !== undefined)!;
      const dueInMs = Date.parse(dueAt as string) - (table.clock.now - tookMs - aheadMs);
      assert.ok(dueInMs > 9_000 && dueInMs <= 10_000, `due ${dueInMs} ms later by the database's clock`);
      table.clock.now = Date.parse(dueAt as string);
      assert.equal(await advance({ submit: () => ({ outcome: 'accepted' }) }), undefined, 'another one pays');
    });
  }

  it("that is ahead does not shorten another worker's time at the bank", async () => {
    await claimed(table, transactionId);
    const { dueAt, submitBy } = (await itemOf(table, transactionKey(transactionId)))!;
    table.clock.now += leaseMs;
    databaseSays({ aheadMs: leaseMs });
    await advance({});
    const left = (await itemOf(table, transactionKey(transactionId)))!;
    assert.deepEqual([left['dueAt'], left['submitBy']], [dueAt, submitBy]);
  });

  it('that is behind leaves new work to another worker soon, and is counted', async () => {
    const counted = leaveCounts();
    table.clock.now -= 280_000;
    databaseSays({ aheadMs: -280_000 });
    assert.equal((await advance({}))! - table.clock.now, 10_000);
    assert.deepEqual(counted, [names.clockDoubted]);
  });

  it('that is wrong keeps the message of a scheduled withdrawal: another worker may execute it and die', async () => {
    const counted = leaveCounts();
    const payer = await fundedWallet(table, 'ann', 1_000);
    ({ transactionId } = await scheduleWithdrawal(table, payer, { amount: 100 }));
    table.clock.now += hourMs + 2_000;
    databaseSays({ aheadMs: 10_000 });
    assert.equal((await advance({}))! - table.clock.now, 10_000);
    assert.deepEqual(counted, [names.clockDoubted]);
    assert.equal((await itemOf(table, transactionKey(transactionId)))!['status'], 'scheduled', 'it executes nothing');
  });

  it('that is a little behind keeps the message of a scheduled withdrawal until its time', async () => {
    const payer = await fundedWallet(table, 'ann', 1_000);
    ({ transactionId } = await scheduleWithdrawal(table, payer, { amount: 100 }));
    const executeAt = table.clock.now + hourMs;
    table.clock.now = executeAt - 200;
    databaseSays({ aheadMs: -200 });
    assert.equal(await advance({}), executeAt);
    table.clock.now = executeAt;
    assert.equal(await advance({ submit: () => ({ outcome: 'accepted' }) }), undefined, 'it is paid at its time');
  });

  it('that passes its time after the execution was refused keeps the message', async () => {
    const payer = await fundedWallet(table, 'ann', 1_000);
    ({ transactionId } = await scheduleWithdrawal(table, payer, { amount: 100 }));
    table.clock.now += hourMs - 5;
    const right = { aheadMs: 0, tookMs: 4 };
    databaseSays(right, right);
    assert.equal(await advance({}), table.clock.now);
  });

  it('that is wrong does not keep the message of a withdrawal whose time is far away', async () => {
    const payer = await fundedWallet(table, 'ann', 1_000);
    ({ transactionId } = await scheduleWithdrawal(table, payer, { amount: 100 }));
    databaseSays({ aheadMs: 10_000 });
    assert.equal(await advance({}), undefined);
  });

  it('that is ahead puts no withdrawal of another bank into review before the clock is checked', async () => {
    await claimed(table, transactionId);
    table.clock.now += leaseMs;
    databaseSays({ aheadMs: leaseMs });
    await advance({ bankId: 'another.example.com' });
    assert.equal((await itemOf(table, transactionKey(transactionId)))!['status'], 'executing');
  });

  it('that jumped after "not found" submits nothing', async () => {
    await claimed(table, transactionId);
    table.clock.now += 200_000;
    databaseSays({ aheadMs: 0 }, { aheadMs: 150_000 });
    const wait = await advance({ find: { outcome: 'not_found' } });
    assert.ok(wait! > table.clock.now);
  });

  for (const aheadMs of [900, 0, -900]) {
    it(`that is ahead by ${aheadMs} ms lets the worker visit the bank`, async () => {
      databaseSays({ aheadMs }, { aheadMs });
      assert.equal(await advance({ submit: () => ({ outcome: 'accepted' }) }), undefined);
    });
  }
});
