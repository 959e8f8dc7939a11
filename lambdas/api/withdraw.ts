import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { withdrawal } from '../domain/withdrawal.ts';
import { positiveInteger } from '../aws/environment.ts';
import { dryRunAnswer, priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { command, serve } from '../http/http.ts';
import { refuseIfOverloaded } from '../http/overload.ts';
import { preferencesOf } from '../http/prefer.ts';
import { enqueue, openQueuedServices } from '../http/queued-command.ts';
import type { QueuedServices } from '../http/queued-command.ts';
import { annotations, fields } from '../http/body-fields.ts';
import { destination } from '../http/destination.ts';
import { currencyOf, requireCurrency } from '../http/request.ts';
import { warmUp } from '../store/warm-up.ts';
import { transactionKey } from '../store/keys.ts';
import { acceptWithdrawal } from '../store/withdrawals.ts';

const body = z.strictObject({
  amount: fields.amount,
  currency: z.optional(fields.currency),
  destination,
  dryRun: fields.dryRun,
  ...annotations,
});

/**
 * `POST /wallets/{walletId}/withdraw`: holds the money and answers at once. The worker calls the bank. The fee, where there
 * is one, is held with it. `dryRun` answers the fee, and moves nothing.
 */
export const withdraw = command<typeof body, QueuedServices & FeeServices>({
  name: 'withdraw',
  body,
  async handle({ caller, path, body, operation, transactionId, rate, event }, services) {
    const walletId = path['walletId'] ?? '';
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    await refuseIfOverloaded(services.isOverloaded, services.table, transactionId);
    const { price, refusal } = priceOf(services, caller, 'withdrawal', { amount: body.amount, currency });
    const { fee } = price;
    const accepted = await acceptWithdrawal(
      services.table,
      withdrawal({ ...body, ...caller, transactionId, walletId, currency, fee, at: operation.at }),
      operation.fingerprint,
      rate,
      refusal,
    );
    const { requestId } = event.requestContext;
    return enqueue(accepted, services, preferencesOf(event, operation.at), { audience: caller.kind, requestId });
  },
  dryRun({ caller, path, body }, services) {
    const currency = currencyOf(path['walletId'] ?? '');
    requireCurrency(body.currency, currency);
    return dryRunAnswer(priceOf(services, caller, 'withdrawal', { amount: body.amount, currency }));
  },
});

export async function open(environment: Environment<'withdraw'>) {
  const services = openQueuedServices(environment, {
    queueUrl: environment.WITHDRAWAL_QUEUE_URL,
    perHour: positiveInteger(environment, 'WITHDRAWALS_PER_HOUR'),
  });
  const handler = serve(withdraw, { ...services, fees: readFees(environment.FEES) });
  await warmUp(services.table, transactionKey('none'), services.isOverloaded);
  return handler;
}
