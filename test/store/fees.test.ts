/** Fees of commands, and their collection by the sweeper, on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import { net } from '../../lambdas/domain/postings.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { getFeeState } from '../../lambdas/store/fees.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { epoch, measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { answer, lostAnswer } from '../faults.ts';
import { useEngine } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { collect, hourMs, newScene, paidInFees } from './fee-scenes.ts';
import type { Scene } from './fee-scenes.ts';
import { capture, openHold } from './hold-commands.ts';
import { allItems, assertRefused, fieldsOf, itemOf, withdrawalOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();

describe('a fee', () => {
  let table: TestTable;
  let [payer, shop] = ['', ''];
  beforeAll(async () => {
    table = await engine.newTable();
    [payer, shop] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'shop')];
  });

  it('moves with its command, in the same write of as many units', async () => {
    const units = async (work: () => Promise<unknown>) => {
      const { roundTrips, writeUnits } = await measure(table, work);
      return { roundTrips, writeUnits };
    };
    for (const fee of [0, 2]) {
      const more = { amount: 10, fee };
      const owned = { ...more, owner: 'ann' };
      const hold = await openHold(table, payer, { amount: 10, to: shop });
      const figures = [
        await units(() => charge(table, payer, more)),
        await units(() => transfer(table, payer, shop, owned)),
        await units(() => queueTransfer(table, payer, shop, owned)),
        await units(() => withdraw(table, payer, owned)),
        await units(() => capture(table, hold, { fee })),
      ];
      assert.deepEqual(
        figures.map(({ roundTrips }) => roundTrips),
        [1, 1, 1, 1, 1],
      );
      checkUnits(() => {
        assert.deepEqual(
          figures.map(({ writeUnits }) => writeUnits),
          [5, 8, 6, 6, 12],
        );
      });
    }
  });

  it('is on the record, which earlier releases do not read, and on no record without a fee', async () => {
    const { transaction } = await transfer(table, payer, shop, { amount: 1, owner: 'ann', fee: 2 });
    const { transaction: free } = await transfer(table, payer, shop, { amount: 1, owner: 'ann', fee: 0 });
    const [item, other] = [transaction, free].map(({ transactionId }) => itemOf(table, transactionKey(transactionId)));
    const { fee, v } = (await item) ?? {};
    assert.deepEqual([fee, v], [2, 2]);
    const { fee: none, v: first, postings } = (await other) ?? {};
    assert.deepEqual([none, first, (postings as object[]).length], [undefined, undefined, 2]);
  });

  it('counts as money of the payer: it must be there with the amount', async () => {
    const poor = await fundedWallet(table, 'ann', 100);
    const request = { amount: 98, owner: 'ann', fee: 3 };
    await assertRefused(table, 'insufficient_funds', () => transfer(table, poor, shop, request));
    await assertRefused(table, 'insufficient_funds', () => queueTransfer(table, poor, shop, request));
    await assertRefused(table, 'insufficient_funds', () => withdraw(table, poor, request));
    await transfer(table, poor, shop, { ...request, amount: 97 });
    assert.equal((await balanceOf(table, poor)).available, 0);
  });

  it('is the first one for a repetition, whatever the schedule says then', async () => {
    const request = { amount: 1, owner: 'ann', key: 'with a fee' };
    const { transaction: first } = await transfer(table, payer, shop, { ...request, fee: 2 });
    const { transaction, replayed } = await transfer(table, payer, shop, { ...request, fee: 9 });
    assert.deepEqual([replayed, transaction], [true, await fieldsOf(table, first.transactionId)]);
    assert.equal((transaction as Transaction & { fee?: number }).fee, 2);
  });

  it('that takes all of a capture is refused, and the hold stays', async () => {
    const hold = await openHold(table, payer, { amount: 3, to: shop });
    await assertRefused(table, 'fee_exceeds_amount', () => capture(table, hold, { fee: 3 }));
    await capture(table, hold, { fee: 2 });
  });

  it('is not taken from a capture to the world outside', async () => {
    const hold = await openHold(table, payer, { amount: 3 });
    const { transaction } = await capture(table, hold, { fee: 2 });
    assert.equal(transaction.fee, undefined);
  });
});

describe('the fees of every command', () => {
  it('are paid by who pays them, and come back where the money comes back', async () => {
    const { table, payer, shop, ...scene } = await newScene(engine);
    const taken = 103 + 211 + 250 + 413;
    assert.deepEqual(await balanceOf(table, payer), {
      available: 10_000 - taken - 79,
      held: 79,
      total: 10_000 - taken,
    });
    assert.equal((await balanceOf(table, shop)).available, 100 + 200 + 245);
    let fees = 0n;
    for (const { transactionId } of [
      scene.charged,
      scene.sent,
      scene.arrived,
      scene.failed,
      scene.captured,
      scene.paid,
    ]) {
      const { postings } = (await fieldsOf(table, transactionId)) ?? { postings: [] };
      fees += net(postings).get('fees:EUR') ?? 0n;
    }
    assert.equal(fees, BigInt(paidInFees));
  });

  it('stay paid when the bank sends the payment back', async () => {
    const { table, payer, paid } = await newScene(engine);
    const { available } = await balanceOf(table, payer);
    await returnWithdrawal(table, await withdrawalOf(table, paid.transactionId), { at: timeOf(table) });
    assert.equal((await balanceOf(table, payer)).available, Number(available) + 400);
  });
});

describe('a collection', () => {
  const collections = async (table: TestTable) =>
    (await allItems(table)).filter(({ type }) => type === 'collection').map(({ amount }) => amount);
  /** Moves both clocks to a time after the scene. */
  const at = ({ table, entries }: Scene, ms: number) => (table.clock.now = entries.clock.now = epoch + ms);

  it('moves the fees of the hours that are over into the revenue wallet, once', async () => {
    const scene = await newScene(engine);
    const { table, revenue, follow } = scene;
    await follow();
    for (const ms of [hourMs - 1, hourMs + 299_999]) {
      at(scene, ms);
      await collect(scene, revenue);
      assert.deepEqual(await collections(table), [], 'the hour is not over');
    }
    at(scene, hourMs + 300_000);
    await collect(scene, revenue);
    assert.deepEqual(await balanceOf(table, revenue), { available: 39, held: 0, total: 39 });
    for (const ms of [0, 60_000, hourMs, 24 * hourMs, 40 * 24 * hourMs]) {
      at(scene, hourMs + 300_000 + ms);
      await follow();
      await collect(scene, revenue);
    }
    assert.deepEqual(await collections(table), [39]);
    await transfer(table, scene.payer, scene.shop, { amount: 1, owner: 'ann', fee: 4 });
    await follow();
    at(scene, 41 * 24 * hourMs + 300_000);
    await collect(scene, revenue);
    assert.deepEqual((await collections(table)).sort(), [39, 4]);
    assert.equal((await balanceOf(table, revenue)).available, 43);
    const { sequence, collected } = await getFeeState(table, 'EUR');
    assert.deepEqual({ sequence, collected }, { sequence: 2, collected: 43 });
  });

  it('leaves for later what the totals do not have yet', async () => {
    const scene = await newScene(engine);
    const { table, revenue, takeRecords, hand } = scene;
    const records = await takeRecords();
    await hand(records.slice(0, 4));
    at(scene, hourMs + 300_000);
    await collect(scene, revenue);
    const early = (await balanceOf(table, revenue)).available;
    assert.ok(early < paidInFees);
    // The projector is days behind.
    at(scene, 10 * 24 * hourMs);
    await hand(records.slice(4));
    await collect(scene, revenue);
    assert.equal((await balanceOf(table, revenue)).available, paidInFees);
  });

  it('is made once by sweepers at the same time, and when an answer is lost', async () => {
    for (const fault of [undefined, lostAnswer]) {
      const scene = await newScene(engine);
      const { table, revenue, follow } = scene;
      await follow();
      at(scene, hourMs + 300_000);
      const struck = new Set<string>();
      table.fault = (call, send) => {
        if (fault === undefined || call.operation !== 'TransactWriteItems' || struck.has(call.operation)) return send();
        struck.add(call.operation);
        return fault(call, send);
      };
      await Promise.all(Array.from({ length: 5 }, () => collect(scene, revenue)));
      table.fault = undefined;
      assert.deepEqual(await collections(table), [paidInFees]);
      assert.equal((await balanceOf(table, revenue)).available, paidInFees);
      assert.equal(struck.size, fault === undefined ? 0 : 1);
    }
  });

  it('is named apart while the revenue wallet takes no money, fails no run, and loses nothing', async () => {
    const refused: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.feesRefused) refused.push(value);
    });
    const scene = await newScene(engine);
    const { table, revenue, follow } = scene;
    await follow();
    at(scene, hourMs + 300_000);
    await setStatus(table, revenue, 'frozen');
    for (let minute = 0; minute < 3; minute++) {
      await collect(scene, revenue);
      at(scene, hourMs + 300_000 + minute * 60_000);
    }
    await collect(scene, 'w_eur_aaaaaaaaaaaaaaaaaaaaaaaaaa');
    assert.deepEqual(await collections(table), []);
    await setStatus(table, revenue, 'active');
    await collect(scene, revenue);
    assert.deepEqual(await collections(table), [paidInFees]);
    assert.deepEqual(refused, [1, 1, 1, 1, 0]);
  });

  it('of one currency does not stop the others, nor the rest of the run, when it fails', async () => {
    const scene = await newScene(engine);
    const { table, entries, revenue, follow } = scene;
    await follow();
    at(scene, hourMs + 300_000);
    table.fault = (call, send) =>
      call.operation === 'GetItem' && JSON.stringify(call.input).includes('FEES#JPY')
        ? answer('ValidationException')(call, send)
        : send();
    const run = collect({ table, entries }, { JPY: 'w_jpy_aaaaaaaaaaaaaaaaaaaaaaaaaa', EUR: revenue });
    await assert.rejects(run, /ValidationException/);
    table.fault = undefined;
    assert.deepEqual(await collections(table), [paidInFees]);
  });

  it('takes 7 write units, and each hour 129 small queries; each other minute takes one read unit', async () => {
    const scene = await newScene(engine);
    const { table, entries, revenue, follow } = scene;
    await follow();
    at(scene, hourMs + 300_000);
    const [first, queries] = [await measure(table, () => collect(scene, revenue)), entries.calls.length];
    const writes = first.calls.filter(({ operation }) => operation === 'TransactWriteItems');
    checkUnits(() => {
      assert.equal(
        writes.reduce((sum, { writeUnits }) => sum + writeUnits, 0),
        7,
      );
    });
    const reads = entries.calls.filter(({ operation }) => operation === 'Query');
    assert.equal(reads.length, 129);
    checkUnits(() => {
      assert.equal(
        reads.reduce((sum, { readUnits }) => sum + readUnits, 0),
        64.5,
      );
    });
    await collect(scene, revenue);
    assert.equal(entries.calls.length, queries);
  });
});
