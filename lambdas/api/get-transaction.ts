import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { conditional } from '../http/conditional.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { transactionView } from '../views/views.ts';
import { getVisibleTransaction } from '../http/visible.ts';
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

export const open = (environment: Environment<'get-transaction'>) =>
  serve(getTransaction, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  });
