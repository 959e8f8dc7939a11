/** Wallets with as many standing orders or scheduled payments as they can have. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { orderKey, walletKey } from '../../lambdas/store/keys.ts';
import { makeNextPayment, openOrder } from '../../lambdas/store/standing-orders.ts';
import { storedOrder } from '../../lambdas/store/order-item.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { useEngine } from '../fixture.ts';
import { newKey, operation, timeOf } from './commands.ts';
import { assertRefused, changeItem } from './inspect.ts';
import { scheduleTransfer } from './schedule-commands.ts';
import { openWallet, setStatus } from './wallets.ts';
import { cancel, current, newOrderScene, opened, payments, statusesOf, sweepNow } from './standing-order-scenes.ts';
import type { OrderScene } from './standing-order-scenes.ts';

const engine = useEngine();
let scene: OrderScene;
beforeEach(async () => {
  scene = await newOrderScene(engine);
});

describe('a wallet with as many standing orders as it can have', () => {
  const countOf = async (id = scene.walletId) => (await getWallet(scene.table, id, { consistent: true }))?.orders;
  const withCaps = (orders: number, scheduled = 9) => (scene.table = { ...scene.table, caps: { orders, scheduled } });

  it('takes no further one until one has ended, and still answers repetitions', async () => {
    withCaps(2);
    const key = newKey();
    const first = await opened(scene, {}, key);
    await opened(scene);
    assert.equal(await countOf(), 2);
    await assertRefused(scene.table, 'too_many_standing_orders', () => opened(scene));
    const again = operation(scene.table, ['open-standing-order', scene.walletId, {}], { owner: 'ann', key });
    assert.equal((await openOrder(scene.table, again, first, undefined)).replayed, true);
    await cancel(scene, first);
    assert.equal(await countOf(), 1);
    await opened(scene);
    await assertRefused(scene.table, 'too_many_standing_orders', () => opened(scene));
  });

  it('takes no more when many are opened at once', async () => {
    withCaps(3);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => opened(scene)));
    assert.deepEqual([outcomes.filter(({ status }) => status === 'fulfilled').length, await countOf()], [3, 3]);
  });

  it('counts none that has made its last payment, or whose wallet was closed', async () => {
    await opened(scene, { count: 1 });
    await opened(scene, { count: 2 });
    await sweepNow(scene);
    assert.equal(await countOf(), 1);
    const empty = await openWallet(scene.table, 'ann');
    await opened(scene, { walletId: empty });
    await setStatus(scene.table, empty, 'closed');
    await sweepNow(scene);
    assert.equal(await countOf(empty), 0);
  });

  it('counts none whose last payment a recovery had put back', async () => {
    const order = await opened(scene, { count: 1 });
    await makeNextPayment(scene.table, order, timeOf(scene.table));
    await changeItem(scene.table, orderKey(order.standingOrderId), storedOrder(order));
    await changeItem(scene.table, walletKey(scene.walletId), { orders: 1 });
    assert.equal(await makeNextPayment(scene.table, order, timeOf(scene.table)), true);
    assert.deepEqual([(await current(scene, order)).status, await countOf()], ['ended', 0]);
  });

  it('makes the payments of its orders, also with as many scheduled payments as it can have', async () => {
    withCaps(2, 1);
    const orders = [await opened(scene), await opened(scene)];
    await scheduleTransfer(scene.table, scene.walletId, scene.toWalletId, { amount: 1 });
    await sweepNow(scene);
    for (const order of orders) assert.deepEqual(statusesOf(await payments(scene, order)), ['scheduled']);
    const refused = () => scheduleTransfer(scene.table, scene.walletId, scene.toWalletId, { amount: 1 });
    await assertRefused(scene.table, 'too_many_scheduled', refused);
  });
});

describe('a wallet with as many scheduled payments as it can have', () => {
  it('takes no standing order, so that orders of one payment are no way around', async () => {
    scene.table = { ...scene.table, caps: { scheduled: 2, orders: 1 } };
    for (let n = 0; n < 2; n++) {
      await opened(scene, { count: 1 });
      await sweepNow(scene);
    }
    await assertRefused(scene.table, 'too_many_scheduled', () => opened(scene, { count: 1 }));
  });
});
