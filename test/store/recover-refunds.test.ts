/** The recovery of refunds and their originals, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { charge, queueTransfer, transfer } from './commands.ts';
import { epoch } from '../engine.ts';
import { capture, openHold } from './hold-commands.ts';
import { changeItem, fieldsOf, itemOf, plant } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { refund as refundOf, refundableOf } from './refund-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/** Refunds a transaction as it is now. Returns the refund. */
async function refund(table: Table, sent: Pick<Transaction, 'transactionId'>, wanted: Parameters<typeof refundOf>[2]) {
  return (await refundOf(table, await refundableOf(table, sent), wanted)).transaction;
}

/** Makes a transfer of 100 from ann's 1000 to the shop, and refunds of it at different times. */
async function newScene(...parts: readonly number[]) {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  const { transaction: sent } = await transfer(table, payer, shop, { amount: 100, owner: 'ann' });
  const refunds: Transaction[] = [];
  for (const amount of parts) {
    table.clock.now += 1_000;
    refunds.push(await refund(table, sent, { amount }));
  }
  table.clock.now += 1_000;
  return { ...books, payer, shop, sent, refunds };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

const idsOf = (refunds: readonly Transaction[]) => refunds.map(({ transactionId }) => transactionId);

async function assertRefunded({ table, sent }: Scene, refunded?: number, refunds?: readonly string[]): Promise<void> {
  const fields = await fieldsOf(table, sent.transactionId);
  assert.deepEqual([fields?.refunded, fields?.refunds], [refunded, refunds]);
}

async function balances({ table, payer, shop }: Scene): Promise<number[]> {
  const wallets = await Promise.all([balanceOf(table, payer), balanceOf(table, shop)]);
  return wallets.map(({ available }) => Number(available));
}

describe('a refund that the restore forgot', () => {
  it('is put back by its event, and its original names it again', async () => {
    const scene = await newScene(30, 20);
    const events = await eventsOf(scene);
    const [first, last] = scene.refunds;
    await forget(scene, last!);
    await changeItem(scene.table, transactionKey(scene.sent.transactionId), {
      ...{ refunded: 30, refunds: [first!.transactionId] },
    });
    const lines = await recover(scene, events);
    assert.match(lines.join('\n'), new RegExp(`${last!.transactionId}: put back: a completed refund of 20 EUR`));
    await assertRefunded(scene, 50, idsOf(scene.refunds));
    assert.deepEqual(await balances(scene), [950, 50]);
    const { reason, refundedBy, principal, originalTransactionId } =
      (await fieldsOf(scene.table, last!.transactionId)) ?? {};
    assert.deepEqual(
      { reason, refundedBy, principal, originalTransactionId },
      { reason: 'sent back', refundedBy: 'owner', principal: 'shop', originalTransactionId: scene.sent.transactionId },
    );
    await assertSound(scene, events);
  });

  it('is no longer named by its original without an event, and its wallets follow', async () => {
    const scene = await newScene(30, 20);
    await scene.follow();
    const [first, last] = scene.refunds;
    await forget(scene, last!);
    const lines = await recover(scene);
    await assertRefunded(scene, 30, [first!.transactionId]);
    assert.deepEqual(await balances(scene), [930, 70]);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE transaction_forgotten ${last!.transactionId}`));
    await assertSound(scene);
  });

  it('is named when only its original shows it', async () => {
    const scene = await newScene(30, 20);
    const [first, last] = scene.refunds;
    await forget(scene, last!);
    const lines = (await recover(scene)).join('\n');
    const named = `refund_forgotten ${scene.sent.transactionId}: .* gave back 50, .* gave back 30: ${last!.transactionId}`;
    assert.match(lines, new RegExp(named));
    await assertRefunded(scene, 30, [first!.transactionId]);
    await assertSound(scene);
  });

  it('is not put back when other refunds have given the money back since, and is named', async () => {
    const scene = await newScene(80);
    const events = await eventsOf(scene);
    const [lost] = scene.refunds;
    await forget(scene, lost!);
    await changeItem(scene.table, transactionKey(scene.sent.transactionId), {
      refunded: undefined,
      refunds: undefined,
    });
    // The service went on without a recovery.
    await changeItem(scene.table, walletKey(scene.shop), { available: 100, total: 100 });
    const again = await refund(scene.table, scene.sent, { amount: 30 });
    const lines = await recover(scene, events);
    assert.match(
      lines.join('\n'),
      new RegExp(`transaction_forgotten ${lost!.transactionId}: .* has less left to refund`),
    );
    await assertRefunded(scene, 30, [again.transactionId]);
    await assertSound(scene, events);
  });
});

describe('the record of a refunded transaction', () => {
  it('is corrected to its refunds when it is older than they are', async () => {
    const scene = await newScene(30, 20);
    await scene.follow();
    await changeItem(scene.table, transactionKey(scene.sent.transactionId), {
      refunded: undefined,
      refunds: undefined,
    });
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`${scene.sent.transactionId}: its refunds gave back 50`));
    await assertRefunded(scene, 50, idsOf(scene.refunds));
    await assert.rejects(refund(scene.table, scene.sent, { amount: 51 }), {
      code: 'exceeds_refundable',
    });
    await assertSound(scene);
  });

  it('is left as it is in sound books', async () => {
    const scene = await newScene(30, 70);
    await scene.follow();
    assert.deepEqual(await recover(scene), []);
  });

  it('keeps what a refund that cannot be read has given back, and is named', async () => {
    const scene = await newScene(30, 20);
    await scene.follow();
    const [first, last] = scene.refunds;
    await changeItem(scene.table, transactionKey(last!.transactionId), { v: 2 });
    for (const torn of [{}, { refunded: 30, refunds: [first!.transactionId] }]) {
      await changeItem(scene.table, transactionKey(scene.sent.transactionId), torn);
      const lines = await recover(scene);
      assert.match(lines.join('\n'), new RegExp(`DIFFERENCE refund_unreadable ${scene.sent.transactionId}: 1 of its`));
      assert.equal((await fieldsOf(scene.table, scene.sent.transactionId))?.refunded, 50);
    }
    await changeItem(scene.table, transactionKey(last!.transactionId), { v: undefined });
    await recover(scene);
    await assertRefunded(scene, 50, idsOf(scene.refunds));
    await assertSound(scene);
  });

  it('counts its only refund, which cannot be read, when it does not name it', async () => {
    const scene = await newScene(30);
    const { table, sent, refunds } = scene;
    await scene.follow();
    await changeItem(table, transactionKey(refunds[0]!.transactionId), { v: 2 });
    await changeItem(table, transactionKey(sent.transactionId), { refunded: undefined, refunds: undefined });
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`transaction ${sent.transactionId}: its refunds gave back 30`));
    await assertRefunded(scene, 30, idsOf(refunds));
    await assert.rejects(refund(table, sent, { amount: 71 }), { code: 'exceeds_refundable' });
    const again = await recover(scene);
    assert.deepEqual(
      again.filter((line) => !line.startsWith('DIFFERENCE')),
      [],
    );
    await changeItem(table, transactionKey(refunds[0]!.transactionId), { v: undefined });
    await recover(scene);
    await assertSound(scene);
  });

  it('that the restore forgot is put back from the ledger', async () => {
    const scene = await newScene(30);
    await scene.follow();
    await forget(scene, scene.sent);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`${scene.sent.transactionId}: put back: a transfer of 100 EUR`));
    assert.deepEqual(await balances(scene), [930, 70]);
    await assertRefunded(scene, 30, idsOf(scene.refunds));
    await assertSound(scene);
  });

  it('that the restore forgot is put back by its event, also without that of its acceptance', async () => {
    const scene = await newScene(30);
    const { table, payer, shop, refunds } = scene;
    const { transaction: queued } = await queueTransfer(table, payer, shop, { amount: 10, owner: 'ann' });
    await endTransfers([queued.transactionId], table);
    const late = await refund(table, queued, { amount: 10 });
    const events = (await eventsOf(scene)).filter(({ type }) => type !== 'transfer.accepted');
    await forget(scene, queued);
    await forget(scene, scene.sent);
    await recover(scene, events);
    await assertRefunded(scene, 30, idsOf(refunds));
    assert.deepEqual((await fieldsOf(table, queued.transactionId))?.refunds, [late.transactionId]);
    assert.deepEqual(await balances(scene), [930, 70]);
    await assertSound(scene, events);
  });

  it('that no source shows is put back with the amount of its refunds, and named', async () => {
    const scene = await newScene(30, 20);
    const { table, payer, sent } = scene;
    await forget(scene, sent);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE original_forgotten ${sent.transactionId}`));
    assert.deepEqual(await balances(scene), [1_000, 0]);
    await assertRefunded(scene, 50, idsOf(scene.refunds));
    assert.equal((await itemOf(table, transactionKey(sent.transactionId)))?.['walletId'], payer);
    await assertSound(scene);
  });
});

describe('a queued transfer that was refunded, and that the restore has as pending', () => {
  it.each([true, false])('has arrived, and cannot be refunded twice (ledger: %s)', async (follows) => {
    const scene = await newScene();
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
    const scene = await newScene();
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
    const scene = await newScene();
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
    const scene = await newScene();
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
