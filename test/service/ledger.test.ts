import '../environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { integrity } from '../../lambdas/api/integrity.ts';
import { listEntries } from '../../lambdas/api/list-entries.ts';
import { serve } from '../../lambdas/runtime/http.ts';
import { checkBooks } from '../../lambdas/workers/integrity-job.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { startTestEngine } from '../engine.ts';
import type { TestEngine } from '../engine.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { charge, fundedWallet, setStatus } from '../store/histories.ts';

let engine: TestEngine;
let books: TestBooks;
let walletId: string;
let started: number;
before(async () => {
  engine = await startTestEngine();
  books = await newBooks(engine);
  started = books.table.now();
  walletId = await fundedWallet(books.table, 'ann', 1000);
  books.table.clock.now += 60_000;
  await charge(books.table, walletId, { amount: 500 });
  await setStatus(books.table, walletId, 'frozen');
  await books.follow();
});
after(async () => {
  books.close();
  await engine.stop();
});

const ann = endUser('ann');
const services = () => ({ table: books.table, entries: books.entries });
const entriesOf = (request: Request) =>
  send('list-entries', serve(listEntries, services()), { path: { walletId }, ...request });
const balanceOf = (request: Request) =>
  send('get-balance', serve(getBalance, services()), { path: { walletId }, ...request });

describe('GET /wallets/{walletId}/entries', () => {
  it("is the wallet's ledger, newest first, with a cursor", async () => {
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

  it('is nobody else’s, and takes no cursor of another list', async () => {
    assert.equal((await entriesOf({ as: endUser('bob') })).body?.['code'], 'wallet_not_found');
    assert.equal((await entriesOf({})).status, 401);
    const cursor = Buffer.from('2026-03-01').toString('base64url');
    assert.equal((await entriesOf({ as: ann, query: { cursor } })).body?.['code'], 'invalid_request');
  });
});

describe('GET /wallets/{walletId}/balance?at=', () => {
  it('is the balance at that moment', async () => {
    const at = (ms: number) => balanceOf({ as: ann, query: { at: new Date(started + ms).toISOString() } });
    assert.deepEqual((await at(59_999)).body, {
      walletId,
      currency: 'EUR',
      available: 1000,
      held: 0,
      total: 1000,
      version: 1,
      at: new Date(started + 59_999).toISOString(),
    });
    assert.equal((await at(60_000)).body?.['available'], 1500);
    assert.equal((await at(-1)).body?.['code'], 'wallet_not_found');
    assert.equal((await at(60_001)).body?.['code'], 'invalid_request');
  });

  it('is neither consistent nor for strangers', async () => {
    const at = new Date(started).toISOString();
    assert.equal((await balanceOf({ as: ann, query: { at, consistent: 'true' } })).body?.['code'], 'invalid_request');
    assert.equal((await balanceOf({ as: ann, query: { at: 'yesterday' } })).body?.['code'], 'invalid_request');
    assert.equal((await balanceOf({ as: endUser('bob'), query: { at } })).body?.['code'], 'wallet_not_found');
  });
});

describe('GET /integrity', () => {
  const ask = (request: Request) => send('integrity', serve(integrity, { table: books.entries }), request);

  it('is for operators, and says before the first pass that there was none', async () => {
    assert.equal((await ask({ as: ann })).status, 403);
    assert.deepEqual((await ask({ as: operator })).body, { last: null, running: null });
  });

  it('says what the last pass has found', async () => {
    books.entries.clock.now = books.table.clock.now + 7_200_000;
    const publisher = {
      put: () => Promise.reject(new Error('nothing to publish')),
      busName: 'bus',
      now: books.entries.now,
      random: () => 0.5,
      sleep: () => Promise.resolve(),
    };
    await checkBooks({ books: { ...services(), statement: undefined }, publisher });
    const { status, body } = await ask({ as: operator });
    assert.equal(status, 200);
    const last = body?.['last'] as Record<string, unknown>;
    assert.equal(last['status'], 'sound');
    assert.equal(last['found'], 0);
    assert.deepEqual(last['counts'], { wallets: 1, transactions: 2, entries: 4, payments: 0 });
    assert.deepEqual(last['sums'], [{ currency: 'EUR', wallets: '1500', external: '-1500', transit: '0', sum: '0' }]);
  });
});
