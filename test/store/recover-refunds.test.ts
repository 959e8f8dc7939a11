/** The recovery of refunds, and of what the record of a refunded transaction says of them, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { newKey, queueTransfer, transfer } from './commands.ts';
import { capture, holdOf, openHold } from './hold-commands.ts';
import { changeItem, fieldsOf, itemOf } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { refund as refundLeft, refundableOf } from './refund-commands.ts';
import { assertRefunded, balances, idsOf, newScene, refund } from './refund-scenes.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
/** A hold that is open when the recovery runs, by the time of today. */
const longMs = 365 * 86_400_000;

interface Part {
  readonly amount?: number;
}

/** Returns a function that refunds a payment of 100, or captures a hold of it: an amount, or all that is left. */
async function commandOn(table: Table, kind: 'refund' | 'capture', payer: string, shop: string) {
  if (kind === 'capture') {
    const hold = await openHold(table, payer, { amount: 100, to: shop, forMs: longMs });
    return async (key: string, part: Part = {}) => capture(table, await holdOf(table, hold), { key, ...part });
  }
  const { transaction } = await transfer(table, payer, shop, { owner: 'ann', amount: 100 });
  return async (key: string, part: Part = {}) =>
    refundLeft(table, await refundableOf(table, transaction), { key, ...part });
}

describe('a refund that the restore forgot', () => {
  it('is put back by its event, and its original names it again', async () => {
    const scene = await newScene(engine, 30, 20);
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

  it.each(['refund', 'capture'] as const)(
    'answers the repetition of a %s of all that was left, also while another one is forgotten',
    async (kind) => {
      const books = await newBooks(engine);
      afterTest(books.close);
      const { table } = books;
      const [payer, shop] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'shop')];
      const make = await commandOn(table, kind, payer, shop);
      const first = await make(newKey(), { amount: 80 });
      await books.follow();
      const key = newKey();
      const rest = await make(key);
      assert.equal(rest.transaction.amount, 20);
      const events = await eventsOf(books);
      await forget(books, first.transaction);
      await forget(books, rest.transaction);
      const lines = await recover(books, events);
      assert.match(lines.join('\n'), new RegExp(`${rest.transaction.transactionId}: put back`));
      // Now 80 are left, and the first request took 20.
      const again = await make(key);
      assert.deepEqual(
        [again.replayed, again.transaction.transactionId, again.transaction.amount],
        [true, rest.transaction.transactionId, 20],
      );
    },
  );

  it('is no longer named by its original without an event, and its wallets follow', async () => {
    const scene = await newScene(engine, 30, 20);
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
    const scene = await newScene(engine, 30, 20);
    const [first, last] = scene.refunds;
    await forget(scene, last!);
    const lines = (await recover(scene)).join('\n');
    const named = `refund_forgotten ${scene.sent.transactionId}: .* gave back 50, .* gave back 30: ${last!.transactionId}`;
    assert.match(lines, new RegExp(named));
    await assertRefunded(scene, 30, [first!.transactionId]);
    await assertSound(scene);
  });

  it('is not put back when other refunds have given the money back since, and is named', async () => {
    const scene = await newScene(engine, 80);
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
    const scene = await newScene(engine, 30, 20);
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
    const scene = await newScene(engine, 30, 70);
    await scene.follow();
    assert.deepEqual(await recover(scene), []);
  });

  it('keeps what a refund that cannot be read has given back, and is named', async () => {
    const scene = await newScene(engine, 30, 20);
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
    const scene = await newScene(engine, 30);
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
    const scene = await newScene(engine, 30);
    await scene.follow();
    await forget(scene, scene.sent);
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`${scene.sent.transactionId}: put back: a transfer of 100 EUR`));
    assert.deepEqual(await balances(scene), [930, 70]);
    await assertRefunded(scene, 30, idsOf(scene.refunds));
    await assertSound(scene);
  });

  it('that the restore forgot is put back by its event, also without that of its acceptance', async () => {
    const scene = await newScene(engine, 30);
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
    const scene = await newScene(engine, 30, 20);
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
