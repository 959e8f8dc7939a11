import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { intervals, longestLeadMs, mostPayments, newOrder, shortestLeadMs } from '../domain/standing-order.ts';
import type { ActiveOrder, Receiver, StandingOrder } from '../domain/standing-order.ts';
import { reaches } from '../domain/wallet.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { annotations, destination, fields } from '../http/body-fields.ts';
import { byRoute } from '../http/by-route.ts';
import { reachable } from '../http/caller.ts';
import type { Caller } from '../http/caller.ts';
import { conditional } from '../http/conditional.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { command, query, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { openLimits, openReadLimits } from '../http/limits.ts';
import { openPaymentLimits } from '../http/payment-limits.ts';
import type { PaymentServices } from '../http/payment-limits.ts';
import { queryFields } from '../http/query-fields.ts';
import { receiverFields, receiverOf, withOneReceiver } from '../http/receiver.ts';
import { currencyOf, invalid, requireCurrency } from '../http/request.ts';
import { timeField } from '../http/time-field.ts';
import { isOrderHistoryKey } from '../store/history-keys.ts';
import { cancelOrder, getOrder, listOrders, openOrder } from '../store/standing-orders.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';
import { orderView } from '../views/standing-order-view.ts';

const badCount = `must be a whole number from 1 to ${mostPayments}`;

const body = z
  .strictObject({
    amount: fields.amount,
    ...receiverFields,
    destination: z.optional(destination),
    every: z.enum(intervals),
    // A payment is never made earlier, so a finer time is rounded up.
    firstAt: timeField('up'),
    until: z.optional(timeField('down')),
    count: z.optional(z.int(badCount).check(z.minimum(1, badCount), z.maximum(mostPayments, badCount))),
    currency: z.optional(fields.currency),
    ...annotations,
  })
  .check(withOneReceiver);

/**
 * `POST /wallets/{walletId}/standing-orders`: opens a standing order: a payment that repeats every week or month. It
 * pays another wallet (`toWalletId`, or `to`, its alias), or an account through the bank (`destination`). Each payment is scheduled a week
 * before its time, and executed as any scheduled payment.
 */
export const openStandingOrder = command<typeof body, PaymentServices & FeeServices>({
  name: 'open-standing-order',
  body,
  async handle({ caller, path, body, operation, transactionId, rate }, services) {
    const { table } = services;
    const walletId = path['walletId'] ?? '';
    const currency = currencyOf(walletId);
    requireCurrency(body.currency, currency);
    const { until, count } = body;
    if (until !== undefined && count !== undefined) throw invalidField('count', 'must not be given with until');
    if (until !== undefined && until < body.firstAt) throw invalidField('until', 'must not be before firstAt');
    const { refusal: ofReceiver, ...receiver } = await payeeIn(table, body, { walletId, currency });
    const { at } = operation;
    const type = receiver.toWalletId === undefined ? 'withdrawal' : 'transfer';
    const { price, refusal: tooDear } = priceOf(services, caller, type, { amount: body.amount, currency });
    const { fee } = price;
    const order = newOrder({ ...body, ...caller, receiver, transactionId, walletId, currency, fee, at });
    // The wallet may change its status later: its payments then fail, and a closed wallet's order ends.
    const opened = await openOrder(table, operation, order, rate, refusalOfTime(order) ?? tooDear ?? ofReceiver);
    return committed(201, orderView(opened.order, caller.kind), opened.replayed);
  },
});

function invalidField(path: string, message: string): WalletError {
  return invalid([{ path, message }]);
}

/** Returns the receiver that a request names: a wallet or an account, and not both. */
async function payeeIn(
  table: Table,
  { destination, ...named }: Pick<z.output<typeof body>, 'toWalletId' | 'to' | 'destination'>,
  from: { readonly walletId: string; readonly currency: string },
): Promise<Receiver & { readonly refusal?: WalletError | undefined }> {
  const isWallet = named.toWalletId !== undefined || named.to !== undefined;
  if (isWallet && destination !== undefined) {
    throw invalidField('destination', 'must not be given with another receiver');
  }
  if (destination !== undefined) return { destination };
  const receiver = await receiverOf(table, named, from);
  if (receiver === undefined) throw invalidField('toWalletId', 'must be given, or to, or destination');
  return receiver;
}

/** Returns the refusal of an order whose first payment is too near or too far. It is no reason to refuse a repetition. */
function refusalOfTime({ firstAt, createdAt }: ActiveOrder): WalletError | undefined {
  const leadMs = Date.parse(firstAt) - Date.parse(createdAt);
  if (leadMs >= shortestLeadMs && leadMs <= longestLeadMs) return undefined;
  return invalidField('firstAt', 'must be an hour to 366 days ahead');
}

/** `GET /wallets/{walletId}/standing-orders`: the standing orders of the wallet, active and ended, the newest first. */
export const listStandingOrders = query({
  name: 'list-standing-orders',
  query: z.strictObject({ limit: queryFields.limit, cursor: z.optional(z.string()) }),
  async handle({ caller, path, query: { limit, cursor } }, { table }) {
    const walletId = path['walletId'] ?? '';
    const after = readCursor(cursor, isOrderHistoryKey);
    const [wallet, page] = await Promise.all([
      getWallet(table, walletId, { consistent: true }),
      listOrders(table, { walletId, limit, after }),
    ]);
    reachable(caller, wallet);
    const items = page.items.map((order) => orderView(order, caller.kind));
    return { status: 200, body: { items, nextCursor: cursorOf(page.next) } };
  },
});

/** `GET /standing-orders/{standingOrderId}`: one standing order, for the owner of its wallet. */
export const getStandingOrder = query({
  name: 'get-standing-order',
  query: z.strictObject({}),
  async handle({ caller, path, event }, { table }) {
    const order = await getVisibleOrder(table, caller, path['standingOrderId'] ?? '');
    return conditional(event, orderView(order, caller.kind));
  },
});

const cancelBody = z.strictObject({ reason: z.optional(fields.text(256)) });

/**
 * `POST /standing-orders/{standingOrderId}/cancel`: ends a standing order, and cancels its payments that are scheduled and
 * not executed yet. For the wallet's owner and for operators.
 */
export const cancelStandingOrder = command({
  name: 'cancel-standing-order',
  body: cancelBody,
  async handle({ caller, path, body, operation }, { table }) {
    const order = await getVisibleOrder(table, caller, path['standingOrderId'] ?? '');
    const { at } = operation;
    const { replayed } = await cancelOrder(table, operation, order, { actor: actorOf(operation), at, ...body });
    const ended = await getOrder(table, order.standingOrderId);
    return committed(200, orderView(ended ?? order, caller.kind), replayed);
  },
});

/**
 * Returns a standing order that the caller may see: an operator, or the owner of its wallet.
 *
 * @throws WalletError `standing_order_not_found`, also for an order of another owner
 */
async function getVisibleOrder(table: Table, caller: Caller, standingOrderId: string): Promise<StandingOrder> {
  const order = await getOrder(table, standingOrderId);
  if (order === undefined) throw new WalletError('standing_order_not_found');
  if (caller.ownerId === undefined || caller.ownerId === order.ownerId) return order;
  const wallet = await getWallet(table, order.walletId);
  if (wallet === undefined || !reaches(caller, wallet)) throw new WalletError('standing_order_not_found');
  return order;
}

/** Opens the function of all routes of standing orders. */
export function open(environment: Environment<'standing-orders'>) {
  const table = openTable(dynamodbClient(), environment.TABLE_NAME);
  const reading = { table, limits: openReadLimits(environment) };
  const cancelling = {
    table,
    limits: openLimits({ cancellationsPerHour: positiveInteger(environment, 'CANCELLATIONS_PER_HOUR') }),
  };
  return byRoute('standing-orders', {
    'open-standing-order': serve(openStandingOrder, {
      table,
      ...openPaymentLimits(environment),
      fees: readFees(environment.FEES),
    }),
    'list-standing-orders': serve(listStandingOrders, reading),
    'get-standing-order': serve(getStandingOrder, reading),
    'cancel-standing-order': serve(cancelStandingOrder, cancelling),
  });
}
