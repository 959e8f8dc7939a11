import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { workVersion } from '../contract.ts';
import type { WorkMessage } from '../contract.ts';
import { isTransactionId } from '../domain/ids.ts';
import { redeliveryDelaySeconds } from '../domain/queue.ts';
import type { Queue } from './queue.ts';
import { describe, logger, metrics } from './telemetry.ts';

type Delay = Pick<Queue<never>, 'delay'>;

/**
 * Returns a Lambda handler that consumes work messages: those of a batch side by side, each failing alone. A message to
 * redeliver later stays hidden until then, so that no paid function waits for it.
 *
 * @param handle does the work of the request with this id (undefined: not known); returns when the message must be
 *   redelivered (epoch ms), or undefined when it is done
 */
export function consume(services: {
  queue: Delay;
  handle: (transactionId: string, requestId: string | undefined) => Promise<number | undefined>;
  now: () => number;
}) {
  const { queue, handle, now } = services;
  const deliver = async (record: SQSRecord) => {
    let redeliverAt: number | undefined;
    try {
      const work = workOf(record);
      if (work === undefined) return;
      redeliverAt = await handle(work.transactionId, work.requestId);
    } catch (error) {
      await putBackAfterError(queue, record, error);
      throw error;
    }
    if (redeliverAt === undefined) return;
    await queue.delay(record.receiptHandle, (redeliverAt - now()) / 1000);
    // SQS keeps only the messages that the handler reports as failed.
    throw new Redelivery();
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
 * Does as `consume`, for work that is done for many messages together.
 *
 * @param handle does the work of a batch without repetitions; returns the ids that failed, with their errors. When it
 *   throws, all have failed. `requestIds`: the ids of the requests that asked for the work, as far as they are known
 */
export function consumeTogether(services: {
  queue: Delay;
  handle: (
    transactionIds: readonly string[],
    requestIds: ReadonlyMap<string, string>,
  ) => Promise<ReadonlyMap<string, unknown>>;
}) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const newer: { record: SQSRecord; error: unknown }[] = [];
    const work = event.Records.flatMap((record) => {
      try {
        const found = workOf(record);
        return found === undefined ? [] : [{ record, ...found }];
      } catch (error) {
        newer.push({ record, error });
        return [];
      }
    });
    const transactionIds = [...new Set(work.map(({ transactionId }) => transactionId))];
    const requestIds = new Map(
      work.flatMap(({ transactionId, requestId }) => (requestId === undefined ? [] : [[transactionId, requestId]])),
    );
    const failed = await failuresIn(transactionIds, () => services.handle(transactionIds, requestIds));
    const failures = [
      ...newer,
      ...work.flatMap(({ record, transactionId }) =>
        failed.has(transactionId) ? [{ record, error: failed.get(transactionId) }] : [],
      ),
    ];
    await Promise.all(failures.map(({ record, error }) => putBackAfterError(services.queue, record, error)));
    publish();
    return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

/** Does work for many ids together. Returns the ids that failed, with their errors: all of them when the work throws. */
export async function failuresIn(
  ids: readonly string[],
  work: () => Promise<ReadonlyMap<string, unknown>>,
): Promise<ReadonlyMap<string, unknown>> {
  try {
    return await work();
  } catch (error) {
    // If it were thrown further, the whole batch would stay hidden for the queue's visibility time-out.
    return new Map(ids.map((id) => [id, error]));
  }
}

function publish(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

/** The work that a message names. */
type Work = Pick<WorkMessage, 'transactionId' | 'requestId'>;

/**
 * Returns the work in a message. A message that is not ours is dropped, as no retry would change it.
 *
 * @throws Error for a message of a newer version, so that it is kept for a newer release
 */
function workOf(record: SQSRecord): Work | undefined {
  let body: unknown = null;
  try {
    body = JSON.parse(record.body);
  } catch {
    // Reported below, as any other body that is not ours.
  }
  const {
    version = workVersion,
    transactionId,
    requestId,
  } = (body ?? {}) as { [Member in keyof WorkMessage]?: unknown };
  if (version !== workVersion) {
    throw new Error(`message of version ${String(version)}, and this release reads version ${workVersion}`);
  }
  if (typeof transactionId === 'string' && isTransactionId(transactionId)) {
    return { transactionId, requestId: typeof requestId === 'string' ? requestId : undefined };
  }
  logger.error('message dropped: it names no transaction', { messageId: record.messageId });
  return undefined;
}

/** Delays a failed message. If the delay fails too, SQS redelivers the message after its visibility time-out. */
export async function putBackAfterError(queue: Delay, record: SQSRecord, error: unknown): Promise<void> {
  const delaySeconds = redeliveryDelaySeconds(Number(record.attributes.ApproximateReceiveCount));
  logger.error('message failed', { messageId: record.messageId, delaySeconds, error: describe(error) });
  try {
    await queue.delay(record.receiptHandle, delaySeconds);
  } catch (cause) {
    logger.warn('message not delayed', { messageId: record.messageId, error: describe(cause) });
  }
}

class Redelivery extends Error {
  override readonly name = 'Redelivery';
}
