import fc from 'fast-check';
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import type { HistoryQuery, ListedWallet } from '../../lambdas/store/transactions.ts';
import { epoch, measure } from '../engine.ts';
import { useEngine, useTable } from '../fixture.ts';
import { charge, newKey, transfer, withdraw } from './commands.ts';
import { plant } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

type Filters = Omit<HistoryQuery, 'limit' | 'after'>;

const engine = useEngine();
const table = useTable(engine);
let walletId: string;
/** The wallet's history, newest first: charges, withdrawals, and transfers both ways, some in the same millisecond. */
let history: Transaction[];

beforeAll(async () => {
  walletId = await openWallet(table, 'ann');
  const other = await fundedWallet(table, 'bob', 1_000);
  const commands = [
    () => charge(table, walletId, { amount: 100 }),
    () => transfer(table, other, walletId, { owner: 'bob', amount: 2 }),
    () => withdraw(table, walletId, { owner: 'ann', amount: 3 }),
    () => transfer(table, walletId, other, { owner: 'ann', amount: 1 }),
  ];
  const made: Transaction[] = [];
  for (let i = 0; i < 60; i++) {
    const command = commands[i < 30 ? i % 4 : [1, 1, 1, 0, 2, 3][i % 6]!]!;
    made.push((await command()).transaction);
    if (i % 3 !== 0) table.clock.now += 1_000;
  }
  history = made.sort((a, b) => (historyKeyOf(a) < historyKeyOf(b) ? 1 : -1));
  // A transaction of another owner, which the history must not show.
  await charge(table, other, { amount: 1 });
});

const idsOf = (transactions: readonly Transaction[]) => transactions.map(({ transactionId }) => transactionId);

async function everyPage(query: HistoryQuery & ListedWallet): Promise<Transaction[][]> {
  const pages: Transaction[][] = [];
  for (let after = query.after; ;) {
    const { items, next } = await listTransactions(table, { ...query, after });
    assert.ok(items.length <= query.limit);
    pages.push(items);
    if (next === undefined) return pages;
    assert.ok(after === undefined || next < after);
    after = next;
  }
}

const iso = (ms: number) => new Date(ms).toISOString();

function expected({ type, status, from, to }: Filters): Transaction[] {
  return history.filter(
    (one) =>
      (type === undefined || one.type === type) &&
      (status === undefined || one.status === status) &&
      (from === undefined || one.createdAt >= from) &&
      (to === undefined || one.createdAt < to),
  );
}

describe('the history of a wallet', () => {
  it('shows sent and received money, newest first, each once, for every length of page', async () => {
    for (const limit of [1, 2, 3, 7, 20, 59, 60, 61, 100]) {
      const pages = await everyPage({ walletId, limit });
      assert.deepEqual(idsOf(pages.flat()), idsOf(history), `pages of ${limit}`);
      // All pages are full. The last one may be empty when the one before ended exactly with the history.
      for (const page of pages.slice(0, -1)) assert.equal(page.length, limit);
    }
  });

  it('reads each page in one round of two queries at once', async () => {
    const { calls } = await measure(table, () => listTransactions(table, { walletId, limit: 20 }));
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['Query', 'Query'],
    );
  });

  it('can be filtered by type, status and time, and paged at once', async () => {
    const time = fc.option(
      fc.integer({ min: -1, max: 42 }).map((seconds) => iso(epoch + seconds * 1_000)),
      { nil: undefined },
    );
    const query = fc.record({
      limit: fc.integer({ min: 1, max: 30 }),
      type: fc.constantFrom(
        undefined,
        'charge' as const,
        'withdrawal' as const,
        'transfer' as const,
        'return' as const,
      ),
      status: fc.constantFrom(undefined, 'pending' as const, 'completed' as const, 'failed' as const),
      from: time,
      to: time,
    });
    await fc.assert(
      fc.asyncProperty(query, async ({ limit, ...filters }) => {
        const pages = await everyPage({ walletId, limit, ...filters });
        assert.deepEqual(idsOf(pages.flat()), idsOf(expected(filters)));
      }),
      { numRuns: 40 },
    );
  });

  it('begins with `from` and ends before `to`, to the millisecond', async () => {
    const { createdAt } = history[30]!;
    const from = await everyPage({ walletId, limit: 100, from: createdAt });
    assert.equal(from.flat().at(-1)?.createdAt, createdAt);
    const to = await everyPage({ walletId, limit: 100, to: createdAt });
    assert.ok(to.flat()[0]!.createdAt < createdAt);
    assert.equal(from.flat().length + to.flat().length, history.length);
    const after = await everyPage({ walletId, limit: 100, from: iso(Date.parse(createdAt) + 1) });
    assert.ok(after.flat().length < from.flat().length);
  });

  it('continues after any cursor, also of an unknown entry, or outside of the requested range', async () => {
    const cursor = fc.integer({ min: -3_000, max: 45_000 }).map((ms) => {
      return historyKeyOf({ transactionId: transactionIdOf('cursor', newKey()), createdAt: iso(epoch + ms) });
    });
    const own = fc.nat({ max: 59 }).map((index) => historyKeyOf(history[index]!));
    const range = fc.record({
      from: fc.constantFrom(undefined, iso(epoch + 10_000)),
      to: fc.constantFrom(undefined, iso(epoch + 30_000), iso(epoch + 5_000)),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(cursor, own), range, async (after, range) => {
        const pages = await everyPage({ walletId, limit: 30, after, ...range });
        const rest = expected(range).filter((transaction) => historyKeyOf(transaction) < after);
        assert.deepEqual(idsOf(pages.flat()), idsOf(rest));
      }),
      { numRuns: 40 },
    );
  });

  it('is empty for a wallet without transactions, and for an impossible range', async () => {
    assert.deepEqual(await listTransactions(table, { walletId: await openWallet(table, 'ann'), limit: 20 }), {
      items: [],
    });
    const nothing = { walletId, limit: 20, from: iso(epoch + 2_000), to: iso(epoch + 1_000) };
    assert.deepEqual(await listTransactions(table, nothing), { items: [] });
  });

  it('stops a search after a bounded number of reads, and returns a cursor to continue', async () => {
    const many = await engine.newTable();
    const { transaction } = await charge(many, await openWallet(many, 'carl'), { amount: 1 });
    const copies = Array.from({ length: 700 }, (_, i) => {
      const copy = { ...transaction, transactionId: transactionIdOf('copy', String(i)) };
      return { ...copy, ...transactionKey(copy.transactionId), historyKey: historyKeyOf(copy) };
    });
    await plant(many, ...copies);
    const search = { walletId: transaction.walletId, limit: 1, type: 'withdrawal' } as const;
    const first = await measure(many, () => listTransactions(many, search));
    assert.deepEqual(first.result.items, []);
    assert.equal(first.roundTrips, 10);
    const { next } = first.result;
    assert.ok(next);
    const second = await measure(many, () => listTransactions(many, { ...search, after: next }));
    assert.deepEqual(second.result, { items: [] });
    assert.ok(second.roundTrips <= 6);
  });
});
