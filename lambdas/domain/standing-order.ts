import { actorOf } from './actor.ts';
import type { Actor } from './actor.ts';
import { WalletError } from './errors.ts';
import { occurrenceIdOf, standingOrderIdOf } from './ids.ts';
import { scheduledTransfer, scheduledWithdrawal } from './schedule.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { ScheduledPayment } from './transaction.ts';
import type { Annotations, CommandFacts, Destination } from './transaction-record.ts';
import type { PaidWallet } from './transfer.ts';

/** How often a standing order pays. */
export const intervals = ['week', 'month'] as const;
export type Interval = (typeof intervals)[number];

/** How far ahead the first payment of an order may be: an hour to 366 days. */
export const shortestLeadMs = 3_600_000;
export const longestLeadMs = 366 * 24 * 3_600_000;
/** How long before its time a payment of an order is made, so that its payer sees it and can cancel it: a week. */
export const aheadMs = 7 * 24 * 3_600_000;
/** Most payments of an order whose number is given. */
export const mostPayments = 1_000;

/** The end of an order that its request names: neither, the last time at which it may pay, or the number of payments. */
interface Bounds {
  readonly until?: string | undefined;
  readonly count?: number | undefined;
}

/** The receiver of an order's payments: one of both. */
export type Receiver =
  | (PaidWallet & { readonly destination?: undefined })
  | { readonly toWalletId?: undefined; readonly to?: undefined; readonly destination: Destination };

/** Members of every order. `amount` is in minor units; times are ISO 8601 UTC. */
type OrderRecord = Annotations &
  Bounds &
  Receiver & {
    readonly standingOrderId: string;
    readonly walletId: string;
    readonly amount: number;
    /** The fee of each payment, as it was when the order was opened; absent when there is none. */
    readonly fee?: number;
    readonly currency: string;
    readonly every: Interval;
    /** The time of the first payment. Those that follow are at the same time of the day, in UTC. */
    readonly firstAt: string;
    /** The number of payments that were made from it: scheduled, and perhaps executed, cancelled or failed since. */
    readonly made: number;
    /** As in a transaction. */
    readonly principal: string;
    readonly issuer?: string | undefined;
    readonly ownerId?: string | undefined;
    readonly createdAt: string;
    readonly updatedAt: string;
  };

/** An order that will pay again. */
export type ActiveOrder = OrderRecord & {
  readonly status: 'active';
  /** The time of the next payment that is to be made. */
  readonly nextAt: string;
  /** When it is to be made: a week before its time. */
  readonly dueAt: string;
};

/** Why an order makes no more payments: it has made the last one, it was cancelled, or its wallet was closed. */
export const orderEnds = ['completed', 'cancelled', 'wallet_closed'] as const;
export type OrderEnd = (typeof orderEnds)[number];

/** An order that makes no more payments. */
export type EndedOrder = OrderRecord & {
  readonly status: 'ended';
  readonly end: OrderEnd;
  /** The actor that cancelled it. */
  readonly endedBy?: Actor | undefined;
  /** The reason, in the words of that actor. */
  readonly reason?: string | undefined;
  readonly endedAt: string;
};

/** A payment that repeats: money to another wallet, or to an account at a bank. */
export type StandingOrder = ActiveOrder | EndedOrder;
export const orderStatuses = ['active', 'ended'] as const satisfies readonly StandingOrder['status'][];

/** The facts of a new order. */
export interface OrderFacts extends CommandFacts, Bounds {
  readonly receiver: Receiver;
  readonly every: Interval;
  readonly firstAt: string;
}

/** Returns the order that a command opens. */
export function newOrder(facts: OrderFacts): ActiveOrder {
  const { receiver, every, firstAt, until, count } = facts;
  const { transactionId, ...known } = recordOfCommand(facts);
  return {
    ...known,
    ...receiver,
    standingOrderId: standingOrderIdOf(transactionId),
    ...{ every, firstAt, until, count },
    status: 'active',
    made: 0,
    nextAt: firstAt,
    dueAt: dueBefore(firstAt),
  };
}

function dueBefore(paymentAt: string): string {
  return new Date(Date.parse(paymentAt) - aheadMs).toISOString();
}

/**
 * Returns the time of an order's payment `n`, from 0 (ISO 8601 UTC); undefined when the order has no such payment. A month
 * that lacks the day of the first payment pays on its last day, and the next one on the day of the first payment again.
 */
export function paymentTime({ every, firstAt, until, count }: OrderRecord, n: number): string | undefined {
  if (count !== undefined && n >= count) return undefined;
  const at = every === 'week' ? weeksAfter(firstAt, n) : monthsAfter(firstAt, n);
  return until !== undefined && at > until ? undefined : at;
}

function weeksAfter(time: string, weeks: number): string {
  return new Date(Date.parse(time) + weeks * 7 * 24 * 3_600_000).toISOString();
}

function monthsAfter(time: string, months: number): string {
  const date = new Date(time);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.toISOString();
}

/** Returns the next payment of an order, scheduled for its time. It is the same for every try to make it. */
export function nextPayment(order: ActiveOrder, at: string): ScheduledPayment {
  const { standingOrderId, made, principal, issuer, ownerId, walletId, amount, currency, nextAt } = order;
  const { externalReference, description, metadata, fee, toWalletId, to, destination } = order;
  const facts = {
    transactionId: occurrenceIdOf(standingOrderId, made),
    ...{ principal, issuer, ownerId, walletId, amount, currency, at, standingOrderId, executeAt: nextAt },
    ...{ externalReference, description, metadata, fee },
  };
  return toWalletId === undefined
    ? scheduledWithdrawal({ ...facts, destination })
    : scheduledTransfer({ ...facts, toWalletId, to });
}

/** The members of an order that change when its next payment is made. */
export type Advance =
  | { readonly status: 'active'; readonly nextAt: string; readonly dueAt: string }
  | { readonly status: 'ended'; readonly end: OrderEnd };

/**
 * Returns how an order goes on when it has made this number of payments: it waits for the next one, or it has made the last
 * one.
 */
export function advanceTo(order: StandingOrder, made: number): Advance {
  const nextAt = paymentTime(order, made);
  if (nextAt === undefined) return { status: 'ended', end: 'completed' };
  return { status: 'active', nextAt, dueAt: dueBefore(nextAt) };
}

/**
 * Returns from when on an order waits for its next payment (ISO 8601 UTC). It may have been opened, or have made the payment
 * before, when this one was due already.
 */
export function waitsSince({ dueAt, updatedAt }: ActiveOrder): string {
  return updatedAt > dueAt ? updatedAt : dueAt;
}

/** Most payments of an order that are looked at when it is cancelled: more are scheduled only after a long standstill. */
const mostScheduled = 12;

/** Returns the ids of the payments that an order made last, which may still be scheduled. The newest comes first. */
export function latestPayments({ standingOrderId, made }: StandingOrder): string[] {
  const count = Math.min(made, mostScheduled);
  return Array.from({ length: count }, (_, n) => occurrenceIdOf(standingOrderId, made - 1 - n));
}

/** A decision to end an order. */
export interface OrderCancellation {
  readonly actor: Actor;
  readonly reason?: string | undefined;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** Returns why an order cannot be cancelled; undefined when it can. */
export function orderCancelRefusal(order: StandingOrder | undefined): WalletError | undefined {
  if (order === undefined) return new WalletError('standing_order_not_found');
  if (order.status === 'active') return undefined;
  return new WalletError('standing_order_ended', { detail: `it ended at ${order.endedAt}: ${order.end}` });
}

/** Returns the actor behind an order. The record of an owner's order has `ownerId`, an operator's has none. */
export function orderedBy({ principal, issuer, ownerId }: StandingOrder): Actor {
  return actorOf({ kind: ownerId === undefined ? 'operator' : 'owner', principal, issuer });
}
