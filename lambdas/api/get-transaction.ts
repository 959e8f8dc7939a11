import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { receiptCodeOf, transactionIdOfReceipt } from '../domain/ids.ts';
import { byRoute } from '../http/by-route.ts';
import { conditional } from '../http/conditional.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { transactionView } from '../views/transaction-view.ts';
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

/** `GET /receipts/{receiptCode}`: the transaction that a receipt names. */
export const getReceipt = query({
  name: 'get-receipt',
  query: z.strictObject({}),
  async handle({ caller, path, event }, { table }) {
    const receiptCode = path['receiptCode'] ?? '';
    const transactionId = transactionIdOfReceipt(receiptCode);
    if (transactionId === undefined) throw new WalletError('transaction_not_found');
    const { transaction, audience } = await getVisibleTransaction(table, caller, transactionId);
    // The day is part of the code. A code with another day was never issued.
    if (receiptCodeOf(transaction) !== receiptCode) throw new WalletError('transaction_not_found');
    return conditional(event, transactionView(transaction, audience));
  },
});

/** Opens the function of both routes that read one transaction. */
export function open(environment: Environment<'get-transaction'>) {
  const services = {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  };
  return byRoute('get-transaction', {
    'get-transaction': serve(getTransaction, services),
    'get-receipt': serve(getReceipt, services),
  });
}
