/** Imports that die at each of their writes, and imports at the same time: nothing is written twice, and nothing is lost. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { newBooks } from '../books.ts';
import type { Fault, TestTable } from '../engine.ts';
import { inTurn, lostAnswer, lostRequest, twice } from '../faults.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { assertSoundBooks, codesOf, jsonLines, runImport, walletIdFor, year } from './import-scenes.ts';
import { allItems } from './inspect.ts';
import { balanceOf } from './wallets.ts';

const engine = useEngine();

/** Thrown in place of an answer, as no retry follows the death of a process. */
class Death extends Error {}

/** Lets a process die at its write `n`, from 0: before the write, or after it. */
function deathAt(n: number, after: boolean): Fault {
  let writes = 0;
  return async (call, send) => {
    if (!/Transact|Update/.test(call.operation) || writes++ !== n) return send();
    if (after) await send();
    throw new Death();
  };
}

async function written(content: string): Promise<{ items: unknown; table: TestTable }> {
  const table = await engine.newTable();
  assert.deepEqual(codesOf(await runImport(table, content, { atATime: 1 })), []);
  return { items: await allItems(table), table };
}

describe('an import that dies at a write and is started again', () => {
  it.each([false, true])('leaves what one run leaves, after the write: %s', async (after) => {
    const { items } = await written(year);
    for (let n = 0; ; n++) {
      const table = await engine.newTable();
      table.fault = deathAt(n, after);
      const died = await runImport(table, year, { atATime: 1 }).then(
        () => false,
        (error: unknown) => error instanceof Death,
      );
      if (!died) {
        assert.equal(n, 9);
        break;
      }
      table.fault = undefined;
      assert.deepEqual(codesOf(await runImport(table, year, { atATime: 1 })), []);
      assert.deepEqual(await allItems(table), items, `write ${n}`);
    }
  });
});

it('lost requests, lost answers and repeated calls change nothing', async () => {
  const { items } = await written(year);
  for (const fault of [lostRequest, lostAnswer, twice]) {
    const table = await engine.newTable();
    const faults = Array.from({ length: 9 }, (): Fault => inTurn(fault));
    table.fault = (call, send) =>
      (/Transact|Update/.test(call.operation) ? faults.shift() : undefined)?.(call, send) ?? send();
    assert.deepEqual(codesOf(await runImport(table, year, { atATime: 1 })), []);
    const masked = (list: unknown): unknown =>
      JSON.parse(JSON.stringify(list).replaceAll(/2026-03-01T12:00:\d\d\.\d{3}Z/g, 'now'));
    assert.deepEqual(masked(await allItems(table)), masked(items));
  }
});

describe('imports at the same time', () => {
  const names = Array.from({ length: 8 }, (_, n) => `w${n}`);
  const crowd = jsonLines(
    ...names.map((id) => ({ kind: 'wallet', id, ownerId: id, currency: 'EUR', date: '2024-01-01T00:00:00Z' })),
    ...names.map((wallet) => ({ kind: 'opening', wallet, amount: 1_000, date: '2024-01-02T00:00:00Z' })),
    ...Array.from({ length: 60 }, (_, n) => ({
      ...{ kind: 'transfer', id: n, wallet: `w${n % 8}`, toWallet: `w${(n * 3 + 1) % 8}`, amount: 1 + n },
      date: `2024-02-01T00:00:${String(n).padStart(2, '0')}Z`,
    })).filter(({ wallet, toWallet }) => wallet !== toWallet),
  );

  it('of different files make no wallet active with movements that were not compared', async () => {
    const table = await engine.newTable();
    const other = engine.openTable(table.name);
    const wallet = { kind: 'wallet', id: 'w', ownerId: 'w', currency: 'EUR', date: '2024-01-01' };
    const line = (id: string, date: string) => ({ kind: 'charge', id, wallet: 'w', amount: 5, date });
    const short = jsonLines(wallet, line('1', '2024-01-02'));
    const long = short + jsonLines(line('2', '2024-01-03'));
    table.fault = async (call, send) => {
      // The longer file comes between the comparison and the activation.
      if (call.operation.startsWith('Update')) {
        table.fault = undefined;
        await runImport(other, long, { keepFrozen: true });
      }
      return send();
    };
    assert.equal((await runImport(table, short)).wallets.activated, 0);
    const { findings, wallets } = await runImport(table, long + jsonLines(line('3', '2024-01-04')));
    assert.deepEqual([findings.total, wallets.activated], [0, 1]);
    assert.equal((await balanceOf(table, walletIdFor('w'))).total, 15);
  });

  it('both succeed when one makes the wallets active before the other compares', async () => {
    const table = await engine.newTable();
    const other = engine.openTable(table.name);
    let step = '';
    table.fault = async (_call, send) => {
      if (step === 'compare') {
        table.fault = undefined;
        assert.equal((await runImport(other, year)).wallets.activated, 2);
      }
      return send();
    };
    const { findings, wallets } = await runImport(table, year, { progress: (one) => (step = one) });
    assert.deepEqual([findings.listed, wallets.activated], [[], 0]);
  });

  it('write each line once', async () => {
    const books = await newBooks(engine);
    afterTest(books.close);
    const { table } = books;
    const other = engine.openTable(table.name);
    const outcomes = await Promise.all([
      runImport(table, crowd, { keepFrozen: true }),
      runImport(other, crowd, { keepFrozen: true }),
    ]);
    for (const outcome of outcomes) assert.deepEqual(codesOf(outcome), []);
    const { wallets } = await runImport(table, crowd);
    assert.deepEqual(wallets, { all: 8, fresh: 0, activated: 8 });
    const pass = await assertSoundBooks(books);
    assert.equal(pass.sums['EUR']?.wallets, 8_000n);
    const balances = await Promise.all(names.map((id) => balanceOf(table, walletIdFor(id))));
    const alone = await written(crowd);
    const expected = await Promise.all(names.map((id) => balanceOf(alone.table, walletIdFor(id))));
    assert.deepEqual(balances, expected);
  });
});
