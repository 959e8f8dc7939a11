import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { commandLike } from '../domain/refund.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields } from '../http/body-fields.ts';
import { command, committed, serve } from '../http/http.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { getRefundable } from '../http/refundable.ts';
import { transactionView } from '../views/views.ts';
import { transactionKey } from '../store/keys.ts';
import { refundTransaction } from '../store/refunds.ts';
import { openTable } from '../store/table.ts';
import { warmUp } from '../store/warm-up.ts';

const body = z.strictObject({
  amount: z.optional(fields.amount),
  reason: fields.text(256),
  chargeback: z.optional(z.literal(true)),
  ...annotations,
});

/**
 * `POST /transactions/{transactionId}/refund`: gives back a transfer or capture to the wallet that paid it, all that is
 * left or a part. For the owner of the wallet that received it and for operators. Operators also refund charges, to the
 * world outside. `chargeback` books that the world outside has taken the money of a charge already.
 */
export const refund = command<typeof body, PaymentServices>({
  name: 'refund',
  body,
  async handle({ caller, path, body, operation, transactionId, rate }, { table, operatorLimits }) {
    // Read first, as only the record has the wallets and the amount. The conditions of the write decide.
    const original = await getRefundable(table, caller, operation, path['transactionId'] ?? '');
    const { principal, issuer, at, fingerprint } = operation;
    const facts = { ...body, ownerId: caller.ownerId, transactionId, principal, issuer, at };
    const { currency } = original;
    const { transaction, replayed } = await refundTransaction(table, original, facts, fingerprint, {
      rate,
      overLimitOf: (amount) =>
        overOperatorLimit(operatorLimits, 'refund', caller, { amount, currency }, commandLike(original)),
    });
    return committed(201, transactionView(transaction, caller.kind), replayed);
  },
});

export async function open(environment: Environment<'refund'>) {
  const table = openTable(dynamodbClient(), environment.TABLE_NAME);
  const handler = serve(refund, { table, ...openPaymentLimits(environment) });
  await warmUp(table, transactionKey('none'));
  return handler;
}
