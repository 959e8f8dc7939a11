import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import type { WalletError } from '../domain/errors.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { commandLike, leftToRefund, refundedWallet, refundingWallet, refundRefusal } from '../domain/refund.ts';
import type { Refundable } from '../domain/transaction.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import { askIfNeeded, readFourEyes } from '../http/four-eyes.ts';
import type { Asked, FourEyesServices, Guarded } from '../http/four-eyes.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { CommandCall, OperatorServices } from '../http/http.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { getRefundable } from '../http/refundable.ts';
import { transactionView } from '../views/transaction-view.ts';
import { transactionKey } from '../store/keys.ts';
import { refundTransaction } from '../store/refunds.ts';
import { openTable } from '../store/table.ts';
import { warmUp } from '../store/warm-up.ts';

const body = z
  .strictObject({
    amount: z.optional(fields.amount),
    reason: fields.text(256),
    chargeback: z.optional(z.literal(true)),
    uniqueReference,
    ...annotations,
  })
  .check(withReference);

/**
 * `POST /transactions/{transactionId}/refund`: gives back a transfer or capture to the wallet that paid it, all that is
 * left or a part. For the owner of the wallet that received it and for operators. Operators also refund charges, to the
 * world outside. `chargeback` books that the world outside has already taken back the money of a charge. The refund of
 * an operator may need the approval of a second operator.
 */
export const refund = command<typeof body, OperatorServices & FourEyesServices, PaymentServices & FourEyesServices>({
  name: 'refund',
  body,
  async handle(call, services) {
    const { caller, path, body, operation, transactionId, rate } = call;
    const { table, operatorLimits } = services;
    // Read first, as only the record has the wallets and the amount. The conditions of the write decide.
    const original = await getRefundable(table, caller, operation, path['transactionId'] ?? '');
    const { currency } = original;
    const overLimitOf = (amount: number) =>
      overOperatorLimit(operatorLimits, 'refund', caller, { amount, currency }, commandLike(original));
    const guarded = guardedRefund(call, original, overLimitOf);
    const isOfOperator = caller.kind === 'operator';
    const { answer, refusal }: Asked = isOfOperator ? await askIfNeeded(services, call, guarded) : {};
    if (answer !== undefined) return answer;
    const { principal, issuer, at, fingerprint, approval } = operation;
    const facts = { ...body, ownerId: caller.ownerId, transactionId, principal, issuer, at };
    const approved = approval && { amount: guarded.facts.amount, approvedBy: approval.by };
    const { transaction, replayed } = await refundTransaction(table, original, { ...facts, ...approved }, fingerprint, {
      rate,
      overLimitOf: (amount) => refusal ?? overLimitOf(amount),
      approval: approval?.items,
    });
    return committed(201, transactionView(transaction, caller.kind), replayed);
  },
});

/**
 * Returns what decides about the approval of an operator's refund. Once asked for, a refund of all that is left is one of the
 * amount that its approval shows. Whether it needs one depends on the whole original, as its repetitions must be answered
 * alike while less is left.
 */
function guardedRefund(
  { body: { amount: given, chargeback }, operation: { approval } }: CommandCall<z.output<typeof body>>,
  original: Refundable,
  overLimitOf: (amount: number) => WalletError | undefined,
): Guarded & { readonly facts: { readonly amount: number } } {
  const amount = given ?? approval?.asked.amount ?? leftToRefund(original);
  const walletIds = [refundingWallet(original), refundedWallet(original)].filter((id) => id !== undefined);
  return {
    facts: { command: 'refund', walletIds, amount, currency: original.currency },
    most: given ?? original.amount,
    refusal: overLimitOf(amount),
    look: () => Promise.resolve({ askRefusal: refundRefusal(original, { amount, chargeback, ownerId: undefined }) }),
  };
}

export async function open(environment: Environment<'refund'>) {
  const table = openTable(dynamodbClient(), environment.TABLE_NAME);
  const fourEyes = readFourEyes(environment.FOUR_EYES);
  const handler = serve(refund, { table, fourEyes, ...openPaymentLimits(environment) });
  await warmUp(table, transactionKey('none'));
  return handler;
}
