/** The end of expired holds by the sweeper: what one wallet, or one hold, can do to the others. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import type { Hold } from '../../lambdas/domain/transaction.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { TestTable } from '../engine.ts';
import { answer } from '../faults.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { dayMs, holdOf, openHold } from './hold-commands.ts';
import { allItems, changeItem, itemOf, plant } from './inspect.ts';
import { queueOfDepth } from './work.ts';
import { balanceOf, fundedWallet } from './wallets.ts';

const engine = useEngine();

const ages: number[] = [];
beforeEach(() => {
  ages.length = 0;
  watchMetrics((name, _unit, value) => {
    if (name === names.oldestExpiredHold) ages.push(value);
  });
});

const run = (table: TestTable) => sweep({ table, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0) });
const statusOf = async (table: TestTable, hold: Hold) => (await holdOf(table, hold)).status;

/** Opens holds of 1 that expire after one another. */
async function openHolds(table: TestTable, walletId: string, count: number): Promise<Hold[]> {
  const holds: Hold[] = [];
  for (let n = 0; n < count; n++) holds.push(await openHold(table, walletId, { amount: 1, forMs: 60_000 + n }));
  return holds;
}

describe('expired holds', () => {
  it('of a wallet that takes no writes leave the time of the run to other wallets', async () => {
    const table = await engine.newTable();
    const [crowded, quiet] = [await fundedWallet(table, 'ann', 100), await fundedWallet(table, 'ann', 100)];
    const stuck = await openHolds(table, crowded, 5);
    const other = await openHold(table, quiet, { amount: 1, forMs: 120_000 });
    table.clock.now += 600_000;
    const tried = new Set<string>();
    table.fault = (call, pass) => {
      const text = JSON.stringify(call.input);
      if (call.operation !== 'TransactWriteItems' || !text.includes(crowded)) return pass();
      for (const { transactionId } of stuck) if (text.includes(`TX#${transactionId}"`)) tried.add(transactionId);
      return answer('ProvisionedThroughputExceededException')(call, pass);
    };
    await assert.rejects(run(table), { code: 'busy' });
    assert.equal(tried.size, 1, 'each further write would wait in vain');
    assert.equal(await statusOf(table, other), 'ended');
    table.fault = undefined;
    await run(table);
    for (const hold of stuck) assert.equal(await statusOf(table, hold), 'ended');
  });

  it('end while another one of their wallet cannot be ended', async () => {
    const table = await engine.newTable();
    const payer = await fundedWallet(table, 'ann', 100);
    const [broken, ...others] = await openHolds(table, payer, 4);
    assert.ok(broken);
    table.clock.now += 600_000;
    table.fault = (call, pass) =>
      call.operation === 'TransactWriteItems' && JSON.stringify(call.input).includes(`TX#${broken.transactionId}"`)
        ? answer('ValidationException')(call, pass)
        : pass();
    await assert.rejects(run(table), { name: 'ValidationException' });
    for (const hold of others) assert.equal(await statusOf(table, hold), 'ended');
    assert.equal(await statusOf(table, broken), 'open');
  });

  it('of one wallet end in one run while it has time, however many they are', async () => {
    const table = await engine.newTable();
    const payer = await fundedWallet(table, 'ann', 5_000);
    const [first] = await openHolds(table, payer, 1);
    assert.ok(first);
    const stored = await itemOf(table, transactionKey(first.transactionId));
    const count = 1_050;
    const copies = Array.from({ length: count }, (_, n) => {
      const transactionId = `${first.transactionId.slice(0, -4)}${String(n).padStart(4, '0')}`;
      return { ...stored, ...transactionKey(transactionId), transactionId };
    });
    await plant(table, ...copies);
    await changeItem(table, walletKey(payer), { held: count + 1, available: 5_000 - count - 1 });
    table.clock.now += 600_000;
    await run(table);
    assert.deepEqual(await balanceOf(table, payer), { available: 5_000, held: 0, total: 5_000 });
    assert.deepEqual((await allItems(table, 'due')).length, 0);
  });

  it('are reported with the time since the earliest expiry, as the run finds them', async () => {
    const table = await engine.newTable();
    const payer = await fundedWallet(table, 'ann', 100);
    await run(table);
    const [late] = await openHolds(table, payer, 2);
    await openHold(table, payer, { amount: 1, forMs: dayMs });
    await run(table);
    table.clock.now += 360_000;
    await changeItem(table, transactionKey(late?.transactionId ?? ''), { v: 2 });
    await assert.rejects(run(table), { name: 'UnreadableItem' });
    table.clock.now += 60_000;
    await assert.rejects(run(table), { name: 'UnreadableItem' });
    assert.deepEqual(ages, [0, 0, 300, 360]);
  });
});
