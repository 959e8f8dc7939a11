import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { legsRefusal, mostLegs, split as newSplit } from '../domain/split.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields } from '../http/body-fields.ts';
import { command, committed, serve } from '../http/http.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { currencyOf } from '../http/request.ts';
import { splitView } from '../views/split-view.ts';
import { commitSplit } from '../store/splits.ts';
import { openTable } from '../store/table.ts';

const leg = z.strictObject({
  fromWalletId: fields.walletId,
  toWalletId: fields.walletId,
  amount: fields.amount,
  ...annotations,
});

const body = z.strictObject({
  legs: z.array(leg).check(z.minLength(1), z.maxLength(mostLegs)),
  currency: z.optional(fields.currency),
});

/**
 * `POST /transfers`: transfers that are booked together, all or none, in one write. An owner pays from its own wallets
 * only. Each leg is a transfer of its own: with a receipt, an event, and refunds.
 */
export const split = command<typeof body, PaymentServices>({
  name: 'split',
  body,
  async handle({ caller, body, operation, transactionId, rate }, { table, operatorLimits }) {
    const { legs } = body;
    const refusal = legsRefusal(legs, body.currency);
    if (refusal !== undefined) throw refusal;
    const { principal, issuer, at, fingerprint } = operation;
    const currency = currencyOf(legs[0]?.fromWalletId ?? '');
    const { ownerId } = caller;
    const made = newSplit({ splitId: transactionId, principal, issuer, ownerId, currency, at, legs });
    // Each leg counts as a transfer.
    const counted = rate && { ...rate, count: legs.length };
    const overLimit = overOperatorLimit(operatorLimits, 'transfer', caller, made);
    const { split, replayed } = await commitSplit(table, made, fingerprint, counted, overLimit);
    return committed(201, splitView(split, caller.kind), replayed);
  },
});

export const open = (environment: Environment<'split'>) =>
  serve(split, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    ...openPaymentLimits(environment),
  });
