/** The payments of standing orders, made a week before their time, as a part of the sweeper's run. */
import { forEachOf } from '../aws/parallel.ts';
import { logger } from '../aws/telemetry.ts';
import { waitsSince } from '../domain/standing-order.ts';
import type { ActiveOrder } from '../domain/standing-order.ts';
import { orderShards } from '../store/due-keys.ts';
import { listDueOrders, makeNextPayment } from '../store/standing-orders.ts';
import type { DueOrders } from '../store/standing-orders.ts';
import { UnreadableItem } from '../store/unreadable.ts';
import { attempt, databaseTime, earlier, pageSize } from './sweeper-run.ts';
import type { Run } from './sweeper-run.ts';

/** Wallets whose orders pay at the same time, in each shard. */
const walletsAtATime = 8;

/**
 * Makes the next payment of each order that is due by the database's clock. The orders of one wallet follow one another, as
 * their writes would refuse each other. An order that lags behind makes one payment in each run.
 *
 * A crowd of orders delays no payment of others for long: each is made a week before its time.
 *
 * @param endsAt time after which no payment is begun, epoch ms
 */
export async function makeDuePayments(run: Run, endsAt: number): Promise<void> {
  let made = 0;
  const shards = Array.from({ length: orderShards }, (_, shard) => shard);
  await forEachOf(shards, orderShards, async (shard) => {
    const before = new Date(databaseTime(run)).toISOString();
    let from: DueOrders['next'];
    for (let more = true; more && run.table.now() < endsAt; more = from !== undefined) {
      const page = await attempt(run, () => listDueOrders(run.table, shard, { before, limit: pageSize, from }));
      if (page === undefined) return;
      made += await makeAll(run, page, endsAt);
      from = page.next;
    }
  });
  if (made > 0) logger.info('payments of standing orders made', { made });
}

/** Makes the next payments of a page of orders. Returns how many. */
async function makeAll(run: Run, { orders }: DueOrders, endsAt: number): Promise<number> {
  let made = 0;
  const active: ActiveOrder[] = [];
  for (const order of orders) {
    if (order instanceof UnreadableItem) {
      run.failures.push(order);
    } else if (order.status === 'active') {
      active.push(order);
      run.orderDueAt = earlier(run.orderDueAt, waitsSince(order));
    }
  }
  const ofWallets = Map.groupBy(active, ({ walletId }) => walletId);
  await forEachOf([...ofWallets.values()], walletsAtATime, async (ofOne) => {
    for (const order of ofOne) {
      if (run.table.now() >= endsAt) return;
      const at = new Date(databaseTime(run)).toISOString();
      if (await attempt(run, () => makeNextPayment(run.table, order, at))) made++;
    }
  });
  return made;
}
