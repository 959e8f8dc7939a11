import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Queue } from './queue.ts';
import { describe, logger, metrics } from './telemetry.ts';

/** What becomes of a queue's messages. */
export interface Consumer<M> {
  readonly queue: Pick<Queue<never>, 'delay'>;
  /** The message in a body, or undefined when it is none of ours: it is dropped, as no try will mend it. */
  readonly parse: (body: string) => M | undefined;
  /** Does the work; gives the epoch ms at which the message is wanted again, or undefined when it is done. */
  readonly handle: (message: M) => Promise<number | undefined>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * A consumer as a Lambda handler: the messages of a batch side by side, each failing alone. A message that is wanted
 * again stays hidden until then, so that nobody sleeps in a paid function; one whose work threw comes back when its
 * visibility ends.
 */
export function consume<M>(consumer: Consumer<M>) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const processor = new BatchProcessor(EventType.SQS);
    const response = await processPartialResponse(event, (record: SQSRecord) => deliver(consumer, record), processor, {
      context,
      throwOnFullBatchFailure: false,
    });
    metrics.publishStoredMetrics();
    return response;
  };
}

async function deliver<M>({ queue, parse, handle, now }: Consumer<M>, record: SQSRecord): Promise<void> {
  const message = parse(record.body);
  if (message === undefined) {
    logger.error('message dropped: not one of ours', { messageId: record.messageId });
    return;
  }
  let again: number | undefined;
  try {
    again = await handle(message);
  } catch (error) {
    logger.error('message failed', { messageId: record.messageId, error: describe(error) });
    throw error;
  }
  if (again === undefined) return;
  await queue.delay(record.receiptHandle, (again - now()) / 1000);
  // The only way to say that the message is not done: report it as failed.
  throw new WantedAgain();
}

class WantedAgain extends Error {
  override readonly name = 'WantedAgain';
}
