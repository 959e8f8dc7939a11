/** The limits of end users as a container keeps them, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { cancel } from '../../lambdas/api/cancel.ts';
import { findTransactions } from '../../lambdas/api/find-transactions.ts';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getNotificationPreferences } from '../../lambdas/api/get-notification-preferences.ts';
import { getReceipt, getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listEntries } from '../../lambdas/api/list-entries.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import { putNotificationPreferences } from '../../lambdas/api/put-notification-preferences.ts';
import { getStandingOrder, listStandingOrders } from '../../lambdas/api/standing-orders.ts';
import { getTotals } from '../../lambdas/api/get-totals.ts';
import { getStatement } from '../../lambdas/api/statements.ts';
import { nameOfRoute, routes } from '../../lambdas/contract.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { rateWindowKey } from '../../lambdas/store/keys.ts';
import { measure, operationsOf } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { answer } from '../faults.ts';
import { endUser, operator, send } from '../request.ts';
import type { Handler } from '../request.ts';
import { newKey, withdraw as withdrawFrom } from './commands.ts';
import { itemOf } from './inspect.ts';
import { fundedWallet } from './wallets.ts';

const engine = useEngine();
let table: TestTable;
let walletId: string;
beforeEach(async () => {
  table = await engine.newTable();
  walletId = await fundedWallet(table, 'ann', 100);
});

/** Returns a container of a reading function. */
function reader(readsPerHour: number): () => ReturnType<typeof send> {
  const handler = serve(getWallet, { table, limits: openLimits({ readsPerHour }) });
  return () => send('get-wallet', handler, { as: endUser('ann'), path: { walletId } });
}

const codeOf = async (asked: ReturnType<typeof send>) => (await asked).body?.['code'];

describe('reads', () => {
  it('are counted in lots of 20, with one write beside the read, and refused beyond the limit without a call', async () => {
    const read = reader(1_000);
    for (let n = 1; n <= 1_000; n++) {
      const called = await operationsOf(table, async () => {
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
    const handlers: Partial<Record<RouteName, Handler>> = {
      'list-wallets': serve(listWallets, services),
      'get-wallet': serve(getWallet, services),
      'get-balance': serve(getBalance, services),
      'list-entries': serve(listEntries, services),
      'get-statement': serve(getStatement, services),
      'get-totals': serve(getTotals, services),
      'list-transactions': serve(listTransactions, services),
      'find-transactions': serve(findTransactions, services),
      'get-transaction': serve(getTransaction, services),
      'get-receipt': serve(getReceipt, services),
      'list-standing-orders': serve(listStandingOrders, services),
      'get-standing-order': serve(getStandingOrder, services),
      'get-notification-preferences': serve(getNotificationPreferences, services),
      'put-notification-preferences': serve(putNotificationPreferences, services),
    };
    await send('get-wallet', handlers['get-wallet']!, { as: endUser('ann'), path: { walletId } });
    for (const [name, handler] of Object.entries(handlers) as [keyof typeof handlers, Handler][]) {
      const parameters = Object.entries({
        walletId,
        transactionId: 'tx_1',
        receiptCode: 'RCP-1',
        standingOrderId: 'so_1',
      });
      const template = routes.find((route) => nameOfRoute(route) === name)?.path ?? '';
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
    assert.deepEqual([result.status, result.body?.['detail']], [429, 'too many requests to cancel or release']);
    // A lot is reported beside the read.
    assert.deepEqual(calls.map(({ operation }) => operation).sort(), ['BatchGetItem', 'UpdateItem']);
    const again = await ask(transactionId, key);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
  });
});
