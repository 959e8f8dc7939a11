import * as z from 'zod';
import { WalletError } from '../domain/errors.ts';
import { dynamodbClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { query, serve } from '../runtime/http.ts';
import { transactionView } from '../runtime/views.ts';
import { getVisibleTransaction } from '../runtime/visible.ts';
import { isTransactionId } from '../store/keys.ts';
import { openTable } from '../store/table.ts';

/** `GET /transactions/{transactionId}`: one transaction, for those whose wallets it moves. */
export const getTransaction = query({
  name: 'get-transaction',
  query: z.strictObject({}),
  async handle({ caller, path }, { table }) {
    const transactionId = path['transactionId'] ?? '';
    if (!isTransactionId(transactionId)) throw new WalletError('transaction_not_found');
    return { status: 200, body: transactionView(await getVisibleTransaction(table, caller, transactionId)) };
  },
});

const env = readEnvironment('get-transaction');
export const handler = serve(getTransaction, { table: openTable(dynamodbClient(), env.TABLE_NAME) });
