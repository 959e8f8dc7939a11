import { workMessage } from '../contract.ts';
import type { Environment, WorkMessage } from '../contract.ts';
import { groupByPayer, paymentOf } from '../domain/batch.ts';
import type { Batch, BatchLine, OpenBatch, Payment, ReceivedLine, TransferLine } from '../domain/batch.ts';
import { WalletError } from '../domain/errors.ts';
import { batchIdOfTransaction, currencyOfWalletId, transactionIdOfLine } from '../domain/ids.ts';
import { chunksOf } from '../aws/chunks.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { consume } from '../aws/consumer.ts';
import { positiveInteger } from '../aws/environment.ts';
import { forEachOf } from '../aws/parallel.ts';
import { openQueue, openQueueDepth } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { receiversOf } from '../store/aliases.ts';
import { endChunk, getBatch, getChunk, touchBatch } from '../store/batches.ts';
import type { Chunk } from '../store/batches.ts';
import { acceptPayments, readLines, refusePayments } from '../store/payments.ts';
import type { RefusedPayment } from '../store/payments.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { readable } from '../store/unreadable.ts';

/** Time after which a run begins no further part of a batch, ms. */
const runMs = 12_000;
/** Time after which a run begins no further write of payments, ms: the rest of a part ends before the worker's limit of 30 s. */
const writesMs = 16_000;
/** Payers whose payments are made side by side. The groups of one payer exclude each other, so they follow one another. */
const payersAtATime = 16;
/** Messages in one call to SQS, and calls side by side. */
const messagesPerCall = 10;
const callsAtATime = 8;
/** Transactions that one call reads. */
const mostReads = 100;
/** Time for which a batch waits while a queue that it feeds is half full, ms. */
const pauseMs = 30_000;

/** A queue that batches feed: their payments' work. */
export interface FedQueue {
  readonly sendAll: Queue<WorkMessage>['sendAll'];
  readonly depth: () => Promise<number>;
}

/** The services of the worker. */
export interface BatchServices {
  readonly table: Table;
  readonly queues: Readonly<Record<Payment['type'], FedQueue>>;
  /** The worker's own queue: a batch that needs more time goes behind the others. */
  readonly again: Pick<Queue<WorkMessage>, 'send'>;
  /** Messages in a queue from which batches wait, so that they leave room for single commands. */
  readonly mostWaiting: number;
  /** Most payments that one write makes; absent: as many as fit. */
  readonly paymentsPerWrite?: number;
}

/**
 * Makes the payments of a batch, part after part, for up to 12 s. Then the batch goes to the end of its queue.
 *
 * A crash anywhere repeats a part: the ids of its transactions come from the lines, so no line is made twice. A refusal is
 * recorded under the same id, so no line is made after it was refused.
 *
 * @param transactionId of the record of the command that made the batch
 * @returns when the message must be redelivered (epoch ms); undefined when it is not needed any more
 * @throws WalletError `busy`, or the first failure of a part of which nothing could be made; the queue redelivers then
 */
export async function advanceBatch(transactionId: string, services: BatchServices): Promise<number | undefined> {
  const { table } = services;
  const batchId = batchIdOfTransaction(transactionId);
  const startedAt = table.now();
  for (let batch = await getBatch(table, batchId); batch !== undefined && batch.status !== 'completed';) {
    if (table.now() >= startedAt + runMs) {
      await services.again.send(workMessage(transactionId));
      return undefined;
    }
    if (await isFull(services)) return pause(batch, table);
    batch = (await makeChunk(batch, startedAt + writesMs, services)) ?? (await getBatch(table, batchId));
    if (batch?.status === 'completed') {
      const { count, accepted, refused } = batch;
      logger.info('batch completed', { batchId, count, accepted, refused });
    }
  }
  return undefined;
}

/** Puts a batch back that has its message still. Marks it, so that the sweeper does not send a second message. */
async function pause(batch: OpenBatch, table: Table): Promise<number> {
  const now = table.now();
  await touchBatch(table, batch, new Date(now).toISOString());
  return now + pauseMs;
}

async function isFull({ queues, mostWaiting }: BatchServices): Promise<boolean> {
  const depths = await Promise.all(Object.values(queues).map(({ depth }) => depth()));
  return depths.some((depth) => depth > mostWaiting);
}

/** The progress of a part of a batch. */
interface Run {
  readonly table: Table;
  /** Time after which no write of payments begins, epoch ms. */
  readonly until: number;
  readonly made: Payment[];
  /** Lines that an earlier try had accepted. */
  acceptedBefore: number;
  refused: number;
  /** Payments that could not be made yet, with the failures. */
  readonly left: { readonly payment: Payment; readonly error: unknown }[];
}

/**
 * Makes the payments of a batch's next part. Lines of a payer that fails are left for a last part of the batch, so that
 * they do not hold up the other payers.
 *
 * @returns the batch after it; undefined when another worker was faster
 */
async function makeChunk(batch: OpenBatch, until: number, services: BatchServices): Promise<Batch | undefined> {
  const { table, queues } = services;
  const chunk = await getChunk(table, batch.batchId, batch.nextChunk);
  if (chunk === undefined) throw new Error(`batch ${batch.batchId} has no part ${batch.nextChunk}`);
  const { lines } = chunk;
  if (lines === undefined) return countAgain(table, batch, chunk);
  const at = new Date(table.now()).toISOString();
  const lineOf = new Map<string, BatchLine>();
  const receiverOf = await receiversOf(
    table,
    lines.filter((line) => line.type === 'transfer'),
  );
  const payments = lines.map((line) => {
    const payment = paymentOf(batch, line.type === 'transfer' ? withReceiver(line, receiverOf) : line, at);
    lineOf.set(payment.transactionId, line);
    return payment;
  });
  const run: Run = { table, until, made: [], acceptedBefore: 0, refused: 0, left: [] };
  await makePayments(run, payments, services.paymentsPerWrite);
  for (const type of ['transfer', 'withdrawal'] as const) {
    await enqueue(
      queues[type],
      run.made.filter((payment) => payment.type === type),
    );
  }
  const { made, acceptedBefore, refused, left } = run;
  const [failure] = left;
  if (failure !== undefined) {
    logger.warn('lines left', { batchId: batch.batchId, count: left.length, error: describe(failure.error) });
    if (left.length === lines.length) throw failure.error;
  }
  return endChunk(table, batch, chunk, {
    accepted: made.length + acceptedBefore,
    refused,
    rest: left.flatMap(({ payment }) => lineOf.get(payment.transactionId) ?? []),
    at: new Date(table.now()).toISOString(),
  });
}

/** Returns a line with the wallet that it pays, which is fixed when its transaction is made. */
function withReceiver(line: TransferLine, receiverOf: Awaited<ReturnType<typeof receiversOf>>): ReceivedLine {
  return { ...line, ...receiverOf(line, currencyOfWalletId(line.walletId) ?? '') };
}

/**
 * Ends a part that is done, of a batch that does not show it: another worker was faster since the batch was read, and then
 * nothing is written. Or a restore has torn the two apart, and then a line without a record counts as refused.
 */
async function countAgain(table: Table, batch: OpenBatch, chunk: Chunk): Promise<Batch | undefined> {
  const ids = chunk.keys.map((key) => transactionIdOfLine(batch.batchId, key));
  let accepted = 0;
  for (const some of chunksOf(ids, () => 1, { most: mostReads, mostBytes: mostReads })) {
    for (const state of (await readLines(table, some)).values()) if ('transaction' in readable(state)) accepted++;
  }
  const refused = ids.length - accepted;
  return endChunk(table, batch, chunk, { accepted, refused, rest: [], at: new Date(table.now()).toISOString() });
}

async function makePayments(run: Run, payments: readonly Payment[], most?: number): Promise<void> {
  const ofPayers = Map.groupBy(groupByPayer(payments, most), ([{ walletId }]) => walletId);
  await forEachOf([...ofPayers.values()], payersAtATime, async (groupsOfOne) => {
    for (const group of groupsOfOne) await makeGroup(run, group);
  });
}

/** Makes a group of payments out of one wallet. Those that fail are left. */
async function makeGroup(run: Run, group: readonly Payment[]): Promise<void> {
  const [first, ...others] = group;
  if (first === undefined) return;
  const { table, until } = run;
  try {
    if (table.now() >= until) throw new WalletError('busy', { retryAfterSeconds: 1 });
    const own = group.filter(paysItself).map((payment) => ({ payment, refusal: new WalletError('same_wallet') }));
    if (own.length > 0) {
      await refuse(run, own);
      await makeGroup(
        run,
        group.filter((payment) => !paysItself(payment)),
      );
      return;
    }
    const outcome = await acceptPayments(table, [first, ...others], first.createdAt);
    if (outcome.written) {
      run.made.push(...group);
      return;
    }
    const { ended, fitting, refused } = outcome;
    for (const end of ended.values()) {
      if (end === 'accepted') run.acceptedBefore++;
      else run.refused++;
    }
    if (fitting === undefined) {
      // Some had ended, or their references are taken. A refusal of the whole group may not hold for the rest. Each round
      // has fewer.
      if (refused.length > 0) await refuse(run, refused);
      const taken = new Set(refused.map(({ payment }) => payment.transactionId));
      await makeGroup(
        run,
        group.filter(({ transactionId }) => !ended.has(transactionId) && !taken.has(transactionId)),
      );
    } else if (fitting.length > 0) {
      // All together are more than the payer has, or over a limit. Those that fit are made, in the order of the lines. Try
      // the rest once more: money may have come since the refused write.
      const isFitting = new Set(fitting);
      await makeGroup(run, fitting);
      await makeGroup(
        run,
        group.filter((payment) => !isFitting.has(payment)),
      );
    } else {
      await refuse(run, refused);
    }
  } catch (error) {
    run.left.push(...group.map((payment) => ({ payment, error })));
  }
}

/** Whether the alias of a line is of the wallet that pays. */
function paysItself(payment: Payment): boolean {
  return payment.type === 'transfer' && payment.counterpartyWalletId === payment.walletId;
}

async function refuse(run: Run, refused: readonly RefusedPayment[]): Promise<void> {
  const acceptedBefore = await refusePayments(run.table, refused, new Date(run.table.now()).toISOString());
  run.acceptedBefore += acceptedBefore;
  run.refused += refused.length - acceptedBefore;
}

/** Sends the work of payments to its queue. The sweeper sends what fails here: it is due in the table. */
async function enqueue(queue: FedQueue, payments: readonly Payment[]): Promise<void> {
  const calls = chunksOf(payments, () => 1, { most: messagesPerCall, mostBytes: messagesPerCall });
  await forEachOf(calls, callsAtATime, async (some) => {
    try {
      await queue.sendAll(some.map(({ transactionId }) => workMessage(transactionId)));
    } catch (error) {
      logger.error('work not queued: the sweeper queues it', { count: some.length, error: describe(error) });
    }
  });
}

/** Opens the consumer of the queue of batches. */
export function open(environment: Environment<'batches'>) {
  const table = {
    ...openTable(dynamodbClient(), environment.TABLE_NAME),
    dueShards: positiveInteger(environment, 'DUE_SHARDS'),
  };
  const sqs = sqsClient();
  const fed = (url: string): FedQueue => ({
    sendAll: openQueue<WorkMessage>(sqs, url).sendAll,
    depth: openQueueDepth(sqs, url),
  });
  const queue = openQueue<WorkMessage>(sqs, environment.BATCH_QUEUE_URL);
  const services: BatchServices = {
    table,
    queues: { transfer: fed(environment.TRANSFER_QUEUE_URL), withdrawal: fed(environment.WITHDRAWAL_QUEUE_URL) },
    again: queue,
    mostWaiting: positiveInteger(environment, 'QUEUE_DEPTH_LIMIT') / 2,
  };
  return consume({ queue, handle: (transactionId) => advanceBatch(transactionId, services), now: table.now });
}
