/** The states of webhooks that each campaign must reach. */
import type { Item } from './items.ts';
import type { Remains } from './states.ts';

type Reached = (remains: Remains) => boolean;

/** Returns a function that says whether a state of an item, and the one before it, are as wanted. */
function becomes(isWanted: (is: Item, was: Item) => boolean): Reached {
  return ({ webhooks }) =>
    webhooks?.ledger.lives().some((life) => life.some((is, n) => n > 0 && isWanted(is, life[n - 1] ?? {}))) ?? false;
}

const outcomeOf = (item: Item) => (item['lastAttempt'] as { readonly outcome?: string } | undefined)?.outcome;
const fails = (outcome: string) => becomes((is) => is['status'] === 'waiting' && outcomeOf(is) === outcome);

export const webhookStates = {
  'a delivery is taken after failures': becomes((is) => is['status'] === 'delivered' && Number(is['attempts']) > 1),
  'a delivery is parked': becomes((is) => is['status'] === 'parked'),
  'a parked delivery is replayed': becomes((is, was) => was['status'] === 'parked' && is['status'] === 'waiting'),
  'a delivery that was taken is replayed': becomes(
    (is, was) => was['status'] === 'delivered' && is['status'] === 'waiting',
  ),
  'a receiver answers 500': fails('500'),
  'a receiver redirects': fails('307'),
  'a receiver is gone': fails('410'),
  'a receiver hangs': fails('timeout'),
  'a receiver takes no connection': fails('no_connection'),
  'a receiver has a private address': fails('address_refused'),
  'a receiver gets a delivery twice': ({ webhooks }) => {
    const taken = webhooks?.receivers.received.filter(({ status }) => status === 204) ?? [];
    return new Set(taken.map(({ webhookId, eventId }) => `${webhookId} ${eventId}`)).size < taken.length;
  },
  'an endpoint rests': becomes((is) => is['restUntil'] !== undefined),
  'a turn is asked for while another one runs': becomes((is) => is['again'] === true),
  'a turn is taken over from a worker that died': becomes(
    (is, was) => is['leaseId'] !== was['leaseId'] && Number(was['leaseUntil'] ?? 0) > 0,
  ),
  'an endpoint is disabled after a week of failures': becomes(
    (is, was) => was['status'] === 'active' && is['disabledBecause'] === 'failing',
  ),
  'an endpoint is active again': becomes((is, was) => was['status'] === 'disabled' && is['status'] === 'active'),
  'an endpoint is deleted': becomes((is) => is['status'] === 'deleted'),
  'a delivery is signed with two secrets': ({ webhooks }) => webhooks?.receivers.signedTwice() ?? false,
  'an endpoint gets an event that was stored while it was disabled': ({ webhooks }) =>
    webhooks?.ledger.deliveries().some(({ webhookId, eventId, status }) => {
      const stored = webhooks.ledger.looksOfDelivery(webhookId, eventId)[0]?.since ?? 0;
      const then = webhooks.ledger.looksOf(webhookId).findLast(({ since }) => since <= stored);
      return status === 'delivered' && then?.item.status === 'disabled';
    }) ?? false,
} as const satisfies Record<string, Reached>;
