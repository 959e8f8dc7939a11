/** What a recovery makes of its sources: the tables, the archive of events and the bank's statement. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { loadBooks } from '../../bin/recover/load.ts';
import { loadPayments, namePaidTwice } from '../../bin/recover/payments.ts';
import { putBackTransactions } from '../../bin/recover/put-back.ts';
import { Recovery } from '../../bin/recover/recovery.ts';
import type { StatementItem } from '../../lambdas/bank/client.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { withdraw } from './commands.ts';
import { itemOf, plant } from './inspect.ts';
import { bankId } from './visits.ts';
import { fundedWallet } from './wallets.ts';

const engine = useEngine();
const hourMs = 3_600_000;

async function openBooks(): Promise<TestBooks> {
  const books = await newBooks(engine);
  afterTest(books.close);
  return books;
}

/** Returns a recovery with its copy of the tables, and the lines of its report. */
async function begin({ table, entries }: TestBooks, payments: readonly StatementItem[] = []) {
  const lines: string[] = [];
  const recovery = new Recovery(
    {
      ...{ table, entries, since: epoch - hourMs, dryRun: false, restartsChecks: false },
      bank: {
        bankId,
        statement: () => Promise.resolve({ outcome: 'page', items: [...payments], next: undefined }),
      },
      report: {
        repairs: (what, subject, detail) => lines.push(`REPAIR ${what} ${subject}: ${detail}`),
        differs: ({ kind, subject, detail }) => lines.push(`DIFFERENCE ${kind} ${subject}: ${detail}`),
      },
    },
    true,
  );
  afterTest(() => {
    recovery.close();
  });
  await loadBooks(recovery, recovery.copy, recovery.report);
  await loadPayments(recovery);
  return { recovery, lines };
}

/** Forgets a transaction. */
async function forget(table: Table, transactionId: string): Promise<void> {
  const Key = toItem(transactionKey(transactionId));
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key }));
}

describe('a recovery', () => {
  it('books the payment that fits its hold, and names another payment of the same reference, in any order', async () => {
    for (const order of [
      ['EUR', 'USD'],
      ['USD', 'EUR'],
    ]) {
      const books = await openBooks();
      const { table } = books;
      const ann = await fundedWallet(table, 'ann', 1_000);
      const before = await itemOf(table, walletKey(ann));
      const { transaction } = await withdraw(table, ann, { owner: 'ann', amount: 400 });
      await books.follow();
      await plant(table, before ?? {});
      await forget(table, transaction.transactionId);
      const payments = order.map((currency) => ({
        ...{ reference: transaction.transactionId, amount: 400, currency },
        paidAt: new Date(epoch).toISOString(),
      }));
      const { recovery, lines } = await begin(books, payments);
      await putBackTransactions(recovery);
      namePaidTwice(recovery);
      assert.equal(lines.length, 2, lines.join('\n'));
      assert.match(lines[0] ?? '', /^REPAIR transaction tx_\w+: put back: a review withdrawal of 400 EUR$/);
      assert.match(lines[1] ?? '', /^DIFFERENCE paid_twice tx_\w+: .*that of 400 USD at \S+ is not booked$/);
    }
  });
});
