/** Checks of webhooks at the end, when every delivery has ended: nothing is lost, and nothing went where it must not. */
import type { Witness } from './asks.ts';
import type { Fault } from './plan.ts';
import { isOfWebhooks, webhookIdOfName } from './webhook-steps.ts';
import type { DeliveryState, Endpoint } from './webhook-ledger.ts';
import type { Webhooks } from './webhooks.ts';

/** The longest time that a turn goes on after its endpoint was changed, ms. */
const turnMs = 60_000;

/** Checks the rules of docs/webhooks.md. `struck`: the faults of the history. */
export async function checkWebhooks(witness: Witness, webhooks: Webhooks, struck: readonly Fault[]): Promise<void> {
  const { ledger } = webhooks;
  await ledger.audit();
  checkEvents(witness, webhooks);
  for (const delivery of ledger.deliveries()) checkEnd(delivery, witness, webhooks);
  for (const endpoint of ledger.endpoints()) {
    checkReplay(endpoint, witness, webhooks);
    checkCommand(endpoint, witness);
  }
  checkReceived(witness, webhooks, struck);
}

/** Checks that each event has a delivery for each endpoint that was subscribed to it, and for no other one. */
function checkEvents({ violate }: Witness, { ledger, events }: Webhooks): void {
  const wants = ({ status, eventTypes }: Endpoint, type: string) => status !== 'deleted' && eventTypes.includes(type);
  for (const { webhookId } of ledger.endpoints()) {
    const looks = ledger.looksOf(webhookId);
    for (const { eventId, type, at } of events.values()) {
      const then = looks.findLast(({ since }) => since <= at);
      const later = looks.filter(({ since }) => since > at);
      const all = [...(then === undefined ? [] : [then]), ...later];
      const isStored = ledger.looksOfDelivery(webhookId, eventId).length > 0;
      const mustHave = then !== undefined && all.every(({ item }) => wants(item, type));
      const mayHave = all.some(({ item }) => wants(item, type));
      if (mustHave && !isStored) violate('no event is lost for an endpoint', `${type} ${eventId} for ${webhookId}`);
      if (isStored && !mayHave) violate('an endpoint gets what it wants', `${type} ${eventId} for ${webhookId}`);
    }
  }
}

function checkEnd({ webhookId, eventId, status }: DeliveryState, { violate }: Witness, { ledger }: Webhooks): void {
  const endpoint = ledger.looksOf(webhookId).at(-1)?.item;
  if (endpoint?.status === 'active' && status === 'waiting') violate('deliveries end', `${eventId} to ${webhookId}`);
}

/** Checks that a replay has ended, and that it has left no parked delivery of its time behind. */
function checkReplay({ webhookId, status, replay }: Endpoint, { violate }: Witness, { ledger }: Webhooks): void {
  if (status !== 'active' || replay === undefined) return;
  if (replay.endedAt === undefined) violate('replays end', webhookId);
  for (const delivery of ledger.deliveries()) {
    const { occurredAt, eventId, lastAttempt, replayKey } = delivery;
    const isOfReplay =
      delivery.webhookId === webhookId &&
      delivery.status === 'parked' &&
      occurredAt >= replay.from &&
      occurredAt <= replay.to &&
      (lastAttempt?.at ?? '') < replay.to;
    if (isOfReplay && replayKey !== replay.key) {
      violate('a replay sends parked deliveries', `${eventId} to ${webhookId}`);
    }
  }
}

/** Checks that a command has asked for an endpoint. */
function checkCommand({ webhookId }: Endpoint, { asks, violate }: Witness): void {
  const isAsked = asks.some(
    ({ step }) =>
      isOfWebhooks(step.action) && step.action.do === 'create-webhook' && webhookIdOfName(step) === webhookId,
  );
  if (!isAsked) violate('a command adds an endpoint', webhookId);
}

function checkReceived({ violate, history }: Witness, webhooks: Webhooks, struck: readonly Fault[]): void {
  const { ledger, receivers } = webhooks;
  const { clocksDifferMs, wrongByMs } = history.service;
  // With other clocks, or a worker that dies or loses an answer, two turns may send the same.
  const isOrderly = wrongByMs === 0 && clocksDifferMs < turnMs / 2 && !struck.some(({ point }) => ofWorker(point));
  const byDelivery = Map.groupBy(receivers.received, ({ webhookId, eventId }) => `${webhookId} ${eventId}`);
  for (const [name, all] of byDelivery) {
    const [{ webhookId, eventId } = { webhookId: '', eventId: '' }] = all;
    const looks = ledger.looksOfDelivery(webhookId, eventId);
    const [stored] = looks;
    if (stored === undefined || all.some(({ at }) => at < stored.since)) {
      violate('a delivery is stored before it is sent', name);
    }
    if (all.some(({ body }) => body !== stored?.item.body)) violate('each attempt sends the same event', name);
    for (const { at } of all) {
      const then = ledger.looksOf(webhookId).findLast(({ since }) => since <= at - turnMs);
      const since = ledger.looksOf(webhookId).filter((look) => look.since > at - turnMs && look.since <= at);
      const states = [...(then === undefined ? [] : [then]), ...since];
      const isOff = states.length > 0 && states.every(({ item }) => item.status !== 'active');
      if (isOff) violate('only active endpoints get deliveries', name);
    }
    const replays = new Set(looks.flatMap(({ item }) => item.replayKey ?? [])).size;
    const taken = all.filter(({ status }) => status === 204).length;
    if (isOrderly && taken > 1 + replays) violate('a repetition has a cause', `${name}: ${taken} times`);
  }
}

function ofWorker(point: string): boolean {
  return point.startsWith('webhooks ');
}
