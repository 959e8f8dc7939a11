/** The totals of an owner in a month, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { getTotals } from '../../lambdas/api/get-totals.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { charge, transfer } from './commands.ts';
import { statementOf } from './statement-scenes.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const month = '2026-03';

type Item = Readonly<Record<'currency' | 'type', string>> & Readonly<Record<'count' | 'in' | 'out' | 'fees', number>>;

function ask({ table, entries }: TestBooks, request: Request, most?: { changes: number; wallets: number }) {
  const handler = serve(getTotals, {
    table,
    entries,
    limits: openLimits({ readsPerHour: 1_000_000 }),
    ...(most && { most }),
  });
  return send('get-totals', handler, { as: endUser('ann'), ...request, query: { month, ...request.query } });
}

/** Books in which ann has two wallets in EUR and one in JPY, and paid from one to the other. */
async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const [first, second] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'ann')];
  const yen = await fundedWallet(table, 'ann', 70, 'JPY');
  await transfer(table, first, second, { owner: 'ann', amount: 100, fee: 3 });
  for (let times = 0; times < 4; times++) await charge(table, second, { amount: 10, fee: 1 });
  table.clock.now += 1;
  await books.follow();
  return { ...books, first, second, yen };
}

const expected: Item[] = [
  { currency: 'EUR', type: 'charge', count: 5, in: 1_036, out: 0, fees: 4 },
  { currency: 'EUR', type: 'transfer', count: 2, in: 100, out: 103, fees: 3 },
  { currency: 'JPY', type: 'charge', count: 1, in: 70, out: 0, fees: 0 },
];

/** Adds up the parts of a month. */
function added(parts: readonly Item[]): Item[] {
  return [...Map.groupBy(parts, ({ currency, type }) => `${currency} ${type}`).values()]
    .map((of) =>
      of.reduce((a, b) => ({
        ...a,
        ...{ count: a.count + b.count, in: a.in + b.in, out: a.out + b.out, fees: a.fees + b.fees },
      })),
    )
    .sort((a, b) => (a.currency + a.type < b.currency + b.type ? -1 : 1));
}

describe('GET /totals', () => {
  it('adds up the lines of all wallets of the owner by currency and type', async () => {
    const scene = await newScene();
    const { status, body } = await ask(scene, {});
    assert.equal(status, 200);
    assert.deepEqual(body?.['items'], expected);
    assert.deepEqual(
      [body['from'], body['to'], body['final'], body['nextCursor']],
      ['2026-03-01T00:00:00.000Z', '2026-03-01T12:00:00.001Z', false, undefined],
    );
    const lines = await Promise.all(
      [scene.first, scene.second].map(async (walletId) => (await statementOf(scene, walletId)).lines.length),
    );
    assert.equal(lines[0]! + lines[1]!, 7);
  });

  it('comes in parts that add up to the month, whatever their size, and while money moves on', async () => {
    const scene = await newScene();
    for (const most of [
      { changes: 1, wallets: 100 },
      { changes: 3, wallets: 100 },
      { changes: 100, wallets: 1 },
      { changes: 100, wallets: 2 },
    ]) {
      const parts: Item[] = [];
      let cursor: string | undefined;
      do {
        const { status, body, text } = await ask(scene, { query: cursor === undefined ? {} : { cursor } }, most);
        assert.equal(status, 200, text);
        parts.push(...(body?.['items'] as Item[]));
        cursor = body?.['nextCursor'] as string | undefined;
      } while (cursor !== undefined);
      assert.deepEqual(added(parts), expected, JSON.stringify(most));
    }
    const first = await ask(scene, {}, { changes: 1, wallets: 100 });
    scene.table.clock.now += 1_000;
    await charge(scene.table, scene.second, { amount: 500 });
    await scene.follow();
    const parts = first.body?.['items'] as Item[];
    const rest = await ask(scene, { query: { cursor: String(first.body?.['nextCursor']) } });
    assert.deepEqual(added([...parts, ...(rest.body?.['items'] as Item[])]), expected);
  });

  it('is of the caller, or of the owner that an operator names', async () => {
    const scene = await newScene();
    assert.deepEqual((await ask(scene, { as: operator, query: { ownerId: 'ann' } })).body?.['items'], expected);
    assert.deepEqual((await ask(scene, { as: endUser('ben') })).body?.['items'], []);
    assert.equal((await ask(scene, { as: endUser('ben'), query: { ownerId: 'ann' } })).body?.['code'], 'forbidden');
  });

  it('of a month without wallets is empty', async () => {
    const scene = await newScene();
    const { body } = await ask(scene, { query: { month: '2026-02' } });
    assert.deepEqual([body?.['items'], body?.['final']], [[], true]);
  });

  it('is refused while a ledger lacks an entry, for months that have not begun, and for cursors of other lists', async () => {
    const scene = await newScene();
    const codeOf = async (query: Record<string, string>) => (await ask(scene, { query })).body?.['code'];
    await charge(scene.table, scene.first, { amount: 1 });
    scene.table.clock.now += 1;
    assert.equal(await codeOf({}), 'ledger_behind');
    for (const wrong of ['2026-04', '2026-13', '2026-3', '26-03', '1969-12', 'constructor']) {
      assert.equal(await codeOf({ month: wrong }), 'invalid_request', wrong);
    }
    const cursorOf = (text: string) => Buffer.from(text).toString('base64url');
    for (const position of [
      'x',
      `2026-03-01T12:00:00.001Z/${scene.first}/x`,
      `2026-03-01T12:00:00.001Z/${scene.first}/1/2`,
      `2026-99-01T12:00:00.001Z/${scene.first}/1`,
      `2027-03-01T12:00:00.001Z/${scene.first}/1`,
    ]) {
      assert.equal(await codeOf({ cursor: cursorOf(position) }), 'invalid_request', position);
    }
  });
});
