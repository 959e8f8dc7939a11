/** Standing orders between two wallets, and what their tests do with them. */
import assert from 'node:assert/strict';
import type { Actor } from '../../lambdas/domain/actor.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { newOrder } from '../../lambdas/domain/standing-order.ts';
import type { ActiveOrder, OrderFacts } from '../../lambdas/domain/standing-order.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { cancelOrder, getOrder, openOrder } from '../../lambdas/store/standing-orders.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import type { TestEngine, TestTable } from '../engine.ts';
import { newKey, operation, timeOf } from './commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { queueOfDepth } from './work.ts';

export const hourMs = 3_600_000;
export const weekMs = 7 * 24 * hourMs;
export const ann: Actor = { kind: 'owner', principal: 'ann' };

/** A wallet of ann's with 100, which pays, and an empty one of bob's. */
export interface OrderScene {
  table: TestTable;
  readonly walletId: string;
  readonly toWalletId: string;
}

/** Creates the wallets in a table of their own. */
export async function newOrderScene(engine: TestEngine): Promise<OrderScene> {
  const table = await engine.newTable();
  const walletId = await fundedWallet(table, 'ann', 100);
  return { table, walletId, toWalletId: await openWallet(table, 'bob') };
}

/** Opens a weekly order of 30 to bob's wallet, which pays first in two hours. */
export async function opened(
  { table, walletId, toWalletId }: OrderScene,
  facts: Partial<OrderFacts> = {},
  key = newKey(),
): Promise<ActiveOrder> {
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

/** Reads an order. */
export async function current({ table }: OrderScene, order: ActiveOrder) {
  const found = await getOrder(table, order.standingOrderId);
  assert.ok(found);
  return found;
}

/** Runs the sweeper once. Returns the ids that it queued. */
export async function sweepNow({ table }: OrderScene): Promise<string[]> {
  const [withdrawals, transfers] = [queueOfDepth(0), queueOfDepth(0)];
  await sweep({ table, withdrawals, transfers });
  return [...withdrawals.sent, ...transfers.sent];
}

/** Runs the sweeper a moment later, and the worker of transfers on what it queues. */
export async function sweepAndWork(scene: OrderScene): Promise<void> {
  const { table } = scene;
  table.clock.now += 1;
  const queued = await sweepNow(scene);
  if (queued.length > 0) assert.equal((await endTransfers(queued, table)).size, 0);
}

/** Returns the payments of an order that its payer sees, the latest first. */
export async function payments(
  { table, walletId }: OrderScene,
  { standingOrderId }: ActiveOrder,
): Promise<Transaction[]> {
  const { items } = await listTransactions(table, { walletId, limit: 100 });
  return items.filter((item) => 'standingOrderId' in item && item.standingOrderId === standingOrderId);
}

export const statusesOf = (items: readonly Transaction[]) => items.map(({ status }) => status);

/** Cancels an order for ann. */
export function cancel({ table }: OrderScene, order: ActiveOrder, key = newKey()) {
  const command = operation(table, ['cancel-standing-order', order.standingOrderId], { owner: 'ann', key });
  return cancelOrder(table, command, order, { actor: ann, reason: 'moved out', at: timeOf(table) });
}
