/** The search for batches that do not go on, as a part of the sweeper's run. */
import { metrics as names, workMessage } from '../contract.ts';
import { metrics } from '../aws/telemetry.ts';
import { transactionIdOfBatch } from '../domain/ids.ts';
import type { OpenBatch } from '../domain/batch.ts';
import { listOpenBatches, touchBatch } from '../store/batches.ts';
import { UnreadableItem } from '../store/unreadable.ts';
import { attempt, databaseTime } from './sweeper-run.ts';
import type { Run, SweptQueue } from './sweeper-run.ts';

/** Batches that one run lists, and most that it queues: one call to SQS takes no more. */
const mostListed = 100;
const mostQueued = 10;
/** A queue with more messages than this has a backlog, which most likely holds the messages of overdue batches. */
const backlog = 100;

/**
 * Queues the batches again whose worker ended no part of them within the grace: the message is lost, or the worker
 * crashed. Publishes the age of the oldest batch that is not completed.
 */
export async function sweepBatches(run: Run, queue: SweptQueue, graceMs: number): Promise<void> {
  const { table } = run;
  const now = databaseTime(run);
  const at = new Date(now).toISOString();
  const overdue: OpenBatch[] = [];
  let oldestAt = at;
  for (const batch of await listOpenBatches(table, mostListed)) {
    if (batch instanceof UnreadableItem) {
      run.failures.push(batch);
      continue;
    }
    if (batch.createdAt < oldestAt) oldestAt = batch.createdAt;
    if (Date.parse(batch.dueAt) < now - graceMs) overdue.push(batch);
  }
  metrics.addMetric(names.oldestBatch, 'Seconds', (now - Date.parse(oldestAt)) / 1000);
  if (overdue.length === 0 || (await queue.depth()) > backlog) return;
  overdue.splice(mostQueued);
  const touched = await Promise.all(overdue.map((batch) => attempt(run, () => touchBatch(table, batch, at))));
  const messages = overdue
    .filter((_, index) => touched[index])
    .map(({ batchId }) => workMessage(transactionIdOfBatch(batchId)));
  if (messages.length === 0) return;
  const refused = await queue.send(messages);
  run.requeued += messages.length - refused.length;
}
