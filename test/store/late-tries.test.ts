/** A refusal beside an earlier request with the same key that is still being retried. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { transfer } from '../../lambdas/api/transfer.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { forRequest, writesEndMs } from '../../lambdas/store/table.ts';
import type { Fault } from '../engine.ts';
import { useEngine, useTable } from '../fixture.ts';
import { cancelled } from '../faults.ts';
import { endUser, send } from '../request.ts';
import { charge, newKey, transfer as pay } from './commands.ts';
import { assertRefused } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const table = useTable(engine);
let walletId: string;
let toWalletId: string;
beforeEach(async () => {
  table.fault = undefined;
  [walletId, toWalletId] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'bob')];
});

const conflict: Fault = cancelled(
  { Code: 'None' },
  { Code: 'None' },
  { Code: 'TransactionConflict' },
  { Code: 'None' },
);

describe('a refusal', () => {
  it('is not final while an earlier request with the key is in progress', async () => {
    const command = { owner: 'ann', key: newKey(), amount: 50 };
    const other = engine.openTable(table.name);
    let tries = 0;
    // The first request meets conflicts. Before its retry a second one is refused, and money arrives.
    table.fault = async (call, pass) => {
      if (call.operation !== 'TransactWriteItems' || tries++ > 0) return pass();
      await assertRefused(other, 'insufficient_funds', () => pay(other, walletId, toWalletId, command));
      await charge(other, walletId, { amount: 90 });
      return conflict(call, pass);
    };
    const { replayed } = await pay(forRequest(table, table.now()), walletId, toWalletId, command);
    assert.deepEqual([replayed, (await balanceOf(other, toWalletId)).available], [false, 50]);
  });

  it(`is final ${writesEndMs / 1000} s and one call after the last request with the key: no retry begins later`, async () => {
    const startedAt = table.now();
    const begun: number[] = [];
    table.fault = (call, pass) => {
      if (call.operation === 'TransactWriteItems') begun.push(table.now() - startedAt);
      return conflict(call, pass);
    };
    const request = forRequest(table, startedAt);
    table.clock.now += writesEndMs - 2_000;
    await assert.rejects(pay(request, walletId, toWalletId, { owner: 'ann', amount: 1 }), { code: 'busy' });
    assert.ok(begun.length > 2 && Math.max(...begun) < writesEndMs, `tries after ${begun.join(', ')} ms`);
    table.clock.now = startedAt + writesEndMs;
    begun.length = 0;
    await assert.rejects(pay(request, walletId, toWalletId, { owner: 'ann', amount: 1 }), { code: 'busy' });
    assert.deepEqual(begun, [], 'a request that comes too late is not tried at all');
  });

  it('counts from the time of the gateway, for any wait of the function', async () => {
    const handler = serve(transfer, {
      table,
      limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
      queue: { send: () => Promise.resolve() },
      isOverloaded: () => {
        table.clock.now += writesEndMs;
        return Promise.resolve(false);
      },
    });
    const { status, body } = await send('transfer', handler, {
      as: endUser('ann'),
      path: { walletId },
      key: newKey(),
      headers: { Prefer: 'respond-async' },
      body: { amount: 1, toWalletId },
    });
    assert.deepEqual([status, body?.['code']], [503, 'busy']);
    assert.equal((await balanceOf(table, walletId)).available, 10);
  });
});
