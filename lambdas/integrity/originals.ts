import type { Transaction } from '../domain/transaction.ts';
import { readBookItems } from '../store/books.ts';
import type { Table } from '../store/table.ts';

/** Longer than the clocks of two machines differ: a change this close to a moment may be on either side of it. */
export const clockMs = 60_000;

/** Reads transactions by their ids. Leaves out those that do not exist or cannot be read. */
export async function readTransactions(
  table: Table,
  ids: Iterable<string>,
  consistent: boolean,
): Promise<{ transactions: Map<string, Transaction>; readUnits: number }> {
  const { items, readUnits } = await readBookItems(table, { walletIds: [], transactionIds: new Set(ids) }, consistent);
  const found = items.flatMap((item) => (item.kind === 'transaction' ? [item.transaction] : []));
  return { transactions: new Map(found.map((one) => [one.transactionId, one])), readUnits };
}
