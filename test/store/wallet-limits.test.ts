/** The limits of wallets on the real engine: what counts, what is refused, and when there is room again. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import type { PendingTransfer } from '../../lambdas/domain/transaction.ts';
import { expireHold } from '../../lambdas/store/holds.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import { returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { releaseWithdrawal, settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { epoch } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { capture, holdOf, openHold, release } from './hold-commands.ts';
import { assertRefused, fieldsOf, withdrawalOf } from './inspect.ts';
import { limitedWallet, outcomeOf, setLimits, usedOf, walletOf } from './limit-commands.ts';
import { chargedWallet, payment, refund, refundableOf } from './refund-commands.ts';
import { accountClosed, claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const tomorrow = '2026-03-02T00:00:00.000Z';
const nextMonth = '2026-04-01T00:00:00.000Z';
const failure = { code: 'wallet_frozen', message: 'The wallet is frozen' };
const ann = (amount: number) => ({ owner: 'ann', amount });

beforeEach(() => {
  table.clock.now = epoch;
});

describe('a limit of what leaves', () => {
  it('counts transfers, queued transfers, withdrawals and holds, and says what is left until when', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perTransaction: 60, perDay: 100 } });
    const to = await openWallet(table, 'bob');
    await transfer(table, walletId, to, ann(40));
    await queueTransfer(table, walletId, to, ann(10));
    await openHold(table, walletId, { amount: 20, to });
    await withdraw(table, walletId, ann(20));
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(11))), ['out.perDay', 10, tomorrow]);
    assert.deepEqual(await outcomeOf(transfer(table, walletId, to, ann(61))), ['out.perTransaction', 60]);
    const refusal = await assertRefused(table, 'limit_exceeded', () => queueTransfer(table, walletId, to, ann(11)));
    assert.equal(
      refusal.details.detail,
      `out.perDay: left 10, requested 11, in minor units of EUR; there is room again from ${tomorrow}`,
    );
    await withdraw(table, walletId, ann(10));
    assert.deepEqual(await usedOf(table, walletId), ['2026-03-01', 100, 100, 0, 0]);
  });

  it('does not count a capture, which was counted when its hold was opened', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 100 } });
    const to = await openWallet(table, 'shop');
    const hold = await openHold(table, walletId, { amount: 100, to });
    await capture(table, hold, { amount: 60 });
    await capture(table, await holdOf(table, hold), { amount: 40 });
    assert.deepEqual(await usedOf(table, walletId), ['2026-03-01', 100, 100, 0, 0]);
  });

  it('gets no room back from money that comes back, which no limit refuses', async () => {
    const limits = { out: { perDay: 300 }, in: { perTransaction: 0, perDay: 0, perMonth: 0 }, maximumBalance: 0 };
    const walletId = await limitedWallet(table, 1_000, limits);
    const to = await openWallet(table, 'shop');
    await release(table, await openHold(table, walletId, { amount: 50, to }));
    const expired = await openHold(table, walletId, { amount: 50, to });
    await expireHold(table, expired, expired.expiresAt);
    const partly = await openHold(table, walletId, { amount: 50, to });
    await capture(table, partly, { amount: 1, isFinal: true });
    const failed = await queueTransfer(table, walletId, to, ann(50));
    await failTransfer(table, failed.transaction as PendingTransfer, failure, timeOf(table));
    const rejected = await withdraw(table, walletId, ann(50));
    await releaseWithdrawal(
      table,
      await claimed(table, rejected.transaction.transactionId),
      visit(table, 'rejected'),
      accountClosed,
    );
    const paid = await withdraw(table, walletId, ann(50));
    const { transactionId } = paid.transaction;
    await settleWithdrawal(table, await claimed(table, transactionId), visit(table, 'accepted'));
    await returnWithdrawal(table, await withdrawalOf(table, transactionId), { at: timeOf(table) });
    assert.deepEqual(await balanceOf(table, walletId), { available: 999, held: 0, total: 999 });
    assert.deepEqual(await usedOf(table, walletId), ['2026-03-01', 300, 300, 0, 0]);
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(1))), ['out.perDay', 0, tomorrow]);
  });
});

describe('a refund', () => {
  const none = { perTransaction: 0, perDay: 0, perMonth: 0 };
  const shut = { out: none, in: none, minimumBalance: 0, maximumBalance: 0 };

  it('is not limited in either wallet, and counts in no window', async () => {
    for (const kind of ['transfer', 'capture'] as const) {
      const { payer, shop, original } = await payment(table, kind, 100);
      for (const walletId of [payer, shop]) await setLimits(table, walletId, shut);
      await refund(table, original, { amount: 60 });
      await refund(table, await refundableOf(table, original), { amount: 40, operator: 'op' });
      for (const walletId of [payer, shop]) {
        assert.deepEqual(await usedOf(table, walletId), ['2026-03-01', 0, 0, 0, 0]);
      }
      assert.deepEqual(
        [(await balanceOf(table, payer)).available, (await balanceOf(table, shop)).available],
        [1_000, 0],
      );
    }
  });

  it('of a charge is not limited, and neither is a chargeback', async () => {
    const { walletId, original } = await chargedWallet(table, 100);
    await setLimits(table, walletId, { ...shut, minimumBalance: 100 });
    await refund(table, original, { amount: 60, operator: 'op' });
    await withdrawAll(walletId, 40);
    await refund(table, await refundableOf(table, original), { amount: 40, operator: 'op', chargeback: true });
    const { available, chargedBack, used } = await walletOf(table, walletId);
    assert.deepEqual([available, chargedBack, used?.outDay], [-40, 40, 40]);
  });

  it('is not paid by a credit line', async () => {
    const { shop, original } = await payment(table, 'transfer', 100);
    await setLimits(table, shop, { creditLine: 500 });
    await withdraw(table, shop, { owner: 'shop', amount: 1 });
    await assertRefused(table, 'insufficient_funds', () => refund(table, original));
    await refund(table, original, { amount: 99 });
    assert.equal((await balanceOf(table, shop)).available, 0);
  });

  /** Lets the owner spend what is left. */
  async function withdrawAll(walletId: string, amount: number): Promise<void> {
    await setLimits(table, walletId, { maximumBalance: 0 });
    await withdraw(table, walletId, ann(amount));
  }
});

describe('a limit of what enters', () => {
  it('is reached by charges, transfers and captures together', async () => {
    const shop = await openWallet(table, 'shop');
    await setLimits(table, shop, { in: { perTransaction: 60, perDay: 100 } });
    const payer = await fundedWallet(table, 'ann', 1_000);
    await charge(table, shop, { amount: 30 });
    await transfer(table, payer, shop, ann(30));
    const hold = await openHold(table, payer, { amount: 100, to: shop });
    await capture(table, hold, { amount: 30 });
    const left = await holdOf(table, hold);
    assert.deepEqual(await outcomeOf(charge(table, shop, { amount: 11 })), ['in.perDay', 10, tomorrow]);
    assert.deepEqual(await outcomeOf(capture(table, left, { amount: 11 })), ['in.perDay', 10, tomorrow]);
    assert.deepEqual(await outcomeOf(capture(table, left, { amount: 61 })), ['in.perTransaction', 60]);
    const refusal = await assertRefused(table, 'receiver_unavailable', () => transfer(table, payer, shop, ann(11)));
    assert.deepEqual(refusal.details, {}, 'a payer learns nothing');
    await capture(table, left, { amount: 10 });
    assert.deepEqual(await usedOf(table, shop), ['2026-03-01', 0, 0, 100, 100]);
  });

  it('refuses one of the queued transfers of a group, and none of the others', async () => {
    const shop = await openWallet(table, 'shop');
    await setLimits(table, shop, { in: { perTransaction: 60, perDay: 100 } });
    const payer = await fundedWallet(table, 'ann', 1_000);
    const sent = [];
    for (const amount of [20, 61, 30, 60, 50]) {
      sent.push((await queueTransfer(table, payer, shop, ann(amount))).transaction);
    }
    const ids = sent.map(({ transactionId }) => transactionId);
    assert.deepEqual(await endTransfers(ids, table), new Map());
    const ended = await Promise.all(ids.map((id) => fieldsOf(table, id)));
    assert.deepEqual(
      ended.map((one) => one?.failure?.code ?? one?.status),
      ['completed', 'limit_exceeded', 'completed', 'limit_exceeded', 'completed'],
    );
    assert.deepEqual(await usedOf(table, shop), ['2026-03-01', 0, 0, 100, 100]);
    assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 0, total: 900 });
  });

  it('compares each transfer of a group, and not their sum, with the limit of one transaction', async () => {
    const shop = await openWallet(table, 'shop');
    await setLimits(table, shop, { in: { perTransaction: 60 } });
    const payer = await fundedWallet(table, 'ann', 1_000);
    const ids = [];
    for (const amount of [60, 60]) {
      ids.push((await queueTransfer(table, payer, shop, ann(amount))).transaction.transactionId);
    }
    await endTransfers(ids, table);
    assert.deepEqual(await balanceOf(table, shop), { available: 120, held: 0, total: 120 });
    assert.equal((await walletOf(table, shop)).version, 2, 'one write for both');
  });
});

describe('a limit of the balance', () => {
  it('keeps a minimum available, which is not the same as a lack of funds', async () => {
    const walletId = await limitedWallet(table, 100, { minimumBalance: 30 });
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(71))), ['minimumBalance', 70]);
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(101))), ['insufficient_funds']);
    await withdraw(table, walletId, ann(70));
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(1))), ['minimumBalance', 0]);
  });

  it('lets a credit line go below zero, and no further', async () => {
    const walletId = await openWallet(table, 'ann');
    const to = await openWallet(table, 'bob');
    await setLimits(table, walletId, { creditLine: 50 });
    await transfer(table, walletId, to, ann(20));
    await openHold(table, walletId, { amount: 10, to });
    assert.deepEqual(await balanceOf(table, walletId), { available: -30, held: 10, total: -20 });
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(21))), ['creditLine', 20]);
    await withdraw(table, walletId, ann(20));
    await charge(table, walletId, { amount: 60 });
    assert.deepEqual(await balanceOf(table, walletId), { available: 10, held: 30, total: 40 });
  });

  it('closes no wallet that owes as much as it holds', async () => {
    const walletId = await openWallet(table, 'ann');
    const to = await openWallet(table, 'bob');
    await setLimits(table, walletId, { creditLine: 50 });
    await openHold(table, walletId, { amount: 20, to });
    assert.deepEqual(await balanceOf(table, walletId), { available: -20, held: 20, total: 0 });
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, walletId, 'closed'));
  });

  it('keeps money out above a maximum', async () => {
    const walletId = await limitedWallet(table, 100, { maximumBalance: 130 });
    const payer = await fundedWallet(table, 'bob', 100);
    assert.deepEqual(await outcomeOf(charge(table, walletId, { amount: 31 })), ['maximumBalance', 30]);
    await assertRefused(table, 'receiver_unavailable', () =>
      transfer(table, payer, walletId, { owner: 'bob', amount: 31 }),
    );
    await charge(table, walletId, { amount: 30 });
    assert.deepEqual(await outcomeOf(charge(table, walletId, { amount: 1 })), ['maximumBalance', 0]);
  });
});

describe('a window', () => {
  it('begins each day and each month at midnight UTC', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10, perMonth: 25 } });
    const at = async (time: string, amount: number) => {
      table.clock.now = Date.parse(time);
      return outcomeOf(withdraw(table, walletId, ann(amount)));
    };
    assert.deepEqual(await at('2026-03-30T23:59:59.999Z', 10), ['accepted']);
    assert.deepEqual(await at('2026-03-30T23:59:59.999Z', 1), ['out.perDay', 0, '2026-03-31T00:00:00.000Z']);
    assert.deepEqual(await at('2026-03-31T00:00:00.000Z', 11), ['out.perDay', 10]);
    assert.deepEqual(await at('2026-03-31T00:00:00.000Z', 10), ['accepted']);
    assert.deepEqual(await at('2026-03-31T23:59:59.999Z', 6), ['out.perMonth', 5, nextMonth]);
    assert.deepEqual(await at('2026-04-01T00:00:00.000Z', 10), ['accepted']);
    assert.deepEqual(await usedOf(table, walletId), ['2026-04-01', 10, 10, 0, 0]);
    assert.deepEqual(await at('2027-04-01T00:00:00.000Z', 9), ['accepted'], 'the same day of another year');
    assert.deepEqual(await usedOf(table, walletId), ['2027-04-01', 9, 9, 0, 0]);
  });

  it('is not opened again by a request of the day before, nor by a slow clock', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
    await withdraw(table, walletId, ann(10));
    table.clock.now = Date.parse(tomorrow);
    await withdraw(table, walletId, ann(4));
    table.clock.now -= 1;
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(7))), ['out.perDay', 6, '2026-03-03T00:00:00.000Z']);
    await withdraw(table, walletId, ann(6));
    assert.deepEqual(await usedOf(table, walletId), ['2026-03-02', 10, 20, 0, 0]);
  });

  it('begins with what enters, too, and keeps the month of what left', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perMonth: 10 } });
    await withdraw(table, walletId, ann(8));
    table.clock.now = Date.parse(tomorrow);
    await charge(table, walletId, { amount: 5 });
    assert.deepEqual(await usedOf(table, walletId), ['2026-03-02', 0, 8, 5, 5]);
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(3))), ['out.perMonth', 2, nextMonth]);
  });
});
