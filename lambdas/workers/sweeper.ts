import { defaultDueShards, metrics as names, mostDueShards, workMessage } from '../contract.ts';
import type { Environment, WorkMessage } from '../contract.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { parsePayoutHours } from '../domain/payout-window.ts';
import type { PayoutHours } from '../domain/payout-window.ts';
import { forEachOf } from '../aws/parallel.ts';
import { openQueue, openQueueDepth } from '../aws/queue.ts';
import { logger, metrics } from '../aws/telemetry.ts';
import { listDue, listReviewsWithClock, listWaiting, touchDue } from '../store/due.ts';
import type { DueWork, ListedWork, WorkPage } from '../store/due.ts';
import type { QueuedType } from '../store/due-keys.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { collectFees } from './collect-fees.ts';
import type { FeeCollection } from './collect-fees.ts';
import { makeDuePayments } from './due-orders.ts';
import { endHolds } from './expired-holds.ts';
import { sweepBatches } from './overdue-batches.ts';
import { readRevenueWallets } from './revenue-wallets.ts';
import { queueScheduled } from './scheduled-payments.ts';
import { attempt, databaseTime, note, pageSize, readableWork, shardsAtATime } from './sweeper-run.ts';
import type { Run, SweptQueue } from './sweeper-run.ts';

export interface SweeperServices {
  readonly table: Table;
  readonly withdrawals: SweptQueue;
  readonly transfers: SweptQueue;
  /** Absent: no fees are collected. */
  readonly fees?: FeeCollection | undefined;
  /** Absent where batches are switched off. */
  readonly batches?: SweptQueue | undefined;
  /** Messages of a queue from which on it gets no further scheduled payment; absent: `defaultMostQueued`. */
  readonly mostQueued?: number;
  /** The hours in which the bank takes payments. Absent: always. */
  readonly hours?: PayoutHours | undefined;
}

/**
 * Work is overdue when it was due this long ago and no worker has moved it: its message is lost, or its worker crashed.
 */
const graceMs = 60_000;
/** A queue with more messages than this has a backlog. */
const backlog = 2_000;
/**
 * Limits of a call, ms. With them a call to the table takes up to 3.5 s, as its last try takes 1.5 s. A call to SQS takes
 * up to 3.5 s too. Its second attempt is for a connection that SQS closed since the last run.
 */
export const callLimits = { tableBudgetMs: 2_000, queue: { maxAttempts: 2, requestTimeoutMs: 1_500 } };
/**
 * Times since a run's beginning until which its parts may begin another read or batch, ms. The last one is the deadline
 * of the run, which Lambda ends after 50 s. A batch takes up to 7 s more. Between these times, each part has room for
 * one batch even when every call takes its longest time.
 */
const partsEndMs = { withdrawals: 12_000, waiting: 24_000, transfers: 40_000 } as const;
/** Shards that no work is written to are swept in turn, each once in this many minutes. */
const turns = 60;
/** Half of the messages at which a stack refuses new work by default. */
const defaultMostQueued = 10_000;
/** Most withdrawals queued in one run whose wait has ended. */
const mostWaiting = 1_000;
/** Messages in one call to SQS. */
const batchSize = 10;
/**
 * Queues overdue work again, until nothing is overdue or the time is over. Marks it as due now before it sends: when
 * the send fails, the work is overdue again after the grace. While a queue has a backlog, its overdue work is not
 * queued again, as the backlog most likely holds its message.
 *
 * The database's clock decides which work is due. By a clock that is ahead, the sweeper would postpone all open work
 * again and again.
 *
 * Queues the withdrawals whose wait for their wallet has ended, also behind a backlog: they have no message yet. Counts
 * the withdrawals in review, up to 100. Their alarm lasts until an operator has ended the last one. Publishes how much
 * work is open, and for how long the oldest, from the same pages. So both are at least so much: of a shard with more than
 * a page, only the work that is due next is listed.
 *
 * Queues the batches again that do not go on.
 *
 * Queues the scheduled payments whose time has come, up to half of what a queue may have, and makes those of standing orders
 * a week before their time.
 *
 * Ends the holds that have expired. When it is late, nothing more is captured, but the payer waits for its money.
 *
 * Collects the fees of the hours that are over into the revenue wallets.
 *
 * A piece of work, a message batch, a shard or a queue that fails does not stop the others.
 *
 * @returns how much overdue work was queued again
 * @throws the first failure, after everything else and with the metrics published
 */
export async function sweep(services: SweeperServices): Promise<number> {
  const { table, withdrawals, transfers, batches, fees, hours, mostQueued = defaultMostQueued } = services;
  const startedAt = table.now();
  const { reviews, clock } = await listReviewsWithClock(table);
  // Published now, so that no failure of the rest hides a review.
  metrics.addMetric(names.withdrawalsInReview, 'Count', reviews.length);
  metrics.publishStoredMetrics();
  const readAt = table.now();
  const open = { withdrawal: { count: 0, oldestAt: undefined }, transfer: { count: 0, oldestAt: undefined } };
  const run: Run = {
    table,
    startedAt,
    databaseAt: clock?.databaseAt ?? readAt,
    readAt,
    requeued: 0,
    open,
    holdExpiredAt: undefined,
    scheduledAt: undefined,
    orderDueAt: undefined,
    failures: [],
  };
  const { withdrawals: withdrawalsMs, waiting: waitingMs, transfers: transfersMs } = partsEndMs;
  // They wait for no backlog, so they run beside the other parts.
  const holds = attempt(run, () => endHolds(run, startedAt + transfersMs));
  const collected = fees && attempt(run, () => collectFees(run, fees, startedAt + transfersMs));
  const ofBatches = batches && attempt(run, () => sweepBatches(run, batches, graceMs));
  const queues = { withdrawal: withdrawals, transfer: transfers };
  const ofScheduled = {
    queueAll: (type: QueuedType, work: readonly DueWork[]) =>
      requeueAll(run, queues[type], work, startedAt + transfersMs),
    depth: (type: QueuedType) => queues[type].depth(),
    mostQueued,
  };
  const scheduled = attempt(run, () => queueScheduled(run, ofScheduled, startedAt + transfersMs));
  const orders = attempt(run, () => makeDuePayments(run, startedAt + transfersMs));
  await attempt(run, () => sweepType(run, 'withdrawal', withdrawals, startedAt + withdrawalsMs));
  await attempt(run, () => resume(run, withdrawals, startedAt + waitingMs));
  await attempt(run, () => sweepType(run, 'transfer', transfers, startedAt + transfersMs));
  await Promise.all([holds, collected, ofBatches, scheduled, orders]);
  const { requeued, failures } = run;
  if (requeued > 0) logger.warn('work queued again', { requeued });
  publishOpenWork(run, hours);
  if (failures.length > 0) throw failures[0];
  return requeued;
}

/**
 * Publishes what a run has listed and queued. The alarm for a silent sweeper watches this line. While the bank is closed, no
 * withdrawal grows older.
 */
function publishOpenWork(run: Run, hours: PayoutHours | undefined): void {
  const { withdrawal, transfer } = run.open;
  const secondsSince = (at: string | undefined) =>
    at === undefined ? 0 : Math.max(0, (databaseTime(run) - Date.parse(at)) / 1000);
  const { oldestAt } = withdrawal;
  const bankSeconds =
    hours === undefined || oldestAt === undefined
      ? secondsSince(oldestAt)
      : hours.openMs(Date.parse(oldestAt), databaseTime(run)) / 1000;
  metrics.addMetric(names.oldestWithdrawal, 'Seconds', bankSeconds);
  metrics.addMetric(names.oldestTransfer, 'Seconds', secondsSince(transfer.oldestAt));
  metrics.addMetric(names.oldestExpiredHold, 'Seconds', secondsSince(run.holdExpiredAt));
  metrics.addMetric(names.oldestScheduled, 'Seconds', secondsSince(run.scheduledAt));
  metrics.addMetric(names.oldestDueOrder, 'Seconds', secondsSince(run.orderDueAt));
  metrics.addMetric(names.openWithdrawals, 'Count', withdrawal.count);
  metrics.addMetric(names.workRequeued, 'Count', run.requeued);
  metrics.publishStoredMetrics();
}

async function hasRoom(queue: SweptQueue): Promise<boolean> {
  return (await queue.depth()) <= backlog;
}

/** Queues the withdrawals whose wait has ended, without a grace: they have no message on its way. */
async function resume(run: Run, queue: SweptQueue, endsAt: number): Promise<void> {
  const before = new Date(run.databaseAt).toISOString();
  let resumed = 0;
  let from: WorkPage['next'];
  for (let more = true; more && resumed < mostWaiting && run.table.now() < endsAt; more = from !== undefined) {
    const { work, next } = await listWaiting(run.table, { before, limit: mostWaiting - resumed, from });
    resumed += await requeueAll(run, queue, work, endsAt);
    from = next;
  }
  if (resumed > 0) logger.info('waiting withdrawals queued', { resumed });
}

/**
 * Sweeps the shards of a type side by side, a page of each at a time. Goes on with the shards that have more while the
 * workers keep up: each further round begins only if the queue has no backlog. The first page of each shard is read in any
 * case, to see how old the open work is.
 */
async function sweepType(run: Run, type: QueuedType, queue: SweptQueue, endsAt: number): Promise<void> {
  const { table } = run;
  const before = new Date(run.databaseAt - graceMs).toISOString();
  let shards = shardsToSweep(table);
  // A page may hold only work that cannot be read or marked. So the next page of a shard begins behind it.
  const places = new Map<number, WorkPage['next']>();
  for (let round = 0; shards.length > 0 && table.now() < endsAt; round++) {
    const mayQueue = await attempt(run, () => hasRoom(queue));
    if (mayQueue !== true && round > 0) return;
    const withMore: number[] = [];
    await forEachOf(shards, shardsAtATime, async (shard) => {
      if (table.now() >= endsAt) return;
      const bounds = { before, limit: pageSize, from: places.get(shard) };
      const page = await attempt(run, () => listDue(table, { type, shard, ...bounds }));
      if (page === undefined) return;
      // Work that was queued is due again now, and so listed again in a later round.
      if (round === 0) note(run.open[type], page.acceptedAt);
      if (mayQueue !== true) return;
      const requeued = await requeueAll(run, queue, page.work, endsAt);
      run.requeued += requeued;
      places.set(shard, page.next);
      if (page.next !== undefined) withMore.push(shard);
    });
    shards = withMore;
  }
}

/**
 * Returns the shards for this run: those that work is written to, and some of the others. Those may have work from a
 * time at which the stack had more shards.
 */
function shardsToSweep({ dueShards = defaultDueShards, now }: Table): number[] {
  const turn = Math.floor(now() / 60_000) % turns;
  const every = Array.from({ length: mostDueShards }, (_, shard) => shard);
  return every.filter((shard) => shard < dueShards || shard % turns === turn);
}

/**
 * Queues this work again, in batches.
 *
 * @param endsAt time after which no batch begins, epoch ms
 * @returns how much was queued
 */
async function requeueAll(run: Run, queue: SweptQueue, listed: readonly ListedWork[], endsAt: number): Promise<number> {
  const work = readableWork(run, listed);
  let requeued = 0;
  for (let start = 0; start < work.length && run.table.now() < endsAt; start += batchSize) {
    const batch = work.slice(start, start + batchSize);
    requeued += (await attempt(run, () => requeue(run, queue, batch))) ?? 0;
  }
  return requeued;
}

async function requeue(run: Run, queue: SweptQueue, batch: readonly DueWork[]): Promise<number> {
  const at = new Date(databaseTime(run)).toISOString();
  const touched = await Promise.all(batch.map((work) => attempt(run, () => touchDue(run.table, work, at))));
  const messages = batch.filter((_, index) => touched[index]).map(({ transactionId }) => workMessage(transactionId));
  if (messages.length === 0) return 0;
  const refused = await queue.send(messages);
  return messages.length - refused.length;
}

/** Opens the job that runs every minute. */
export function open(environment: Environment<'sweeper'>) {
  const sqs = sqsClient(callLimits.queue);
  const sweptQueue = (url: string): SweptQueue => ({
    send: openQueue<WorkMessage>(sqs, url).sendAll,
    depth: openQueueDepth(sqs, url),
  });
  const services: SweeperServices = {
    table: {
      ...openTable(dynamodbClient(), environment.TABLE_NAME, callLimits.tableBudgetMs),
      dueShards: positiveInteger(environment, 'DUE_SHARDS'),
    },
    withdrawals: sweptQueue(environment.WITHDRAWAL_QUEUE_URL),
    transfers: sweptQueue(environment.TRANSFER_QUEUE_URL),
    fees: {
      entries: openTable(dynamodbClient(), environment.ENTRIES_TABLE_NAME, callLimits.tableBudgetMs),
      revenueWallets: readRevenueWallets(environment.REVENUE_WALLETS),
    },
    batches: environment.BATCH_QUEUE_URL === 'none' ? undefined : sweptQueue(environment.BATCH_QUEUE_URL),
    // The other half is for the commands of callers, which are refused when a queue is full.
    mostQueued: Math.ceil(positiveInteger(environment, 'QUEUE_DEPTH_LIMIT') / 2),
    hours: parsePayoutHours(environment.PAYOUT_WINDOW),
  };
  return () => sweep(services);
}
