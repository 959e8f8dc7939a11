import * as z from 'zod/mini';
import { dynamodbClient } from '../runtime/clients.ts';
import { conditional } from '../runtime/conditional.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { openReadLimits } from '../runtime/limits.ts';
import { query, serve } from '../runtime/http.ts';
import { transactionView } from '../runtime/views.ts';
import { getVisibleTransaction } from '../runtime/visible.ts';
import { openTable } from '../store/table.ts';

/** `GET /transactions/{transactionId}`: one transaction, for callers whose wallets it moves. */
export const getTransaction = query({
  name: 'get-transaction',
  query: z.strictObject({}),
  async handle({ caller, path, event }, { table }) {
    const { transaction, audience } = await getVisibleTransaction(table, caller, path['transactionId'] ?? '');
    return conditional(event, transactionView(transaction, audience));
  },
});

const env = readEnvironment('get-transaction');
export const handler = serve(getTransaction, {
  table: openTable(dynamodbClient(), env.TABLE_NAME),
  limits: openReadLimits(env),
});
