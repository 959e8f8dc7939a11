/** What a recovery makes of standing orders: none pays that was cancelled, and none that was opened is lost in silence. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, it } from '@jest/globals';
import { cancelStandingOrder, openStandingOrder } from '../../lambdas/api/standing-orders.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { orderKey, walletKey } from '../../lambdas/store/keys.ts';
import { getOrder } from '../../lambdas/store/standing-orders.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newKey, timeOf } from './commands.ts';
import { changeItem, itemOf, plant } from './inspect.ts';
import { recover } from './recovering.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { queueOfDepth } from './work.ts';

const engine = useEngine();
let books: TestBooks;
let walletId: string;
let toWalletId: string;
const ann = endUser('ann');

beforeEach(async () => {
  books = await newBooks(engine);
  afterTest(books.close);
  walletId = await fundedWallet(books.table, 'ann', 100);
  toWalletId = await openWallet(books.table, 'bob');
  await books.follow();
});

async function open(receiver: object): Promise<string> {
  const { table } = books;
  const services = { table, limits: openLimits({ readsPerHour: 99, refusalsPerHour: 99, perHour: 99 }) };
  const body = { amount: 10, every: 'week', firstAt: timeOf(table, 7_200_000), description: 'Rent', ...receiver };
  const request = { as: ann, key: newKey(), path: { walletId }, body };
  const { status, body: order } = await send('open-standing-order', serve(openStandingOrder, services), request);
  assert.equal(status, 201);
  return String(order?.['standingOrderId']);
}

async function cancel(standingOrderId: string): Promise<void> {
  const services = { table: books.table, limits: openLimits({ cancellationsPerHour: 99 }) };
  const request = { as: ann, key: newKey(), path: { standingOrderId }, body: { reason: 'moved out' } };
  assert.equal((await send('cancel-standing-order', serve(cancelStandingOrder, services), request)).status, 200);
}

async function eventsUntilNow(): Promise<ServiceEvent[]> {
  const records = await books.takeRecords();
  await books.hand(records);
  return [...eventsIn(records).values()];
}

const countOf = async () => (await getWallet(books.table, walletId, { consistent: true }))?.orders;
const differences = (lines: readonly string[]) => lines.filter((line) => line.startsWith('DIFFERENCE'));

describe('a standing order in a restored table', () => {
  it('ends again when it was cancelled, and pays nothing', async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId });
    const active = await itemOf(table, orderKey(standingOrderId));
    await cancel(standingOrderId);
    const cancelled = await getOrder(table, standingOrderId);
    const events = await eventsUntilNow();
    await plant(table, { ...active });
    const lines = await recover(books, events);
    assert.deepEqual(differences(lines), []);
    assert.deepEqual(await getOrder(table, standingOrderId), cancelled);
    assert.equal(await countOf(), 0);
    assert.deepEqual(
      (await recover(books, events)).filter((line) => line.includes('standing order')),
      [],
      'a second run repeats nothing',
    );
  });

  it('is opened again from its event, and makes its payments under their ids', async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId });
    const opened = await getOrder(table, standingOrderId);
    const events = await eventsUntilNow();
    const Key = toItem(orderKey(standingOrderId));
    await table.client.send(new DeleteItemCommand({ TableName: table.name, Key }));
    await changeItem(table, walletKey(walletId), { orders: 0 });
    const lines = await recover(books, events);
    assert.deepEqual(differences(lines), []);
    assert.deepEqual([await getOrder(table, standingOrderId), await countOf()], [opened, 1]);
    const queue = queueOfDepth(0);
    await sweep({ table, withdrawals: queue, transfers: queue });
    const { items } = await listTransactions(table, { walletId, limit: 1 });
    assert.equal(items[0] && 'standingOrderId' in items[0] && items[0].standingOrderId, standingOrderId);
  });

  it('is named when its event hides the account, and is not missed when it had ended', async () => {
    const { table } = books;
    const destination = { account: 'DE02120300000000202051' };
    const [lost, over] = [await open({ destination }), await open({ destination })];
    await cancel(over);
    const events = await eventsUntilNow();
    for (const standingOrderId of [lost, over]) {
      const Key = toItem(orderKey(standingOrderId));
      await table.client.send(new DeleteItemCommand({ TableName: table.name, Key }));
    }
    const lines = await recover(books, events);
    assert.equal(differences(lines).length, 1);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE standing_order_forgotten ${lost}: `));
    assert.ok(!lines.join('\n').includes(destination.account));
  });
});
