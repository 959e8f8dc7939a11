import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { readBookings } from '../../lambdas/store/books.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { useTable } from '../fixture.ts';
import { timeOf, transfer } from './commands.ts';
import { itemOf, plant } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const table = useTable();

describe('the bookings of a wallet', () => {
  it('are read page by page, each once, also where a page ends at its megabyte', async () => {
    const ann = await fundedWallet(table, 'ann', 100);
    const bob = await openWallet(table, 'bob');
    table.clock.now += 1_000;
    const { transaction } = await transfer(table, ann, bob, { owner: 'ann', amount: 1 });
    const record = await itemOf(table, transactionKey(transaction.transactionId));
    const padding = 'x'.repeat(390_000);
    const large = Array.from({ length: 4 }, (_, n) => {
      const [transactionId, createdAt] = [`tx_large${n}`, timeOf(table, 1_000 + n)];
      const historyKey = historyKeyOf({ transactionId, createdAt });
      return { ...record, ...transactionKey(transactionId), transactionId, createdAt, historyKey, padding };
    });
    await plant(table, ...large);
    const transfers = [transaction.createdAt, ...large.map(({ createdAt }) => createdAt)];

    const timesIn = async (of: { side: 'sender' | 'receiver'; walletId: string; isCrowded?: boolean }) => {
      const times: string[] = [];
      let [pages, after]: [number, string | undefined] = [0, undefined];
      do {
        const page: Awaited<ReturnType<typeof readBookings>> = await readBookings(table, { ...of, after });
        times.push(...page.items.map(({ createdAt }) => createdAt));
        after = page.next;
        pages++;
      } while (after !== undefined);
      return { times, pages };
    };
    const sent = await timesIn({ side: 'sender', walletId: ann });
    // The charge of the wallet is the first.
    assert.deepEqual(sent.times.slice(1), transfers);
    assert.ok(sent.pages > 1, `${sent.pages} pages`);
    const received = await timesIn({ side: 'receiver', walletId: bob });
    assert.deepEqual(received, { times: transfers, pages: sent.pages });
    // The parts of a crowded wallet follow, each with a page.
    const crowded = await timesIn({ side: 'receiver', walletId: bob, isCrowded: true });
    assert.deepEqual(crowded, { times: transfers, pages: received.pages + 16 });
  });
});
