/** SQS event source mappings: batches of messages handed to a function, bounded, with partial failures. */
import { isRecord } from '../cloudformation/template.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import { systemAttributes } from '../sqs/queue-service.ts';
import type { Message, Queue } from '../sqs/queues.ts';

export interface EventSourceSettings {
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  /** Invocations at the same time at most. */
  readonly maxConcurrency: number;
  readonly reportsItemFailures: boolean;
  readonly region: string;
}

export interface EventSource {
  /** Takes no further message and waits for the invocations under way. */
  stop(): Promise<void>;
}

/** Delivers until stopped. Never takes more than the function can run at once, so that no message ages while it waits. */
export function startEventSource(
  queue: Queue,
  target: Pick<LocalFunction, 'concurrency' | 'invoke'>,
  settings: EventSourceSettings,
): EventSource {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = new Set<Promise<void>>();
  const slots = Math.min(settings.maxConcurrency, target.concurrency);

  async function collect(): Promise<Message[]> {
    const max = settings.batchSize;
    const messages = await queue.receive({ max, waitMs: Infinity, signal });
    const until = Date.now() + settings.batchingWindowSeconds * 1000;
    while (messages.length > 0 && messages.length < max && Date.now() < until && !signal.aborted) {
      messages.push(...(await queue.receive({ max: max - messages.length, waitMs: until - Date.now(), signal })));
    }
    return messages;
  }

  async function deliver(messages: Message[]): Promise<void> {
    let failed: ReadonlySet<string> | 'all';
    try {
      const records = messages.map((message) => record(message, queue, settings.region));
      const answer = await target.invoke({ Records: records }, 'event');
      failed = settings.reportsItemFailures ? failedItems(answer, messages) : new Set();
    } catch {
      failed = 'all'; // The function's log has the reason; the messages come back when their visibility ends.
    }
    for (const message of messages) {
      if (failed !== 'all' && !failed.has(message.messageId)) queue.delete(message.receiptHandle);
    }
  }

  const loop = (async () => {
    while (!signal.aborted) {
      if (running.size >= slots) await Promise.race(running);
      const messages = await collect();
      if (messages.length === 0) continue; // Only when stopping.
      const delivery = deliver(messages).finally(() => running.delete(delivery));
      running.add(delivery);
    }
  })();

  return {
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all(running);
    },
  };
}

/** Returns the messages to keep, as Lambda does: a malformed or unknown member of the answer keeps the whole batch. */
function failedItems(answer: unknown, messages: readonly Message[]): ReadonlySet<string> | 'all' {
  if (answer === null || answer === undefined) return new Set();
  if (!isRecord(answer)) return 'all';
  const failures = answer['batchItemFailures'];
  if (failures === null || failures === undefined) return new Set();
  if (!Array.isArray(failures)) return 'all';
  const known = new Set(messages.map((message) => message.messageId));
  const failed = new Set<string>();
  for (const failure of failures as unknown[]) {
    const id = isRecord(failure) ? failure['itemIdentifier'] : undefined;
    if (typeof id !== 'string' || !known.has(id)) return 'all';
    failed.add(id);
  }
  return failed;
}

function record(message: Message, queue: Queue, region: string): object {
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: systemAttributes(message),
    messageAttributes: Object.fromEntries(
      Object.entries(message.attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
        name,
        {
          dataType: DataType,
          stringListValues: [],
          binaryListValues: [],
          ...(StringValue !== undefined && { stringValue: StringValue }),
          ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
        },
      ]),
    ),
    md5OfBody: message.bodyMd5,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.settings.arn,
    awsRegion: region,
  };
}
