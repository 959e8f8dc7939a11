import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { scheduledTransfer } from '../domain/schedule.ts';
import { queuedTransfer, transfer as newTransfer } from '../domain/transfer.ts';
import { positiveInteger } from '../aws/environment.ts';
import { dryRunAnswer, priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { openHotReceivers } from '../http/hot-receivers.ts';
import type { HotReceivers } from '../http/hot-receivers.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { refuseIfOverloaded } from '../http/overload.ts';
import { preferencesOf } from '../http/prefer.ts';
import { enqueue, openQueuedServices } from '../http/queued-command.ts';
import type { QueuedServices } from '../http/queued-command.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import { receiverFields, refuseReceiver, requiredReceiver, withOneReceiver, withReceiver } from '../http/receiver.ts';
import { executeAt, refusalOfTime } from '../http/schedule-field.ts';
import { currencyOf, requireCurrency } from '../http/request.ts';
import { transactionView } from '../views/transaction-view.ts';
import { warmUp } from '../store/warm-up.ts';
import { transactionKey } from '../store/keys.ts';
import { schedulePayment } from '../store/schedules.ts';
import { acceptTransfer, commitTransfer } from '../store/transfers.ts';
import type { Committed } from '../store/commit.ts';
import { Contended } from '../store/write.ts';

const body = z
  .strictObject({
    amount: fields.amount,
    ...receiverFields,
    currency: z.optional(fields.currency),
    dryRun: fields.dryRun,
    executeAt: z.optional(executeAt),
    uniqueReference,
    ...annotations,
  })
  .check(withReference, withReceiver, withOneReceiver);

/** The services of the route. */
export interface TransferServices extends QueuedServices, FeeServices {
  /** Absent: each transfer first tries to book at once. */
  readonly hotReceivers?: HotReceivers;
}

/**
 * `POST /wallets/{walletId}/transfer`: moves money from this wallet to another one, at once. A transfer is queued when
 * the client prefers `respond-async`, or when many pay the receiver at the same time. Then the sender is debited at
 * once, and a worker credits the receiver. The sender also pays the fee, where there is one. With `dryRun` the answer
 * is the fee, and no money moves. With `executeAt` no money moves before that time.
 */
export const transfer = command<typeof body, TransferServices>({
  name: 'transfer',
  body,
  async handle({ caller, path, body, operation, transactionId, rate, event }, services) {
    const { walletId, currency } = senderOf(path, body);
    const {
      toWalletId,
      to,
      refusal: ofReceiver,
    } = await requiredReceiver(services.table, body, { walletId, currency });
    const { price, refusal = ofReceiver } = priceOf(services, caller, 'transfer', { amount: body.amount, currency });
    const { fee } = price;
    const facts = { ...body, ...caller, transactionId, walletId, toWalletId, to, currency, fee, at: operation.at };
    const preferences = preferencesOf(event, operation.at);
    const { requestId } = event.requestContext;
    const requested = { audience: caller.kind, requestId };
    if (body.executeAt !== undefined) {
      const scheduled = scheduledTransfer({ ...facts, executeAt: body.executeAt });
      const untimely = refusalOfTime(scheduled, services) ?? refusal;
      const result = await schedulePayment(services.table, scheduled, operation.fingerprint, rate, untimely);
      return enqueue(result, services, preferences, requested);
    }
    if (preferences.respondAsync) await refuseIfOverloaded(services.isOverloaded, services.table, transactionId);
    const ways: Ways = {
      now: (giveUpMs) =>
        commitTransfer(services.table, newTransfer(facts), operation.fingerprint, rate, refusal, giveUpMs),
      later: () => acceptTransfer(services.table, queuedTransfer(facts), operation.fingerprint, rate, refusal),
    };
    const result = preferences.respondAsync ? await ways.later() : await bookOrQueue(toWalletId, ways, services);
    // A repetition is answered as the first request was, with any preference.
    const { transaction, replayed } = result;
    const isQueued = transaction.type === 'transfer' && transaction.queued;
    if (isQueued) return enqueue(result, services, preferences, requested);
    return committed(201, transactionView(transaction, caller.kind), replayed);
  },
  dryRun({ caller, path, body }, services) {
    const { walletId, currency } = senderOf(path, body);
    // An alias is not read: the answer would show whether it exists.
    if (body.toWalletId !== undefined) refuseReceiver(body.toWalletId, { walletId, currency });
    return dryRunAnswer(priceOf(services, caller, 'transfer', { amount: body.amount, currency }));
  },
});

/**
 * Returns the sender's wallet and its currency.
 *
 * @throws WalletError `wallet_not_found`, `currency_mismatch`
 */
function senderOf(path: Readonly<Record<string, string>>, { currency: given }: z.output<typeof body>) {
  const walletId = path['walletId'] ?? '';
  const currency = currencyOf(walletId);
  requireCurrency(given, currency);
  return { walletId, currency };
}

/** The two ways to book a transfer. */
interface Ways {
  /** Gives up with Contended after this time; absent: `busy` at the end of the budget. */
  readonly now: (contendedMs?: number) => Promise<Committed>;
  readonly later: () => Promise<Committed>;
}

/** Time for which a transfer is tried while others keep paying the receiver, ms. */
const contendedMs = 300;

/**
 * Books a transfer at once. If others keep paying the receiver, debits the sender and queues the credit. For 5 s this
 * container then queues later transfers to that receiver directly. If the queue is too deep, books at once instead.
 *
 * @throws WalletError as both ways
 */
async function bookOrQueue(receiver: string, ways: Ways, services: TransferServices): Promise<Committed> {
  const { hotReceivers, isOverloaded } = services;
  if (!hotReceivers?.has(receiver)) {
    try {
      return await ways.now(contendedMs);
    } catch (error) {
      if (!(error instanceof Contended)) throw error;
      hotReceivers?.add(receiver);
    }
  }
  return (await isOverloaded()) ? ways.now() : ways.later();
}

export async function open(environment: Environment<'transfer'>) {
  const services = openQueuedServices(environment, {
    queueUrl: environment.TRANSFER_QUEUE_URL,
    perHour: positiveInteger(environment, 'TRANSFERS_PER_HOUR'),
  });
  const hotReceivers = openHotReceivers(services.table.now);
  const handler = serve(transfer, { ...services, hotReceivers, fees: readFees(environment.FEES) });
  await warmUp(services.table, transactionKey('none'));
  return handler;
}
