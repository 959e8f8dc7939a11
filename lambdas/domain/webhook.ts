import type { EventType } from './events.ts';

/** Webhooks: the endpoints of subscribers, and the delivery of each event to each of them. */

/** The states of an endpoint. A deleted one keeps its record, so that its key makes no second one. */
export const webhookStatuses = ['active', 'disabled', 'deleted'] as const;
export type WebhookStatus = (typeof webhookStatuses)[number];

export const deliveryStatuses = ['waiting', 'delivered', 'parked'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** Most endpoints of a service: one turn of each may run at the same time. */
export const mostWebhooks = 20;
/** Most bytes of the body of a delivery. */
export const mostPayloadBytes = 65_536;
/** How long a delivery is kept, from its event or its last replay on. */
export const keptMs = 30 * 86_400_000;
/** How long the secret before a rotation signs, too. */
export const overlapMs = 86_400_000;
/** How long a repetition of the command shows the secret again: the first answer may be lost. */
export const shownMs = 3_600_000;
/** An endpoint that took nothing for this long is disabled when the next delivery fails. */
export const failingMs = 7 * 86_400_000;

const minute = 60_000;
const hour = 60 * minute;

/** The waits after each failed attempt, ms, before the jitter. After the last of them the next failure parks. */
const waitsMs = [1, 2, 5, 15, 30]
  .map((minutes) => minutes * minute)
  .concat([1, 2, 4, 8, 8].map((hours) => hours * hour));

/** Attempts of a delivery before it is parked: they take a day. */
export const mostAttempts = waitsMs.length + 1;

/** The event of a test. It is not on the bus. */
export const pingType = 'webhook.ping';

/** A replay: the deliveries that an operator sends again. */
export interface Replay {
  /** The id of the command that asked for it. */
  readonly key: string;
  /** The events from this moment on, up to that of the request; ISO 8601 UTC. */
  readonly from: string;
  readonly to: string;
  /** Whether only parked deliveries are sent again. */
  readonly parkedOnly: boolean;
  /** The position of the last delivery that was looked at. */
  readonly after?: string | undefined;
  /** Deliveries that wait again. */
  readonly resent: number;
  /** Absent while it goes on. */
  readonly endedAt?: string | undefined;
}

/** An endpoint that the stack names, and no command. */
export interface FixedWebhook {
  readonly url: string;
  readonly eventTypes: readonly EventType[];
  readonly description?: string | undefined;
}

/** The endpoint of a subscriber. Its secret is derived from its id and generation; it is not stored. */
export interface Webhook {
  readonly webhookId: string;
  readonly url: string;
  readonly eventTypes: readonly EventType[];
  readonly description?: string | undefined;
  readonly status: WebhookStatus;
  /** `stack`: it was named by the stack, and is not any more. */
  readonly disabledBecause?: 'operator' | 'failing' | 'stack' | undefined;
  /** Whether the stack names it, or did. */
  readonly isFixed?: true | undefined;
  /** Counts the rotations of the secret. */
  readonly generation: number;
  /** Until when the secret before signs, too; ISO 8601 UTC. */
  readonly previousUntil?: string | undefined;
  /** The id of the command that made the secret, and when. */
  readonly secretKey: string;
  readonly secretAt: string;
  readonly ping?: { readonly key: string; readonly at: string } | undefined;
  readonly replay?: Replay | undefined;
  /** Since when nothing was delivered, and something failed; ISO 8601 UTC. */
  readonly failingSince?: string | undefined;
  /** Counts the changes by commands. */
  readonly version: number;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The delivery of one event to one endpoint. */
export interface Delivery {
  readonly webhookId: string;
  readonly eventId: string;
  readonly type: string;
  readonly occurredAt: string;
  /** The event as JSON, as it is sent. */
  readonly body: string;
  readonly status: DeliveryStatus;
  /** Attempts since the event, or the last replay. */
  readonly attempts: number;
  readonly lastAttempt?: { readonly at: string; readonly outcome: string } | undefined;
  /** When the next attempt is due; ISO 8601 UTC; absent unless it waits. */
  readonly dueAt?: string | undefined;
  readonly createdAt: string;
  /** The id of the replay that made it wait again. */
  readonly replayKey?: string | undefined;
}

/** The result of an attempt: the status of the answer, or why there was none. */
export type Outcome =
  { readonly status: number } | { readonly failure: 'timeout' | 'no_connection' | 'address_refused' | 'too_large' };

/** Returns whether the receiver has taken the delivery. */
export function isTaken(outcome: Outcome): boolean {
  return 'status' in outcome && outcome.status >= 200 && outcome.status < 300;
}

function outcomeText(outcome: Outcome): string {
  return 'status' in outcome ? String(outcome.status) : outcome.failure;
}

/** The state of a delivery after an attempt. */
export type AfterAttempt = Pick<Delivery, 'status' | 'attempts' | 'lastAttempt' | 'dueAt'>;

/**
 * Returns a delivery's state after an attempt.
 *
 * @param jitter a number in [0, 1): retries of many deliveries spread over a tenth of their wait
 */
export function afterAttempt(
  { attempts: before }: Pick<Delivery, 'attempts'>,
  outcome: Outcome,
  now: number,
  jitter: number,
): AfterAttempt {
  const attempts = before + 1;
  const lastAttempt = { at: new Date(now).toISOString(), outcome: outcomeText(outcome) };
  if (isTaken(outcome)) return { status: 'delivered', attempts, lastAttempt };
  const wait = waitsMs[before];
  // No repetition makes a body smaller.
  const isFinal = 'failure' in outcome && outcome.failure === 'too_large';
  if (wait === undefined || isFinal) return { status: 'parked', attempts, lastAttempt };
  return {
    status: 'waiting',
    attempts,
    lastAttempt,
    dueAt: new Date(now + Math.round(wait * (1 + 0.1 * jitter))).toISOString(),
  };
}

/** The numbers of deliveries that succeeded and failed in a turn. */
export interface Tally {
  readonly delivered: number;
  readonly failed: number;
}

/**
 * Returns since when an endpoint fails, after a turn; undefined when it does not. One that takes anything does not fail.
 */
export function failingSince(
  before: string | undefined,
  { delivered, failed }: Tally,
  now: number,
): string | undefined {
  if (delivered > 0) return undefined;
  return before ?? (failed > 0 ? new Date(now).toISOString() : undefined);
}

/** Returns whether an endpoint that fails since then must be disabled. */
export function isHopeless(since: string | undefined, { failed }: Tally, now: number): since is string {
  return failed > 0 && since !== undefined && now - Date.parse(since) >= failingMs;
}

/** Returns whether an endpoint gets the events of a type. */
export function isSubscribed({ eventTypes: wanted, status }: Pick<Webhook, 'eventTypes' | 'status'>, type: string) {
  return status !== 'deleted' && wanted.some((one) => one === type);
}
