/** Batches on the real engine: what is stored, what the worker makes of it, and what a crash leaves. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { mostPaymentsPerWrite } from '../../lambdas/domain/batch.ts';
import type { BatchLine } from '../../lambdas/domain/batch.ts';
import { transactionIdOfLine } from '../../lambdas/domain/ids.ts';
import { getBatch, getChunk } from '../../lambdas/store/batches.ts';
import { batchKey } from '../../lambdas/store/keys.ts';
import { readLines } from '../../lambdas/store/payments.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { answer, failure, lostAnswer } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { between } from '../simulation/chance.ts';
import { checkUnits } from '../units.ts';
import { advance, complete, sendBatch, transferLine, withdrawalLine, workerOn } from './batch-commands.ts';
import { charge, newKey } from './commands.ts';
import { allItems, assertRefused, fieldsOf, isDue, itemOf, plant } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();

/** Returns lines that pay 1, 2, 3, … out of one wallet into another. */
function payroll(from: string, to: string, count: number): BatchLine[] {
  return Array.from({ length: count }, (_, n) => transferLine(`line-${n}`, from, to, n + 1));
}

/** Returns the state of each line in a word: the status of its transaction, the code of its refusal, or `waiting`. */
async function statesOf(on: TestTable, batchId: string, lines: readonly BatchLine[]): Promise<string[]> {
  const ids = lines.map(({ key }) => transactionIdOfLine(batchId, key));
  const states: string[] = [];
  for (let start = 0; start < ids.length; start += 100) {
    const found = await readLines(on, ids.slice(start, start + 100));
    for (const id of ids.slice(start, start + 100)) {
      const state = found.get(id);
      if (state === undefined) states.push('waiting');
      else if ('refusal' in state) states.push(state.refusal.code);
      else if ('transaction' in state) states.push(state.transaction.status);
    }
  }
  return states;
}

describe('accepting a batch', () => {
  it('stores all lines in one write and moves nothing', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 1_000_000), await openWallet(table, 'bob')];
    const lines = payroll(from, to, 500);
    const { result, roundTrips, writeUnits } = await measure(table, () => sendBatch(table, lines));
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits < 80, `${writeUnits}`);
    });
    const { batch, replayed } = result;
    assert.deepEqual([batch.status, batch.count, batch.chunks, replayed], ['accepted', 500, 3, false]);
    assert.equal((await getWallet(table, from))?.version, 1);
    const kept = await Promise.all([0, 1, 2, 3].map((chunk) => getChunk(table, batch.batchId, chunk)));
    assert.deepEqual(
      kept.flatMap((chunk) => chunk?.lines ?? []),
      lines,
    );
    assert.equal(kept[3], undefined);
  });

  it('answers a repetition with the batch as it is now, and refuses another file under the same key', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'bob')];
    const key = newKey();
    const lines = payroll(from, to, 3);
    const { batch } = await sendBatch(table, lines, { key });
    await complete(table, batch);
    const again = await sendBatch(table, lines, { key });
    assert.deepEqual([again.replayed, again.batch.status, again.batch.accepted], [true, 'completed', 3]);
    await assertRefused(table, 'idempotency_key_reused', () => sendBatch(table, payroll(from, to, 2), { key }));
  });

  it('keeps lines of any allowed size below the limits of an item and of a write', async () => {
    const [from, to] = [await openWallet(table, 'ann'), await openWallet(table, 'bob')];
    const noise = (...names: number[]) =>
      Array.from({ length: 256 }, (_, at) => String.fromCodePoint(between(0x4e00, 0x9fff, at, ...names))).join('');
    const lines = Array.from({ length: 130 }, (_, n): BatchLine => {
      const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key-${i}`, noise(n, i)]));
      return { ...transferLine(`line-${n}`, from, to, 1), description: noise(n), metadata };
    });
    assert.ok(Buffer.byteLength(JSON.stringify(lines)) > 2_000_000);
    const { batch } = await sendBatch(table, lines);
    assert.ok(batch.chunks > 4, String(batch.chunks));
    assert.equal((await complete(table, batch)).refused, 130);
  });
});

describe('making a batch', () => {
  it('debits a wallet once for up to 99 payments, and makes their work due', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 1_000_000), await openWallet(table, 'bob')];
    const lines = payroll(from, to, 250);
    const { batch } = await sendBatch(table, lines);
    const worker = workerOn(table);
    const { writeUnits } = await measure(table, () => advance(batch, worker.services));
    checkUnits(() => {
      assert.ok(writeUnits <= 250 * 6 + 100, `${writeUnits}`);
    });
    const sum = (250 * 251) / 2;
    assert.deepEqual(await balanceOf(table, from), { available: 1_000_000 - sum, held: 0, total: 1_000_000 - sum });
    // 198 lines are two writes, and the other part has 52.
    assert.equal((await getWallet(table, from, { consistent: true }))?.version, 1 + 3);
    assert.deepEqual(
      await statesOf(table, batch.batchId, lines),
      lines.map(() => 'pending'),
    );
    const ids = lines.map(({ key }) => transactionIdOfLine(batch.batchId, key));
    assert.deepEqual([...worker.sent.transfer].sort(), [...ids].sort());
    assert.ok(await isDue(table, ids[249] ?? ''));
    const first = await fieldsOf(table, ids[0] ?? '');
    const last = await fieldsOf(table, ids[mostPaymentsPerWrite - 1] ?? '');
    assert.deepEqual([first?.sentWith, last?.sentWith, last?.batchId], [ids[0], ids[0], batch.batchId]);
    const { status, accepted, refused } = (await getBatch(table, batch.batchId)) ?? {};
    assert.deepEqual([status, accepted, refused], ['completed', 250, 0]);
    await endTransfers(ids, table);
    assert.equal((await balanceOf(table, to)).available, sum);
  });

  it('holds the money of withdrawals, and keeps no account when it is done', async () => {
    const from = await fundedWallet(table, 'ann', 100);
    const lines = [1, 2, 3].map((amount) => withdrawalLine(`line-${amount}`, from, amount));
    const { batch } = await sendBatch(table, lines);
    const worker = workerOn(table);
    await advance(batch, worker.services);
    assert.deepEqual(await balanceOf(table, from), { available: 94, held: 6, total: 100 });
    assert.equal(worker.sent.withdrawal.length, 3);
    assert.deepEqual(await getChunk(table, batch.batchId, 0), { keys: ['line-1', 'line-2', 'line-3'] });
  });

  it('takes the lines that fit in the order of the file, and refuses the others for good', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'bob')];
    const lines = [6, 5, 3, 2, 1].map((amount) => transferLine(`line-${amount}`, from, to, amount));
    const { batch } = await sendBatch(table, lines);
    const completed = await complete(table, batch);
    const expected = ['pending', 'insufficient_funds', 'pending', 'insufficient_funds', 'pending'];
    assert.deepEqual(await statesOf(table, batch.batchId, lines), expected);
    assert.deepEqual([completed.accepted, completed.refused], [3, 2]);
    assert.equal((await balanceOf(table, from)).available, 0);
  });

  it('takes the fee of each line out of its payer with the amount, and refuses a line that leaves none for its fee', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 20), await openWallet(table, 'bob')];
    const lines = [
      { ...transferLine('line-1', from, to, 5), fee: 2 },
      { ...transferLine('line-2', from, to, 13), fee: 1 },
      transferLine('line-3', from, to, 6),
      { ...withdrawalLine('line-4', from, 6), fee: 1 },
    ];
    const { batch } = await sendBatch(table, lines);
    await complete(table, batch);
    assert.deepEqual(await statesOf(table, batch.batchId, lines), [
      ...['pending', 'insufficient_funds', 'pending', 'pending'],
    ]);
    assert.deepEqual(await balanceOf(table, from), { available: 0, held: 7, total: 7 });
    const { fee, postings } = (await fieldsOf(table, transactionIdOfLine(batch.batchId, 'line-1'))) ?? {};
    assert.deepEqual([fee, postings?.[0]?.amount], [2, -7]);
  });

  it('refuses only the lines of a wallet that is frozen, missing or closed', async () => {
    const [frozen, good, to] = [
      await fundedWallet(table, 'ann', 10),
      await fundedWallet(table, 'ann', 10),
      await openWallet(table, 'bob'),
    ];
    await setStatus(table, frozen, 'frozen');
    const lines = [frozen, good, `w_eur_${'a'.repeat(26)}`].map((id) => transferLine(`line-${id}`, id, to, 1));
    const { batch } = await sendBatch(table, lines);
    await complete(table, batch);
    assert.deepEqual(await statesOf(table, batch.batchId, lines), ['wallet_frozen', 'pending', 'wallet_not_found']);
  });

  it('leaves the lines of a payer that takes no write for the end, and makes those of the others', async () => {
    const own = await fundedWallet(table, 'ann', 100);
    const [busy, to] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'bob')];
    const lines = [
      transferLine('line-1', busy, to, 1),
      transferLine('line-2', own, to, 2),
      withdrawalLine('line-3', busy, 3),
    ];
    const { batch } = await sendBatch(table, lines);
    table.fault = (call, pass) =>
      call.operation === 'TransactWriteItems' && JSON.stringify(call.input).includes(`WALLET#${busy}"`)
        ? answer('ProvisionedThroughputExceededException')(call, pass)
        : pass();
    const { services } = workerOn(table);
    await assert.rejects(advance(batch, services), { code: 'busy' }, 'the last part has only lines that fail');
    table.fault = undefined;
    assert.deepEqual(await statesOf(table, batch.batchId, lines), ['waiting', 'pending', 'waiting']);
    const { status, accepted, chunks } = (await getBatch(table, batch.batchId)) ?? {};
    assert.deepEqual([status, accepted, chunks], ['executing', 1, 2]);
    assert.deepEqual((await getChunk(table, batch.batchId, 1))?.keys, [], 'its keys are listed where they were');
    assert.equal((await complete(table, batch)).accepted, 3);
    assert.deepEqual(await balanceOf(table, busy), { available: 96, held: 3, total: 99 });
    assert.deepEqual((await getChunk(table, batch.batchId, 0))?.keys, ['line-1', 'line-2', 'line-3']);
  });

  it('waits while a queue that it feeds is half full, and goes behind other batches when its time is over', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 1_000_000), await openWallet(table, 'bob')];
    const { batch } = await sendBatch(table, payroll(from, to, 400));
    const full = workerOn(table, 10_001);
    table.clock.now += 1_000;
    assert.equal(await advance(batch, full.services), table.now() + 30_000);
    const paused = await getBatch(table, batch.batchId);
    assert.deepEqual([paused?.status, paused?.accepted], ['accepted', 0]);
    assert.ok(paused?.status !== 'completed' && paused?.dueAt === new Date(table.now()).toISOString());
    const worker = workerOn(table);
    table.fault = (call, pass) => {
      if (call.operation === 'TransactWriteItems') table.clock.now += 5_000;
      return pass();
    };
    assert.equal(await advance(batch, worker.services), undefined);
    table.fault = undefined;
    assert.equal(worker.again.length, 1);
    assert.equal((await getBatch(table, batch.batchId))?.accepted, 198);
    assert.equal((await complete(table, batch)).accepted, 400);
  });
});

/** Lines that are accepted and refused, in several groups and parts. */
async function mixed(on: TestTable) {
  const [rich, poor] = [await fundedWallet(on, 'ann', 1_000), await fundedWallet(on, 'ann', 5)];
  const to = await openWallet(on, 'bob');
  const lines = [
    transferLine('a', rich, to, 10),
    withdrawalLine('b', rich, 20),
    transferLine('c', poor, to, 4),
    transferLine('d', poor, to, 3),
    transferLine('e', rich, to, 30),
    transferLine('f', poor, to, 1),
  ];
  const { batch } = await sendBatch(on, lines, { parts: [lines.slice(0, 4), lines.slice(4)] });
  return { rich, poor, lines, batch };
}
const mixedEnds = ['pending', 'pending', 'pending', 'insufficient_funds', 'pending', 'pending'];

async function assertMixedEnds(
  on: TestTable,
  { rich, poor, lines, batch }: Awaited<ReturnType<typeof mixed>>,
  about = '',
) {
  assert.deepEqual(await statesOf(on, batch.batchId, lines), mixedEnds, about);
  assert.deepEqual(await balanceOf(on, rich), { available: 940, held: 20, total: 960 }, about);
  assert.deepEqual(await balanceOf(on, poor), { available: 0, held: 0, total: 0 }, about);
  const { status, accepted, refused } = (await getBatch(on, batch.batchId)) ?? {};
  assert.deepEqual([status, accepted, refused], ['completed', 5, 1], about);
}

describe('a batch whose worker dies', () => {
  it('is made once by the next worker, wherever the first one died', async () => {
    let died = true;
    for (let last = 0; died; last++) {
      for (const arrives of [false, true]) {
        const scene = await mixed(table);
        let calls = 0;
        died = false;
        table.fault = (_call, pass) => {
          if (calls++ < last) return pass();
          died = true;
          const dead = failure('the process has died', { name: 'Dead' });
          return calls === last + 1 && arrives ? pass().then(() => Promise.reject(dead)) : Promise.reject(dead);
        };
        await advance(scene.batch, workerOn(table).services).catch(() => undefined);
        table.fault = undefined;
        await complete(table, scene.batch);
        await assertMixedEnds(table, scene, `died at call ${last}, which ${arrives ? 'arrived' : 'was lost'}`);
      }
    }
  });

  it('is made once when an answer is lost, and when two workers make it at once', async () => {
    const scene = await mixed(table);
    let isFirst = true;
    table.fault = (call, pass) => {
      if (call.operation !== 'TransactWriteItems' || !isFirst) return pass();
      isFirst = false;
      return lostAnswer(call, pass);
    };
    await Promise.all([1, 2, 3].map(() => advance(scene.batch, workerOn(table).services)));
    table.fault = undefined;
    await complete(table, scene.batch);
    await assertMixedEnds(table, scene);
  });

  it('keeps a refusal that it has recorded, when money comes before the part is repeated', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 1), await openWallet(table, 'bob')];
    const lines = [transferLine('line-1', from, to, 5)];
    const { batch } = await sendBatch(table, lines);
    table.fault = (call, pass) =>
      JSON.stringify(call.input).includes('lineKeys') ? Promise.reject(failure('died', { name: 'Dead' })) : pass();
    await assert.rejects(advance(batch, workerOn(table).services), { name: 'Dead' });
    table.fault = undefined;
    await charge(table, from, { amount: 100 });
    const completed = await complete(table, batch);
    assert.deepEqual([completed.accepted, completed.refused], [0, 1]);
    assert.equal((await balanceOf(table, from)).available, 101);
  });

  it('is counted from its transactions when a restore has torn it from a part that is done', async () => {
    const scene = await mixed(table);
    const { batchId } = scene.batch;
    const before = await itemOf(table, batchKey(batchId));
    await complete(table, scene.batch);
    await plant(table, { ...before });
    await complete(table, scene.batch);
    await assertMixedEnds(table, scene);
  });

  it('leaves nothing but what one run would have left', async () => {
    const scene = await mixed(table);
    await complete(table, scene.batch);
    const before = await allItems(table);
    await advance(scene.batch, workerOn(table).services);
    assert.deepEqual(await allItems(table), before);
  });
});
