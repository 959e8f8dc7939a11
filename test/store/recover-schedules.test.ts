/** The recovery of scheduled payments, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { scheduleShardOf } from '../../lambdas/store/due-keys.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { advanceOnce } from './bank-says.ts';
import { timeOf, transfer } from './commands.ts';
import { changeItem, fieldsOf, itemOf, plant, refusalOf } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { cancel, hourMs, runTransfers, scheduleTransfer, scheduleWithdrawal, sweepAll } from './schedule-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const yearMs = 365 * 24 * hourMs;

async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  return { ...books, payer, shop };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

/** Restores the wallet to a state with another count. */
async function setCount({ table, payer }: Scene, scheduled: number): Promise<void> {
  await changeItem(table, walletKey(payer), { scheduled });
}

const countOf = async ({ table, payer }: Scene) => (await getWallet(table, payer, { consistent: true }))?.scheduled;

describe('a scheduled transfer that the restore forgot', () => {
  it.each([0, 3])(
    'is put back as it was, with its receiver hidden and a fee of %d, and its wallet counts it',
    async (fee) => {
      const scene = await newScene();
      const { table, payer, shop } = scene;
      const payment = await scheduleTransfer(table, payer, shop, { amount: 100, inMs: yearMs, fee });
      const before = await itemOf(table, transactionKey(payment.transactionId));
      const events = await eventsOf(scene);
      await forget(scene, payment);
      await setCount(scene, 0);
      const lines = await recover(scene, events);
      assert.match(lines.join('\n'), /put back: a scheduled transfer of 100 EUR/);
      const { fingerprint, ...restored } = (await itemOf(table, transactionKey(payment.transactionId))) ?? {};
      assert.deepEqual({ ...restored, fingerprint: before?.['fingerprint'] }, before);
      assert.equal(restored['dueShard'], scheduleShardOf(payment));
      assert.equal(await countOf(scene), 1);
      await assertSound(scene, events);
    },
  );

  it('is put back as completed when it was executed since, and moves nothing again', async () => {
    const scene = await newScene();
    const { table, payer, shop } = scene;
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    const executed = await fieldsOf(table, payment.transactionId);
    const events = await eventsOf(scene);
    await forget(scene, payment);
    await recover(scene, events);
    assert.deepEqual(await fieldsOf(table, payment.transactionId), executed);
    assert.deepEqual(await sweepAll(table), { withdrawals: [], transfers: [] });
    await assertSound(scene, events);
  });

  it('stays cancelled', async () => {
    const scene = await newScene();
    const { table, payer, shop } = scene;
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    await cancel(table, payment);
    const cancelled = await fieldsOf(table, payment.transactionId);
    const events = await eventsOf(scene);
    await forget(scene, payment);
    await recover(scene, events);
    const { cancellation, ...restored } = (await fieldsOf(table, payment.transactionId)) ?? {};
    const { cancellation: made, ...expected } = cancelled ?? {};
    assert.deepEqual(restored, expected);
    assert.deepEqual([cancellation?.actor.kind, cancellation?.at], [made?.actor.kind, made?.at]);
    await assertSound(scene, events);
  });
});

describe('a scheduled payment of the restored table', () => {
  it.each([0, 3])(
    'is completed when it was executed since, with a fee of %d, and its wallet counts it no more',
    async (fee) => {
      const scene = await newScene();
      const { table, payer, shop } = scene;
      const payment = await scheduleTransfer(table, payer, shop, { amount: 100, fee });
      const restored = await itemOf(table, transactionKey(payment.transactionId));
      const wallets = [await itemOf(table, walletKey(payer)), await itemOf(table, walletKey(shop))];
      table.clock.now += hourMs + 2_000;
      await runTransfers(table);
      const executed = await fieldsOf(table, payment.transactionId);
      const events = await eventsOf(scene);
      await plant(table, ...[restored, ...wallets].map((item) => item ?? {}));
      await recover(scene, events);
      assert.deepEqual(await fieldsOf(table, payment.transactionId), executed);
      assert.equal((await balanceOf(table, payer)).available, 900 - fee);
      assert.equal((await balanceOf(table, shop)).available, 100);
      assert.equal(await countOf(scene), 0);
      await assertSound(scene, events);
    },
  );

  it('is executed again where no source shows its execution, and moves the money once', async () => {
    const scene = await newScene();
    const { table, payer, shop } = scene;
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    const restored = await itemOf(table, transactionKey(payment.transactionId));
    const wallets = [await itemOf(table, walletKey(payer)), await itemOf(table, walletKey(shop))];
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    await eventsOf(scene);
    await plant(table, ...[restored, ...wallets].map((item) => item ?? {}));
    await recover(scene);
    await assertSound(scene);
    await runTransfers(table);
    assert.equal((await fieldsOf(table, payment.transactionId))?.status, 'completed');
    assert.equal((await balanceOf(table, payer)).available, 900);
    assert.equal((await balanceOf(table, shop)).available, 100);
  });
});

describe('a scheduled withdrawal that the restore forgot', () => {
  it('is named, as its event hides the account, and its wallet can be closed again', async () => {
    const scene = await newScene();
    const { table, payer } = scene;
    const payment = await scheduleWithdrawal(table, payer, { amount: 100, inMs: yearMs });
    const events = await eventsOf(scene);
    await forget(scene, payment);
    const lines = await recover(scene, events);
    assert.match(
      lines.join('\n'),
      new RegExp(`DIFFERENCE transaction_forgotten ${payment.transactionId}: .*hides the account`),
    );
    assert.equal(await fieldsOf(table, payment.transactionId), undefined);
    assert.equal(await countOf(scene), 0);
    await assertSound(scene, events);
    const again = await scheduleWithdrawal(table, payer, { amount: 100, inMs: yearMs });
    assert.equal(again.status, 'scheduled');
  });

  it('goes to review when it was executed since: a submit may have left', async () => {
    const scene = await newScene();
    const { table, payer } = scene;
    const payment = await scheduleWithdrawal(table, payer, { amount: 100 });
    table.clock.now += hourMs + 2_000;
    await sweepAll(table);
    await advanceOnce(table, payment.transactionId, { submit: () => ({ outcome: 'unknown', reason: 'timed out' }) });
    const events = await eventsOf(scene);
    await forget(scene, payment);
    await recover(scene, events);
    const review = await fieldsOf(table, payment.transactionId);
    assert.equal(review?.status, 'review');
    assert.ok(review.executedAt);
    assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 100, total: 1_000 });
    await assertSound(scene, events);
  });
});

describe('a scheduled withdrawal of the restored table that was executed since, and that the statement lacks', () => {
  async function newExecutedScene(known: 'ledger' | 'event') {
    const scene = await newScene();
    const { table, payer } = scene;
    const payment = await scheduleWithdrawal(table, payer, { amount: 100, fee: 3 });
    const restored = await itemOf(table, transactionKey(payment.transactionId));
    const wallet = await itemOf(table, walletKey(payer));
    await scene.follow();
    table.clock.now += hourMs + 2_000;
    await sweepAll(table);
    await advanceOnce(table, payment.transactionId, { submit: () => ({ outcome: 'unknown', reason: 'timed out' }) });
    const executedAt = (await fieldsOf(table, payment.transactionId))?.executedAt;
    const records = await scene.takeRecords();
    if (known === 'ledger') await scene.hand(records);
    const events = known === 'event' ? [...eventsIn(records).values()] : [];
    await plant(table, restored ?? {}, wallet ?? {});
    return { ...scene, payment, executedAt, events };
  }

  it.each(['ledger', 'event'] as const)(
    'is open by the %s: its money is held, and it cannot be cancelled',
    async (known) => {
      const scene = await newExecutedScene(known);
      const { table, payer, payment, executedAt, events } = scene;
      await recover(scene, events, []);
      const open = await fieldsOf(table, payment.transactionId);
      assert.deepEqual([open?.status, open?.executedAt], ['executing', executedAt]);
      assert.deepEqual(await balanceOf(table, payer), { available: 897, held: 103, total: 1_000 });
      assert.equal((await refusalOf(cancel(table, payment)))?.code, 'not_cancellable');
      await assertSound(scene, events);
      // The bank is asked first, and has paid.
      await advanceOnce(table, payment.transactionId, { find: { outcome: 'accepted' } });
      assert.equal((await fieldsOf(table, payment.transactionId))?.status, 'completed');
      assert.deepEqual(await balanceOf(table, payer), { available: 897, held: 0, total: 897 });
    },
  );

  it('stays scheduled and is named when its wallet does not have the money', async () => {
    const scene = await newExecutedScene('event');
    const { table, payer, shop, payment, events } = scene;
    await transfer(table, payer, shop, { owner: 'ann', amount: 950 });
    await scene.follow();
    const lines = await recover(scene, events, []);
    const named = `DIFFERENCE execution_forgotten ${payment.transactionId}: it is scheduled in the table, and it was executed`;
    assert.match(lines.join('\n'), new RegExp(named));
    assert.equal((await fieldsOf(table, payment.transactionId))?.status, 'scheduled');
  });
});

describe('a scheduled withdrawal of the restored table that the bank has paid since', () => {
  /** Restores the tables to before its execution. The ledger shows the execution where the projector has followed. */
  async function newPaidScene(isFollowed: boolean, fee = 0) {
    const scene = await newScene();
    const { table, payer } = scene;
    const payment = await scheduleWithdrawal(table, payer, { amount: 100, fee });
    const restored = await itemOf(table, transactionKey(payment.transactionId));
    const wallet = await itemOf(table, walletKey(payer));
    await eventsOf(scene);
    table.clock.now += hourMs + 2_000;
    await sweepAll(table);
    await advanceOnce(table, payment.transactionId, { submit: () => ({ outcome: 'accepted' }) });
    const executedAt = (await fieldsOf(table, payment.transactionId))?.executedAt;
    if (isFollowed) await scene.follow();
    await plant(table, restored ?? {}, wallet ?? {});
    const { transactionId: reference, amount, currency } = payment;
    return { ...scene, payment, executedAt, paid: [{ reference, amount, currency, paidAt: timeOf(table) }] };
  }

  it.each([true, false])(
    'is executed and completed, at the time of its ledger where that has it: %s',
    async (isFollowed) => {
      const scene = await newPaidScene(isFollowed);
      const { table, payer, payment, executedAt, paid } = scene;
      await recover(scene, [], paid);
      const ended = await fieldsOf(table, payment.transactionId);
      assert.equal(ended?.status, 'completed');
      if (isFollowed) assert.equal(ended.executedAt, executedAt);
      assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 0, total: 900 });
      assert.equal(await countOf(scene), 0);
      await assertSound(scene);
    },
  );

  it('is completed with its fee', async () => {
    const scene = await newPaidScene(true, 3);
    const { table, payer, payment, executedAt, paid } = scene;
    await recover(scene, [], paid);
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual([ended?.status, ended?.executedAt, ended?.fee], ['completed', executedAt, 3]);
    assert.deepEqual(await balanceOf(table, payer), { available: 897, held: 0, total: 897 });
    await assertSound(scene);
  });

  it('stays scheduled and is named when its wallet does not have the money', async () => {
    const scene = await newPaidScene(false);
    const { table, payer, shop, payment, paid } = scene;
    await transfer(table, payer, shop, { owner: 'ann', amount: 950 });
    await scene.follow();
    const lines = await recover(scene, [], paid);
    assert.match(
      lines.join('\n'),
      new RegExp(`DIFFERENCE payment_forgotten ${payment.transactionId}: it is scheduled`),
    );
    assert.equal((await fieldsOf(table, payment.transactionId))?.status, 'scheduled');
  });
});
