import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { charge as newCharge } from '../domain/transaction.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { command, committed, serve } from '../http/http.ts';
import type { OperatorServices } from '../http/http.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import { annotations, fields } from '../http/body-fields.ts';
import { currencyOf, requireCurrency } from '../http/request.ts';
import { transactionView } from '../views/views.ts';
import { openTable } from '../store/table.ts';
import { commitCharge } from '../store/charges.ts';

/**
 * `POST /wallets/{walletId}/charge`: money in from outside, booked at once. A caller that may not read the wallet does not
 * learn what its limits leave, as that shows its balance.
 */
export const charge = command({
  name: 'charge',
  body: z.strictObject({ amount: fields.amount, currency: z.optional(fields.currency), ...annotations }),
  async handle({ caller, path, body, operation, transactionId }, { table, operatorLimits }: OperatorServices) {
    const walletId = path['walletId'] ?? '';
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    const committing = commitCharge(
      table,
      newCharge({ ...body, ...caller, transactionId, walletId, currency, at: operation.at }),
      operation.fingerprint,
      overOperatorLimit(operatorLimits, 'charge', caller, { amount: body.amount, currency }),
    );
    const { transaction, replayed } = await committing.catch((error: unknown) => {
      throw caller.readsAll ? error : withoutLimit(error);
    });
    return committed(201, transactionView(transaction, 'operator'), replayed);
  },
});

/** Returns the refusal by a limit of the wallet without its details; any other error as it is. */
function withoutLimit(error: unknown): unknown {
  const isOfLimit = error instanceof WalletError && error.code === 'limit_exceeded';
  return isOfLimit ? new WalletError('limit_exceeded', {}, { cause: error }) : error;
}

export const open = (environment: Environment<'charge'>) =>
  serve(charge, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
  });
