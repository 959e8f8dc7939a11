/** Holds, their captures and their ends, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { dueShardOf } from '../../lambdas/store/due-keys.ts';
import { captureHold, expireHold, releaseOpenHold } from '../../lambdas/store/holds.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { newKey, operation, timeOf } from './commands.ts';
import { capture, dayMs, holdOf, holdScene, openHold, release } from './hold-commands.ts';
import { allItems, assertRefused, assertWritesNothing, fieldsOf, isDue } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();

const balance = (available: number, held: number) => ({ available, held, total: available + held });

describe('a hold', () => {
  it('holds the money, is due at its expiry, and hides its receiver from the indexes, in one write of 6 units', async () => {
    const payer = await fundedWallet(table, 'ann', 1_000);
    const shop = await openWallet(table, 'shop');
    const key = newKey();
    const open = () => openHold(table, payer, { amount: 100, to: shop, key });
    const { result: hold, roundTrips, writeUnits } = await measure(table, open);
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 6, `${writeUnits} units`);
    });
    assert.deepEqual(await balanceOf(table, payer), balance(900, 100));
    const item = (await allItems(table, 'due')).find(({ transactionId }) => transactionId === hold.transactionId);
    assert.deepEqual(
      [item?.['dueShard'], item?.['dueAt'], item?.['toWalletId'], item?.['counterpartyWalletId']],
      [dueShardOf('hold', hold.transactionId), timeOf(table, dayMs), shop, undefined],
    );
    assert.equal((await holdOf(table, hold)).counterpartyWalletId, shop);
    assert.deepEqual((await listTransactions(table, { walletId: shop, limit: 10 })).items, []);
    await assertWritesNothing(table, await holdOf(table, hold), open);
    await assertRefused(table, 'insufficient_funds', () => openHold(table, payer, { amount: 901, to: shop }));
  });

  it('is captured in parts, each in one write, until nothing is left', async () => {
    const { payer, shop, hold } = await holdScene(table);
    const { result, roundTrips, writeUnits } = await measure(table, () => capture(table, hold, { amount: 30 }));
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 12, `${writeUnits} units`);
    });
    assert.equal(result.replayed, false);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(900, 70), balance(30, 0)]);
    const open = await holdOf(table, hold);
    assert.deepEqual([open.status, open.captured], ['open', 30]);
    assert.equal(await isDue(table, hold.transactionId), true);

    const refusal = await assertRefused(table, 'exceeds_hold', () => capture(table, open, { amount: 71 }));
    assert.equal(refusal.details.detail, 'left 70, requested 71, in minor units of EUR');
    table.clock.now += 1_000;
    await capture(table, open);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(900, 0), balance(100, 0)]);
    const ended = await fieldsOf(table, hold.transactionId);
    assert.deepEqual(
      [ended?.status, ended?.end, ended?.captured, ended?.postings.length],
      ['ended', 'captured', 100, 2],
    );
    assert.deepEqual(ended?.endedBy, { kind: 'owner', principal: 'shop' });
    assert.equal(await isDue(table, hold.transactionId), false);
    await assertRefused(table, 'hold_ended', () => capture(table, open));
    const captures = (await listTransactions(table, { walletId: shop, limit: 10 })).items;
    assert.deepEqual(
      captures.map(({ type, amount }) => [type, amount]),
      [
        ['capture', 70],
        ['capture', 30],
      ],
    );
  });

  it('gives the rest back with a final capture, in the same write', async () => {
    const { payer, shop, hold } = await holdScene(table);
    const { result, roundTrips } = await measure(table, () => capture(table, hold, { amount: 60, isFinal: true }));
    assert.equal(roundTrips, 1);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(940, 0), balance(60, 0)]);
    assert.deepEqual(
      result.transaction.postings.map(({ amount }) => amount),
      [-60, 60, -40, 40],
    );
    const ended = await fieldsOf(table, hold.transactionId);
    assert.deepEqual([ended?.status, ended?.end, ended?.captured], ['ended', 'captured', 60]);
  });

  it('without a receiver is captured to the world outside, in one write of 9 units', async () => {
    const payer = await fundedWallet(table, 'ann', 1_000);
    const hold = await openHold(table, payer, { amount: 100 });
    const { result, writeUnits } = await measure(table, () => capture(table, hold, { amount: 100 }));
    checkUnits(() => {
      assert.ok(writeUnits <= 9, `${writeUnits} units`);
    });
    assert.equal(result.transaction.postings[1]?.account, 'external:EUR');
    assert.deepEqual(await balanceOf(table, payer), balance(900, 0));
  });

  it('is released once, with the reason, in one write of 8 units', async () => {
    const { payer, hold } = await holdScene(table);
    await capture(table, hold, { amount: 10 });
    const seen = await holdOf(table, hold);
    const key = newKey();
    const { result, roundTrips, writeUnits } = await measure(table, () => release(table, seen, key));
    assert.deepEqual([result, roundTrips], [{ replayed: false }, 1]);
    checkUnits(() => {
      assert.ok(writeUnits <= 8, `${writeUnits} units`);
    });
    assert.deepEqual(await balanceOf(table, payer), balance(990, 0));
    const ended = await fieldsOf(table, hold.transactionId);
    assert.deepEqual(
      [ended?.status, ended?.end, ended?.endedBy, ended?.releaseReason],
      ['ended', 'released', { kind: 'owner', principal: 'shop' }, 'the goods are sold out'],
    );
    assert.deepEqual(
      ended?.postings.map(({ amount }) => amount),
      [-100, 100, -90, 90],
    );
    await assertWritesNothing(table, { replayed: true }, () => release(table, seen, key));
    await assertRefused(table, 'hold_ended', () => release(table, seen));
    await assertRefused(table, 'hold_ended', () => capture(table, seen, { amount: 1 }));
  });

  it('expires by itself at its time and not before, in one write of 6 units', async () => {
    const { payer, hold } = await holdScene(table);
    await assertWritesNothing(table, false, () => expireHold(table, hold, timeOf(table, dayMs - 1)));
    const { result, writeUnits } = await measure(table, () => expireHold(table, hold, timeOf(table, dayMs)));
    assert.equal(result, true);
    checkUnits(() => {
      assert.ok(writeUnits <= 6, `${writeUnits} units`);
    });
    assert.deepEqual(await balanceOf(table, payer), balance(1_000, 0));
    const ended = await fieldsOf(table, hold.transactionId);
    assert.deepEqual([ended?.end, ended?.endedBy, ended?.completedAt], ['expired', undefined, timeOf(table, dayMs)]);
    await assertWritesNothing(table, false, () => expireHold(table, hold, timeOf(table, dayMs)));
  });

  it('is not captured after its expiry, even while no sweeper has ended it; a release is possible', async () => {
    const { payer, hold } = await holdScene(table);
    table.clock.now += dayMs;
    await assertRefused(table, 'hold_expired', () => capture(table, hold));
    await release(table, hold);
    assert.deepEqual(await balanceOf(table, payer), balance(1_000, 0));
  });

  it('keeps its wallet open: it cannot be closed while money is held', async () => {
    const payer = await fundedWallet(table, 'ann', 100);
    const hold = await openHold(table, payer, { amount: 100 });
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, payer, 'closed'));
    await release(table, hold);
    assert.deepEqual(await balanceOf(table, payer), balance(100, 0));
  });

  it('of a frozen payer is not captured, and gives its money back by release and expiry', async () => {
    const { payer, hold } = await holdScene(table);
    const other = await openHold(table, payer, { amount: 50 });
    await setStatus(table, payer, 'frozen');
    await assertRefused(table, 'wallet_frozen', () => capture(table, hold));
    await release(table, hold);
    assert.equal(await expireHold(table, other, timeOf(table, dayMs)), true);
    assert.deepEqual(await balanceOf(table, payer), balance(1_000, 0));
  });

  it('is not captured into a frozen or closed wallet, and the refusal does not say which', async () => {
    for (const status of ['frozen', 'closed'] as const) {
      const { shop, hold } = await holdScene(table);
      await setStatus(table, shop, status);
      await assertRefused(table, 'receiver_unavailable', () => capture(table, hold));
    }
  });

  it('is not captured for an operator who owns the wallet of the payer', async () => {
    const { hold } = await holdScene(table);
    const facts = {
      transactionId: 'tx_own',
      at: timeOf(table),
      capturedBy: 'operator',
      amount: 1,
      isFinal: true,
    } as const;
    const captureAs = (principal: string) => captureHold(table, hold, { ...facts, principal }, 'print');
    await assertRefused(table, 'forbidden', () => captureAs('ann'));
    assert.equal((await captureAs('another operator')).transaction.amount, 1);
  });

  it('is neither captured nor released with the key that opened it', async () => {
    const payer = await fundedWallet(table, 'ann', 100);
    const key = newKey();
    const hold = await openHold(table, payer, { amount: 10, key });
    const { transactionId } = hold;
    const facts = { transactionId, principal: 'ann', at: timeOf(table), capturedBy: 'owner', isFinal: false } as const;
    await assertRefused(table, 'idempotency_key_reused', () => captureHold(table, hold, facts, 'print'));
    const command = operation(table, ['release', transactionId], { owner: 'ann', key });
    await assertRefused(table, 'idempotency_key_reused', () => releaseOpenHold(table, command, { hold }));
  });
});
