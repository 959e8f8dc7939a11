import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import type { WalletError } from '../domain/errors.ts';
import { commandLike, longestHoldMs, openHold as newHold, shortestHoldMs } from '../domain/hold.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { receiverFields, receiverOf, withOneReceiver } from '../http/receiver.ts';
import { currencyOf, invalid, requireCurrency } from '../http/request.ts';
import { timeField } from '../http/time-field.ts';
import { transactionView } from '../views/transaction-view.ts';
import { commitHold } from '../store/holds.ts';
import { openTable } from '../store/table.ts';

const body = z
  .strictObject({
    amount: fields.amount,
    expiresAt: timeField('down'),
    ...receiverFields,
    currency: z.optional(fields.currency),
    uniqueReference,
    ...annotations,
  })
  .check(withReference, withOneReceiver);

/**
 * `POST /wallets/{walletId}/holds`: promises money to another wallet until `expiresAt`, a minute to 31 days ahead. The
 * money is held. The receiver captures it or releases it. What is left comes back when the hold expires. Without
 * a receiver only operators can capture it, to the world outside.
 */
export const openHold = command<typeof body, PaymentServices>({
  name: 'open-hold',
  body,
  async handle({ caller, path, body, operation, transactionId, rate }, { table, operatorLimits }) {
    const walletId = path['walletId'] ?? '';
    const { toWalletId, to, ...given } = body;
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    const receiver = await receiverOf(table, { toWalletId, to }, { walletId, currency });
    const { at } = operation;
    const hold = newHold({
      ...given,
      ...caller,
      ...{ transactionId, walletId, currency, at },
      ...{ counterpartyWalletId: receiver?.toWalletId, to: receiver?.to },
    });
    const overLimit = overOperatorLimit(operatorLimits, 'open-hold', caller, hold, commandLike(hold));
    const refusal = refusalOfTime(hold, at) ?? overLimit ?? receiver?.refusal;
    const { transaction, replayed } = await commitHold(table, hold, operation.fingerprint, rate, refusal);
    return committed(201, transactionView(transaction, caller.kind), replayed);
  },
});

/**
 * Returns the refusal of a hold that would last too short or too long. It is no reason to refuse a repetition, which may
 * come when the hold has nearly expired.
 */
function refusalOfTime({ expiresAt }: { readonly expiresAt: string }, at: string): WalletError | undefined {
  const lastsMs = Date.parse(expiresAt) - Date.parse(at);
  if (lastsMs >= shortestHoldMs && lastsMs <= longestHoldMs) return undefined;
  return invalid([{ path: 'expiresAt', message: 'must be a minute to 31 days ahead' }]);
}

export const open = (environment: Environment<'open-hold'>) =>
  serve(openHold, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    ...openPaymentLimits(environment),
  });
