import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { captureRefusal, commandLike, leftOf } from '../domain/hold.ts';
import type { Hold } from '../domain/transaction.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import type { Caller } from '../http/caller.ts';
import { dryRunAnswer, priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { getReceivedHold } from '../http/received-hold.ts';
import { transactionView } from '../views/transaction-view.ts';
import { captureHold } from '../store/holds.ts';
import { transactionKey } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import { warmUp } from '../store/warm-up.ts';

const body = z
  .strictObject({
    amount: z.optional(fields.amount),
    final: z.optional(z.boolean()),
    dryRun: fields.dryRun,
    uniqueReference,
    ...annotations,
  })
  .check(withReference);

type CaptureServices = PaymentServices & FeeServices;

/**
 * `POST /holds/{transactionId}/capture`: takes held money, all that is left or a part. It goes to the wallet that the
 * hold names, or to the world outside. For the owner of that wallet and for operators. With `final` the payer gets back
 * what is left then. The wallet gets the amount less the fee, where there is one. With `dryRun` the answer is the fee,
 * and no money moves.
 */
export const capture = command<typeof body, CaptureServices>({
  name: 'capture',
  body,
  async handle({ caller, path, body, operation, transactionId, rate }, services) {
    const { table } = services;
    const holdId = path['transactionId'] ?? '';
    // Read first, as only the record has the wallets and the amount. The conditions of the write decide.
    const { hold, audience } = await getReceivedHold(table, caller, operation, holdId);
    const { final: isFinal = false, ...given } = body;
    const { principal, issuer, at, fingerprint } = operation;
    const feeOf = (amount: number) => priceOfCapture(services, caller, hold, amount).price.fee;
    const facts = { ...given, isFinal, capturedBy: caller.kind, transactionId, principal, issuer, at, feeOf };
    const { transaction, replayed } = await captureHold(table, hold, facts, fingerprint, {
      rate,
      overLimitOf: (amount) => priceOfCapture(services, caller, hold, amount).refusal,
    });
    return committed(201, transactionView(transaction, audience), replayed);
  },
  async dryRun({ caller, path, body: { amount }, at }, services) {
    const { hold } = await getReceivedHold(services.table, caller, undefined, path['transactionId'] ?? '');
    const refusal = captureRefusal(hold, { amount, at });
    if (refusal !== undefined) throw refusal;
    return dryRunAnswer(priceOfCapture(services, caller, hold, amount ?? leftOf(hold)));
  },
});

/** Returns the price of a capture, and its refusal. The world outside pays no fee. */
function priceOfCapture(services: CaptureServices, caller: Caller, hold: Hold, amount: number) {
  const { currency, counterpartyWalletId } = hold;
  const { fees, ...others } = services;
  const paying = counterpartyWalletId === undefined ? others : services;
  return priceOf(paying, caller, 'capture', { amount, currency }, commandLike(hold));
}

export async function open(environment: Environment<'capture'>) {
  const table = openTable(dynamodbClient(), environment.TABLE_NAME);
  const handler = serve(capture, { table, ...openPaymentLimits(environment), fees: readFees(environment.FEES) });
  await warmUp(table, transactionKey('none'));
  return handler;
}
