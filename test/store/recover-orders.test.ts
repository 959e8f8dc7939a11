/** What a recovery makes of standing orders: none pays that was cancelled, and none that was opened is lost in silence. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, it } from '@jest/globals';
import { cancelStandingOrder, openStandingOrder } from '../../lambdas/api/standing-orders.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { aliasItem } from '../../lambdas/store/aliases.ts';
import { orderKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
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
import { changeItem, fieldsOf, itemOf, plant, removeItem } from './inspect.ts';
import { recover, recoverAfterDryRun } from './recovering.ts';
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

const orderOf = (members: object) => ({
  ...{ amount: 10, every: 'week', firstAt: timeOf(books.table, 7_200_000), description: 'Rent' },
  ...members,
});

function request(key: string, body: object) {
  const services = { table: books.table, limits: openLimits({ readsPerHour: 99, refusalsPerHour: 99, perHour: 99 }) };
  return send('open-standing-order', serve(openStandingOrder, services), { as: ann, key, path: { walletId }, body });
}

async function open(members: object, key = newKey()): Promise<string> {
  const { status, body: order } = await request(key, orderOf(members));
  assert.equal(status, 201);
  return String(order?.['standingOrderId']);
}

/** Lets the sweeper make the payments that are due to be made. Returns the ids of all payments, the newest first. */
async function makePayments(): Promise<string[]> {
  const queue = queueOfDepth(0);
  await sweep({ table: books.table, withdrawals: queue, transfers: queue });
  const { items } = await listTransactions(books.table, { walletId, limit: 10 });
  return items.flatMap((one) =>
    !(one instanceof UnreadableItem) && one.type === 'transfer' ? [one.transactionId] : [],
  );
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

  it('to an alias hides its wallet from the payer, and answers a repetition when the alias has moved', async () => {
    const { table } = books;
    const alias = { alias: 'bobby', ownerId: 'bob', version: 1, updatedAt: timeOf(table) };
    await plant(table, aliasItem({ ...alias, wallets: { EUR: toWalletId } }));
    const [key, body] = [newKey(), orderOf({ to: '@bobby' })];
    const standingOrderId = await open({ to: '@bobby', firstAt: body.firstAt }, key);
    const events = await eventsUntilNow();
    await removeItem(table, orderKey(standingOrderId));
    await removeItem(table, transactionKey(`tx_${standingOrderId.slice('so_'.length)}`));
    const { now } = table.clock;
    await recover(books, events);
    table.clock.now = now;
    assert.equal((await getOrder(table, standingOrderId))?.to, '@bobby');
    await plant(table, aliasItem({ ...alias, wallets: {} }));
    const again = await request(key, body);
    assert.deepEqual([again.status, again.body?.['to'], again.body?.['toWalletId']], [201, '@bobby', undefined]);
  });

  it('is announced by a dry run, which writes nothing', async () => {
    const { table } = books;
    const [lost, cancelled] = [await open({ toWalletId }), await open({ toWalletId })];
    const active = await itemOf(table, orderKey(cancelled));
    await cancel(cancelled);
    const events = await eventsUntilNow();
    await removeItem(table, orderKey(lost));
    await plant(table, { ...active });
    await changeItem(table, walletKey(walletId), { orders: 1 });
    const lines = await recoverAfterDryRun(books, events);
    assert.deepEqual(differences(lines), []);
    for (const id of [lost, cancelled]) {
      assert.ok(
        lines.some((line) => line.startsWith(`standing order ${id}`)),
        id,
      );
    }
    const [opened, ended] = [await getOrder(table, lost), await getOrder(table, cancelled)];
    assert.deepEqual([opened?.status, ended?.status, await countOf()], ['active', 'ended', 1]);
  });

  it("is its opener's again when it has made its last payment, which the service did", async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId, count: 1 });
    await makePayments();
    const ended = await getOrder(table, standingOrderId);
    const events = await eventsUntilNow();
    await removeItem(table, orderKey(standingOrderId));
    assert.deepEqual(differences(await recover(books, events)), []);
    const again = await getOrder(table, standingOrderId);
    assert.deepEqual([ended?.status, ended?.principal], ['ended', 'ann']);
    assert.deepEqual([again?.status, again?.principal], ['ended', 'ann']);
  });

  it('answers a repetition of its request after it was opened again', async () => {
    const { table } = books;
    const [key, body] = [newKey(), orderOf({ toWalletId })];
    const standingOrderId = await open({ toWalletId }, key);
    const events = await eventsUntilNow();
    await removeItem(table, orderKey(standingOrderId));
    await removeItem(table, transactionKey(`tx_${standingOrderId.slice('so_'.length)}`));
    // The recovery sets the clock to today.
    const { now } = table.clock;
    await recover(books, events);
    table.clock.now = now;
    const again = await request(key, body);
    assert.deepEqual(
      [again.status, again.body?.['standingOrderId'], again.headers['Idempotency-Replayed']],
      [201, standingOrderId, 'true'],
    );
    const other = await request(key, { ...body, amount: 11 });
    assert.equal(other.body?.['code'], 'idempotency_key_reused');
  });

  it('makes a payment again that it counts, and that no source shows', async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId });
    const [payment] = await makePayments();
    await books.follow();
    await removeItem(table, transactionKey(payment!));
    assert.deepEqual(differences(await recover(books)), []);
    assert.equal((await getOrder(table, standingOrderId))?.made, 0);
    assert.deepEqual((await makePayments()).slice(-1), [payment]);
  });

  it('makes its last payment again, and is active until then', async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId, count: 1 });
    const [payment] = await makePayments();
    await books.follow();
    assert.equal((await getOrder(table, standingOrderId))?.status, 'ended');
    const ended = await getOrder(table, standingOrderId);
    await removeItem(table, transactionKey(payment!));
    await recover(books);
    assert.equal((await getOrder(table, standingOrderId))?.status, 'active');
    await makePayments();
    const timeless = { updatedAt: '', endedAt: '' };
    assert.deepEqual({ ...(await getOrder(table, standingOrderId)), ...timeless }, { ...ended, ...timeless });
  });

  it('knows the payments that it has made since, so that a cancel is for them, too', async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId });
    const restored = await itemOf(table, orderKey(standingOrderId));
    const [payment] = await makePayments();
    await books.follow();
    await plant(table, { ...restored });
    await recover(books);
    assert.equal((await getOrder(table, standingOrderId))?.made, 1);
    await cancel(standingOrderId);
    assert.equal((await fieldsOf(table, payment!))?.status, 'failed');
  });

  it('that was cancelled cancels the payment that the restore has torn from it', async () => {
    const { table } = books;
    const standingOrderId = await open({ toWalletId });
    const [payment] = await makePayments();
    const scheduled = await itemOf(table, transactionKey(payment!));
    await cancel(standingOrderId);
    const cancelled = await fieldsOf(table, payment!);
    await books.follow();
    await plant(table, { ...scheduled });
    await changeItem(table, walletKey(walletId), { scheduled: 1 });
    await recover(books);
    assert.deepEqual(await fieldsOf(table, payment!), cancelled);
    assert.equal((await getWallet(table, walletId, { consistent: true }))?.scheduled, 0);
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
