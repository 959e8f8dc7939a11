/** GET /transactions, on the real engine: by reference, by owner, and the open work of the whole service. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { capture } from '../../lambdas/api/capture.ts';
import { findTransactions } from '../../lambdas/api/find-transactions.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { openStandingOrder } from '../../lambdas/api/standing-orders.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import type { OpenStatus, PendingWithdrawal } from '../../lambdas/domain/transaction.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShardOf, reviewShard, waitingShard } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { listOpen } from '../../lambdas/store/open-work.ts';
import { epoch, measure } from '../engine.ts';
import { useEngine, useTable } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { CallerContext } from '../request.ts';
import { charge, newKey, timeOf, transfer, withdraw } from './commands.ts';
import { plant } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const table = useTable(engine);
const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 });
const handler = serve(findTransactions, { table, limits });
const support: CallerContext = { ...operator, scopes: 'support' };

/** Returns the ids of all pages. */
async function find(as: CallerContext, query: Readonly<Record<string, string>>): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ;) {
    const answer = await send('find-transactions', handler, { as, query: { ...query, ...(cursor && { cursor }) } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const page = answer.body as { items: { transactionId: string }[]; nextCursor?: string };
    ids.push(...page.items.map(({ transactionId }) => transactionId));
    if (page.nextCursor === undefined) return ids;
    cursor = page.nextCursor;
  }
}

async function codeOf(as: CallerContext, query: Readonly<Record<string, string>>) {
  const { status, body } = await send('find-transactions', handler, { as, query });
  return `${status} ${String(body?.['code'])}`;
}

const invoice = { externalReference: 'invoice-1' };
let ann: { first: string; second: string };
let bob: string;
/** Ids, in the order in which they were made. */
let made: { charge: string; transfer: string; between: string; ofBob: string; plain: string };
beforeAll(async () => {
  ann = { first: await fundedWallet(table, 'ann', 1_000), second: await openWallet(table, 'ann') };
  bob = await fundedWallet(table, 'bob', 1_000);
  const step = async (command: () => Promise<{ transaction: { transactionId: string } }>) => {
    table.clock.now += 1_000;
    return (await command()).transaction.transactionId;
  };
  made = {
    charge: await step(() => charge(table, ann.first, { amount: 5, ...invoice })),
    transfer: await step(() => transfer(table, ann.first, bob, { owner: 'ann', amount: 1, ...invoice })),
    between: await step(() => transfer(table, ann.first, ann.second, { owner: 'ann', amount: 2 })),
    ofBob: await step(() => transfer(table, bob, ann.first, { owner: 'bob', amount: 3, ...invoice })),
    plain: await step(() => withdraw(table, ann.first, { owner: 'ann', amount: 4 })),
  };
});

describe('an operator finds', () => {
  it('all transactions with a reference, the newest first, on pages of any length', async () => {
    const all = [made.ofBob, made.transfer, made.charge];
    for (const limit of ['1', '2', '20']) assert.deepEqual(await find(support, { ...invoice, limit }), all);
    assert.deepEqual(await find(support, { ...invoice, type: 'charge' }), [made.charge]);
    assert.deepEqual(await find(support, { ...invoice, status: 'pending' }), []);
    assert.deepEqual(await find(support, { ...invoice, ownerId: 'bob', limit: '1' }), [made.ofBob, made.transfer]);
    assert.deepEqual(await find(support, { externalReference: 'invoice' }), []);
  });

  it('a transaction by its reference with one query and one read', async () => {
    const query = { ...invoice, limit: '1' };
    const { calls } = await measure(table, () => send('find-transactions', handler, { as: support, query }));
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['Query', 'BatchGetItem'],
    );
  });

  it('those of a stretch of time', async () => {
    const at = (seconds: number) => new Date(epoch + seconds * 1_000).toISOString();
    assert.deepEqual(await find(support, { ...invoice, from: at(2) }), [made.ofBob, made.transfer]);
    assert.deepEqual(await find(support, { ...invoice, to: at(2), limit: '1' }), [made.charge]);
    assert.deepEqual(await find(support, { ...invoice, from: at(3), to: at(2) }), []);
  });

  it('all transactions of an owner, each once, also those between its wallets', async () => {
    for (const limit of ['1', '3', '20']) {
      const found = await find(support, { ownerId: 'ann', limit });
      assert.deepEqual(found.slice(0, 5), [made.plain, made.ofBob, made.between, made.transfer, made.charge]);
      assert.equal(found.length, 6);
    }
    assert.deepEqual(await find(support, { ownerId: 'ann', status: 'pending' }), [made.plain]);
    assert.deepEqual(await find(support, { ownerId: 'nobody' }), []);
  });

  it('nothing without a filter that an index serves, and learns what to add', async () => {
    for (const query of [{}, { type: 'charge' }, { status: 'completed' }, { from: timeOf(table, 0) }]) {
      assert.equal(await codeOf(support, query as Record<string, string>), '422 query_too_broad');
    }
    assert.equal(await codeOf(support, { status: 'review', cursor: 'bm9uZQ' }), '400 invalid_request');
  });

  it('no list of an owner of more than 20 wallets', async () => {
    for (let n = 0; n < 21; n++) await openWallet(table, 'many');
    assert.equal(await codeOf(support, { ownerId: 'many' }), '422 query_too_broad');
  });

  it('no standing order, which may have a reference too', async () => {
    const order = serve(openStandingOrder, { table, limits });
    const body = {
      ...{ amount: 1, toWalletId: bob, every: 'week', count: 2, externalReference: 'rent' },
      firstAt: timeOf(table, 7_200_000),
    };
    const opened = { as: endUser('ann'), path: { walletId: ann.first }, key: newKey(), body };
    assert.equal((await send('open-standing-order', order, opened)).status, 201);
    assert.deepEqual(await find(support, { externalReference: 'rent' }), []);
  });
});

describe('an owner finds', () => {
  it('what its own view shows with the reference, and nothing of others', async () => {
    assert.deepEqual(await find(endUser('ann'), invoice), [made.transfer, made.charge]);
    assert.deepEqual(await find(endUser('bob'), invoice), [made.ofBob]);
    assert.deepEqual(await find(endUser('eve'), invoice), []);
    assert.equal(await codeOf(endUser('eve'), { ...invoice, ownerId: 'ann' }), '403 forbidden');
  });

  it('no sign of a reference of another, not even a cursor', async () => {
    for (const as of ['eve', 'bob']) {
      const query = { ...invoice, type: 'charge', limit: '1' };
      const { body } = await send('find-transactions', handler, { as: endUser(as), query });
      assert.deepEqual(body, { items: [] }, as);
    }
  });

  it('a capture by the reference of its receiver, who gave it', async () => {
    const hold = serve(openHold, { table, limits });
    const body = { amount: 9, toWalletId: bob, expiresAt: timeOf(table, 3_600_000) };
    const opened = await send('open-hold', hold, {
      ...{ as: endUser('ann'), path: { walletId: ann.first }, key: newKey(), body },
    });
    const path = { transactionId: String(opened.body?.['transactionId']) };
    const captured = await send('capture', serve(capture, { table, limits }), {
      ...{ as: endUser('bob'), path, key: newKey(), body: { externalReference: 'sale-9' } },
    });
    const query = { externalReference: 'sale-9' };
    assert.deepEqual(await find(endUser('bob'), query), [captured.body?.['transactionId']]);
    assert.deepEqual(await find(endUser('ann'), query), []);
    assert.deepEqual(await find(support, query), [captured.body?.['transactionId']]);
  });

  it('all its own without a filter, as in the histories of its wallets', async () => {
    // A charge, both transfers, and the capture.
    assert.equal((await find(endUser('bob'), {})).length, 4);
    const { body } = await send('find-transactions', handler, { as: endUser('bob'), query: { type: 'transfer' } });
    const [ofBob, ofAnn] = (body as { items: Record<string, unknown>[] }).items;
    assert.deepEqual([ofBob?.['externalReference'], ofAnn?.['externalReference']], ['invoice-1', undefined]);
  });
});

describe('the open work of the whole service', () => {
  /** Withdrawals that are due in the same few milliseconds, as those of a batch are: ties in each partition. */
  let open: { transactionId: string; dueAt: string; status: OpenStatus }[];
  const jam = useTable(engine);
  beforeAll(async () => {
    const { transaction } = await withdraw(jam, await fundedWallet(jam, 'zoe', 10), { owner: 'zoe', amount: 1 });
    const copies = Array.from({ length: 240 }, (_, n) => {
      const transactionId = transactionIdOf('copy', String(n));
      const status = (['pending', 'executing', 'review', 'pending'] as const)[n % 4]!;
      const dueAt = new Date(epoch + (n % 3)).toISOString();
      const isWaiting = n % 40 === 1;
      const shard = isWaiting ? waitingShard : dueShardOf('withdrawal', transactionId);
      const copy = { ...(transaction as PendingWithdrawal), transactionId, status, dueAt };
      const dueShard = status === 'review' ? reviewShard : shard;
      return { ...copy, ...transactionKey(transactionId), historyKey: historyKeyOf(copy), dueShard };
    });
    await plant(jam, ...copies);
    open = [...copies, { ...(transaction as PendingWithdrawal) }];
  });

  it('is listed whole, each once, the latest due first, on pages of any length', async () => {
    const status = fc.constantFrom('pending' as const, 'executing' as const, 'review' as const);
    await fc.assert(
      fc.asyncProperty(status, fc.integer({ min: 15, max: 100 }), async (status, limit) => {
        const expected = open.filter((one) => one.status === status);
        const found: { transactionId: string; dueAt?: string }[] = [];
        for (let after: Parameters<typeof listOpen>[1]['after']; ;) {
          const page = await listOpen(jam, { status, limit, after });
          assert.ok(page.items.length <= limit);
          found.push(...(page.items as typeof found));
          if (page.next === undefined) break;
          after = page.next;
        }
        assert.deepEqual(new Set(found.map((one) => one.transactionId)).size, found.length, 'each once');
        assert.equal(found.length, expected.length);
        const times = found.map(({ dueAt = '' }) => dueAt);
        assert.deepEqual(times, times.toSorted().reverse());
      }),
      { numRuns: 6 },
    );
  });

  it('is narrowed by type and time', async () => {
    const query = { status: 'pending', limit: 100 } as const;
    assert.deepEqual((await listOpen(jam, { ...query, type: 'transfer' })).items, []);
    assert.deepEqual((await listOpen(jam, { ...query, type: 'charge' })).items, []);
    assert.deepEqual((await listOpen(jam, { status: 'review', limit: 100, from: timeOf(jam, 1_000) })).items, []);
  });

  it('in review takes one query', async () => {
    const { calls } = await measure(jam, () => listOpen(jam, { status: 'review', limit: 20 }));
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['Query'],
    );
  });
});
