import { randomUUID } from 'node:crypto';
import { metrics as metricNames } from '../contract.ts';
import { service } from '../domain/actor.ts';
import { eventIdOf } from '../domain/ids.ts';
import { afterAttempt, failingMs, failingSince, isHopeless, isTaken, mostPayloadBytes } from '../domain/webhook.ts';
import type { Delivery, Outcome, Webhook } from '../domain/webhook.ts';
import type { KeySource } from '../bank/secret.ts';
import { forEachOf } from '../aws/parallel.ts';
import { describe, logger, metrics } from '../aws/telemetry.ts';
import { publishEvents } from '../events/bus.ts';
import type { Publisher } from '../events/bus.ts';
import {
  getWaiting,
  listDeliveries,
  listDue,
  positionOf,
  recordAttempt,
  resend,
  setAside,
} from '../store/deliveries.ts';
import type { UnreadableDelivery } from '../store/deliveries.ts';
import type { Table } from '../store/table.ts';
import { legible } from '../store/unreadable.ts';
import { changeWebhook, endFailure, endTurn, getWebhook, takeTurn } from '../store/webhooks.ts';
import type { EventOf } from '../views/event-schemas.ts';
import type { Poster } from '../webhooks/post.ts';
import { secretsOf, signedHeaders } from '../webhooks/signature.ts';

/** The turn of an endpoint: the time in which one worker sends what is due to it. */

/** Connections to one endpoint: the deliveries that it gets side by side. */
export const connections = 4;
/** Time after which a turn begins no delivery, ms: the last one ends before the worker's limit of 30 s. */
const runMs = 15_000;
/** Deliveries that are read together. */
const pageSize = 25;
/** Failures one after the other that end a turn. */
export const mostFailures = 8;
/** How long an endpoint rests after such a turn, ms. */
export const restMs = 60_000;
/** Deliveries that a replay looks at in one step. */
const replayStep = 100;
/** How long a delivery that cannot be read is set aside, ms. */
export const asideMs = 3_600_000;

export interface TurnServices {
  readonly table: Table;
  /** Opens the connections of a turn. */
  readonly openPoster: () => Poster;
  /** The key that secrets are derived from. */
  readonly keys: KeySource;
  readonly publisher: Publisher;
  /** Asks for another turn of these endpoints. */
  readonly askForTurns: (webhookIds: readonly string[]) => Promise<void>;
}

/** The progress of a turn. */
interface Turn {
  /** As it was before the current page: a command may change it during the turn. */
  webhook: Webhook;
  readonly poster: Poster;
  /** The key that the secrets of the endpoint are derived from. */
  readonly key: string;
  /** Time from which no delivery begins, epoch ms. */
  readonly until: number;
  /** Positions of the deliveries that were tried: the index may show them for some moments more. */
  readonly tried: Set<string>;
  delivered: number;
  failed: number;
  parked: number;
  failuresInARow: number;
  /** The record that the endpoint does not fail any more, from the first success on. */
  recovery?: Promise<void>;
}

/**
 * Sends an endpoint what is due, four deliveries at a time, for up to 15 s. A turn excludes other turns of the endpoint, so
 * that one that hangs takes one worker, and no endpoint waits for another one.
 *
 * A crash anywhere repeats what was not recorded: the receiver may get a delivery twice, and misses none.
 *
 * @throws WalletError `busy`; the turn can be taken again after its lease
 */
export async function sendDue(webhookId: string, services: TurnServices): Promise<void> {
  const { table, keys } = services;
  const turnId = randomUUID();
  const startedAt = table.now();
  const webhook = await takeTurn(table, webhookId, turnId);
  if (webhook === undefined) return;
  const [key] = await keys();
  const turn: Turn = {
    webhook,
    poster: services.openPoster(),
    key,
    until: startedAt + runMs,
    tried: new Set(),
    ...{ delivered: 0, failed: 0, parked: 0, failuresInARow: 0 },
  };
  try {
    const isReplaying = await replayStepOf(webhook, table);
    const isMore = await sendPages(turn, services);
    const since = failingSince(webhook.failingSince, turn, table.now());
    if (isHopeless(since, turn, table.now())) await disable(webhook, since, services);
    const isTired = turn.failuresInARow >= mostFailures;
    const restUntil = isTired ? table.now() + restMs : undefined;
    const isAsked = await endTurn(table, webhookId, { turnId, failingSince: since, restUntil });
    if (!isTired && (isReplaying || isMore || isAsked)) await services.askForTurns([webhookId]);
  } finally {
    turn.poster.close();
    report(turn);
  }
}

function report({ webhook: { webhookId }, delivered, failed, parked }: Turn): void {
  if (delivered + failed + parked > 0) logger.info('webhook turn', { webhookId, delivered, failed, parked });
  if (parked > 0) metrics.addMetric(metricNames.webhooksParked, 'Count', parked);
}

/** Sends page after page of what is due, while the endpoint is active. Returns whether there may be more. */
async function sendPages(turn: Turn, { table }: TurnServices): Promise<boolean> {
  const { webhookId } = turn.webhook;
  for (let page = 0; ; page++) {
    if (table.now() >= turn.until) return true;
    const webhook = page === 0 ? turn.webhook : await getWebhook(table, webhookId);
    if (webhook?.status !== 'active') return false;
    turn.webhook = webhook;
    const due = await listDue(table, webhookId, pageSize);
    const untried = due.filter((position) => !turn.tried.has(position));
    const { waiting, unreadable } = await getWaiting(table, webhookId, untried);
    for (const one of unreadable) await setUnreadableAside(turn, one, table);
    await forEachOf(waiting, connections, async (delivery) => {
      if (table.now() >= turn.until || turn.failuresInARow >= mostFailures) return;
      turn.tried.add(positionOf(delivery));
      await sendOne(turn, delivery, table);
    });
    if (turn.failuresInARow >= mostFailures) return true;
    // The rest of the page has been tried in this turn, and the index is behind; or it is the last page.
    const isIdle = waiting.length + unreadable.length === 0;
    if (isIdle || due.length < pageSize) return due.length === pageSize;
  }
}

/** Sets a delivery aside that cannot be read, so that it does not stand before the others. It counts as parked. */
async function setUnreadableAside(turn: Turn, { sk, error }: UnreadableDelivery, table: Table): Promise<void> {
  const { webhookId } = turn.webhook;
  const dueAt = new Date(table.now() + asideMs).toISOString();
  logger.error('webhook delivery set aside', { webhookId, delivery: sk, dueAt, error: describe(error) });
  turn.tried.add(sk);
  turn.parked += 1;
  await setAside(table, webhookId, sk, dueAt);
}

/** Sends one delivery, and records the outcome. */
async function sendOne(turn: Turn, delivery: Delivery, table: Table): Promise<void> {
  const outcome = await outcomeOf(turn, delivery, table.now());
  const { webhookId, failingSince: since } = turn.webhook;
  if (isTaken(outcome) && since !== undefined) {
    // Before the delivery is recorded: if the worker dies in between, the success still counts.
    turn.recovery ??= endFailure(table, webhookId, since);
    await turn.recovery;
  }
  const after = afterAttempt(delivery, outcome, table.now(), table.random());
  const recorded = await recordAttempt(table, delivery, after);
  if (isTaken(outcome)) {
    turn.delivered += 1;
    turn.failuresInARow = 0;
    return;
  }
  if (recorded && after.status === 'parked') turn.parked += 1;
  // It says nothing about the receiver.
  if ('failure' in outcome && outcome.failure === 'too_large') return;
  turn.failed += 1;
  turn.failuresInARow += 1;
}

function outcomeOf(turn: Turn, delivery: Delivery, now: number): Promise<Outcome> {
  const { eventId, body } = delivery;
  if (Buffer.byteLength(body) > mostPayloadBytes) return Promise.resolve({ failure: 'too_large' });
  return turn.poster.post({
    url: turn.webhook.url,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'User-Agent': 'wallet-webhooks/1',
      ...signedHeaders(secretsOf(turn.key, turn.webhook, now), eventId, Math.floor(now / 1000), body),
    },
    body,
  });
}

/** Makes the next deliveries of a replay wait again. Returns whether there are more of them. */
async function replayStepOf({ webhookId, replay }: Webhook, table: Table): Promise<boolean> {
  if (replay === undefined || replay.endedAt !== undefined) return false;
  const { key, from, to, after, parkedOnly } = replay;
  const page = await listDeliveries(table, {
    ...{ webhookId, from, to, after },
    ...{ order: 'oldest first', limit: replayStep },
  });
  const wanted = page.items
    .flatMap((delivery) => legible(delivery) ?? [])
    .filter(({ status }) => status === 'parked' || (!parkedOnly && status === 'delivered'));
  let resent = 0;
  await forEachOf(wanted, 16, async (delivery) => {
    if (await resend(table, delivery, key)) resent += 1;
  });
  await changeWebhook(table, webhookId, ({ replay: now }) => {
    if (now?.key !== key || now.after !== after) return undefined;
    const ended = page.next === undefined ? { endedAt: new Date(table.now()).toISOString() } : { after: page.next };
    return { replay: { ...now, resent: now.resent + resent, ...ended } };
  });
  return page.next !== undefined;
}

/**
 * Disables an endpoint that has taken nothing for a week. Publishes the event first: after a crash the next turn publishes
 * the same one again.
 */
async function disable(webhook: Webhook, since: string, services: TurnServices): Promise<void> {
  const { table, publisher } = services;
  const { webhookId } = webhook;
  const event: EventOf<'webhook.disabled'> = {
    eventId: eventIdOf(['webhook.disabled', webhookId, since]),
    type: 'webhook.disabled',
    version: 1,
    // The end of the week, so that a repetition of the event is the same one.
    occurredAt: new Date(Date.parse(since) + failingMs).toISOString(),
    walletIds: [],
    actor: service,
    webhook: { webhookId, failingSince: since },
  };
  const [failure] = (await publishEvents(publisher, [event], table.now() + 3_000)).values();
  if (failure !== undefined) throw new Error(`the end of webhook ${webhookId} is not published: ${failure.code}`);
  const { changed } = await changeWebhook(table, webhookId, ({ status }) =>
    status === 'active'
      ? { status: 'disabled', disabledBecause: 'failing', updatedAt: new Date(table.now()).toISOString() }
      : undefined,
  );
  if (!changed) return;
  logger.warn('webhook disabled', { webhookId, failingSince: since });
  metrics.addMetric(metricNames.webhooksDisabled, 'Count', 1);
}
