/** Commands of end users within and beyond their limits, as a container keeps them, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { measure, operationsOf } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { cancelled } from '../faults.ts';
import { endUser, send } from '../request.ts';
import type { Request } from '../request.ts';
import { destination, newKey } from './commands.ts';
import { setLimits } from './limit-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();
let table: TestTable;
let walletId: string;
let shop: string;
beforeEach(async () => {
  table = await engine.newTable();
  [walletId, shop] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'shop')];
});

/** Returns a container of the transfers' function, which asks for a transfer to the shop. */
function payer({ readsPerHour = 1_000, refusalsPerHour = 1_000, perHour = 1_000 } = {}) {
  const handler = serve(transfer, {
    table,
    limits: openLimits({ readsPerHour, refusalsPerHour, perHour }),
    queue: { send: () => Promise.resolve() },
    isOverloaded: () => Promise.resolve(false),
  });
  return (amount: number, request: Request = {}) =>
    send('transfer', handler, {
      as: endUser('ann'),
      path: { walletId },
      key: newKey(),
      body: { amount, toWalletId: shop },
      ...request,
    });
}

const codeOf = async (asked: ReturnType<typeof send>) => (await asked).body?.['code'];

describe('a command', () => {
  it('of a caller within its limits is one write, and states the remainder', async () => {
    const pay = payer({ perHour: 100 });
    for (const remaining of ['99', '98']) {
      const { result, calls } = await measure(table, () => pay(1));
      assert.deepEqual([result.status, result.headers['RateLimit-Remaining']], [201, remaining]);
      assert.deepEqual(
        calls.map(({ operation }) => operation),
        ['TransactWriteItems'],
      );
    }
  });

  it('after a refusal is refused by plain reads, and never touches the other wallet', async () => {
    const pay = payer();
    assert.deepEqual(await operationsOf(table, () => codeOf(pay(101))), ['TransactWriteItems']);
    for (let n = 0; n < 5; n++) {
      assert.deepEqual(
        await operationsOf(table, async () => {
          assert.equal(await codeOf(pay(101)), 'insufficient_funds');
        }),
        ['BatchGetItem', 'BatchGetItem'],
      );
    }
  });

  it('after a refusal is attempted when the reads show that it would pass, and then the caller is trusted again', async () => {
    const pay = payer();
    await pay(101);
    assert.deepEqual(
      await operationsOf(table, async () => {
        assert.equal((await pay(1)).status, 201);
      }),
      ['BatchGetItem', 'TransactWriteItems'],
    );
    assert.deepEqual(await operationsOf(table, () => pay(1)), ['TransactWriteItems']);
  });

  it('that is repeated often is answered by plain reads', async () => {
    const pay = payer();
    const same = { key: newKey() };
    await pay(1, same);
    assert.deepEqual(await operationsOf(table, () => pay(1, same)), ['TransactWriteItems']);
    for (let n = 0; n < 3; n++) {
      const { result, calls } = await measure(table, () => pay(1, same));
      assert.deepEqual([result.status, result.headers['Idempotency-Replayed']], [201, 'true']);
      assert.deepEqual(
        calls.map(({ operation }) => operation),
        ['BatchGetItem'],
      );
    }
    assert.equal(await codeOf(pay(2, same)), 'idempotency_key_reused');
  });

  it('is refused after a read of its key when the caller was refused too often, but not for reads or repetitions', async () => {
    const pay = payer({ refusalsPerHour: 50 });
    const same = { key: newKey() };
    for (let n = 0; n < 60; n++) assert.equal((await pay(1, same)).status, 201);
    for (let n = 0; n < 50; n++) assert.equal(await codeOf(pay(101)), 'insufficient_funds');
    const key = newKey();
    const { result, calls } = await measure(table, () => pay(1, { key }));
    assert.equal(result.status, 429);
    assert.equal(result.body?.['detail'], 'too many commands that were refused');
    assert.deepEqual([result.headers['RateLimit-Limit'], result.headers['Retry-After']], ['50', '4800']);
    const Keys = [toItem(transactionKey(transactionIdOf('ann', key)))];
    assert.deepEqual(
      calls.map(({ operation, input }) => [operation, input['RequestItems']]),
      [['BatchGetItem', { [table.name]: { Keys, ConsistentRead: true } }]],
    );
    const bystander = endUser('shop');
    assert.equal((await pay(1, { as: bystander, path: { walletId: shop } })).status, 422, 'others are not concerned');
  });

  it('that was accepted is answered again although its caller was refused too often', async () => {
    const pay = payer({ refusalsPerHour: 20 });
    const accepted = { key: newKey() };
    const first = await pay(1, accepted);
    for (let n = 0; n < 20; n++) assert.equal(await codeOf(pay(101)), 'insufficient_funds');
    const again = await pay(1, accepted);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed'], again.body], [201, 'true', first.body]);
    assert.equal(await codeOf(pay(2, accepted)), 'idempotency_key_reused');
    assert.equal(await codeOf(pay(1)), 'rate_limited');
    assert.deepEqual(await balanceOf(table, walletId), { available: 99, held: 0, total: 99 });
  });

  it('that was accepted is answered again although its caller has repeated too much', async () => {
    const pay = payer({ readsPerHour: 10, refusalsPerHour: 20 });
    const accepted = { key: newKey() };
    await pay(1, accepted);
    const statuses = [];
    for (let n = 0; n < 10 + 20; n++) statuses.push((await pay(1, accepted)).status);
    assert.deepEqual(new Set(statuses), new Set([201]));
    const { result, roundTrips } = await measure(table, () => pay(1, accepted));
    assert.deepEqual([result.status, roundTrips], [429, 0], 'keys are looked up as often as commands may be refused');
  });

  it('is looked up by its key no more often than the limit of refusals, for any key', async () => {
    const pay = payer({ refusalsPerHour: 20 });
    const accepted = { key: newKey() };
    await pay(1, accepted);
    const { calls } = await measure(table, async () => {
      for (let n = 0; n < 100; n++) assert.equal((await pay(101, n % 2 === 0 ? accepted : {})).status >= 400, true);
    });
    const count = (operation: string) => calls.filter((call) => call.operation === operation).length;
    assert.ok(count('BatchGetItem') <= 2 * 20 + 20, `${count('BatchGetItem')} reads`);
    assert.ok(count('UpdateItem') <= 2 * 10, `${count('UpdateItem')} lots`);
    const { result, roundTrips } = await measure(table, () => pay(1, accepted));
    assert.deepEqual([result.status, roundTrips], [429, 0]);
    assert.equal(result.body?.['detail'], 'too many commands that were refused');
    table.clock.now += 80 * 60_000;
    assert.equal((await pay(1, accepted)).status, 201);
    assert.equal((await pay(1)).status, 201, 'keys that were looked up count against no other limit');
  });

  it('of a caller who was refused too often is refused by every container, each after at most a lot of its own', async () => {
    const containers = Array.from({ length: 8 }, () => payer({ refusalsPerHour: 100 }));
    const { result: refused, calls } = await measure(table, async () => {
      let count = 0;
      for (let n = 0; n < 800; n++) {
        const code = await codeOf(containers[n % 8]!(101));
        if (code === 'rate_limited') continue;
        assert.equal(code, 'insufficient_funds');
        count++;
      }
      return count;
    });
    assert.ok(refused >= 100 && refused <= 100 + 8 * 10, `${refused} refused by the table`);
    const count = (operation: string) => calls.filter((call) => call.operation === operation).length;
    assert.equal(count('TransactWriteItems'), 8, 'each container wrote once');
    // Each refusal reads its record twice, and each lookup of a key once.
    assert.ok(count('BatchGetItem') <= 3 * (100 + 8 * 10), `${count('BatchGetItem')} reads`);
    for (const pay of containers) {
      const { result, roundTrips } = await measure(table, () => pay(1));
      assert.deepEqual([result.status, roundTrips], [429, 0]);
    }
    const fresh = payer({ refusalsPerHour: 100 });
    for (let n = 0; n < 10; n++) assert.equal(await codeOf(fresh(101)), 'insufficient_funds');
    assert.equal(await codeOf(fresh(101)), 'rate_limited', 'a new container learns it with its first lot');
    table.clock.now += 80 * 60_000;
    assert.equal((await containers[0]!(1)).status, 201);
  });

  it('counts bad requests too, from which no call follows', async () => {
    const pay = payer({ readsPerHour: 50 });
    for (let n = 0; n < 50; n++) assert.equal((await pay(1, { body: { amount: -1 } })).status, 400);
    assert.equal((await pay(1)).status, 429);
  });

  it('is served although the caller has read too much', async () => {
    const handler = serve(getWallet, { table, limits: openLimits({ readsPerHour: 1 }) });
    const read = () => send('get-wallet', handler, { as: endUser('ann'), path: { walletId } });
    await read();
    assert.equal((await read()).status, 429);
    assert.equal((await payer({ readsPerHour: 1 })(1)).status, 201);
  });

  it('beyond its own limit is refused by plain reads, and a repetition is still answered', async () => {
    const pay = payer({ perHour: 2 });
    const first = { key: newKey() };
    for (const request of [first, {}]) assert.equal((await pay(1, request)).status, 201);
    assert.equal((await pay(1)).status, 429);
    const { result, calls } = await measure(table, () => pay(1));
    assert.deepEqual([result.status, result.headers['RateLimit-Limit']], [429, '2']);
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['BatchGetItem', 'BatchGetItem'],
    );
    assert.equal((await pay(1, first)).status, 201);
  });

  it('that meets a conflict is refused by reads, even when the container knows nothing of the caller', async () => {
    const conflict = cancelled({ Code: 'None' }, { Code: 'None' }, { Code: 'TransactionConflict' }, { Code: 'None' });
    table.fault = (call, pass) => (call.operation === 'TransactWriteItems' ? conflict(call, pass) : pass());
    const pay = payer();
    const called = await operationsOf(table, async () => {
      assert.equal(await codeOf(pay(101)), 'insufficient_funds');
    });
    assert.deepEqual(called, ['TransactWriteItems', 'BatchGetItem', 'BatchGetItem']);
  });

  it('to the bank is checked in the same way', async () => {
    const handler = serve(withdraw, {
      table,
      limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
      queue: { send: () => Promise.resolve() },
      isOverloaded: () => Promise.resolve(false),
    });
    const take = (amount: number) =>
      send('withdraw', handler, {
        as: endUser('ann'),
        path: { walletId },
        key: newKey(),
        body: { amount, destination },
      });
    await take(101);
    assert.deepEqual(await operationsOf(table, () => take(101)), ['BatchGetItem', 'BatchGetItem']);
  });

  it('beyond its allowance is refused alike, whether the receiver would take the amount or not', async () => {
    await setLimits(table, shop, { maximumBalance: 50 });
    await payer({ perHour: 1 })(1);
    // The first refusal of a container is by the write, the second by plain reads.
    for (const amounts of [
      [60, 60],
      [2, 2],
    ]) {
      const pay = payer({ perHour: 1 });
      for (const amount of amounts) assert.equal(await codeOf(pay(amount)), 'rate_limited');
    }
    await setStatus(table, shop, 'frozen');
    assert.equal(await codeOf(payer({ perHour: 1 })(2)), 'rate_limited');
    assert.deepEqual((await balanceOf(table, shop)).available, 1);
  });
});
