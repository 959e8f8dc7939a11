/** Standing orders on the real engine: their payments are made once, and a cancel ends what has not begun. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import { nextPayment } from '../../lambdas/domain/standing-order.ts';
import { cancelScheduled } from '../../lambdas/store/schedules.ts';
import { listOrders, makeNextPayment, openOrder } from '../../lambdas/store/standing-orders.ts';
import { getTransaction, listTransactions } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { measure } from '../engine.ts';
import { answer } from '../faults.ts';
import { useEngine } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { charge, newKey, operation, timeOf } from './commands.ts';
import { assertRefused, assertWritesNothing, asStored, isDue } from './inspect.ts';
import { balanceOf, openWallet, setStatus } from './wallets.ts';
import {
  ann,
  cancel,
  current,
  hourMs,
  newOrderScene,
  opened,
  payments,
  statusesOf,
  sweepAndWork,
  sweepNow,
  weekMs,
} from './standing-order-scenes.ts';
import type { OrderScene } from './standing-order-scenes.ts';

const engine = useEngine();
let scene: OrderScene;
beforeEach(async () => {
  scene = await newOrderScene(engine);
});

describe('a standing order', () => {
  it('is opened once under its key, in one write, and is listed with its wallet but not among its payments', async () => {
    const key = newKey();
    const { result: order, roundTrips, writeUnits } = await measure(scene.table, () => opened(scene, {}, key));
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 10, `${writeUnits} units`);
    });
    assert.deepEqual(await current(scene, order), asStored(order));
    assert.deepEqual((await listOrders(scene.table, { walletId: scene.walletId, limit: 10 })).items, [
      await current(scene, order),
    ]);
    assert.deepEqual(
      (await listTransactions(scene.table, { walletId: scene.walletId, limit: 10 })).items.map(({ type }) => type),
      ['charge'],
    );
    const again = operation(scene.table, ['open-standing-order', scene.walletId, {}], { owner: 'ann', key });
    const replay = await openOrder(scene.table, again, order, undefined);
    assert.deepEqual([replay.replayed, replay.order.standingOrderId], [true, order.standingOrderId]);
    const other = operation(scene.table, ['open-standing-order', scene.walletId, { amount: 31 }], {
      owner: 'ann',
      key,
    });
    await assertRefused(scene.table, 'idempotency_key_reused', () => openOrder(scene.table, other, order, undefined));
  });

  it('is listed in pages, the newest first', async () => {
    const orders = [];
    for (let count = 0; count < 3; count++) {
      orders.unshift((await opened(scene)).standingOrderId);
      scene.table.clock.now += 1;
    }
    const first = await listOrders(scene.table, { walletId: scene.walletId, limit: 2 });
    const second = await listOrders(scene.table, { walletId: scene.walletId, limit: 2, after: first.next });
    assert.deepEqual(
      [...first.items, ...second.items].map(({ standingOrderId }) => standingOrderId),
      orders,
    );
    assert.equal(second.next, undefined);
    assert.deepEqual((await listOrders(scene.table, { walletId: scene.toWalletId, limit: 2 })).items, []);
  });

  it('makes each payment a week ahead, visible to its payer only, and moves the money at its time', async () => {
    const order = await opened(scene);
    assert.deepEqual(await sweepNow(scene), [], 'made, and not due to be executed');
    const [payment] = await payments(scene, order);
    assert.deepEqual([payment?.status, payment?.amount], ['scheduled', 30]);
    assert.deepEqual((await listTransactions(scene.table, { walletId: scene.toWalletId, limit: 10 })).items, []);
    assert.deepEqual(await balanceOf(scene.table, scene.walletId), { available: 100, held: 0, total: 100 });
    const advanced = await current(scene, order);
    assert.deepEqual(
      [advanced.made, advanced.status === 'active' && advanced.nextAt],
      [1, timeOf(scene.table, 2 * hourMs + weekMs)],
    );

    scene.table.clock.now += 2 * hourMs;
    await sweepAndWork(scene);
    assert.deepEqual(await balanceOf(scene.table, scene.toWalletId), { available: 30, held: 0, total: 30 });
    // A week before its time, the next one is made in the same minute.
    await sweepAndWork(scene);
    assert.deepEqual(statusesOf(await payments(scene, order)).sort(), ['completed', 'scheduled']);
    await sweepAndWork(scene);
    assert.equal((await payments(scene, order)).length, 2);
  });

  it('goes on after a payment without funds, which fails once and for good', async () => {
    const order = await opened(scene, { amount: 80 });
    for (let week = 0; week < 2; week++) {
      await sweepAndWork(scene);
      scene.table.clock.now += week === 0 ? 2 * hourMs : weekMs;
      await sweepAndWork(scene);
    }
    const [failed] = (await payments(scene, order)).filter(({ status }) => status === 'failed');
    assert.equal(failed && 'failure' in failed && failed.failure.code, 'insufficient_funds');
    assert.deepEqual(await balanceOf(scene.table, scene.walletId), { available: 20, held: 0, total: 20 });
    await charge(scene.table, scene.walletId, { amount: 100 });
    scene.table.clock.now += weekMs;
    await sweepAndWork(scene);
    await sweepAndWork(scene);
    assert.deepEqual(await balanceOf(scene.table, scene.toWalletId), { available: 160, held: 0, total: 160 });
    assert.equal((await current(scene, order)).status, 'active');
  });

  it('ends with its last payment, and is not due any more', async () => {
    const order = await opened(scene, { count: 1 });
    assert.equal(await isDue(scene.table, order.standingOrderId), false, 'an order is no transaction');
    await sweepNow(scene);
    const ended = await current(scene, order);
    assert.deepEqual([ended.status, ended.status === 'ended' && ended.end, ended.made], ['ended', 'completed', 1]);
    scene.table.clock.now += 10 * weekMs;
    await sweepAndWork(scene);
    assert.deepEqual(statusesOf(await payments(scene, order)), ['completed']);
  });

  it('catches up after a long standstill, one payment in each run, each once', async () => {
    const order = await opened(scene, { amount: 10 });
    scene.table.clock.now += 3 * weekMs;
    for (let run = 0; run < 8; run++) await sweepAndWork(scene);
    assert.deepEqual(statusesOf(await payments(scene, order)).sort(), [
      'completed',
      'completed',
      'completed',
      'scheduled',
    ]);
    assert.deepEqual(await balanceOf(scene.table, scene.toWalletId), { available: 30, held: 0, total: 30 });
  });

  it('schedules payments of a frozen wallet, and ends when its wallet was closed', async () => {
    const order = await opened(scene);
    await setStatus(scene.table, scene.walletId, 'frozen');
    await sweepNow(scene);
    assert.equal((await payments(scene, order)).length, 1);
    scene.table.clock.now += 2 * hourMs;
    await sweepAndWork(scene);
    const [failed] = (await payments(scene, order)).filter(({ status }) => status === 'failed');
    assert.equal(failed && 'failure' in failed && failed.failure.code, 'wallet_frozen');

    const empty = await openWallet(scene.table, 'ann');
    const other = await opened(scene, { walletId: empty });
    await setStatus(scene.table, empty, 'closed');
    await sweepNow(scene);
    const ended = await current(scene, other);
    assert.deepEqual([ended.status, ended.status === 'ended' && ended.end, ended.made], ['ended', 'wallet_closed', 0]);
  });

  it('keeps its wallet open while a payment is scheduled', async () => {
    const empty = await openWallet(scene.table, 'ann');
    const order = await opened(scene, { walletId: empty });
    await sweepNow(scene);
    await assert.rejects(setStatus(scene.table, empty, 'closed'), { code: 'wallet_not_empty' });
    await cancel(scene, order);
    await setStatus(scene.table, empty, 'closed');
  });
});

describe('the making of a payment', () => {
  it('is done by one of two sweepers', async () => {
    const order = await opened(scene);
    const made = await Promise.all([1, 2].map(() => makeNextPayment(scene.table, order, timeOf(scene.table))));
    assert.deepEqual(made.sort(), [false, true]);
    assert.equal((await payments(scene, order)).length, 1);
    assert.equal((await getWallet(scene.table, scene.walletId, { consistent: true }))?.scheduled, 1);
  });

  it('is finished for a payment that exists beside an order that does not know it', async () => {
    const order = await opened(scene);
    await makeNextPayment(scene.table, order, timeOf(scene.table));
    // As a recovery leaves it: the order is from before the payment.
    const { standingOrderId } = order;
    const behind = { ...order, standingOrderId };
    await assertWritesNothing(scene.table, false, () => makeNextPayment(scene.table, behind, timeOf(scene.table)));
    assert.equal((await current(scene, order)).made, 1);
  });

  it('waits from the time at which it could be made, and the sweeper shows for how long', async () => {
    const ages: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.oldestDueOrder) ages.push(value);
    });
    // It is due since a week before its time, which was before it was opened.
    await opened(scene);
    scene.table.fault = (call, send) =>
      call.operation === 'TransactWriteItems' ? answer('ValidationException')(call, send) : send();
    for (const laterMs of [1_000, 2 * hourMs]) {
      scene.table.clock.now += laterMs;
      await assert.rejects(sweepNow(scene), { name: 'ValidationException' });
    }
    scene.table.fault = undefined;
    await sweepNow(scene);
    await sweepNow(scene);
    const [first = NaN, second = NaN, third = NaN, fourth] = ages;
    // The database names whole seconds.
    assert.ok(first <= 1 && Math.abs(second - 7_201) <= 1 && Math.abs(third - 7_201) <= 1, ages.join(', '));
    assert.equal(fourth, 0);
  });

  it('is stopped by a cancel that was faster', async () => {
    const order = await opened(scene);
    await cancel(scene, order);
    await assertWritesNothing(scene.table, false, () => makeNextPayment(scene.table, order, timeOf(scene.table)));
    assert.equal(await getTransaction(scene.table, nextPayment(order, timeOf(scene.table)).transactionId), undefined);
  });
});

describe('a cancel of a standing order', () => {
  it('ends it together with its scheduled payments, in one write, and moves no money', async () => {
    const order = await opened(scene);
    await sweepNow(scene);
    const key = newKey();
    const seen = { ...order, made: 1 };
    const { result, writeUnits } = await measure(scene.table, () => cancel(scene, seen, key));
    assert.deepEqual(result, { replayed: false });
    checkUnits(() => {
      assert.ok(writeUnits <= 16, `${writeUnits} units`);
    });
    const ended = await current(scene, order);
    assert.ok(ended.status === 'ended');
    assert.deepEqual(
      [ended.end, ended.endedBy, ended.reason, ended.endedAt],
      ['cancelled', ann, 'moved out', timeOf(scene.table)],
    );
    const [payment] = await payments(scene, order);
    assert.deepEqual(
      [payment?.status, payment && 'failure' in payment && payment.failure.code],
      ['failed', 'cancelled'],
    );
    assert.equal((await getWallet(scene.table, scene.walletId, { consistent: true }))?.scheduled, 0);
    assert.deepEqual(await cancel(scene, seen, key), { replayed: true });
    await assertRefused(scene.table, 'standing_order_ended', () => cancel(scene, order));
    scene.table.clock.now += 3 * weekMs;
    await sweepAndWork(scene);
    assert.deepEqual(await balanceOf(scene.table, scene.walletId), { available: 100, held: 0, total: 100 });
  });

  it('is made again when a payment is made or executed meanwhile', async () => {
    const order = await opened(scene);
    // The sweeper makes a payment after the order was read.
    await sweepNow(scene);
    assert.deepEqual(await cancel(scene, order), { replayed: false });
    assert.deepEqual(statusesOf(await payments(scene, order)), ['failed']);

    const other = await opened(scene);
    await sweepNow(scene);
    scene.table.clock.now += 2 * hourMs;
    scene.table.fault = async (call, send) => {
      const answer = await send();
      if (call.operation === 'BatchGetItem') {
        scene.table.fault = undefined;
        await sweepAndWork(scene);
      }
      return answer;
    };
    const seen = await current(scene, other);
    assert.ok(seen.status === 'active');
    assert.deepEqual(await cancel(scene, seen), { replayed: false });
    scene.table.fault = undefined;
    assert.deepEqual(statusesOf(await payments(scene, other)).sort(), ['completed', 'failed']);
    assert.equal((await current(scene, other)).status, 'ended');
    assert.equal((await getWallet(scene.table, scene.walletId, { consistent: true }))?.scheduled, 0);
  });

  it('leaves a payment alone that its owner cancelled by itself', async () => {
    const order = await opened(scene);
    await makeNextPayment(scene.table, order, timeOf(scene.table));
    const [payment] = await payments(scene, order);
    assert.ok(payment?.type === 'transfer');
    await cancelScheduled(scene.table, operation(scene.table, ['cancel'], { owner: 'ann' }), {
      payment,
      cancellation: { actor: ann, at: timeOf(scene.table) },
    });
    const after = await current(scene, order);
    assert.ok(after.status === 'active');
    await cancel(scene, after);
    assert.equal((await getWallet(scene.table, scene.walletId, { consistent: true }))?.scheduled, 0);
  });
});
