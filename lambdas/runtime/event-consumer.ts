import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { EventType } from '../domain/events.ts';
import { readEvent } from '../event-schemas.ts';
import type { EventOf } from '../event-schemas.ts';
import { putBackAfterError } from './consumer.ts';
import type { Queue } from './queue.ts';

/**
 * A consumer of events that a rule of the bus sends to a queue, as a Lambda handler. What fails comes back later and
 * in the end goes to the dead letters; so does what is no event, as the bus sends nothing else.
 *
 * @param handle deals with events of the given types, none twice; gives the ids of those that failed, with their errors
 */
export function consumeEvents<T extends EventType>(services: {
  queue: Pick<Queue<never>, 'delay'>;
  types: readonly T[];
  handle: (events: readonly EventOf<T>[], context: Context) => Promise<ReadonlyMap<string, unknown>>;
}) {
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const failures: { record: SQSRecord; error: unknown }[] = [];
    const events = new Map<string, { event: EventOf<T>; records: SQSRecord[] }>();
    for (const record of Records) {
      try {
        const { detail } = JSON.parse(record.body) as { detail?: unknown };
        const event = readEvent(detail, services.types);
        const { records } = events.get(event.eventId) ?? { records: [] };
        events.set(event.eventId, { event, records: [...records, record] });
      } catch (error) {
        failures.push({ record, error });
      }
    }
    const known = [...events.values()];
    const failed = await services.handle(
      known.map(({ event }) => event),
      context,
    );
    for (const { event, records } of known) {
      if (!failed.has(event.eventId)) continue;
      for (const record of records) failures.push({ record, error: failed.get(event.eventId) });
    }
    await Promise.all(failures.map(({ record, error }) => putBackAfterError(services.queue, record, error)));
    return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}
