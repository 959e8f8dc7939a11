import { workMessage } from '../contract.ts';
import type { Environment, WorkMessage } from '../contract.ts';
import { isAtRest } from '../domain/transaction.ts';
import { openTable } from '../store/table.ts';
import type { Committed } from '../store/commit.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { committed } from './committed.ts';
import type { LimitedServices, OperatorServices } from './http.ts';
import { openLimits } from './limits.ts';
import { readOperatorLimits } from './operator-limits.ts';
import { watchDepth } from './overload.ts';
import type { IsOverloaded } from './overload.ts';
import { waitForEnd } from './prefer.ts';
import type { Preferences } from './prefer.ts';
import type { Answer } from './problem.ts';
import { openQueue, openQueueDepth } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { addWait, describe, logger } from '../aws/telemetry.ts';
import { transactionView } from '../views/transaction-view.ts';
import type { Audience } from '../views/view.ts';

/** The services of routes whose commands a worker finishes. */
export interface QueuedServices extends LimitedServices, Pick<OperatorServices, 'operatorLimits'> {
  readonly queue: Pick<Queue<WorkMessage>, 'send'>;
  readonly isOverloaded: IsOverloaded;
  /** Whether payments can be scheduled; absent: they can. */
  readonly schedules?: boolean;
}

/** Variables of every function whose commands a worker finishes. */
type QueuedVariable = keyof Environment<'transfer'> & keyof Environment<'withdraw'>;

/**
 * Opens the services of a route whose work goes to the queue at `queueUrl`. An end user may have `perHour` commands
 * accepted in an hour.
 */
export function openQueuedServices(
  environment: Readonly<Record<QueuedVariable, string>>,
  { queueUrl, perHour }: { readonly queueUrl: string; readonly perHour: number },
): QueuedServices {
  const table = {
    ...openTable(dynamodbClient(), environment.TABLE_NAME),
    dueShards: positiveInteger(environment, 'DUE_SHARDS'),
  };
  const sqs = sqsClient();
  const queueDepthLimit = positiveInteger(environment, 'QUEUE_DEPTH_LIMIT');
  return {
    table,
    queue: openQueue(sqs, queueUrl),
    isOverloaded: watchDepth(openQueueDepth(sqs, queueUrl), queueDepthLimit, table.now),
    limits: openLimits({
      readsPerHour: positiveInteger(environment, 'READS_PER_HOUR'),
      refusalsPerHour: positiveInteger(environment, 'REFUSALS_PER_HOUR'),
      perHour,
    }),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
    schedules: environment.SCHEDULES === 'true',
  };
}

/**
 * Enqueues accepted work and answers: 202, or 200 when the client asked to wait and the end came in time. The write
 * came first: when the send fails, the work is due in the table, and the sweeper sends it. A replay sends nothing: with
 * a message for each replay, one caller could fill the queue.
 *
 * @param requestId the gateway's id of the request, which the worker's log has, too
 */
export async function enqueue(
  { transaction, replayed }: Committed,
  services: QueuedServices,
  preferences: Preferences,
  { audience, requestId }: { readonly audience: Audience; readonly requestId: string },
): Promise<Answer> {
  const { transactionId } = transaction;
  if (!replayed && !isAtRest(transaction)) {
    try {
      await services.queue.send({ ...workMessage(transactionId), requestId });
    } catch (error) {
      logger.error('work not queued: the sweeper queues it', { transactionId, error: describe(error) });
    }
  }
  const { respondAsync, waitSeconds, waitUntil } = preferences;
  const startedAt = performance.now();
  const current = waitSeconds === 0 ? transaction : await waitForEnd(services.table, transaction, waitUntil);
  if (waitSeconds > 0) addWait(performance.now() - startedAt);
  const isOver = isAtRest(current) && current.status !== 'scheduled';
  const status = waitSeconds > 0 && isOver ? 200 : 202;
  const answer = committed(status, transactionView(current, audience), replayed);
  const applied = [...(respondAsync ? ['respond-async'] : []), ...(waitSeconds > 0 ? [`wait=${waitSeconds}`] : [])];
  if (applied.length === 0) return answer;
  return { ...answer, headers: { ...answer.headers, 'Preference-Applied': applied.join(', ') } };
}
