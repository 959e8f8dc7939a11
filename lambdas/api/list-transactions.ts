import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { positiveInteger } from '../aws/environment.ts';
import { byRoute } from '../http/by-route.ts';
import { reachable } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { historyFields } from '../http/history-fields.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { transactionView } from '../views/transaction-view.ts';
import { isHistoryKey } from '../store/history-keys.ts';
import { openTable } from '../store/table.ts';
import { listTransactions as readTransactions } from '../store/transactions.ts';
import { audienceOf } from '../http/visible.ts';
import { getWallet } from '../store/wallets.ts';
import { findTransactions } from './find-transactions.ts';

/**
 * `GET /wallets/{walletId}/transactions`: the transactions in which the wallet pays or receives, newest first. A page
 * without `nextCursor` is the last one. Any other page may be short.
 */
export const listTransactions = query({
  name: 'list-transactions',
  query: z.strictObject(historyFields),
  async handle({ caller, path, query: { cursor, ...filters } }, { table }) {
    const walletId = path['walletId'] ?? '';
    const after = readCursor(cursor, isHistoryKey);
    const read = (isCrowded: boolean) => readTransactions(table, { ...filters, walletId, isCrowded, after });
    const [found, ofOrdinary] = await Promise.all([getWallet(table, walletId, { consistent: true }), read(false)]);
    const { isCrowded = false } = reachable(caller, found);
    const page = isCrowded ? await read(true) : ofOrdinary;
    return {
      status: 200,
      body: {
        items: page.items.map((item) => transactionView(item, audienceOf(caller, item, walletId))),
        nextCursor: cursorOf(page.next),
      },
    };
  },
});

/** Opens the function of both routes that list transactions. */
export function open(environment: Environment<'list-transactions'>) {
  const table = {
    ...openTable(dynamodbClient(), environment.TABLE_NAME),
    dueShards: positiveInteger(environment, 'DUE_SHARDS'),
  };
  const services = { table, limits: openReadLimits(environment) };
  return byRoute('list-transactions', {
    'list-transactions': serve(listTransactions, services),
    'find-transactions': serve(findTransactions, services),
  });
}
