import { metrics as names } from '../contract.ts';
import type { WorkMessage } from '../contract.ts';
import { dynamodbClient, sqsClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { openQueue, openQueueDepth } from '../runtime/queue.ts';
import type { Queue } from '../runtime/queue.ts';
import { logger, metrics } from '../runtime/telemetry.ts';
import { listDue, listReviews, listWaiting, touchDue } from '../store/due.ts';
import type { DueWork } from '../store/due.ts';
import { dueShards } from '../store/keys.ts';
import type { DueType } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';

/** A queue that work is sent to, and how many of its messages wait. */
export interface SweptQueue {
  readonly send: Pick<Queue<WorkMessage>, 'sendAll'>['sendAll'];
  readonly depth: () => Promise<number>;
}

export interface SweeperServices {
  readonly table: Table;
  readonly withdrawals: SweptQueue;
  readonly transfers: SweptQueue;
}

/** Work is overdue when it was due this long ago and no worker has moved it: its message is lost, or its worker crashed. */
const graceMs = 60_000;
/** Most work of a type queued again from one shard in one run. */
const mostPerShard = 250;
/** Most withdrawals queued in one run whose wait has ended. */
const mostWaiting = 1_000;
/** Messages in one call to SQS. */
const batchSize = 10;

/**
 * Queues overdue work again. Marks it as due now before it sends: when the send fails, the work is overdue again after the
 * grace. While a queue has a backlog, its overdue work is not queued again, as the backlog most likely holds its message.
 *
 * Queues the withdrawals whose wait for their wallet has ended, also behind a backlog: they have no message yet. Counts the
 * withdrawals in review: their alarm lasts until an operator has ended the last one.
 *
 * @returns how much overdue work was queued again
 */
export async function sweep({ table, withdrawals, transfers }: SweeperServices): Promise<number> {
  let requeued = 0;
  if (await hasRoom(withdrawals)) requeued += await sweepType(table, 'withdrawal', withdrawals);
  await resume(table, withdrawals);
  if (await hasRoom(transfers)) requeued += await sweepType(table, 'transfer', transfers);
  if (requeued > 0) logger.warn('work queued again', { requeued });
  metrics.addMetric(names.workRequeued, 'Count', requeued);
  metrics.addMetric(names.withdrawalsInReview, 'Count', (await listReviews(table)).length);
  metrics.publishStoredMetrics();
  return requeued;
}

async function hasRoom(queue: SweptQueue): Promise<boolean> {
  return (await queue.depth()) <= mostPerShard * dueShards;
}

/** Queues the withdrawals whose wait has ended, without a grace: no message of theirs can be on its way. */
async function resume(table: Table, queue: SweptQueue): Promise<void> {
  const now = table.now();
  const waiting = await listWaiting(table, { before: new Date(now).toISOString(), limit: mostWaiting });
  const resumed = await requeueAll(table, queue, waiting, now);
  if (resumed > 0) logger.info('waiting withdrawals queued', { resumed });
}

async function sweepType(table: Table, type: DueType, queue: SweptQueue): Promise<number> {
  const now = table.now();
  const before = new Date(now - graceMs).toISOString();
  let requeued = 0;
  for (let shard = 0; shard < dueShards; shard++) {
    const overdue = await listDue(table, { type, shard, before, limit: mostPerShard });
    requeued += await requeueAll(table, queue, overdue, now);
  }
  return requeued;
}

async function requeueAll(table: Table, queue: SweptQueue, work: readonly DueWork[], now: number): Promise<number> {
  let requeued = 0;
  for (let start = 0; start < work.length; start += batchSize) {
    requeued += await requeue(table, queue, work.slice(start, start + batchSize), now);
  }
  return requeued;
}

async function requeue(table: Table, queue: SweptQueue, work: readonly DueWork[], now: number): Promise<number> {
  const at = new Date(now).toISOString();
  const touched = await Promise.all(work.map((one) => touchDue(table, one, at)));
  const messages = work.filter((_, index) => touched[index]).map(({ transactionId }) => ({ transactionId }));
  if (messages.length === 0) return 0;
  const refused = await queue.send(messages);
  return messages.length - refused.length;
}

const env = readEnvironment('sweeper');
const sqs = sqsClient();
const table = openTable(dynamodbClient(), env.TABLE_NAME);
const sweptQueue = (url: string): SweptQueue => ({
  send: openQueue<WorkMessage>(sqs, url).sendAll,
  depth: openQueueDepth(sqs, url),
});
const services: SweeperServices = {
  table,
  withdrawals: sweptQueue(env.WITHDRAWAL_QUEUE_URL),
  transfers: sweptQueue(env.TRANSFER_QUEUE_URL),
};

/** Runs every minute. */
export const handler = () => sweep(services);
