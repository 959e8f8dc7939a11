import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { hourMs } from '../../lambdas/domain/hours.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { hoursFromText, hoursToText, runHours, uncheckedMs } from '../../lambdas/integrity/hours.ts';
import type { RunOutcome } from '../../lambdas/integrity/pass.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import { measure } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { booksOf, check, closedAt, hour, newScene, plants, quarterMs, runOnce, setClock } from './closed-hour.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { arrive, release, sendTogether, settle, withdrawTogether } from './histories.ts';
import { itemOf, plant } from './inspect.ts';
import { accountClosed, bankId } from './visits.ts';
import { openWallet } from './wallets.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();

describe('the check of a closed hour', () => {
  it('finds nothing in a busy hour, and reads it once', async () => {
    const scene = await newScene(engine);
    assert.deepEqual(await check(scene), []);
    const { last } = scene.hours;
    assert.deepEqual(last?.hour, '2026-03-01T14');
    scene.close();
  });

  for (const [name, put] of Object.entries(plants)) {
    it(`finds within two hours ${name}`, async () => {
      const scene = await newScene(engine);
      const expected = await put(scene);
      const names = await check(scene);
      assert.ok(names.includes(expected), `${expected}, and not only ${names.join(', ')}`);
      assert.ok(scene.found.every(({ at }) => at <= closedAt + 2 * hourMs));
      scene.close();
    });
  }

  it('finds a currency that does not sum to zero', async () => {
    const scene = await newScene(engine);
    // A posting to the outside and its total, without a posting in a wallet.
    const [{ reference }] = scene.history.paid;
    const record = (await itemOf(scene.table, transactionKey(reference)))!;
    const postings = [
      { account: 'transit:EUR', amount: -5 },
      { account: 'external:USD', amount: 5 },
    ];
    const transactionId = transactionIdOf('stranger', 'unbalanced');
    await plant(scene.table, { ...record, ...transactionKey(transactionId), transactionId, postings });
    await scene.follow();
    const names = await check(scene);
    assert.ok(names.includes('currency_unbalanced EUR'), names.join());
    assert.ok(names.includes('currency_unbalanced USD'), names.join());
    scene.close();
  });

  it('does not read older hours: an hour with one charge takes few read units after any history', async () => {
    const scene = await newScene(engine);
    assert.deepEqual(await check(scene, hourMs / 2), []);
    setClock(scene, closedAt + 3_000_000);
    await charge(scene.table, scene.history.ann, { amount: 3 });
    await scene.follow();
    setClock(scene, closedAt + 2 * hourMs);
    const ofTable = await measure(scene.table, () => measure(scene.entries, () => runOnce(scene)));
    assert.equal(scene.hours.last?.hour, '2026-03-01T14');
    assert.deepEqual(scene.hours.last.counts, { wallets: 1, entries: 1, bookings: 1 });
    assert.deepEqual(scene.found, []);
    checkUnits(() => {
      assert.ok(ofTable.readUnits > 0 && ofTable.readUnits <= 4, `${ofTable.readUnits} units of the wallet table`);
    });
    const totals = 2 * 2 * 129;
    const units = ofTable.result.readUnits - totals;
    checkUnits(() => {
      assert.ok(units > 0 && units <= 32, `${units} units for the journal and two entries`);
    });
    assert.ok(ofTable.calls.every(({ operation }) => operation === 'BatchGetItem'));
    scene.close();
  });

  it('resumes after a stop at any place, and finds the same', async () => {
    const expected = await newScene(engine);
    await plants['a balance that was edited']!(expected);
    await plants['a payment that is missing']!(expected);
    const names = await check(expected);
    const scene = await newScene(engine);
    await plants['a balance that was edited']!(scene);
    await plants['a payment that is missing']!(scene);
    let hours = scene.hours;
    let stops = 0;
    for (let now = closedAt + quarterMs; now <= closedAt + 2 * hourMs; now += quarterMs) {
      setClock(scene, now);
      for (let outcome: RunOutcome = 'stopped', looks = 0; outcome === 'stopped'; stops++) {
        let look = 0;
        const most = 2 + (looks++ % 4);
        hours = hoursFromText(hoursToText(hours));
        outcome = await runOnce(scene, hours, () => ++look > most);
        assert.ok(stops < 500);
      }
    }
    assert.ok(stops > 10, `${stops} runs`);
    const kinds = [...new Set(scene.found.map(({ kind }) => kind))].sort();
    assert.deepEqual(kinds, [...new Set(names.map((name) => name.split(' ')[0]))].sort());
    assert.equal(scene.found.length, expected.found.length);
    scene.close();
    expected.close();
  });

  it('counts each change once, for any repetition and overlap of batches', async () => {
    const scene = await newScene(engine);
    setClock(scene, closedAt + 60_000);
    await charge(scene.table, scene.history.ann, { amount: 3 });
    await transfer(scene.table, scene.history.ann, await openWallet(scene.table, 'dan'), { owner: 'ann', amount: 1 });
    const records = await scene.takeRecords();
    await scene.hand(records);
    await scene.hand(records.slice(0, 3));
    await scene.hand(records.slice(1));
    await scene.hand(records);
    assert.deepEqual(await check(scene), []);
    assert.deepEqual(scene.hours.last, { ...scene.hours.last, hour: '2026-03-01T14' });
    assert.deepEqual(scene.hours.last.counts, { wallets: 2, entries: 4, bookings: 2 });
    scene.close();
  });

  it('finds nothing where one write debited a wallet for several transfers and withdrawals, and they ended alone', async () => {
    const scene = await newScene(engine);
    const { table, history } = scene;
    setClock(scene, closedAt - 2_000);
    const dan = await openWallet(table, 'dan');
    const [first, second, third] = await sendTogether(table, history.ann, [
      [dan, 2],
      [dan, 3],
      [dan, 4],
    ]);
    const [paid, refused] = await withdrawTogether(table, history.ann, [5, 6]);
    setClock(scene, closedAt - 1_000);
    await arrive(table, third!.transactionId, first!.transactionId);
    await failTransfer(table, second!, accountClosed, timeOf(table));
    await release(table, paid!.transactionId);
    await release(table, refused!.transactionId);
    await scene.follow();
    assert.deepEqual(await check(scene), []);
    scene.close();
  });

  it('raises no alarm for changes that the projector lists late, and checks them where they are listed', async () => {
    const scene = await newScene(engine);
    const { table, history } = scene;
    setClock(scene, closedAt - 1_000);
    const dan = await openWallet(table, 'dan');
    await charge(table, dan, { amount: 10 });
    const queued = await queueTransfer(table, history.ann, dan, { owner: 'ann', amount: 2 });
    const other = await queueTransfer(table, history.ann, dan, { owner: 'ann', amount: 3 });
    await arrive(table, queued.transaction.transactionId, other.transaction.transactionId);
    const paid = (await withdraw(table, dan, { owner: 'dan', amount: 4 })).transaction;
    await settle(table, paid.transactionId);
    scene.payments.push({
      ...{ reference: paid.transactionId, amount: 4, currency: 'EUR' },
      paidAt: new Date(closedAt - 2_000).toISOString(),
    });
    const records = await scene.takeRecords();
    // A shard without a delay lists every second record in time.
    const inTime = records.filter(({ dynamodb }) => dynamodb?.Keys?.['sk']?.S === 'TX');
    const late = records.filter((record) => !inTime.includes(record));
    await scene.hand(inTime);
    setClock(scene, closedAt + 310_000);
    await scene.hand(late);
    assert.deepEqual(await check(scene), []);
    assert.deepEqual(scene.hours.last?.counts, { wallets: 2, entries: 7, bookings: 5 });
    scene.close();
  });

  it('delays nothing when the bank gives no statement, and resumes that part later', async () => {
    const scene = await newScene(engine);
    scene.payments.shift();
    const away = () => Promise.resolve({ outcome: 'unknown', reason: 'time-out' } as const);
    const books = { ...booksOf(scene), statement: { bankId, statement: away, find: away } };
    for (let now = closedAt + quarterMs; now < closedAt + 3 * hourMs; now += quarterMs) {
      setClock(scene, now);
      await runHours(books, scene.hours, {
        now: scene.table.now,
        stop: () => false,
        secondLookMs: 300_000,
        report: (one) => assert.fail(one.detail),
      });
    }
    assert.equal(scene.hours.hour, '2026-03-01T16');
    assert.equal(scene.hours.bank.from, hour);
    assert.equal(uncheckedMs(scene.hours, scene.table.now()), 3 * hourMs - quarterMs);
    await runOnce(scene);
    assert.deepEqual(
      scene.found.map(({ kind }) => kind),
      ['payment_missing'],
    );
    assert.equal(scene.hours.bank.from, '2026-03-01T16');
    scene.close();
  });
});
