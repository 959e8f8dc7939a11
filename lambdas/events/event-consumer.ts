import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { EventType } from '../domain/events.ts';
import { readEvent } from '../views/event-schemas.ts';
import type { EventOf } from '../views/event-schemas.ts';
import { failuresIn, putBackAfterError } from '../aws/consumer.ts';
import type { Queue } from '../aws/queue.ts';

/** An event and the id of its message. */
export interface Delivery<T extends EventType> {
  /**
   * Names the message on the bus. SQS redelivers it, and dead letters come back, under the same id. When the relay
   * publishes the event a second time, or an archive replays it, the id is another one.
   */
  readonly envelopeId: string;
  readonly event: EventOf<T>;
}

const envelope = z.object({ id: z.string().min(1), 'replay-name': z.string().optional(), detail: z.unknown() });

/**
 * Returns a Lambda handler that consumes events from a queue behind a rule of the bus. A failed message is redelivered,
 * and in the end goes to the dead letters. So does a message that is not an event, as the bus sends only events.
 *
 * @param handle handles events of the given types, no message twice; returns the ids of the envelopes that failed, with
 * their errors. When it throws, all have failed
 */
export function consumeEvents<T extends EventType>(services: {
  queue: Pick<Queue<never>, 'delay'>;
  types: readonly T[];
  handle: (deliveries: readonly Delivery<T>[], context: Context) => Promise<ReadonlyMap<string, unknown>>;
}) {
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const failures: { record: SQSRecord; error: unknown }[] = [];
    const messages = new Map<string, { delivery: Delivery<T>; records: SQSRecord[] }>();
    for (const record of Records) {
      try {
        const delivery = deliveryIn(record, services.types);
        const { records } = messages.get(delivery.envelopeId) ?? { records: [] };
        messages.set(delivery.envelopeId, { delivery, records: [...records, record] });
      } catch (error) {
        failures.push({ record, error });
      }
    }
    const deliveries = [...messages.values()].map(({ delivery }) => delivery);
    const failed = await failuresIn([...messages.keys()], () => services.handle(deliveries, context));
    for (const [envelopeId, { records }] of messages) {
      if (!failed.has(envelopeId)) continue;
      for (const record of records) failures.push({ record, error: failed.get(envelopeId) });
    }
    await Promise.all(failures.map(({ record, error }) => putBackAfterError(services.queue, record, error)));
    return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

function deliveryIn<T extends EventType>({ body }: SQSRecord, types: readonly T[]): Delivery<T> {
  const { id, 'replay-name': replay, detail } = envelope.parse(JSON.parse(body));
  // A replay keeps the ids of the archive.
  return { envelopeId: replay === undefined ? id : `${id} ${replay}`, event: readEvent(detail, types) };
}
