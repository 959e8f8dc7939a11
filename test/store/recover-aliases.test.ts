/** Payments by an alias in a restored table: no repetition pays twice, wherever the alias points now. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { aliasItem } from '../../lambdas/store/aliases.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newKey, timeOf } from './commands.ts';
import { plant } from './inspect.ts';
import { assertSound, forget, recover } from './recovering.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 });
const ann = endUser('ann');
let books: TestBooks;
let [payer, shop, other] = ['', '', ''];

beforeEach(async () => {
  books = await newBooks(engine);
  afterTest(books.close);
  payer = await fundedWallet(books.table, 'ann', 1_000);
  [shop, other] = [await openWallet(books.table, 'shop'), await openWallet(books.table, 'shop')];
  await books.follow();
});

/** Lets the alias of the shop pay a wallet, or none. */
async function point(walletId?: string): Promise<void> {
  const wallets = walletId === undefined ? {} : { EUR: walletId };
  await plant(
    books.table,
    aliasItem({ alias: 'shop', ownerId: 'shop', version: 1, updatedAt: timeOf(books.table), wallets }),
  );
}

function pay(key: string, to: string) {
  const services = { table: books.table, limits, queue: { send: () => Promise.resolve() } };
  const handler = serve(transfer, { ...services, isOverloaded: () => Promise.resolve(false) });
  return send('transfer', handler, { as: ann, key, path: { walletId: payer }, body: { amount: 10, to } });
}

/** Pays by the alias, and puts the lost record of the payment back. Returns its key, its id and the events. */
async function payAndRecover(): Promise<{ key: string; transactionId: string; events: ServiceEvent[] }> {
  await point(shop);
  const key = newKey();
  const paid = await pay(key, '@shop');
  assert.equal(paid.status, 201);
  const transactionId = String(paid.body?.['transactionId']);
  const records = await books.takeRecords();
  await books.hand(records);
  const events = [...eventsIn(records).values()];
  await forget(books, { transactionId });
  const { now } = books.table.clock;
  await recover(books, events);
  books.table.clock.now = now;
  return { key, transactionId, events };
}

describe('a transfer by an alias that a recovery put back', () => {
  for (const moved of ['another wallet', 'none']) {
    it(`answers its repetition when the alias has ${moved}, and pays once`, async () => {
      const { key, transactionId } = await payAndRecover();
      await point(moved === 'none' ? undefined : other);
      const again = await pay(key, '@Shop');
      assert.deepEqual(
        [again.status, again.body?.['transactionId'], again.body?.['to']],
        [201, transactionId, '@shop'],
      );
      assert.equal(again.body?.['counterpartyWalletId'], undefined);
      const balances = await Promise.all([payer, shop, other].map((walletId) => balanceOf(books.table, walletId)));
      assert.deepEqual(
        balances.map(({ available }) => available),
        [990, 10, 0],
      );
    });
  }

  it('refuses its key for a payment by another alias', async () => {
    const { key } = await payAndRecover();
    const { status, body } = await pay(key, '@nobody.here');
    assert.deepEqual([status, body?.['code']], [422, 'idempotency_key_reused']);
  });

  it('hides the wallet from its payer, in sound books', async () => {
    const { transactionId, events } = await payAndRecover();
    const handler = serve(getTransaction, { table: books.table, limits });
    const { body } = await send('get-transaction', handler, { as: ann, path: { transactionId } });
    assert.deepEqual([body?.['to'], body?.['counterpartyWalletId']], ['@shop', undefined]);
    await assertSound(books, events);
  });
});
