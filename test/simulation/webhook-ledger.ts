/**
 * The table of webhooks as an auditor keeps it: a copy that follows every write, and the rules of each write. The rules
 * are those of docs/webhooks.md.
 */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import type { AuditedTable } from './auditor.ts';
import { keyText } from './dynamodb.ts';
import type { StoredItem } from './dynamodb.ts';
import type { Item, Violate } from './items.ts';
import type { Receivers } from './receivers.ts';

/** An event as it was put on the bus. */
export interface BusEvent {
  readonly eventId: string;
  readonly type: string;
  readonly body: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface Endpoint extends Item {
  readonly webhookId: string;
  readonly status: 'active' | 'disabled' | 'deleted';
  readonly eventTypes: readonly string[];
  readonly disabledBecause?: string;
  readonly failingSince?: string;
  readonly leaseUntil?: number;
  readonly restUntil?: number;
  readonly replay?: {
    readonly key: string;
    readonly from: string;
    readonly to: string;
    readonly parkedOnly: boolean;
    readonly endedAt?: string;
  };
}

export interface DeliveryState extends Item {
  readonly webhookId: string;
  readonly eventId: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly body: string;
  readonly status: 'waiting' | 'delivered' | 'parked';
  readonly attempts: number;
  readonly lastAttempt?: { readonly at: string; readonly outcome: string };
  readonly dueAt?: string;
  readonly replayKey?: string;
}

/** A state of an item, from a time on (epoch ms). */
export interface Look<T> {
  readonly since: number;
  readonly item: T;
}

export interface WebhookLedger {
  /** Reads the items that a write has touched, and checks them. */
  readonly observe: (keys: readonly StoredItem[]) => Promise<void>;
  readonly endpoints: () => Endpoint[];
  readonly deliveries: () => DeliveryState[];
  /** Returns the states of an endpoint. */
  readonly looksOf: (webhookId: string) => readonly Look<Endpoint>[];
  /** Returns the states of a delivery. */
  readonly looksOfDelivery: (webhookId: string, eventId: string) => readonly Look<DeliveryState>[];
  /** Returns the states of all items. */
  readonly lives: () => Item[][];
  /** Reads the whole table, and compares it with the copy. */
  readonly audit: () => Promise<void>;
}

const minuteMs = 60_000;
const weekMs = 7 * 24 * 60 * minuteMs;
/** The waits after each attempt that docs/webhooks.md names, minutes. */
const waits = [1, 2, 5, 15, 30, 60, 120, 240, 480, 480];
const mostAttempts = waits.length + 1;

interface Parts {
  readonly now: () => number;
  readonly receivers: Pick<Receivers, 'received' | 'attempted'>;
  readonly events: ReadonlyMap<string, BusEvent>;
  /** The greatest difference between two clocks, ms. */
  readonly clocksMs: number;
  readonly violate: Violate;
}

export function openWebhookLedger(table: AuditedTable, parts: Parts): WebhookLedger {
  const { now, receivers, events, clocksMs, violate } = parts;
  const stored = new Map<string, StoredItem>();
  const history = new Map<string, Look<Item>[]>();
  const texts = new Map<string, string>();

  const all = (): Item[] => [...history.values()].flatMap((looks) => looks.slice(-1).map(({ item }) => item));
  const looksAt = (text: string) => history.get(text) ?? [];

  function isTaken(webhookId: string, eventId: string): boolean {
    return receivers.received.some(
      (one) => one.webhookId === webhookId && one.eventId === eventId && one.status === 204,
    );
  }

  function checkDelivery(is: DeliveryState, was: DeliveryState | undefined, since: number): void {
    const name = `${is.eventId} to ${is.webhookId}`;
    if (was === undefined) {
      const event = events.get(is.eventId);
      const isPing = is.type === 'webhook.ping';
      if (!isPing && event?.body !== is.body) violate('a delivery has the event as it was published', name);
      if (is.status !== 'waiting' || is.attempts !== 0) violate('a delivery is stored before it is sent', name);
      return;
    }
    for (const member of ['eventId', 'type', 'occurredAt', 'body', 'createdAt'] as const) {
      if (was[member] !== is[member]) violate('a delivery stays what it is', `${member} of ${name}`);
    }
    if (is.replayKey !== was.replayKey) {
      const isWaiting = is.status === 'waiting' && is.attempts === 0 && was.status !== 'waiting';
      if (!isWaiting) violate('a replay lets a delivery wait again', `${name}: ${was.status} became ${is.status}`);
      return;
    }
    checkAttempt(is, was, since, name);
  }

  function checkAttempt(is: DeliveryState, was: DeliveryState, since: number, name: string): void {
    const { outcome = '', at = '' } = is.lastAttempt ?? {};
    const said = `${name}: ${was.status} ${was.attempts} became ${is.status} ${is.attempts} after "${outcome}"`;
    if (was.status !== 'waiting' || is.attempts !== was.attempts + 1) violate('each attempt is recorded once', said);
    const isKnown = receivers.attempted.some(
      (one) =>
        one.webhookId === is.webhookId && one.eventId === is.eventId && one.outcome === outcome && one.endedAt >= since,
    );
    if (!isKnown) violate('a recorded attempt was made', said);
    if (is.status === 'delivered') {
      if (!isTaken(is.webhookId, is.eventId)) violate('delivered means taken', said);
      return;
    }
    if (outcome.startsWith('2')) violate('what was taken is delivered', said);
    if ((is.status === 'parked') !== (is.attempts === mostAttempts)) violate('eleven attempts, then parked', said);
    if (is.status !== 'waiting') return;
    const wait = Date.parse(is.dueAt ?? '') - Date.parse(at);
    const documented = (waits[is.attempts - 1] ?? 0) * minuteMs;
    if (!(wait >= documented && wait <= 1.1 * documented + 1)) {
      violate('retries wait as documented', `${said}: ${wait}`);
    }
  }

  function checkEndpoint(is: Endpoint, was: Endpoint | undefined): void {
    const said = `${is.webhookId}: ${was?.status ?? 'new'} became ${is.status}`;
    if (was?.status === 'deleted' && is.status !== 'deleted') violate('deleted cannot be taken back', said);
    const isDisabled = was?.status === 'active' && is.status === 'disabled' && is.disabledBecause === 'failing';
    if (!isDisabled) return;
    const since = now() - weekMs + clocksMs + minuteMs;
    const taken = receivers.attempted.findLast((one) => one.webhookId === is.webhookId && one.outcome === '204');
    if (taken !== undefined && taken.endedAt > since) violate('disabled only after a week without success', said);
    if (!(Date.parse(is.failingSince ?? '') <= since)) violate('disabled only after a week without success', said);
    const isTold = [...events.values()].some(
      ({ type, body }) => type === 'webhook.disabled' && body.includes(is.webhookId),
    );
    if (!isTold) violate('the end of an endpoint is published', said);
  }

  function apply(text: string, found: StoredItem | undefined): void {
    const was = looksAt(text).at(-1);
    if (found === undefined) {
      if (was !== undefined) violate('records of webhooks stay', text);
      return;
    }
    const item = unmarshall(found) as Item;
    if (isDeepStrictEqual(was?.item, item)) return;
    stored.set(text, found);
    history.set(text, [...looksAt(text), { since: now(), item }]);
    const { pk, sk } = item;
    if (pk !== 'WEBHOOKS') {
      texts.set(`${String(item['webhookId'])} ${String(item['eventId'])}`, text);
      checkDelivery(item as DeliveryState, was?.item as DeliveryState | undefined, was?.since ?? 0);
    } else if (sk !== 'COUNT') {
      checkEndpoint(item as Endpoint, was?.item as Endpoint | undefined);
    }
  }

  return {
    async observe(keys) {
      const wanted = new Map(keys.map((key) => [keyText(key), key]));
      const found = new Map((await table.read([...wanted.values()])).map((item) => [keyText(item), item]));
      for (const text of wanted.keys()) apply(text, found.get(text));
    },
    endpoints: () => all().filter(({ pk, sk }) => pk === 'WEBHOOKS' && sk !== 'COUNT') as Endpoint[],
    deliveries: () => all().filter(({ pk }) => pk !== 'WEBHOOKS') as DeliveryState[],
    looksOf: (webhookId) => looksAt(`WEBHOOKS ${webhookId}`) as Look<Endpoint>[],
    looksOfDelivery: (webhookId, eventId) =>
      looksAt(texts.get(`${webhookId} ${eventId}`) ?? '') as Look<DeliveryState>[],
    lives: () => [...history.values()].map((looks) => looks.map(({ item }) => item)),
    async audit() {
      const items = await table.scan();
      const [seen, known] = [items, [...stored.values()]].map(
        (list) => new Map(list.map((item) => [keyText(item), unmarshall(item)])),
      );
      if (!isDeepStrictEqual(seen, known)) violate('every write is seen', 'the table of webhooks differs');
      if (JSON.stringify(items).includes('whsec_')) violate('no secret is stored', 'one is in the table');
      const open = all().filter(({ pk, sk, status }) => pk === 'WEBHOOKS' && sk !== 'COUNT' && status !== 'deleted');
      const counted = Number(looksAt('WEBHOOKS COUNT').at(-1)?.item['webhooks'] ?? 0);
      if (counted !== open.length) violate('endpoints are counted', `${counted}, and there are ${open.length}`);
    },
  };
}
