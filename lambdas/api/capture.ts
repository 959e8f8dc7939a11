import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { commandLike } from '../domain/hold.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields } from '../http/body-fields.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { command, committed, serve } from '../http/http.ts';
import { getReceivedHold } from '../http/received-hold.ts';
import { transactionView } from '../views/views.ts';
import { captureHold } from '../store/holds.ts';
import { transactionKey } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import { warmUp } from '../store/warm-up.ts';

const body = z.strictObject({ amount: z.optional(fields.amount), final: z.optional(z.boolean()), ...annotations });

/**
 * `POST /holds/{transactionId}/capture`: takes held money, all that is left or a part. It goes to the wallet that the
 * hold names, or to the world outside. For the owner of that wallet and for operators. `final` gives what is left then
 * back to the payer.
 */
export const capture = command<typeof body, PaymentServices>({
  name: 'capture',
  body,
  async handle({ caller, path, body, operation, transactionId, rate }, { table, operatorLimits }) {
    const holdId = path['transactionId'] ?? '';
    // Read first, as only the record has the wallets and the amount. The conditions of the write decide.
    const { hold, audience } = await getReceivedHold(table, caller, operation, holdId);
    const { final: isFinal = false, ...given } = body;
    const { principal, issuer, at, fingerprint } = operation;
    const facts = { ...given, isFinal, capturedBy: caller.kind, transactionId, principal, issuer, at };
    const { currency } = hold;
    const { transaction, replayed } = await captureHold(table, hold, facts, fingerprint, {
      rate,
      overLimitOf: (amount) =>
        overOperatorLimit(operatorLimits, 'capture', caller, { amount, currency }, commandLike(hold)),
    });
    return committed(201, transactionView(transaction, audience), replayed);
  },
});

export async function open(environment: Environment<'capture'>) {
  const table = openTable(dynamodbClient(), environment.TABLE_NAME);
  const handler = serve(capture, { table, ...openPaymentLimits(environment) });
  await warmUp(table, transactionKey('none'));
  return handler;
}
