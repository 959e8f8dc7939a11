import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { integrity } from '../../lambdas/api/integrity.ts';
import { listEntries } from '../../lambdas/api/list-entries.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { runCheck } from '../../lambdas/workers/integrity-job.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { charge } from '../store/commands.ts';
import { fundedWallet, setStatus } from '../store/wallets.ts';
import { useEngine } from '../fixture.ts';

const engine = useEngine();
let books: TestBooks;
let walletId: string;
let started: number;
beforeAll(async () => {
  books = await newBooks(engine);
  started = books.table.now();
  walletId = await fundedWallet(books.table, 'ann', 1000);
  books.table.clock.now += 60_000;
  await charge(books.table, walletId, { amount: 500 });
  await setStatus(books.table, walletId, 'frozen');
  await books.follow();
});
afterAll(() => {
  books.close();
});

const ann = endUser('ann');
const limits = openLimits({ readsPerHour: 1_000_000 });
const services = () => ({ table: books.table, entries: books.entries, limits });
const entriesOf = (request: Request) =>
  send('list-entries', serve(listEntries, services()), { path: { walletId }, ...request });
const balanceOf = (request: Request) =>
  send('get-balance', serve(getBalance, services()), { path: { walletId }, ...request });

describe('GET /wallets/{walletId}/entries', () => {
  it("returns the wallet's ledger, newest first, with a cursor", async () => {
    const first = await entriesOf({ as: ann, query: { limit: '2' } });
    assert.equal(first.status, 200);
    const items = first.body?.['items'] as Record<string, unknown>[];
    assert.deepEqual(
      items.map(({ version, changes, balanceAfter, statusAfter }) => ({ version, changes, balanceAfter, statusAfter })),
      [
        { version: 3, changes: [], balanceAfter: { available: 1500, held: 0 }, statusAfter: 'frozen' },
        {
          version: 2,
          changes: [{ account: 'available', amount: 500 }],
          balanceAfter: { available: 1500, held: 0 },
          statusAfter: 'active',
        },
      ],
    );
    assert.match(items[1]?.['transactionId'] as string, /^tx_/);
    assert.match(items[1]?.['hash'] as string, /^[\w-]{43}$/);
    const next = await entriesOf({ as: operator, query: { cursor: first.body?.['nextCursor'] as string } });
    assert.deepEqual(
      (next.body?.['items'] as Record<string, unknown>[]).map(({ version }) => version),
      [1, 0],
    );
    assert.equal(next.body?.['nextCursor'], undefined);
  });

  it('refuses other owners, and cursors of another list', async () => {
    assert.equal((await entriesOf({ as: endUser('bob') })).body?.['code'], 'wallet_not_found');
    assert.equal((await entriesOf({})).status, 401);
    const cursor = Buffer.from('2026-03-01').toString('base64url');
    assert.equal((await entriesOf({ as: ann, query: { cursor } })).body?.['code'], 'invalid_request');
  });
});

describe('GET /wallets/{walletId}/balance?at=', () => {
  it('returns the balance at that moment', async () => {
    const at = (ms: number) => balanceOf({ as: ann, query: { at: new Date(started + ms).toISOString() } });
    assert.deepEqual((await at(59_999)).body, {
      walletId,
      currency: 'EUR',
      available: 1000,
      held: 0,
      total: 1000,
      version: 1,
      at: new Date(started + 59_999).toISOString(),
      final: false,
    });
    const first = await at(0);
    assert.deepEqual([first.body?.['available'], first.body?.['final']], [1000, true]);
    assert.equal((await at(60_000)).body?.['available'], 1500);
    assert.equal((await at(-1)).body?.['code'], 'wallet_not_found');
    assert.equal((await at(60_001)).body?.['code'], 'invalid_request');
  });

  it('answers from the wallet, or refuses, while the ledger is behind', async () => {
    const lagging = await newBooks(engine);
    const { table } = lagging;
    const wallet = await fundedWallet(table, 'ann', 1000);
    const at = async (ms: number) => {
      const { status, body, headers } = await send(
        'get-balance',
        serve(getBalance, { table, entries: lagging.entries, limits }),
        { as: ann, path: { walletId: wallet }, query: { at: new Date(started + ms).toISOString() } },
      );
      return status === 200 ? body?.['available'] : [status, body?.['code'], headers['Retry-After']];
    };
    const behind = [503, 'ledger_behind', '1'];
    assert.deepEqual(await at(0), behind, 'no entry is there, and two versions are');
    assert.deepEqual(await at(-1), [404, 'wallet_not_found', undefined]);
    await lagging.follow();
    assert.equal(await at(0), 1000);

    table.clock.now = started + 10_000;
    await charge(table, wallet, { amount: 1 });
    assert.equal(await at(10_000), 1001, 'the version that is missing is the wallet itself');
    assert.equal(await at(9_999), 1000);
    table.clock.now = started + 20_000;
    await charge(table, wallet, { amount: 1 });
    assert.deepEqual(await at(20_000), behind);
    assert.deepEqual(await at(9_999), behind, 'the entry after it may be of an earlier time');
    await lagging.follow();
    assert.deepEqual([await at(9_999), await at(15_000), await at(20_000)], [1000, 1001, 1002]);
    lagging.close();
  });

  it('keeps its answer when a command with an earlier time is written later', async () => {
    const late = await newBooks(engine);
    const { table } = late;
    const wallet = await fundedWallet(table, 'ann', 1000);
    const at = (ms: number) =>
      send('get-balance', serve(getBalance, { table, entries: late.entries, limits }), {
        as: ann,
        path: { walletId: wallet },
        query: { at: new Date(started + ms).toISOString() },
      });
    table.clock.now = started + 10_000;
    await charge(table, wallet, { amount: 1 });
    table.clock.now = started + 5_000;
    await charge(table, wallet, { amount: 20 });
    await late.follow();
    table.clock.now = started + 100_000;
    const figures = [];
    for (const ms of [0, 5_000, 9_999, 10_000, 90_000]) figures.push((await at(ms)).body?.['available']);
    assert.deepEqual(figures, [1000, 1000, 1000, 1021, 1021]);
    late.close();
  });

  it('refuses `consistent` and strangers', async () => {
    const at = new Date(started).toISOString();
    assert.equal((await balanceOf({ as: ann, query: { at, consistent: 'true' } })).body?.['code'], 'invalid_request');
    assert.equal((await balanceOf({ as: ann, query: { at: 'yesterday' } })).body?.['code'], 'invalid_request');
    assert.equal((await balanceOf({ as: endUser('bob'), query: { at } })).body?.['code'], 'wallet_not_found');
  });
});

describe('GET /integrity', () => {
  const ask = (request: Request) => send('integrity', serve(integrity, { table: books.entries }), request);

  it('is for operators, and reports before the first pass that there was none', async () => {
    assert.equal((await ask({ as: ann })).status, 403);
    assert.deepEqual((await ask({ as: operator })).body, {
      ...{ hours: null, discrepancies: [], last: null, running: null },
    });
  });

  it('returns the findings of the last pass', async () => {
    books.entries.clock.now = books.table.clock.now + 7_200_000;
    const publisher = {
      put: () => Promise.reject(new Error('nothing to publish')),
      busName: 'bus',
      now: books.entries.now,
      random: () => 0.5,
      sleep: () => Promise.resolve(),
    };
    await runCheck({ books: { ...services(), statement: undefined }, publisher, passEveryMs: 0 });
    const { status, body } = await ask({ as: operator });
    assert.equal(status, 200);
    const last = body?.['last'] as Record<string, unknown>;
    assert.equal(last['status'], 'sound');
    assert.equal(last['found'], 0);
    assert.deepEqual(last['counts'], { wallets: 1, transactions: 2, entries: 4, payments: 0 });
    assert.deepEqual(last['sums'], [{ currency: 'EUR', wallets: '1500', external: '-1500', transit: '0', sum: '0' }]);
  });
});
