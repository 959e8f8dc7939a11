/** The recovery of transactions that were refunded, or charged back, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { useEngine } from '../fixture.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { charge, queueTransfer, transfer } from './commands.ts';
import { epoch } from '../engine.ts';
import { capture, openHold } from './hold-commands.ts';
import { changeItem, fieldsOf, itemOf, plant } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { balanceOf, openWallet } from './wallets.ts';
import { assertRefunded, balances, idsOf, newScene, refund } from './refund-scenes.ts';
import type { Scene } from './refund-scenes.ts';

const engine = useEngine();

describe('a queued transfer that was refunded, and that the restore has as pending', () => {
  it.each([true, false])('has arrived, and cannot be refunded twice (ledger: %s)', async (follows) => {
    const scene = await newScene(engine);
    const { table, payer, shop } = scene;
    const { transaction: queued } = await queueTransfer(table, payer, shop, { amount: 100, owner: 'ann' });
    const pending = await itemOf(table, transactionKey(queued.transactionId));
    table.clock.now += 1_000;
    await endTransfers([queued.transactionId], table);
    table.clock.now += 1_000;
    const { transactionId } = await refund(table, queued, { amount: 100 });
    const before = await balances(scene);
    if (follows) await scene.follow();
    await plant(table, pending!);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`${queued.transactionId}: pending in the table, and refunded`));
    assert.deepEqual(await balances(scene), before);
    await assertSound(scene);
    await endTransfers([queued.transactionId], table);
    await assertRefunded({ ...scene, sent: queued }, 100, [transactionId]);
    assert.deepEqual(await balances(scene), before);
    await assert.rejects(refund(table, queued, {}), { code: 'exceeds_refundable' });
  });
});

describe('a refunded capture that the restore forgot', () => {
  /** Captures 60 of a hold of 100, and refunds 30 of them. The capture is forgotten. */
  async function newCapture({ isFinal = false, follows = true } = {}) {
    const scene = await newScene(engine);
    const { table, payer, shop } = scene;
    const hold = await openHold(table, payer, { amount: 100, to: shop });
    table.clock.now += 1_000;
    const { transaction: captured } = await capture(table, hold, { amount: 60, isFinal });
    table.clock.now += 1_000;
    const refunds = [await refund(table, captured, { amount: 30 })];
    table.clock.now += 1_000;
    const balancesOf = () => Promise.all([balanceOf(table, payer), balanceOf(table, shop)]);
    const before = await balancesOf();
    if (follows) await scene.follow();
    await forget(scene, captured);
    return { ...scene, sent: captured, hold, refunds, before, balancesOf };
  }

  for (const isFinal of [false, true]) {
    it(`is put back from the ledger as a ${isFinal ? 'final ' : ''}capture, and its hold is not open for all again`, async () => {
      const scene = await newCapture({ isFinal });
      const { table, hold, sent } = scene;
      const lines = await recover(scene);
      assert.match(lines.join('\n'), new RegExp(`${sent.transactionId}: put back: a capture of 60 EUR`));
      const { captured, status } = (await fieldsOf(table, hold.transactionId)) ?? {};
      assert.deepEqual({ captured, status }, { captured: 60, status: isFinal ? 'ended' : 'open' });
      assert.deepEqual(await scene.balancesOf(), scene.before);
      await assertRefunded(scene, 30, idsOf(scene.refunds));
      await assertSound(scene);
    });
  }

  it('is put back as a transfer and named when two holds can have paid it', async () => {
    const scene = await newCapture();
    const { table, payer, shop, sent } = scene;
    table.clock.now = epoch;
    await openHold(table, payer, { amount: 100, to: shop });
    await assertNamedTransfer(scene, sent);
  });

  it('is put back as a transfer and named when no source shows it', async () => {
    const scene = await newCapture({ follows: false });
    await assertNamedTransfer(scene, scene.sent);
  });

  async function assertNamedTransfer(scene: Scene, sent: Pick<Transaction, 'transactionId'>) {
    const lines = (await recover(scene)).join('\n');
    assert.match(lines, new RegExp(`${sent.transactionId}: put back: a transfer of 30 EUR`));
    assert.match(lines, new RegExp(`original_forgotten ${sent.transactionId}: .*a capture, its hold is open again`));
    await assertSound(scene);
  }
});

describe('a chargeback', () => {
  /** Charges back the charge of a shop that has spent all of it. */
  async function newDebt() {
    const scene = await newScene(engine);
    const { table, payer } = scene;
    const walletId = await openWallet(table, 'shop');
    const { transaction: charged } = await charge(table, walletId, { amount: 60 });
    await transfer(table, walletId, payer, { amount: 60, owner: 'shop' });
    table.clock.now += 1_000;
    const chargeback = await refund(table, charged, { amount: 60, chargeback: true, operator: 'operator-1' });
    const debt = async () => {
      const { available, chargedBack } = (await itemOf(table, walletKey(walletId))) ?? {};
      return [available, chargedBack];
    };
    return { ...scene, walletId, charged, chargeback, debt };
  }

  it('leaves its wallet below zero, which no charge of the recovery fills', async () => {
    const scene = await newDebt();
    await scene.follow();
    assert.deepEqual(await recover(scene), []);
    assert.deepEqual(await scene.debt(), [-60, 60]);
  });

  it('that was forgotten is put back by its event, and its wallet owes it again', async () => {
    const scene = await newDebt();
    const { table, walletId, charged, chargeback } = scene;
    const events = await eventsOf(scene);
    await forget(scene, chargeback);
    await changeItem(table, transactionKey(charged.transactionId), { refunded: undefined, refunds: undefined });
    await changeItem(table, walletKey(walletId), { available: 0, total: 0, chargedBack: undefined });
    await recover(scene, events);
    assert.deepEqual(await scene.debt(), [-60, 60]);
    await assertSound(scene, events);
  });

  it('does not explain a later credit that was forgotten', async () => {
    const scene = await newScene(engine);
    const { table, shop } = scene;
    const walletId = await openWallet(table, 'bob');
    const { transaction: charged } = await charge(table, walletId, { amount: 500 });
    table.clock.now += 1_000;
    await refund(table, charged, { amount: 300, chargeback: true, operator: 'operator-1' });
    table.clock.now += 1_000;
    const { transaction: lost } = await transfer(table, scene.payer, walletId, { amount: 250, owner: 'ann' });
    table.clock.now += 1_000;
    await transfer(table, walletId, shop, { amount: 450, owner: 'bob' });
    await forget(scene, lost);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE credit_forgotten ${walletId}: its records spend 250 EUR`));
    assert.equal(Number((await balanceOf(table, walletId)).available), 0);
    await assertSound(scene);
  });

  it('that was forgotten without an event leaves no debt', async () => {
    const scene = await newDebt();
    await scene.follow();
    await forget(scene, scene.chargeback);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`transaction_forgotten ${scene.chargeback.transactionId}`));
    assert.deepEqual(await scene.debt(), [0, undefined]);
    await assertSound(scene);
  });
});
