/** The view of standing orders: for the wallet's owner, operators and consumers of the bus. Receivers see payments only. */
import type * as z from 'zod';
import type { Actor } from '../domain/actor.ts';
import { orderedBy } from '../domain/standing-order.ts';
import type { StandingOrder } from '../domain/standing-order.ts';
import { maskAccount } from '../domain/transaction.ts';
import type { namedSchemas } from './answer-schemas.ts';
import type { EventOf } from './event-schemas.ts';
import { masked } from './transaction-view.ts';
import { shown, sorted } from './view.ts';
import type { Audience, FieldsOf, View } from './view.ts';

/** The audiences of standing orders. */
type OrderAudience = Exclude<Audience, 'counterparty'>;

/** An order with the fields that are computed for its views. */
interface ShownOrder extends FieldsOf<StandingOrder> {
  /** The actor behind it. */
  readonly requestedBy: Actor;
  /** Stands for the destination's account on the bus. */
  readonly destinationFingerprint?: string | undefined;
}

const everyAudience = { operator: true, owner: true, subscriber: true } as const;
const operatorOnly = { operator: true, owner: false, subscriber: false } as const;
const internal = { operator: false, owner: false, subscriber: false } as const;

/** The view of a standing order. */
const orderFields: View<ShownOrder, OrderAudience> = {
  standingOrderId: everyAudience,
  status: everyAudience,
  walletId: everyAudience,
  amount: everyAudience,
  fee: everyAudience,
  currency: everyAudience,
  to: everyAudience,
  // As in its payments.
  toWalletId: { ...everyAudience, owner: (walletId, { to }) => (to === undefined ? walletId : undefined) },
  destination: {
    operator: masked,
    owner: masked,
    subscriber: ({ account }, { destinationFingerprint: fingerprint }) => ({
      account: maskAccount(account),
      fingerprint,
    }),
  },
  every: everyAudience,
  firstAt: everyAudience,
  until: everyAudience,
  count: everyAudience,
  made: everyAudience,
  nextAt: everyAudience,
  end: everyAudience,
  endedAt: everyAudience,
  // An operator's words are for operators.
  reason: { operator: true, owner: ofOwner, subscriber: ofOwner },
  externalReference: everyAudience,
  description: everyAudience,
  metadata: { operator: sorted, owner: sorted, subscriber: sorted },
  createdAt: everyAudience,
  updatedAt: everyAudience,
  requestedBy: operatorOnly,
  // The event names the actor itself.
  endedBy: operatorOnly,
  principal: internal,
  issuer: internal,
  ownerId: internal,
  dueAt: internal,
  destinationFingerprint: internal,
};

/** Returns the reason of an owner; undefined for an operator's. */
function ofOwner(reason: string, { endedBy }: Partial<ShownOrder>): string | undefined {
  return endedBy?.kind === 'owner' ? reason : undefined;
}

type OrderView = z.output<(typeof namedSchemas)['StandingOrder']>;

/** Returns a standing order as an audience sees it. */
export function orderView(order: StandingOrder, audience: Exclude<OrderAudience, 'subscriber'>): OrderView {
  return shown(orderFields, { ...order, requestedBy: orderedBy(order) }, audience) as OrderView;
}

/** Returns a standing order as events carry it, with the fingerprint that stands for its destination's account. */
export function publishedOrder(
  order: StandingOrder,
  destinationFingerprint: string | undefined,
): EventOf<'standing_order.opened'>['standingOrder'] {
  const source = { ...order, requestedBy: orderedBy(order), destinationFingerprint };
  return shown(orderFields, source, 'subscriber') as EventOf<'standing_order.opened'>['standingOrder'];
}
