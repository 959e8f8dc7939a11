import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { feeApprovalRefusal } from '../domain/approval.ts';
import { WalletError } from '../domain/errors.ts';
import { charge as newCharge } from '../domain/charge.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { dryRunAnswer, priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { askIfNeeded, readFourEyes } from '../http/four-eyes.ts';
import type { FourEyesServices } from '../http/four-eyes.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { RouteServices } from '../http/http.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import { currencyOf, requireCurrency } from '../http/request.ts';
import { transactionView } from '../views/transaction-view.ts';
import { openTable } from '../store/table.ts';
import { commitCharge } from '../store/charges.ts';

const body = z
  .strictObject({
    amount: fields.amount,
    currency: z.optional(fields.currency),
    dryRun: fields.dryRun,
    uniqueReference,
    ...annotations,
  })
  .check(withReference);

/**
 * `POST /wallets/{walletId}/charge`: books money from outside into a wallet, at once. A large charge may need the
 * approval of a second operator. The wallet gets the amount less the fee, where there is one. With `dryRun` the answer
 * is the fee, and no money moves. Only callers that may read the wallet learn what its limits leave, as that shows its
 * balance.
 */
export const charge = command<typeof body, RouteServices & FeeServices & FourEyesServices>({
  name: 'charge',
  body,
  async handle(call, services) {
    const { caller, path, body: given, operation, transactionId } = call;
    const walletId = path['walletId'] ?? '';
    const currency = currencyOf(walletId);
    requireCurrency(given.currency, currency);
    const money = { amount: given.amount, currency };
    const priced = priceOf(services, caller, 'charge', money);
    const { at, fingerprint, approval } = operation;
    const fee = priced.price.fee > 0 ? priced.price.fee : undefined;
    const facts = { command: 'charge', walletIds: [walletId], ...money, fee } as const;
    const refused = priced.refusal ?? feeApprovalRefusal(approval?.asked, fee);
    const { answer, refusal } = await askIfNeeded(services, call, { facts, refusal: refused });
    if (answer !== undefined) return answer;
    const booking = { ...given, ...caller, transactionId, walletId, currency, fee, at, approvedBy: approval?.by };
    const committing = commitCharge(services.table, newCharge(booking), fingerprint, refusal, approval?.items);
    const { transaction, replayed } = await committing.catch((error: unknown) => {
      throw caller.readsAll ? error : withoutLimit(error);
    });
    return committed(201, transactionView(transaction, 'operator'), replayed);
  },
  dryRun({ caller, path, body: given }, services) {
    const currency = currencyOf(path['walletId'] ?? '');
    requireCurrency(given.currency, currency);
    return dryRunAnswer(priceOf(services, caller, 'charge', { amount: given.amount, currency }));
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
    fees: readFees(environment.FEES),
    fourEyes: readFourEyes(environment.FOUR_EYES),
  });
