/** The limits of end users as a container keeps them, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { cancel } from '../../lambdas/api/cancel.ts';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getNotificationPreferences } from '../../lambdas/api/get-notification-preferences.ts';
import { getReceipt } from '../../lambdas/api/get-receipt.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listEntries } from '../../lambdas/api/list-entries.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import { putNotificationPreferences } from '../../lambdas/api/put-notification-preferences.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { routes } from '../../lambdas/contract.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { rateWindowKey, transactionKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { answer, cancelled } from '../faults.ts';
import { endUser, operator, send } from '../request.ts';
import type { Handler, Request } from '../request.ts';
import { destination, newKey, withdraw as withdrawFrom } from './commands.ts';
import { itemOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
let table: TestTable;
let walletId: string;
let shop: string;
beforeEach(async () => {
  table = await engine.newTable();
  [walletId, shop] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'shop')];
});

/** Returns a container of a reading function. */
function reader(readsPerHour: number): () => ReturnType<typeof send> {
  const handler = serve(getWallet, { table, limits: openLimits({ readsPerHour }) });
  return () => send('get-wallet', handler, { as: endUser('ann'), path: { walletId } });
}

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

const operations = async (work: () => Promise<unknown>) =>
  (await measure(table, work)).calls.map(({ operation }) => operation);
const codeOf = async (asked: ReturnType<typeof send>) => (await asked).body?.['code'];

describe('reads', () => {
  it('are counted in lots of 20, with one write beside the read, and refused beyond the limit without a call', async () => {
    const read = reader(1_000);
    for (let n = 1; n <= 1_000; n++) {
      const called = await operations(async () => {
        assert.equal((await read()).status, 200);
      });
      assert.deepEqual(called.sort(), n % 20 === 0 ? ['GetItem', 'UpdateItem'] : ['GetItem']);
    }
    const { result, roundTrips } = await measure(table, read);
    assert.deepEqual([result.status, result.body?.['code'], roundTrips], [429, 'rate_limited', 0]);
    // Counted from noon on, so the last window that counted them begins at noon.
    assert.equal(result.headers['Retry-After'], '4800');
    table.clock.now += 80 * 60_000;
    assert.equal((await read()).status, 200);
  });

  it('are counted exactly, up to one lot for each container', async () => {
    const containers = Array.from({ length: 5 }, () => reader(100));
    const lot = 2;
    let served = 0;
    for (let n = 0; n < 200; n++) if ((await containers[n % 5]!()).status === 200) served++;
    assert.ok(served >= 100 && served <= 100 + 5 * lot, `${served} served`);
  });

  it('state on every answer the most that is left, and until when', async () => {
    const read = reader(50);
    const left = async () => {
      const { headers } = await read();
      return ['Limit', 'Remaining', 'Reset'].map((name) => Number(headers[`RateLimit-${name}`]));
    };
    assert.deepEqual(await left(), [50, 49, 4_800]);
    table.clock.now += 20 * 60_000;
    assert.deepEqual(await left(), [50, 48, 3_600]);
  });

  it('drop counts older than any window', async () => {
    const read = reader(1_000);
    for (let n = 0; n < 19; n++) await read();
    table.clock.now += 3 * 3_600_000;
    await read();
    assert.equal(await itemOf(table, rateWindowKey('ann', 'reads')), undefined, 'no lot is full');
  });

  it('are answered when they cannot be reported', async () => {
    const read = reader(50);
    table.fault = (call, pass) =>
      call.operation === 'UpdateItem' ? answer('ProvisionedThroughputExceededException')(call, pass) : pass();
    assert.equal((await read()).status, 200);
  });

  it('are limited on every route that end users read, and operators are not', async () => {
    const limits = openLimits({ readsPerHour: 1 });
    const services = { table, entries: table, limits };
    const handlers: Partial<Record<(typeof routes)[number]['function'], Handler>> = {
      'list-wallets': serve(listWallets, services),
      'get-wallet': serve(getWallet, services),
      'get-balance': serve(getBalance, services),
      'list-entries': serve(listEntries, services),
      'list-transactions': serve(listTransactions, services),
      'get-transaction': serve(getTransaction, services),
      'get-receipt': serve(getReceipt, services),
      'get-notification-preferences': serve(getNotificationPreferences, services),
      'put-notification-preferences': serve(putNotificationPreferences, services),
    };
    await send('get-wallet', handlers['get-wallet']!, { as: endUser('ann'), path: { walletId } });
    for (const [name, handler] of Object.entries(handlers) as [keyof typeof handlers, Handler][]) {
      const parameters = Object.entries({ walletId, transactionId: 'tx_1', receiptCode: 'RCP-1' });
      const template = routes.find((route) => route.function === name)?.path ?? '';
      const path = Object.fromEntries(parameters.filter(([parameter]) => template.includes(`{${parameter}}`)));
      assert.equal((await send(name, handler, { as: endUser('ann'), path })).status, 429, name);
      assert.notEqual((await send(name, handler, { as: operator, path })).status, 429, name);
    }
  });
});

describe('a request to cancel', () => {
  /** Returns a container of the function, which asks to cancel the withdrawal. */
  const canceller = (cancellationsPerHour: number) => {
    const handler = serve(cancel, { table, limits: openLimits({ cancellationsPerHour }) });
    return (transactionId: string, key = newKey()) =>
      send('cancel', handler, { as: endUser('ann'), path: { transactionId }, key });
  };
  const newWithdrawal = async () => (await withdrawFrom(table, walletId, { owner: 'ann', amount: 1 })).transaction;

  it('is served although the caller has read too much', async () => {
    const limits = openLimits({ readsPerHour: 1 });
    const read = () =>
      send('get-wallet', serve(getWallet, { table, limits }), { as: endUser('ann'), path: { walletId } });
    await read();
    assert.equal((await read()).status, 429);
    const ask = canceller(20);
    for (const remaining of ['19', '18', '17']) {
      const { status, headers } = await ask((await newWithdrawal()).transactionId);
      assert.deepEqual([status, headers['RateLimit-Limit'], headers['RateLimit-Remaining']], [200, '20', remaining]);
    }
  });

  it('has its own limit, beyond which a repetition is still answered', async () => {
    const ask = canceller(10);
    const { transactionId } = await newWithdrawal();
    const key = newKey();
    assert.equal((await ask(transactionId, key)).status, 200);
    for (let n = 1; n < 10; n++) assert.equal(await codeOf(ask(transactionId)), 'not_cancellable');
    const next = await newWithdrawal();
    const { result, calls } = await measure(table, () => ask(next.transactionId));
    assert.deepEqual([result.status, result.body?.['detail']], [429, 'too many requests to cancel']);
    // A lot is reported beside the read.
    assert.deepEqual(calls.map(({ operation }) => operation).sort(), ['BatchGetItem', 'UpdateItem']);
    const again = await ask(transactionId, key);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
  });
});

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
    assert.deepEqual(await operations(() => codeOf(pay(101))), ['TransactWriteItems']);
    for (let n = 0; n < 5; n++) {
      assert.deepEqual(
        await operations(async () => {
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
      await operations(async () => {
        assert.equal((await pay(1)).status, 201);
      }),
      ['BatchGetItem', 'TransactWriteItems'],
    );
    assert.deepEqual(await operations(() => pay(1)), ['TransactWriteItems']);
  });

  it('that is repeated often is answered by plain reads', async () => {
    const pay = payer();
    const same = { key: newKey() };
    await pay(1, same);
    assert.deepEqual(await operations(() => pay(1, same)), ['TransactWriteItems']);
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
    const read = reader(1);
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
    const called = await operations(async () => {
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
    assert.deepEqual(await operations(() => take(101)), ['BatchGetItem', 'BatchGetItem']);
  });
});
