import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { numberOfTransactionId, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { addTo } from '../../lambdas/domain/sketch.ts';
import { passFromText, passToText } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { charge, timeOf, transfer } from './commands.ts';
import { bankThatPaid } from './histories.ts';
import { itemOf, plant } from './inspect.ts';
import { bankId } from './visits.ts';
import { setStatus } from './wallets.ts';
import { useEngine } from '../fixture.ts';

import { newScene, passOver } from './busy-books.ts';

const engine = useEngine();

const hourMs = 3_600_000;

describe('a pass', () => {
  it('that is stopped and stored after each page finds the same as one in a single run', async () => {
    const scene = await newScene(engine);
    const whole = passOver(scene, true);
    assert.equal(await runPass(scene.books, whole, scene.control), 'done');
    let pass = passOver(scene, true);
    let runs = 0;
    for (; pass.stage !== 'done'; runs++) {
      let looks = 0;
      // The first question is at the beginning of the run; then there is one page's worth of work.
      await runPass(scene.books, pass, { ...scene.control, stop: () => ++looks > 3 + (runs % 5) });
      pass = passFromText(passToText(pass));
      assert.ok(runs < 500);
    }
    assert.ok(runs > 5, `${runs} runs`);
    assert.deepEqual(scene.found, []);
    // A page is read again where a run stopped in it.
    const { readUnits, scanned, finishedAt, ...rest } = pass;
    const { readUnits: units, scanned: items, finishedAt: at, ...expected } = passFromText(passToText(whole));
    assert.deepEqual(rest, expected);
    assert.deepEqual(whole.counts, { wallets: 3, transactions: 14, entries: 24, payments: 2 });
    scene.close();
  });

  it('leaves what is younger than its hour to the next one, and sums it up then', async () => {
    const scene = await newScene(engine);
    const pass = passOver(scene);
    assert.equal(await runPass(scene.books, pass, scene.control), 'done');
    assert.deepEqual(pass.sums['EUR'], { wallets: 0n, external: 0n, transit: 0n });
    scene.table.clock.now += 2 * hourMs;
    const later = passOver(scene);
    assert.equal(await runPass(scene.books, later, scene.control), 'done');
    assert.deepEqual(later.sums['EUR'], { wallets: 14_296n, external: -14_301n, transit: 5n });
    assert.deepEqual(scene.found, []);
    scene.close();
  });

  it('raises no alarm when the times of changes run backwards over its hour', async () => {
    const scene = await newScene(engine);
    const { table, history } = scene;
    const hour = Math.ceil(table.now() / hourMs) * hourMs;
    for (const ms of [5, -5, 3, -3]) {
      table.clock.now = hour + ms;
      await charge(table, history.ann, { amount: 1 });
    }
    await scene.follow();
    table.clock.now = hour + hourMs / 2;
    const pass = passOver(scene);
    assert.equal(pass.asOf, new Date(hour).toISOString());
    await runPass(scene.books, pass, scene.control);
    assert.deepEqual([pass.suspects, scene.found], [[], []]);
    scene.close();
  });

  it('names a wallet that was put back to an earlier state, also when its sums fit', async () => {
    const scene = await newScene(engine);
    const { table, history, control } = scene;
    const read = () =>
      table.client.send(
        new GetItemCommand({ TableName: table.name, Key: toItem(walletKey(history.ann)), ConsistentRead: true }),
      );
    const { Item: backup } = await read();
    assert.ok(backup);
    await setStatus(table, history.ann, 'frozen');
    await setStatus(table, history.ann, 'active');
    await scene.follow();
    const find = async () => {
      scene.found.length = 0;
      const pass = passOver(scene, true);
      for (;;) {
        const outcome = await runPass(scene.books, pass, control);
        if (typeof outcome !== 'object') break;
        table.clock.now = outcome.waitUntil;
      }
      return scene.found.map(({ kind, subject }) => [kind, subject]);
    };
    assert.deepEqual(await find(), []);
    await table.client.send(new PutItemCommand({ TableName: table.name, Item: backup }));
    assert.deepEqual(await find(), [['balance_differs', history.ann]], 'the ledger is ahead of it');
    for (let i = 0; i < 2; i++) {
      table.clock.now += 1_000;
      await setStatus(table, history.ann, 'active');
    }
    assert.deepEqual(await find(), [['balance_differs', history.ann]], 'the last version is another one');
    scene.close();
  });

  it('raises no alarm while money moves and entries follow late', async () => {
    const scene = await newScene(engine);
    const { table, history } = scene;
    table.clock.now += 2 * hourMs;
    const pass = passOver(scene);
    // Something moves before every page, and the projector comes only now and then.
    let moves = 0;
    const move = async () => {
      moves++;
      await transfer(table, history.ann, history.cid, { owner: 'ann', amount: 1 }).catch(() => undefined);
      await charge(table, history.cid, { amount: 1, currency: 'JPY' });
      if (moves % 3 === 0) await scene.follow();
    };
    for (let rounds = 0; pass.stage !== 'done'; rounds++) {
      await move();
      let looks = 0;
      const outcome = await runPass(scene.books, pass, { ...scene.control, stop: () => ++looks > 8 });
      if (typeof outcome === 'object') {
        await scene.follow();
        table.clock.now = Math.max(table.now(), outcome.waitUntil);
      }
      assert.ok(rounds < 100);
    }
    assert.ok(moves > 3, `${moves} moves`);
    assert.deepEqual(scene.found, []);
    scene.close();
  });

  it('looks twice before it says that something is wrong', async () => {
    const scene = await newScene(engine);
    const { table, history } = scene;
    await charge(table, history.ann, { amount: 3 });
    const pass = passOver(scene);
    // The entry of the charge is not there yet: perhaps it is on its way.
    const outcome = await runPass(scene.books, pass, scene.control);
    assert.deepEqual(outcome, { waitUntil: table.now() + 60_000 });
    assert.deepEqual(scene.found, []);
    table.clock.now += 60_000;

    // It is not there long after.
    const late = passFromText(passToText(pass));
    assert.equal(await runPass(scene.books, late, scene.control), 'done');
    assert.deepEqual(
      scene.found.map(({ kind, subject }) => [kind, subject]),
      [['entry_missing', history.ann]],
    );

    // It has come.
    await scene.follow();
    scene.found.length = 0;
    assert.equal(await runPass(scene.books, pass, scene.control), 'done');
    assert.deepEqual(scene.found, []);
    scene.close();
  });

  it('compares the sums first, and ends with a finding of its own when the bank gives no statement for an hour', async () => {
    const scene = await newScene(engine);
    const { table } = scene;
    await plant(table, { ...(await itemOf(table, walletKey(scene.history.ann)))!, available: 1 });
    const silent = { bankId, statement: () => Promise.resolve({ outcome: 'unknown', reason: 'time-out' } as const) };
    let pass = passOver(scene);
    const from = table.now();
    for (;;) {
      const outcome = await runPass({ ...scene.books, statement: silent }, pass, scene.control);
      if (outcome === 'done') break;
      assert.ok(typeof outcome === 'object');
      if (pass.stage === 'bank') assert.equal(pass.sumsCompared, true);
      table.clock.now = outcome.waitUntil;
      pass = passFromText(passToText(pass));
    }
    const kinds = scene.found.map(({ kind }) => kind);
    assert.ok(kinds.includes('balance_differs'), kinds.join(', '));
    assert.deepEqual(kinds.slice(-1), ['statement_missing']);
    assert.ok(!kinds.includes('payment_missing'), 'no statement is no proof');
    assert.ok(table.now() - from >= hourMs);
    scene.close();
  });

  for (const stage of ['bank', 'sums'] as const) {
    it(`goes on with a pass that an earlier release left in its ${stage}, where the bank came first`, async () => {
      const scene = await newScene(engine);
      // The earlier release: the bank's part, and then the sums, without the marks of this one.
      const pass = passOver(scene, true);
      const silent = { bankId, statement: () => Promise.resolve({ outcome: 'unknown', reason: 'time-out' } as const) };
      await runPass({ ...scene.books, statement: silent }, pass, scene.control);
      assert.equal(pass.stage, 'bank');
      delete pass.sumsCompared;
      if (stage === 'sums') {
        for (const { reference } of scene.history.paid) addTo(pass.paid, numberOfTransactionId(reference), 1);
        pass.stage = 'sums';
      }
      assert.equal(await runPass(scene.books, pass, scene.control), 'done');
      assert.deepEqual(scene.found, []);
      scene.close();
    });
  }

  it('waits for a bank that does not give its statement', async () => {
    const scene = await newScene(engine);
    const pass = passOver(scene);
    const away = { bankId, statement: () => Promise.resolve({ outcome: 'unknown', reason: 'time-out' } as const) };
    const outcome = await runPass({ ...scene.books, statement: away }, pass, scene.control);
    assert.equal(typeof outcome, 'object');
    assert.equal(pass.stage, 'bank');
    assert.equal(await runPass(scene.books, pass, scene.control), 'done');
    scene.close();
  });

  it('compares a bank with the withdrawals that went there, and counts the others by bank', async () => {
    const scene = await newScene(engine);
    const { paid } = scene.history;
    // The first payment went to another bank, and this bank has not paid it.
    const key = transactionKey(paid[0].reference);
    const record = (await itemOf(scene.table, key))!;
    await plant(scene.table, { ...record, bankId: 'old-bank' });
    const at = timeOf(scene.table);
    const pass = passOver(scene, true);
    const half = { ...scene.books, statement: bankThatPaid([paid[1]], at) };
    assert.equal(await runPass(half, pass, scene.control), 'done');
    assert.deepEqual([scene.found, pass.otherBanks], [[], { 'old-bank': 1 }]);

    // This bank has paid it, too.
    assert.equal(await runPass(scene.books, passOver(scene, true), scene.control), 'done');
    assert.deepEqual(scene.found, [
      {
        kind: 'payment_differs',
        subject: paid[0].reference,
        detail: 'this bank has paid 700 EUR, and the withdrawal went to bank old-bank',
      },
    ]);
    scene.close();
  });

  it('takes a completed withdrawal that names no bank for one of this bank', async () => {
    const scene = await newScene(engine);
    const { bankId: _, ...record } = (await itemOf(scene.table, transactionKey(scene.history.paid[0].reference)))!;
    await plant(scene.table, record);
    const pass = passOver(scene, true);
    assert.equal(await runPass(scene.books, pass, scene.control), 'done');
    assert.deepEqual([scene.found, pass.otherBanks], [[], {}]);
    scene.close();
  });

  it('counts no more banks by name than fit into an item', async () => {
    const scene = await newScene(engine);
    const record = (await itemOf(scene.table, transactionKey(scene.history.paid[0].reference)))!;
    for (let n = 0; n < 25; n++) {
      const transactionId = transactionIdOf('ann', `other bank ${n}`);
      await plant(scene.table, { ...record, ...transactionKey(transactionId), transactionId, bankId: `bank-${n}` });
    }
    const pass = passOver(scene, true);
    await runPass(scene.books, pass, scene.control);
    assert.equal(Object.keys(pass.otherBanks).length, 21);
    assert.equal(pass.otherBanks['(further banks)'], 5);
    scene.close();
  });

  it('fits into an item however much it finds', async () => {
    const scene = await newScene(engine);
    const pass = passOver(scene, true);
    const unknown = Array.from({ length: 200 }, (_, i) => ({
      reference: `${'x'.repeat(200)}${i}`,
      amount: 1,
      currency: 'EUR',
    }));
    const statement = bankThatPaid(unknown, timeOf(scene.table));
    assert.equal(await runPass({ ...scene.books, statement }, pass, scene.control), 'done');
    assert.ok(pass.found >= 200, `${pass.found} found`);
    assert.ok(Buffer.byteLength(passToText(pass)) < 100_000);
    scene.close();
  });
});
