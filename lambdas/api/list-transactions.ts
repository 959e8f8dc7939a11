import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { transactionStatuses, transactionTypes } from '../domain/transaction.ts';
import { reachable } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { queryFields } from '../http/query-fields.ts';
import { transactionView } from '../views/views.ts';
import { isHistoryKey } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import { listTransactions as readTransactions } from '../store/transactions.ts';
import { audienceOf } from '../http/visible.ts';
import { getWallet } from '../store/wallets.ts';

/**
 * `GET /wallets/{walletId}/transactions`: the wallet's transactions as sender and receiver, newest first. A short page
 * is the last one only when it has no `nextCursor`.
 */
export const listTransactions = query({
  name: 'list-transactions',
  query: z.strictObject({
    limit: queryFields.limit,
    cursor: z.optional(z.string()),
    type: z.optional(z.enum(transactionTypes)),
    status: z.optional(z.enum(transactionStatuses)),
    from: z.optional(queryFields.bound),
    to: z.optional(queryFields.bound),
  }),
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

export const open = (environment: Environment<'list-transactions'>) =>
  serve(listTransactions, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  });
