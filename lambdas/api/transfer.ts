import * as z from 'zod';
import { WalletError } from '../domain/errors.ts';
import { transfer as newTransfer } from '../domain/transaction.ts';
import { dynamodbClient } from '../runtime/clients.ts';
import { positiveInteger, readEnvironment } from '../runtime/environment.ts';
import { command, committed, rateLimitOf, serve } from '../runtime/http.ts';
import type { LimitedServices } from '../runtime/http.ts';
import { annotations, currencyOf, fields, requireCurrency } from '../runtime/request.ts';
import { transactionView } from '../runtime/views.ts';
import { openTable } from '../store/table.ts';
import { commitTransfer } from '../store/transactions.ts';

const body = z.strictObject({
  amount: fields.amount,
  toWalletId: fields.walletId,
  currency: fields.currency.optional(),
  ...annotations,
});

/** `POST /wallets/{walletId}/transfer`: money from the caller's wallet to any other, booked at once. */
export const transfer = command<typeof body, LimitedServices>({
  name: 'transfer',
  scope: 'write',
  body,
  async handle({ caller, path, body, operation, transactionId }, services) {
    const walletId = path['walletId'] ?? '';
    const { toWalletId } = body;
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    if (toWalletId === walletId) throw new WalletError('same_wallet');
    requireCurrency(currencyOf(toWalletId), currency);
    const { transaction, replayed } = await commitTransfer(
      services.table,
      newTransfer({ ...body, ...caller, transactionId, walletId, toWalletId, currency, at: operation.at }),
      operation.fingerprint,
      rateLimitOf(caller, 'transfer', services),
    );
    return committed(201, transactionView(transaction), replayed);
  },
});

const env = readEnvironment('transfer');
export const handler = serve(transfer, {
  table: openTable(dynamodbClient(), env.TABLE_NAME),
  perHour: positiveInteger('TRANSFERS_PER_HOUR', env.TRANSFERS_PER_HOUR),
});
