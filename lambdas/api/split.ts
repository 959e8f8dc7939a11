import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import { legsRefusal, mostLegs, ownAliasRefusal, split as newSplit, splitPrice } from '../domain/split.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import type { Caller } from '../http/caller.ts';
import { readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { receiverFields, withOneReceiver, withReceiver } from '../http/receiver.ts';
import { currencyOf } from '../http/request.ts';
import { splitView } from '../views/split-view.ts';
import { receiversOf } from '../store/aliases.ts';
import { commitSplit } from '../store/splits.ts';
import { openTable } from '../store/table.ts';

const leg = z
  .strictObject({
    fromWalletId: fields.walletId,
    ...receiverFields,
    amount: fields.amount,
    uniqueReference,
    ...annotations,
  })
  .check(withReference, withReceiver, withOneReceiver);

const body = z.strictObject({
  legs: z.array(leg).check(z.minLength(1), z.maxLength(mostLegs)),
  currency: z.optional(fields.currency),
  dryRun: fields.dryRun,
});

/** The services of the route. */
export type SplitServices = PaymentServices & FeeServices;

/**
 * `POST /transfers`: transfers that are booked together, all or none, in one write. An owner pays from its own wallets
 * only. Each leg is a transfer of its own: with a receipt, an event, refunds, and the fee of a transfer. With `dryRun`
 * the answer is the fees, and no money moves.
 */
export const split = command<typeof body, SplitServices>({
  name: 'split',
  body,
  async handle({ caller, body, operation, transactionId, rate }, services) {
    const { legs: named, currency, refusal: ofPrice } = priceOf(services, caller, body);
    const receiverOf = await receiversOf(services.table, named);
    const legs = named.map((leg) => ({ ...leg, ...receiverOf(leg, currency) }));
    const refusal = ofPrice ?? ownAliasRefusal(legs);
    const { principal, issuer, at, fingerprint } = operation;
    const { ownerId } = caller;
    const made = newSplit({ splitId: transactionId, principal, issuer, ownerId, currency, at, legs });
    // Each leg counts as a transfer.
    const counted = rate && { ...rate, count: legs.length };
    const { split, replayed } = await commitSplit(services.table, made, fingerprint, counted, refusal);
    return committed(201, splitView(split, caller.kind), replayed);
  },
  dryRun({ caller, body }, services) {
    const { refusal, legs, ...sums } = priceOf(services, caller, body);
    if (refusal !== undefined) throw refusal;
    // An alias is not read: the answer would show whether it exists.
    const shown = legs.map(({ fromWalletId, toWalletId, to, amount, fee }) => ({
      ...{ fromWalletId, ...(to === undefined ? { toWalletId } : { to }) },
      ...{ amount, fee },
    }));
    return { status: 200, body: { dryRun: true, ...sums, legs: shown } };
  },
});

/**
 * Returns the price of a split, and its refusal: by its fees, or by the operator's limit of what is paid.
 *
 * @throws WalletError for legs that cannot be one split
 */
function priceOf(
  { fees, operatorLimits }: SplitServices,
  caller: Caller,
  { legs, currency: given }: z.output<typeof body>,
) {
  const invalid = legsRefusal(legs, given);
  if (invalid !== undefined) throw invalid;
  const currency = currencyOf(legs[0]?.fromWalletId ?? '');
  const { price, refusal } = splitPrice(fees, legs, currency);
  const overLimit = overOperatorLimit(operatorLimits, 'transfer', caller, { amount: price.paid, currency });
  return { ...price, currency, refusal: refusal ?? overLimit };
}

export const open = (environment: Environment<'split'>) =>
  serve(split, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    ...openPaymentLimits(environment),
    fees: readFees(environment.FEES),
  });
