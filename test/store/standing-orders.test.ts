/** Standing orders on the real engine: their payments are made once, and a cancel ends what has not begun. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import type { Actor } from '../../lambdas/domain/actor.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { newOrder, nextPayment } from '../../lambdas/domain/standing-order.ts';
import type { ActiveOrder, OrderFacts } from '../../lambdas/domain/standing-order.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { orderKey, walletKey } from '../../lambdas/store/keys.ts';
import { cancelScheduled } from '../../lambdas/store/schedules.ts';
import {
  cancelOrder,
  getOrder,
  listOrders,
  makeNextPayment,
  openOrder,
  storedOrder,
} from '../../lambdas/store/standing-orders.ts';
import { getTransaction, listTransactions } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { answer } from '../faults.ts';
import { useEngine } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { charge, newKey, operation, timeOf } from './commands.ts';
import { assertRefused, assertWritesNothing, asStored, changeItem, isDue } from './inspect.ts';
import { scheduleTransfer } from './schedule-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { queueOfDepth } from './work.ts';

const engine = useEngine();
let table: TestTable;
let walletId: string;
let toWalletId: string;

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const ann: Actor = { kind: 'owner', principal: 'ann' };

beforeEach(async () => {
  table = await engine.newTable();
  walletId = await fundedWallet(table, 'ann', 100);
  toWalletId = await openWallet(table, 'bob');
});

/** Opens a weekly order of 30 to bob's wallet, which pays first in two hours. */
async function opened(facts: Partial<OrderFacts> = {}, key = newKey()): Promise<ActiveOrder> {
  const command = operation(table, ['open-standing-order', walletId, facts], { owner: 'ann', key });
  const order = newOrder({
    transactionId: transactionIdOf('ann', key),
    ...{ principal: 'ann', ownerId: 'ann', walletId, amount: 30, currency: 'EUR', at: timeOf(table) },
    ...{ receiver: { toWalletId }, every: 'week', firstAt: timeOf(table, 2 * hourMs) },
    ...facts,
  });
  const result = await openOrder(table, command, order, undefined);
  assert.equal(result.replayed, false);
  return order;
}

async function current(order: ActiveOrder) {
  const found = await getOrder(table, order.standingOrderId);
  assert.ok(found);
  return found;
}

/** Runs the sweeper once. Returns the ids that it queued. */
async function sweepNow(): Promise<string[]> {
  const [withdrawals, transfers] = [queueOfDepth(0), queueOfDepth(0)];
  await sweep({ table, withdrawals, transfers });
  return [...withdrawals.sent, ...transfers.sent];
}

/** Runs the sweeper a moment later, and the worker of transfers on what it queues. */
async function sweepAndWork(): Promise<void> {
  table.clock.now += 1;
  const queued = await sweepNow();
  if (queued.length > 0) assert.equal((await endTransfers(queued, table)).size, 0);
}

/** Returns the payments of an order that its payer sees, the latest first. */
async function payments({ standingOrderId }: ActiveOrder): Promise<Transaction[]> {
  const { items } = await listTransactions(table, { walletId, limit: 100 });
  return items.filter((item) => 'standingOrderId' in item && item.standingOrderId === standingOrderId);
}

const statusesOf = (items: readonly Transaction[]) => items.map(({ status }) => status);

function cancel(order: ActiveOrder, key = newKey()) {
  const command = operation(table, ['cancel-standing-order', order.standingOrderId], { owner: 'ann', key });
  return cancelOrder(table, command, order, { actor: ann, reason: 'moved out', at: timeOf(table) });
}

describe('a standing order', () => {
  it('is opened once under its key, in one write, and is listed with its wallet but not among its payments', async () => {
    const key = newKey();
    const { result: order, roundTrips, writeUnits } = await measure(table, () => opened({}, key));
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 10, `${writeUnits} units`);
    });
    assert.deepEqual(await current(order), asStored(order));
    assert.deepEqual((await listOrders(table, { walletId, limit: 10 })).items, [await current(order)]);
    assert.deepEqual(
      (await listTransactions(table, { walletId, limit: 10 })).items.map(({ type }) => type),
      ['charge'],
    );
    const again = operation(table, ['open-standing-order', walletId, {}], { owner: 'ann', key });
    const replay = await openOrder(table, again, order, undefined);
    assert.deepEqual([replay.replayed, replay.order.standingOrderId], [true, order.standingOrderId]);
    const other = operation(table, ['open-standing-order', walletId, { amount: 31 }], { owner: 'ann', key });
    await assertRefused(table, 'idempotency_key_reused', () => openOrder(table, other, order, undefined));
  });

  it('is listed in pages, the newest first', async () => {
    const orders = [];
    for (let count = 0; count < 3; count++) {
      orders.unshift((await opened()).standingOrderId);
      table.clock.now += 1;
    }
    const first = await listOrders(table, { walletId, limit: 2 });
    const second = await listOrders(table, { walletId, limit: 2, after: first.next });
    assert.deepEqual(
      [...first.items, ...second.items].map(({ standingOrderId }) => standingOrderId),
      orders,
    );
    assert.equal(second.next, undefined);
    assert.deepEqual((await listOrders(table, { walletId: toWalletId, limit: 2 })).items, []);
  });

  it('makes each payment a week ahead, visible to its payer only, and moves the money at its time', async () => {
    const order = await opened();
    assert.deepEqual(await sweepNow(), [], 'made, and not due to be executed');
    const [payment] = await payments(order);
    assert.deepEqual([payment?.status, payment?.amount], ['scheduled', 30]);
    assert.deepEqual((await listTransactions(table, { walletId: toWalletId, limit: 10 })).items, []);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    const advanced = await current(order);
    assert.deepEqual(
      [advanced.made, advanced.status === 'active' && advanced.nextAt],
      [1, timeOf(table, 2 * hourMs + weekMs)],
    );

    table.clock.now += 2 * hourMs;
    await sweepAndWork();
    assert.deepEqual(await balanceOf(table, toWalletId), { available: 30, held: 0, total: 30 });
    // A week before its time, the next one is made in the same minute.
    await sweepAndWork();
    assert.deepEqual(statusesOf(await payments(order)).sort(), ['completed', 'scheduled']);
    await sweepAndWork();
    assert.equal((await payments(order)).length, 2);
  });

  it('goes on after a payment without funds, which fails once and for good', async () => {
    const order = await opened({ amount: 80 });
    for (let week = 0; week < 2; week++) {
      await sweepAndWork();
      table.clock.now += week === 0 ? 2 * hourMs : weekMs;
      await sweepAndWork();
    }
    const [failed] = (await payments(order)).filter(({ status }) => status === 'failed');
    assert.equal(failed && 'failure' in failed && failed.failure.code, 'insufficient_funds');
    assert.deepEqual(await balanceOf(table, walletId), { available: 20, held: 0, total: 20 });
    await charge(table, walletId, { amount: 100 });
    table.clock.now += weekMs;
    await sweepAndWork();
    await sweepAndWork();
    assert.deepEqual(await balanceOf(table, toWalletId), { available: 160, held: 0, total: 160 });
    assert.equal((await current(order)).status, 'active');
  });

  it('ends with its last payment, and is not due any more', async () => {
    const order = await opened({ count: 1 });
    assert.equal(await isDue(table, order.standingOrderId), false, 'an order is no transaction');
    await sweepNow();
    const ended = await current(order);
    assert.deepEqual([ended.status, ended.status === 'ended' && ended.end, ended.made], ['ended', 'completed', 1]);
    table.clock.now += 10 * weekMs;
    await sweepAndWork();
    assert.deepEqual(statusesOf(await payments(order)), ['completed']);
  });

  it('catches up after a long standstill, one payment in each run, each once', async () => {
    const order = await opened({ amount: 10 });
    table.clock.now += 3 * weekMs;
    for (let run = 0; run < 8; run++) await sweepAndWork();
    assert.deepEqual(statusesOf(await payments(order)).sort(), ['completed', 'completed', 'completed', 'scheduled']);
    assert.deepEqual(await balanceOf(table, toWalletId), { available: 30, held: 0, total: 30 });
  });

  it('schedules payments of a frozen wallet, and ends when its wallet was closed', async () => {
    const order = await opened();
    await setStatus(table, walletId, 'frozen');
    await sweepNow();
    assert.equal((await payments(order)).length, 1);
    table.clock.now += 2 * hourMs;
    await sweepAndWork();
    const [failed] = (await payments(order)).filter(({ status }) => status === 'failed');
    assert.equal(failed && 'failure' in failed && failed.failure.code, 'wallet_frozen');

    const empty = await openWallet(table, 'ann');
    const other = await opened({ walletId: empty });
    await setStatus(table, empty, 'closed');
    await sweepNow();
    const ended = await current(other);
    assert.deepEqual([ended.status, ended.status === 'ended' && ended.end, ended.made], ['ended', 'wallet_closed', 0]);
  });

  it('keeps its wallet open while a payment is scheduled', async () => {
    const empty = await openWallet(table, 'ann');
    const order = await opened({ walletId: empty });
    await sweepNow();
    await assert.rejects(setStatus(table, empty, 'closed'), { code: 'wallet_not_empty' });
    await cancel(order);
    await setStatus(table, empty, 'closed');
  });
});

describe('a wallet with as many standing orders as it can have', () => {
  const countOf = async (id = walletId) => (await getWallet(table, id, { consistent: true }))?.orders;
  const withCaps = (orders: number, scheduled = 9) => (table = { ...table, caps: { orders, scheduled } });

  it('takes no further one until one has ended, and still answers repetitions', async () => {
    withCaps(2);
    const key = newKey();
    const first = await opened({}, key);
    await opened();
    assert.equal(await countOf(), 2);
    await assertRefused(table, 'too_many_standing_orders', () => opened());
    const again = operation(table, ['open-standing-order', walletId, {}], { owner: 'ann', key });
    assert.equal((await openOrder(table, again, first, undefined)).replayed, true);
    await cancel(first);
    assert.equal(await countOf(), 1);
    await opened();
    await assertRefused(table, 'too_many_standing_orders', () => opened());
  });

  it('takes no more when many are opened at once', async () => {
    withCaps(3);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => opened()));
    assert.deepEqual([outcomes.filter(({ status }) => status === 'fulfilled').length, await countOf()], [3, 3]);
  });

  it('counts none that has made its last payment, or whose wallet was closed', async () => {
    await opened({ count: 1 });
    await opened({ count: 2 });
    await sweepNow();
    assert.equal(await countOf(), 1);
    const empty = await openWallet(table, 'ann');
    await opened({ walletId: empty });
    await setStatus(table, empty, 'closed');
    await sweepNow();
    assert.equal(await countOf(empty), 0);
  });

  it('counts none whose last payment a recovery had put back', async () => {
    const order = await opened({ count: 1 });
    await makeNextPayment(table, order, timeOf(table));
    await changeItem(table, orderKey(order.standingOrderId), storedOrder(order));
    await changeItem(table, walletKey(walletId), { orders: 1 });
    assert.equal(await makeNextPayment(table, order, timeOf(table)), true);
    assert.deepEqual([(await current(order)).status, await countOf()], ['ended', 0]);
  });

  it('makes the payments of its orders, also with as many scheduled payments as it can have', async () => {
    withCaps(2, 1);
    const orders = [await opened(), await opened()];
    await scheduleTransfer(table, walletId, toWalletId, { amount: 1 });
    await sweepNow();
    for (const order of orders) assert.deepEqual(statusesOf(await payments(order)), ['scheduled']);
    const refused = () => scheduleTransfer(table, walletId, toWalletId, { amount: 1 });
    await assertRefused(table, 'too_many_scheduled', refused);
  });
});

describe('a wallet with as many scheduled payments as it can have', () => {
  it('takes no standing order, so that orders of one payment are no way around', async () => {
    table = { ...table, caps: { scheduled: 2, orders: 1 } };
    for (let n = 0; n < 2; n++) {
      await opened({ count: 1 });
      await sweepNow();
    }
    await assertRefused(table, 'too_many_scheduled', () => opened({ count: 1 }));
  });
});

describe('the making of a payment', () => {
  it('is done by one of two sweepers', async () => {
    const order = await opened();
    const made = await Promise.all([1, 2].map(() => makeNextPayment(table, order, timeOf(table))));
    assert.deepEqual(made.sort(), [false, true]);
    assert.equal((await payments(order)).length, 1);
    assert.equal((await getWallet(table, walletId, { consistent: true }))?.scheduled, 1);
  });

  it('is finished for a payment that exists beside an order that does not know it', async () => {
    const order = await opened();
    await makeNextPayment(table, order, timeOf(table));
    // As a recovery leaves it: the order is from before the payment.
    const { standingOrderId } = order;
    const behind = { ...order, standingOrderId };
    await assertWritesNothing(table, false, () => makeNextPayment(table, behind, timeOf(table)));
    assert.equal((await current(order)).made, 1);
  });

  it('waits from the time at which it could be made, and the sweeper shows for how long', async () => {
    const ages: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.oldestDueOrder) ages.push(value);
    });
    // It is due since a week before its time, which was before it was opened.
    await opened();
    table.fault = (call, send) =>
      call.operation === 'TransactWriteItems' ? answer('ValidationException')(call, send) : send();
    for (const laterMs of [1_000, 2 * hourMs]) {
      table.clock.now += laterMs;
      await assert.rejects(sweepNow(), { name: 'ValidationException' });
    }
    table.fault = undefined;
    await sweepNow();
    await sweepNow();
    const [first = NaN, second = NaN, third = NaN, fourth] = ages;
    // The database names whole seconds.
    assert.ok(first <= 1 && Math.abs(second - 7_201) <= 1 && Math.abs(third - 7_201) <= 1, ages.join(', '));
    assert.equal(fourth, 0);
  });

  it('is stopped by a cancel that was faster', async () => {
    const order = await opened();
    await cancel(order);
    await assertWritesNothing(table, false, () => makeNextPayment(table, order, timeOf(table)));
    assert.equal(await getTransaction(table, nextPayment(order, timeOf(table)).transactionId), undefined);
  });
});

describe('a cancel of a standing order', () => {
  it('ends it together with its scheduled payments, in one write, and moves no money', async () => {
    const order = await opened();
    await sweepNow();
    const key = newKey();
    const seen = { ...order, made: 1 };
    const { result, writeUnits } = await measure(table, () => cancel(seen, key));
    assert.deepEqual(result, { replayed: false });
    checkUnits(() => {
      assert.ok(writeUnits <= 16, `${writeUnits} units`);
    });
    const ended = await current(order);
    assert.ok(ended.status === 'ended');
    assert.deepEqual(
      [ended.end, ended.endedBy, ended.reason, ended.endedAt],
      ['cancelled', ann, 'moved out', timeOf(table)],
    );
    const [payment] = await payments(order);
    assert.deepEqual(
      [payment?.status, payment && 'failure' in payment && payment.failure.code],
      ['failed', 'cancelled'],
    );
    assert.equal((await getWallet(table, walletId, { consistent: true }))?.scheduled, 0);
    assert.deepEqual(await cancel(seen, key), { replayed: true });
    await assertRefused(table, 'standing_order_ended', () => cancel(order));
    table.clock.now += 3 * weekMs;
    await sweepAndWork();
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
  });

  it('is made again when a payment is made or executed meanwhile', async () => {
    const order = await opened();
    // The sweeper makes a payment after the order was read.
    await sweepNow();
    assert.deepEqual(await cancel(order), { replayed: false });
    assert.deepEqual(statusesOf(await payments(order)), ['failed']);

    const other = await opened();
    await sweepNow();
    table.clock.now += 2 * hourMs;
    table.fault = async (call, send) => {
      const answer = await send();
      if (call.operation === 'BatchGetItem') {
        table.fault = undefined;
        await sweepAndWork();
      }
      return answer;
    };
    const seen = await current(other);
    assert.ok(seen.status === 'active');
    assert.deepEqual(await cancel(seen), { replayed: false });
    table.fault = undefined;
    assert.deepEqual(statusesOf(await payments(other)).sort(), ['completed', 'failed']);
    assert.equal((await current(other)).status, 'ended');
    assert.equal((await getWallet(table, walletId, { consistent: true }))?.scheduled, 0);
  });

  it('leaves a payment alone that its owner cancelled by itself', async () => {
    const order = await opened();
    await makeNextPayment(table, order, timeOf(table));
    const [payment] = await payments(order);
    assert.ok(payment?.type === 'transfer');
    await cancelScheduled(table, operation(table, ['cancel'], { owner: 'ann' }), {
      payment,
      cancellation: { actor: ann, at: timeOf(table) },
    });
    const after = await current(order);
    assert.ok(after.status === 'active');
    await cancel(after);
    assert.equal((await getWallet(table, walletId, { consistent: true }))?.scheduled, 0);
  });
});
