/** Batches as the route accepts them and the worker makes them, with keys that no other test uses. */
import { acceptedBatch } from '../../lambdas/domain/batch.ts';
import type { Batch, BatchLine, OpenBatch } from '../../lambdas/domain/batch.ts';
import { batchIdOfTransaction, transactionIdOf, transactionIdOfBatch } from '../../lambdas/domain/ids.ts';
import { acceptBatch, chunksOfLines, getBatch } from '../../lambdas/store/batches.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { advanceBatch } from '../../lambdas/workers/batches.ts';
import type { BatchServices } from '../../lambdas/workers/batches.ts';
import { destination, newKey, operation } from './commands.ts';
import { queueOfDepth } from './work.ts';

/** Returns a line that asks for a transfer. */
export function transferLine(key: string, walletId: string, toWalletId: string, amount: number): BatchLine {
  return { key, type: 'transfer', walletId, toWalletId, amount };
}

/** Returns a line that asks for a withdrawal. */
export function withdrawalLine(key: string, walletId: string, amount: number): BatchLine {
  return { key, type: 'withdrawal', walletId, destination, amount };
}

/** Accepts a batch of the operator. */
export async function sendBatch(
  table: Table,
  lines: readonly BatchLine[],
  { key = newKey(), parts = chunksOfLines(lines) }: { key?: string; parts?: readonly BatchLine[][] } = {},
): Promise<{ batch: Batch; replayed: boolean }> {
  const command = operation(table, ['create-batch', {}, lines], { key });
  const batchId = batchIdOfTransaction(transactionIdOf(command.principal, key));
  const facts = { batchId, by: command, count: lines.length, chunks: parts.length, at: command.at };
  return acceptBatch(table, acceptedBatch(facts), parts, command);
}

/** Services of the worker with queues that take every message. `sent`: the ids, by queue. */
export function workerOn(table: Table, depth = 0) {
  const queues = { transfer: queueOfDepth(depth), withdrawal: queueOfDepth(depth) };
  const again: string[] = [];
  const services: BatchServices = {
    table,
    queues: {
      transfer: { sendAll: queues.transfer.send, depth: queues.transfer.depth },
      withdrawal: { sendAll: queues.withdrawal.send, depth: queues.withdrawal.depth },
    },
    again: {
      send: ({ transactionId }) => {
        again.push(transactionId);
        return Promise.resolve();
      },
    },
    mostWaiting: 10_000,
  };
  return { services, again, sent: { transfer: queues.transfer.sent, withdrawal: queues.withdrawal.sent } };
}

/** Lets a worker make a batch as far as it comes in one run. */
export function advance({ batchId }: Pick<OpenBatch, 'batchId'>, services: BatchServices): Promise<number | undefined> {
  return advanceBatch(transactionIdOfBatch(batchId), services);
}

/** Lets workers make a batch to its end. Returns the batch. */
export async function complete(table: Table, { batchId }: Pick<OpenBatch, 'batchId'>): Promise<Batch> {
  const { services } = workerOn(table);
  for (let run = 0; run < 100; run++) {
    await advance({ batchId }, services);
    const batch = await getBatch(table, batchId);
    if (batch?.status === 'completed') return batch;
  }
  throw new Error(`batch ${batchId} does not complete`);
}
