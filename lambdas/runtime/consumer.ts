import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { WorkMessage } from '../contract.ts';
import { redeliveryDelaySeconds } from '../domain/queue.ts';
import { isTransactionId } from '../store/keys.ts';
import type { Queue } from './queue.ts';
import { describe, logger, metrics } from './telemetry.ts';

type Delay = Pick<Queue<never>, 'delay'>;

/**
 * A consumer of work messages as a Lambda handler: the messages of a batch side by side, each failing alone. A message
 * that is wanted again stays hidden until then, so that nobody sleeps in a paid function.
 *
 * @param handle does the work; gives the epoch ms at which the message is wanted again, or undefined when it is done
 */
export function consume(services: {
  queue: Delay;
  handle: (transactionId: string) => Promise<number | undefined>;
  now: () => number;
}) {
  const { queue, handle, now } = services;
  const deliver = async (record: SQSRecord) => {
    const transactionId = workOf(record);
    if (transactionId === undefined) return;
    let again: number | undefined;
    try {
      again = await handle(transactionId);
    } catch (error) {
      await putBackAfterError(queue, record, error);
      throw error;
    }
    if (again === undefined) return;
    await queue.delay(record.receiptHandle, (again - now()) / 1000);
    // The only way to say that a message is not done: report it as failed.
    throw new WantedAgain();
  };
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const processor = new BatchProcessor(EventType.SQS);
    const response = await processPartialResponse(event, deliver, processor, {
      context,
      throwOnFullBatchFailure: false,
    });
    publish();
    return response;
  };
}

/**
 * As `consume`, for work that is done for many messages together.
 *
 * @param handle does the work of a batch without repetitions; gives the ids that failed, with their errors. When it
 *   throws, all have failed
 */
export function consumeTogether(services: {
  queue: Delay;
  handle: (transactionIds: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;
}) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const work = event.Records.flatMap((record) => {
      const transactionId = workOf(record);
      return transactionId === undefined ? [] : [{ record, transactionId }];
    });
    const transactionIds = [...new Set(work.map(({ transactionId }) => transactionId))];
    let failed: ReadonlyMap<string, unknown>;
    try {
      failed = await services.handle(transactionIds);
    } catch (error) {
      // Passed on, it would hide the whole batch for as long as the queue's visibility time-out.
      failed = new Map(transactionIds.map((transactionId) => [transactionId, error]));
    }
    const failures = work.filter(({ transactionId }) => failed.has(transactionId));
    await Promise.all(
      failures.map(({ record, transactionId }) => putBackAfterError(services.queue, record, failed.get(transactionId))),
    );
    publish();
    return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

function publish(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

/** The transaction that a message is about; a message that is none of ours is dropped, as no try will mend it. */
function workOf(record: SQSRecord): string | undefined {
  let body: Partial<WorkMessage> | null = null;
  try {
    body = JSON.parse(record.body) as Partial<WorkMessage> | null;
  } catch {
    // Reported below, as any other body that is not ours.
  }
  const transactionId: unknown = body?.transactionId;
  if (typeof transactionId === 'string' && isTransactionId(transactionId)) return transactionId;
  logger.error('message dropped: it names no transaction', { messageId: record.messageId });
  return undefined;
}

/** Hides a message whose work threw for a while; if even that fails, its visibility ends by itself. */
export async function putBackAfterError(queue: Delay, record: SQSRecord, error: unknown): Promise<void> {
  const delaySeconds = redeliveryDelaySeconds(Number(record.attributes.ApproximateReceiveCount));
  logger.error('message failed', { messageId: record.messageId, delaySeconds, error: describe(error) });
  try {
    await queue.delay(record.receiptHandle, delaySeconds);
  } catch (cause) {
    logger.warn('message not delayed', { messageId: record.messageId, error: describe(cause) });
  }
}

class WantedAgain extends Error {
  override readonly name = 'WantedAgain';
}
