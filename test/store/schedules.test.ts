/** Payments for later, their execution and their end before it, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { problemOf } from '../../lambdas/domain/bookings.ts';
import { scheduleShardOf } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { executeTransfer, executeWithdrawal } from '../../lambdas/store/schedules.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import { inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { advanceOnce } from './bank-says.ts';
import { charge, newKey, timeOf, transfer } from './commands.ts';
import { allItems, assertRefused, assertWritesNothing, fieldsOf, isDue, refusalOf } from './inspect.ts';
import {
  cancel,
  hourMs,
  paymentOf,
  runTransfers,
  scheduleTransfer,
  scheduleWithdrawal,
  sweepAll,
} from './schedule-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();

const balance = (available: number, held = 0) => ({ available, held, total: available + held });

async function scene(funds = 1_000) {
  return { payer: await fundedWallet(table, 'ann', funds), shop: await openWallet(table, 'shop') };
}

async function countOf(walletId: string): Promise<number | undefined> {
  return (await getWallet(table, walletId, { consistent: true }))?.scheduled;
}

/** Runs the sweeper. Returns whether it sends a payment to its queue. */
async function isSent({ transactionId }: { readonly transactionId: string }): Promise<boolean> {
  const { withdrawals, transfers } = await sweepAll(table);
  return [...withdrawals, ...transfers].includes(transactionId);
}

describe('a scheduled transfer', () => {
  it('moves no money, is due at its time, and hides from its receiver, in one write of 6 units', async () => {
    const { payer, shop } = await scene(10);
    const key = newKey();
    const schedule = () => scheduleTransfer(table, payer, shop, { amount: 100, key });
    const { result: payment, roundTrips, writeUnits } = await measure(table, schedule);
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 6, `${writeUnits} units`);
    });
    assert.deepEqual(await balanceOf(table, payer), balance(10));
    assert.equal(await countOf(payer), 1);
    const item = (await allItems(table, 'due')).find(({ transactionId }) => transactionId === payment.transactionId);
    assert.deepEqual(
      [item?.['dueShard'], item?.['dueAt'], item?.['postings'], item?.['counterpartyWalletId']],
      [scheduleShardOf(payment), timeOf(table, hourMs), [], undefined],
    );
    assert.deepEqual((await listTransactions(table, { walletId: shop, limit: 10 })).items, []);
    const [listed] = (await listTransactions(table, { walletId: payer, limit: 10 })).items;
    assert.deepEqual([listed?.transactionId, listed?.status], [payment.transactionId, 'scheduled']);
    await assertWritesNothing(table, await paymentOf(table, payment), schedule);
  });

  it('is executed at its time, and not before, once, whatever is redelivered', async () => {
    const { payer, shop } = await scene();
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    table.clock.now += hourMs - 5_000;
    assert.equal(await isSent(payment), false);
    // Nothing sends such a message. The write itself keeps the time.
    assert.equal((await endTransfers([payment.transactionId], table)).size, 0);
    assert.equal((await paymentOf(table, payment)).status, 'scheduled');
    table.clock.now += 7_000;
    assert.ok((await runTransfers(table)).includes(payment.transactionId));
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual(
      [ended?.status, ended?.executedAt, ended?.postings.map(({ amount }) => amount)],
      ['completed', timeOf(table), [-100, 100, -100, 100]],
    );
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(900), balance(100)]);
    assert.equal(await countOf(payer), 0);
    assert.equal(await isDue(table, payment.transactionId), false);
    const before = await allItems(table);
    await endTransfers([payment.transactionId], table);
    assert.equal((await executeTransfer(table, payment, timeOf(table))).outcome, 'unchanged');
    assert.deepEqual(await allItems(table), before);
  });

  it('is listed at the time of its execution, for its sender and its receiver', async () => {
    const { payer, shop } = await scene();
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    table.clock.now += 1_000;
    const { transaction: direct } = await transfer(table, payer, shop, { owner: 'ann', amount: 1 });
    table.clock.now += hourMs;
    await runTransfers(table);
    const expected = [payment.transactionId, direct.transactionId];
    for (const walletId of [payer, shop]) {
      const { items } = await listTransactions(table, { walletId, limit: 2 });
      assert.deepEqual(
        items.map(({ transactionId }) => transactionId),
        expected,
      );
      const { items: late } = await listTransactions(table, { walletId, limit: 9, from: payment.executeAt });
      assert.deepEqual(
        late.map(({ transactionId }) => transactionId),
        [payment.transactionId],
      );
    }
    const stored = await fieldsOf(table, payment.transactionId);
    assert.ok(stored);
    assert.match(historyKeyOf(stored), new RegExp(`^${timeOf(table)}`));
  });

  it('fails once when its wallet refuses it at its time, without a retry', async () => {
    const { payer, shop } = await scene(50);
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual(
      [ended?.status, ended?.failure?.code, ended?.executedAt, ended?.postings, ended?.completedAt],
      ['failed', 'insufficient_funds', undefined, [], timeOf(table)],
    );
    assert.deepEqual([await balanceOf(table, payer), await countOf(payer)], [balance(50), 0]);
    await charge(table, payer, { amount: 1_000 });
    table.clock.now += 600_000;
    assert.equal(await isSent(payment), false);
  });

  it('fails from a frozen wallet, and gives the money back when its receiver cannot be paid', async () => {
    const { payer, shop } = await scene();
    const [frozen, closed] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'shop')];
    const fromFrozen = await scheduleTransfer(table, frozen, shop, { amount: 100 });
    const intoClosed = await scheduleTransfer(table, payer, closed, { amount: 100 });
    await setStatus(table, frozen, 'frozen');
    await setStatus(table, closed, 'closed');
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    const [one, other] = [
      await fieldsOf(table, fromFrozen.transactionId),
      await fieldsOf(table, intoClosed.transactionId),
    ];
    assert.deepEqual([one?.failure?.code, one?.executedAt], ['wallet_frozen', undefined]);
    assert.deepEqual([other?.failure?.code, other?.executedAt], ['wallet_closed', timeOf(table)]);
    assert.deepEqual(
      other?.postings.map(({ amount }) => amount),
      [-100, 100, -100, 100],
    );
    assert.deepEqual([await balanceOf(table, frozen), await balanceOf(table, payer)], [balance(100), balance(1_000)]);
    assert.deepEqual([await countOf(frozen), await countOf(payer)], [0, 0]);
  });

  it('is executed once when answers are lost', async () => {
    for (const fault of [inTurn(lostAnswer), inTurn(lostRequest), inTurn(lostRequest, lostAnswer)]) {
      const { payer, shop } = await scene();
      const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
      table.clock.now += hourMs + 2_000;
      const { transfers } = await sweepAll(table);
      assert.ok(transfers.includes(payment.transactionId));
      table.fault = (call, pass) => (call.operation === 'TransactWriteItems' ? fault(call, pass) : pass());
      try {
        assert.equal((await endTransfers(transfers, table)).size, 0);
      } finally {
        table.fault = undefined;
      }
      assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(900), balance(100)]);
    }
  });

  it('pays one of two that the wallet cannot pay together', async () => {
    const { payer, shop } = await scene(100);
    const payments = [
      await scheduleTransfer(table, payer, shop, { amount: 60 }),
      await scheduleTransfer(table, payer, shop, { amount: 60 }),
    ];
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    const ends = await Promise.all(payments.map((payment) => paymentOf(table, payment)));
    assert.deepEqual(ends.map(({ status }) => status).sort(), ['completed', 'failed']);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(40), balance(60)]);
  });

  it('is executed behind a lost message: the sweeper sends another one', async () => {
    const { payer, shop } = await scene();
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    table.clock.now += hourMs + 2_000;
    assert.equal(await isSent(payment), true);
    assert.equal(await isSent(payment), false, 'its message is on the way');
    table.clock.now += 62_000;
    assert.ok((await runTransfers(table)).includes(payment.transactionId));
    assert.equal((await paymentOf(table, payment)).status, 'completed');
  });
});

describe('a scheduled withdrawal', () => {
  it('holds its money at its time, and goes to the bank in the same visit', async () => {
    const { payer } = await scene();
    const payment = await scheduleWithdrawal(table, payer, { amount: 100 });
    assert.deepEqual([await balanceOf(table, payer), await countOf(payer)], [balance(1_000), 1]);
    table.clock.now += hourMs + 2_000;
    assert.equal(await isSent(payment), true);
    await advanceOnce(table, payment.transactionId, { submit: () => ({ outcome: 'accepted' }) });
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual([ended?.status, ended?.executedAt], ['completed', timeOf(table)]);
    assert.deepEqual(
      ended?.postings.map(({ amount }) => amount),
      [-100, 100, -100, 100],
    );
    assert.deepEqual([await balanceOf(table, payer), await countOf(payer)], [balance(900), 0]);
  });

  it('never reaches the bank when its wallet refuses it at its time', async () => {
    const { payer } = await scene(50);
    const payment = await scheduleWithdrawal(table, payer, { amount: 100 });
    table.clock.now += hourMs + 2_000;
    await sweepAll(table);
    assert.equal(await advanceOnce(table, payment.transactionId, {}), undefined);
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual([ended?.status, ended?.failure?.code, ended?.postings], ['failed', 'insufficient_funds', []]);
    assert.equal(await isDue(table, payment.transactionId), false);
  });

  it('is left alone before its time', async () => {
    const { payer } = await scene();
    const payment = await scheduleWithdrawal(table, payer, { amount: 100 });
    const before = await allItems(table);
    assert.equal(await advanceOnce(table, payment.transactionId, {}), undefined);
    assert.deepEqual(await allItems(table), before);
  });

  it('ages from its execution: its worker waits as for one that was just accepted', async () => {
    const { payer } = await scene();
    const payment = await scheduleWithdrawal(table, payer, { amount: 100, inMs: 30 * 24 * hourMs });
    table.clock.now += 30 * 24 * hourMs + 2_000;
    await sweepAll(table);
    const executed = await executeWithdrawal(table, payment, timeOf(table));
    assert.equal(executed.outcome, 'executed');
    await setStatus(table, payer, 'frozen');
    await advanceOnce(table, payment.transactionId, {});
    const { waitingFor, dueAt = '' } = (await fieldsOf(table, payment.transactionId)) ?? {};
    assert.equal(waitingFor, 'wallet_frozen');
    assert.ok(dueAt < timeOf(table, 31_000), dueAt);
  });
});

describe('the fee of a scheduled payment', () => {
  it('is paid with the amount when it is executed, by the sender of a transfer', async () => {
    const { payer, shop } = await scene();
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100, fee: 3 });
    assert.deepEqual(await balanceOf(table, payer), balance(1_000));
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    const ended = await fieldsOf(table, payment.transactionId);
    assert.ok(ended);
    assert.deepEqual([ended.status, ended.fee, problemOf(ended)], ['completed', 3, undefined]);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(897), balance(100)]);
  });

  it('is held with the amount of a withdrawal, and comes back with it', async () => {
    const { payer } = await scene();
    const [paid, rejected] = [
      await scheduleWithdrawal(table, payer, { amount: 100, fee: 3 }),
      await scheduleWithdrawal(table, payer, { amount: 200, fee: 5 }),
    ];
    table.clock.now += hourMs + 2_000;
    await sweepAll(table);
    await advanceOnce(table, paid.transactionId, { submit: () => ({ outcome: 'accepted' }) });
    await advanceOnce(table, rejected.transactionId, {
      submit: () => ({ outcome: 'rejected', code: 'account_closed', message: 'Closed', reason: 'account_closed' }),
    });
    assert.deepEqual(await balanceOf(table, payer), balance(897));
    for (const { transactionId } of [paid, rejected]) {
      const ended = await fieldsOf(table, transactionId);
      assert.ok(ended);
      assert.equal(problemOf(ended), undefined);
    }
  });

  it('counts as money that must be there', async () => {
    const { payer, shop } = await scene(102);
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100, fee: 3 });
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    assert.equal((await fieldsOf(table, payment.transactionId))?.failure?.code, 'insufficient_funds');
    assert.deepEqual(await balanceOf(table, payer), balance(102));
  });
});

describe('the cancel of a scheduled payment', () => {
  it('ends it in one write of 8 units, once, and nothing executes it', async () => {
    const { payer, shop } = await scene();
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    const key = newKey();
    const { result, roundTrips, writeUnits } = await measure(table, () => cancel(table, payment, key));
    assert.deepEqual([result, roundTrips], [{ replayed: false }, 1]);
    checkUnits(() => {
      assert.ok(writeUnits <= 8, `${writeUnits} units`);
    });
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual(
      [ended?.status, ended?.failure?.code, ended?.cancellation?.reason, ended?.postings, ended?.dueAt],
      ['failed', 'cancelled', 'moved', [], undefined],
    );
    assert.deepEqual([await balanceOf(table, payer), await countOf(payer)], [balance(1_000), 0]);
    await assertWritesNothing(table, { replayed: true }, () => cancel(table, payment, key));
    await assertRefused(table, 'not_cancellable', () => cancel(table, payment));
    table.clock.now += hourMs + 2_000;
    assert.equal(await isSent(payment), false);
    assert.equal((await executeTransfer(table, payment, timeOf(table))).outcome, 'unchanged');
  });

  it('and its execution at the same time: exactly one of them is written', async () => {
    for (let round = 0; round < 10; round++) {
      const { payer, shop } = await scene();
      const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
      table.clock.now += hourMs + 2_000;
      const [refusal, executed] = await Promise.all([
        refusalOf(cancel(table, payment)),
        executeTransfer(table, payment, timeOf(table)),
      ]);
      assert.equal(refusal === undefined, executed.outcome === 'unchanged');
      const { available } = await balanceOf(table, payer);
      assert.equal(available, refusal === undefined ? 1_000 : 900);
      assert.equal(await countOf(payer), 0);
    }
  });

  it('of a withdrawal that was executed meanwhile cancels it as any other', async () => {
    const { payer } = await scene();
    const payment = await scheduleWithdrawal(table, payer, { amount: 100 });
    table.clock.now += hourMs + 2_000;
    await executeWithdrawal(table, payment, timeOf(table));
    assert.deepEqual(await cancel(table, payment), { replayed: false });
    const ended = await fieldsOf(table, payment.transactionId);
    assert.deepEqual([ended?.failure?.code, ended?.postings.length], ['cancelled', 4]);
    assert.deepEqual(await balanceOf(table, payer), balance(1_000));
  });
});

describe('a wallet with a scheduled payment', () => {
  it('cannot be closed until the payment has ended, and is closed in the same units as any other', async () => {
    const [payer, shop] = [await openWallet(table, 'ann'), await openWallet(table, 'shop')];
    const payment = await scheduleTransfer(table, payer, shop, { amount: 100 });
    const refusal = await assertRefused(table, 'wallet_not_empty', () => setStatus(table, payer, 'closed'));
    assert.match(refusal.details.detail ?? '', /; scheduled payments: 1$/);
    await cancel(table, payment);
    assert.equal((await setStatus(table, payer, 'closed')).wallet.status, 'closed');
    await assertRefused(table, 'wallet_closed', () => scheduleTransfer(table, payer, shop, { amount: 1 }));
  });

  it('of a payment into it can be closed', async () => {
    const { payer, shop } = await scene();
    await scheduleTransfer(table, payer, shop, { amount: 100 });
    assert.equal((await setStatus(table, shop, 'closed')).wallet.status, 'closed');
  });
});
