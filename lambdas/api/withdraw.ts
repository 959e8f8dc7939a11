import * as z from 'zod';
import type { WithdrawalMessage } from '../contract.ts';
import { withdrawal } from '../domain/transaction.ts';
import { dynamodbClient, sqsClient } from '../runtime/clients.ts';
import { positiveInteger, readEnvironment } from '../runtime/environment.ts';
import { command, committed, rateLimitOf, serve } from '../runtime/http.ts';
import type { LimitedServices } from '../runtime/http.ts';
import { openQueue } from '../runtime/queue.ts';
import type { Queue } from '../runtime/queue.ts';
import { annotations, currencyOf, fields, requireCurrency } from '../runtime/request.ts';
import { describe, logger } from '../runtime/telemetry.ts';
import { transactionView } from '../runtime/views.ts';
import { openTable } from '../store/table.ts';
import { acceptWithdrawal } from '../store/transactions.ts';

const body = z.strictObject({
  amount: fields.amount,
  currency: fields.currency.optional(),
  destination: z.strictObject({
    account: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 -]{2,63}$/, 'must be 3 to 64 letters, digits, spaces or hyphens'),
    name: fields.text(128).optional(),
  }),
  ...annotations,
});

export interface WithdrawServices extends LimitedServices {
  readonly queue: Queue<WithdrawalMessage>;
}

/** `POST /wallets/{walletId}/withdraw`: holds the money, answers at once, and leaves the bank to the worker. */
export const withdraw = command<typeof body, WithdrawServices>({
  name: 'withdraw',
  scope: 'write',
  body,
  async handle({ caller, path, body, operation, transactionId }, services) {
    const walletId = path['walletId'] ?? '';
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    const { transaction, replayed } = await acceptWithdrawal(
      services.table,
      withdrawal({ ...body, ...caller, transactionId, walletId, currency, at: operation.at }),
      operation.fingerprint,
      rateLimitOf(caller, 'withdraw', services),
    );
    if (transaction.status === 'pending') {
      try {
        await services.queue.send({ transactionId });
      } catch (error) {
        // The withdrawal is accepted: it is due in the table, which is where work is found whose message was lost.
        logger.error('withdrawal not enqueued', { error: describe(error) });
      }
    }
    return committed(202, transactionView(transaction), replayed);
  },
});

const env = readEnvironment('withdraw');
export const handler = serve(withdraw, {
  table: openTable(dynamodbClient(), env.TABLE_NAME),
  queue: openQueue(sqsClient(), env.WITHDRAWAL_QUEUE_URL),
  perHour: positiveInteger('WITHDRAWALS_PER_HOUR', env.WITHDRAWALS_PER_HOUR),
});
