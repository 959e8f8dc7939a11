import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { eventSource } from '../contract.ts';
import { waitBeforeRetry } from '../domain/backoff.ts';
import { jsonOf } from '../domain/money.ts';
import type { ServiceEvent } from '../views/event-schemas.ts';
import { chunksOf } from '../aws/chunks.ts';
import { systemClock } from '../aws/clock.ts';
import type { Clock } from '../aws/clock.ts';
import { describe, logger } from '../aws/telemetry.ts';

/** A function that puts up to ten events on the bus in one call. Returns the code of each refusal, or undefined. */
export type PutEvents = (entries: readonly PutEventsRequestEntry[]) => Promise<(string | undefined)[]>;

function openBus(client: Pick<EventBridgeClient, 'send'>): PutEvents {
  return async (entries) => {
    const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [...entries] }));
    return entries.map((_, index) => Entries[index]?.ErrorCode);
  };
}

/** A bus, and the clock for its retries. */
export interface Publisher extends Clock {
  readonly put: PutEvents;
  readonly busName: string;
}

/** Returns a publisher on the real clock. */
export function openPublisher(client: EventBridgeClient, busName: string): Publisher {
  return { put: openBus(client), busName, ...systemClock };
}

/** The reason why an event is not on the bus: `definite` when no retry would put it there. */
export interface PublishFailure {
  readonly code: string;
  readonly definite: boolean;
}

/** EventBridge takes ten entries a call, of 256 KB together. The rest is for the call's own members. */
const limits = { most: 10, mostBytes: 240_000 };
/** Milliseconds, before the jitter. */
const backoff = { first: 200, longest: 5_000 };
/** Codes of refusals that depend on the entry and not on the moment. */
const definiteCodes = new Set(['InvalidArgument', 'MalformedDetail']);

/**
 * Publishes events, in their order as long as none is refused. A refused event is sent again, alone, with backoff. An
 * event may arrive twice when an answer is lost.
 *
 * @param deadline epoch ms after which no further try begins; the remaining events have failed then, but not definitely
 * @returns the events that are not known to be on the bus
 */
export async function publishEvents<E extends ServiceEvent>(
  publisher: Publisher,
  events: readonly E[],
  deadline: number,
): Promise<Map<E, PublishFailure>> {
  const failures = new Map<E, PublishFailure>();
  const entries = events.map((event) => ({ event, entry: entryOf(event, publisher.busName) }));
  const chunks = chunksOf(entries, ({ entry }) => sizeOf(entry), limits);
  for (const chunk of chunks) {
    let left = chunk;
    let code = 'OutOfTime';
    for (let tries = 0; left.length > 0; tries++) {
      const delay = tries === 0 ? 0 : publisher.random() * waitBeforeRetry(tries - 1, backoff);
      if (publisher.now() + delay >= deadline) break;
      if (tries > 0) await publisher.sleep(delay);
      const refusals = await tryPut(
        publisher,
        left.map(({ entry }) => entry),
      );
      for (const [index, { event }] of left.entries()) {
        const refusal = refusals[index];
        if (refusal !== undefined && definiteCodes.has(refusal)) failures.set(event, { code: refusal, definite: true });
      }
      code = refusals.find((refusal) => refusal !== undefined) ?? code;
      left = left.filter(({ event }, index) => refusals[index] !== undefined && !failures.has(event));
    }
    for (const { event } of left) failures.set(event, { code, definite: false });
  }
  return failures;
}

/** Puts entries on the bus. A call that fails as a whole refuses every entry. Some may have arrived all the same. */
async function tryPut({ put }: Publisher, entries: readonly PutEventsRequestEntry[]): Promise<(string | undefined)[]> {
  try {
    return await put(entries);
  } catch (error) {
    logger.warn('events not published', { count: entries.length, error: describe(error) });
    return entries.map(() => (error instanceof Error ? error.name : 'Unknown'));
  }
}

function entryOf(event: ServiceEvent, busName: string) {
  return {
    EventBusName: busName,
    Source: eventSource,
    DetailType: event.type,
    Detail: jsonOf(event),
    Time: new Date(event.occurredAt),
  };
}

function sizeOf(entry: { Detail: string; DetailType: string }): number {
  // Counts as EventBridge does: 14 bytes for the time, and the bytes of the texts.
  return 14 + eventSource.length + entry.DetailType.length + Buffer.byteLength(entry.Detail);
}
