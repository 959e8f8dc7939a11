import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { scheduledWithdrawal } from '../domain/schedule.ts';
import { withdrawal } from '../domain/withdrawal.ts';
import { positiveInteger } from '../aws/environment.ts';
import { dryRunAnswer, priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { command, serve } from '../http/http.ts';
import { refuseIfOverloaded } from '../http/overload.ts';
import { preferencesOf } from '../http/prefer.ts';
import { enqueue, openQueuedServices } from '../http/queued-command.ts';
import type { QueuedServices } from '../http/queued-command.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import { destination } from '../http/destination.ts';
import { executeAt, refusalOfTime } from '../http/schedule-field.ts';
import { currencyOf, requireCurrency } from '../http/request.ts';
import { warmUp } from '../store/warm-up.ts';
import { transactionKey } from '../store/keys.ts';
import { schedulePayment } from '../store/schedules.ts';
import { acceptWithdrawal } from '../store/withdrawals.ts';

const body = z
  .strictObject({
    amount: fields.amount,
    currency: z.optional(fields.currency),
    destination,
    executeAt: z.optional(executeAt),
    dryRun: fields.dryRun,
    uniqueReference,
    ...annotations,
  })
  .check(withReference);

/**
 * `POST /wallets/{walletId}/withdraw`: pays money out through the bank. The money is held, and the answer comes before
 * the payment: a worker calls the bank. The fee, where there is one, is held too. With `dryRun` the answer is the fee,
 * and no money moves. With `executeAt` no money is held before that time.
 */
export const withdraw = command<typeof body, QueuedServices & FeeServices>({
  name: 'withdraw',
  body,
  async handle({ caller, path, body, operation, transactionId, rate, event }, services) {
    const walletId = path['walletId'] ?? '';
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    const { table } = services;
    const { price, refusal } = priceOf(services, caller, 'withdrawal', { amount: body.amount, currency });
    const { fee } = price;
    const facts = { ...body, ...caller, transactionId, walletId, currency, fee, at: operation.at };
    const { requestId } = event.requestContext;
    const [preferences, requested] = [preferencesOf(event, operation.at), { audience: caller.kind, requestId }];
    if (body.executeAt !== undefined) {
      const scheduled = scheduledWithdrawal({ ...facts, executeAt: body.executeAt });
      const untimely = refusalOfTime(scheduled, services) ?? refusal;
      const result = await schedulePayment(table, scheduled, operation.fingerprint, rate, untimely);
      return enqueue(result, services, preferences, requested);
    }
    await refuseIfOverloaded(services.isOverloaded, table, transactionId);
    const accepted = await acceptWithdrawal(table, withdrawal(facts), operation.fingerprint, rate, refusal);
    return enqueue(accepted, services, preferences, requested);
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
