/** The recovery of holds that a restore forgot while it has their captures, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Capture, Hold } from '../../lambdas/domain/transaction.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { transactionView } from '../../lambdas/views/transaction-view.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { transfer } from './commands.ts';
import { capture, holdOf, openHold, release } from './hold-commands.ts';
import { changeItem, fieldsOf, itemOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';

const engine = useEngine();

/** Opens a hold of ann's 1000, and captures of it at different times. The projector has not followed. */
async function newScene(amount: number, ...parts: readonly number[]) {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  const hold = await openHold(table, payer, { amount, to: shop, key: 'promise' });
  const captures: Capture[] = [];
  for (const part of parts) {
    table.clock.now += 1_000;
    captures.push((await capture(table, hold, { amount: part })).transaction);
  }
  table.clock.now += 1_000;
  return { ...books, payer, shop, hold, captures };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

const holdFields = async ({ table, hold }: Scene) => {
  const { status, end, amount, captured, principal } = (await fieldsOf(table, hold.transactionId)) ?? {};
  return { status, end, amount, captured, principal };
};

describe('a hold that the restore forgot, with its captures', () => {
  it('is put back from the ledger, so that its payer cannot spend what was captured', async () => {
    const scene = await newScene(279, 279);
    const { table, payer, shop, hold, follow } = scene;
    await follow();
    const [balance, received] = [await balanceOf(table, payer), await balanceOf(table, shop)];
    await forget(scene, hold);
    const lines = await recover(scene);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance, received]);
    assert.match(lines.join('\n'), new RegExp(`${hold.transactionId}: put back: a hold of 279 EUR, by its entries`));
    assert.doesNotMatch(lines.join('\n'), /DIFFERENCE/);
    const restored = { status: 'ended', end: 'captured', amount: 279, captured: 279, principal: 'the service' };
    assert.deepEqual(await holdFields(scene), restored);
    await assertSound(scene);
    await assert.rejects(transfer(table, payer, shop, { owner: 'ann', amount: 722 }), { code: 'insufficient_funds' });
  });

  it('holds what its captures left, by the ledger, and is named', async () => {
    const scene = await newScene(100, 30);
    const { table, payer, shop, hold, follow } = scene;
    await follow();
    await forget(scene, hold);
    const lines = await recover(scene);
    assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 70, total: 970 });
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE hold_forgotten ${hold.transactionId}: 70 EUR are held`));
    await assertSound(scene);
    const { dueAt, expiresAt } = (await itemOf(table, transactionKey(hold.transactionId))) ?? {};
    assert.equal(dueAt, expiresAt);
    assert.ok(String(expiresAt) >= hold.expiresAt);
    const repeated = await openHold(table, payer, { amount: 100, to: shop, key: 'promise' });
    assert.equal(repeated.transactionId, hold.transactionId);
    assert.equal((await balanceOf(table, payer)).held, 70, 'a repetition opens no second hold');
  });

  it('keeps the alias that names its receiver, and answers a repetition when that has another wallet', async () => {
    const scene = await newScene(50);
    const { table, payer, shop, follow } = scene;
    const request = { amount: 100, to: shop, alias: '@shop', key: 'by alias' };
    const hold = await openHold(table, payer, request);
    table.clock.now += 1_000;
    await capture(table, hold, { amount: 30 });
    await follow();
    await forget(scene, hold);
    await recover(scene);
    const restored = await holdOf(table, hold);
    assert.deepEqual([restored.to, restored.counterpartyWalletId], ['@shop', shop]);
    const { to, counterpartyWalletId } = transactionView(restored, 'owner');
    assert.deepEqual([to, counterpartyWalletId], ['@shop', undefined]);
    const again = await openHold(table, payer, { ...request, to: await openWallet(table, 'shop') });
    assert.equal(again.transactionId, hold.transactionId);
    assert.equal((await balanceOf(table, payer)).held, 50 + 70, 'a repetition opens no second hold');
  });

  it('stays ended when the ledger shows its end', async () => {
    const scene = await newScene(100, 30);
    const { table, payer, hold, follow } = scene;
    await release(table, hold);
    await follow();
    await forget(scene, hold);
    await recover(scene);
    assert.deepEqual(await balanceOf(table, payer), { available: 970, held: 0, total: 970 });
    const restored = { status: 'ended', end: 'expired', amount: 100, captured: 30, principal: 'the service' };
    assert.deepEqual(await holdFields(scene), restored);
    await assertSound(scene);
  });

  it('gets the amount of its captures when no source shows it, and is named', async () => {
    const scene = await newScene(100, 30, 20);
    const { table, payer, hold } = scene;
    await forget(scene, hold);
    const lines = await recover(scene);
    assert.deepEqual(await balanceOf(table, payer), { available: 950, held: 0, total: 950 });
    assert.match(
      lines.join('\n'),
      new RegExp(`DIFFERENCE hold_forgotten ${hold.transactionId}: its captures took 50 EUR`),
    );
    await assertSound(scene);
  });

  it('is put back by an event of its end when that of its opening is lost', async () => {
    const scene = await newScene(100, 100);
    const { table, payer, hold } = scene;
    const events = (await eventsOf(scene)).filter(({ type }) => type === 'hold.ended');
    assert.equal(events.length, 1);
    await forget(scene, hold);
    const lines = await recover(scene, events);
    assert.match(lines.join('\n'), /a hold of 100 EUR, by its event/);
    assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 0, total: 900 });
    await assertSound(scene, events);
  });

  it('does not let another hold pay a further capture of it', async () => {
    const scene = await newScene(100, 30, 20);
    const { table, payer, shop, hold, captures } = scene;
    await openHold(table, payer, { amount: 500, to: shop });
    const records = await scene.takeRecords();
    const lost = captures[1]?.transactionId ?? '';
    const events = [...eventsIn(records).values()].filter(({ type, ...event }) => {
      return type === 'hold.captured' && 'transaction' in event && event.transaction.transactionId === lost;
    });
    await forget(scene, hold);
    await forget(scene, { transactionId: lost });
    const lines = await recover(scene, events);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE transaction_forgotten ${lost}: .* does not hold so much`));
    assert.deepEqual(await balanceOf(table, payer), { available: 470, held: 500, total: 970 });
    await assertSound(scene, events);
  });

  it('makes its torn payer owe nothing: the missing credit is booked and named', async () => {
    const scene = await newScene(279, 279);
    const { table, payer, hold, follow } = scene;
    const events = await eventsOf(scene);
    await follow();
    const charge = events.find(({ type }) => type === 'wallet.funded')?.transaction.transactionId ?? '';
    await forget(scene, hold);
    await forget(scene, { transactionId: charge });
    const lines = await recover(scene);
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE credit_forgotten ${payer}: its records spend 279 EUR`));
    assert.deepEqual(await balanceOf(table, payer), { available: 0, held: 0, total: 0 });
    await assertSound(scene);
  });

  it('never leaves less than nothing held when its record cannot be read', async () => {
    const scene = await newScene(279, 279);
    const { table, payer, hold, follow } = scene;
    await follow();
    await changeItem(table, transactionKey(hold.transactionId), { v: 2 });
    const lines = await recover(scene);
    assert.deepEqual(await balanceOf(table, payer), { available: 721, held: 0, total: 721 });
    assert.match(lines.join('\n'), new RegExp(`DIFFERENCE hold_missing ${payer}: its records take 279 more`));
    const again = await recover(scene);
    assert.deepEqual(
      again.filter((line) => !line.startsWith('DIFFERENCE')),
      [],
    );
  });
});

describe('a hold whose event says that a capture ended it', () => {
  it('is opened once when no source has the capture, and is named by each run', async () => {
    const scene = await newScene(100, 100);
    const { table, payer, hold, captures } = scene;
    const lost = captures[0] ?? hold;
    const events = (await eventsOf(scene)).filter(
      ({ transaction }) => transaction.transactionId !== lost.transactionId,
    );
    await forget(scene, lost);
    const named = new RegExp(`DIFFERENCE end_forgotten ${hold.transactionId}: open in the table`);
    assert.match((await recover(scene, events)).join('\n'), named);
    const again = await recover(scene, events);
    assert.match(again.join('\n'), named);
    assert.deepEqual(
      again.filter((line) => !line.startsWith('DIFFERENCE')),
      [],
    );
    assert.equal((await holdFields(scene)).status, 'open');
    assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 100, total: 1_000 });
  });
});

describe('a hold with a capture that cannot be read', () => {
  /** Makes a capture one of a newer version, and asserts that recoveries leave the hold as `expected`, and name it. */
  async function recoverWithout(scene: Scene, { transactionId }: Pick<Hold, 'transactionId'>, expected: object) {
    const { table, hold } = scene;
    await changeItem(table, transactionKey(transactionId), { v: 2 });
    for (let run = 0; run < 2; run++) {
      const lines = (await recover(scene)).join('\n');
      assert.match(
        lines,
        new RegExp(`DIFFERENCE capture_unreadable ${hold.transactionId}: 1 of its captures .*${transactionId}`),
      );
      const { status, end, captured } = await holdFields(scene);
      assert.deepEqual({ status, end, captured }, { end: undefined, ...expected });
    }
  }

  it('stays ended, so that its receiver captures nothing twice', async () => {
    const scene = await newScene(100, 60, 40);
    const { table, hold, captures } = scene;
    await scene.follow();
    const last = captures[1] ?? hold;
    await recoverWithout(scene, last, { status: 'ended', end: 'captured', captured: 100 });
    await assert.rejects(capture(table, await holdOf(table, hold), { amount: 40 }), { code: 'hold_ended' });
    await changeItem(table, transactionKey(last.transactionId), { v: undefined });
    await recover(scene);
    await assertSound(scene);
  });

  it('stays open with what it had left', async () => {
    const scene = await newScene(100, 30, 20);
    await scene.follow();
    await recoverWithout(scene, scene.captures[1] ?? scene.hold, { status: 'open', captured: 50 });
  });

  it('has no more left than the record of that capture shows when its own is torn', async () => {
    const scene = await newScene(100, 30, 20);
    const { table, hold, captures } = scene;
    await scene.follow();
    await changeItem(table, transactionKey(hold.transactionId), { captured: 0 });
    await recoverWithout(scene, captures[0] ?? hold, { status: 'open', captured: 50 });
  });

  it('ends when that capture took the rest and its own record is torn', async () => {
    const scene = await newScene(100, 30);
    const { table, hold, captures } = scene;
    await scene.follow();
    await changeItem(table, transactionKey(hold.transactionId), { amount: 30, captured: 0 });
    await recoverWithout(scene, captures[0] ?? hold, { status: 'ended', end: 'captured', captured: 30 });
  });

  it('is not put back when it is forgotten, and is named', async () => {
    const scene = await newScene(100, 30, 20);
    const { table, hold, captures } = scene;
    await scene.follow();
    await forget(scene, hold);
    await changeItem(table, transactionKey(captures[0]?.transactionId ?? ''), { v: 2 });
    const lines = (await recover(scene)).join('\n');
    assert.match(lines, new RegExp(`DIFFERENCE capture_unreadable ${hold.transactionId}: .* is not put back`));
    assert.doesNotMatch(lines, /put back: a hold/);
    assert.equal(await itemOf(table, transactionKey(hold.transactionId)), undefined);
  });
});

describe('a hold of which more was captured than it held', () => {
  it('ends, and is named by each run', async () => {
    const scene = await newScene(100, 60);
    const { table, payer, hold } = scene;
    await openHold(table, payer, { amount: 500 });
    // As if a recovery had opened it again.
    await changeItem(table, transactionKey(hold.transactionId), { captured: 0 });
    await capture(table, hold, { amount: 60, key: 'again' });
    await scene.follow();
    for (let run = 0; run < 2; run++) {
      const lines = (await recover(scene)).join('\n');
      assert.match(
        lines,
        new RegExp(`DIFFERENCE hold_exceeded ${hold.transactionId}: its captures took 120, and it held 100`),
      );
      const { status, end, captured } = await holdFields(scene);
      assert.deepEqual({ status, end, captured }, { status: 'ended', end: 'captured', captured: 100 });
    }
  });
});
