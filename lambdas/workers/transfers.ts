import type { WalletError } from '../domain/errors.ts';
import { groupByReceiver } from '../domain/transfer.ts';
import { dynamodbClient, sqsClient } from '../runtime/clients.ts';
import { consumeTogether } from '../runtime/consumer.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { openQueue } from '../runtime/queue.ts';
import { logger } from '../runtime/telemetry.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getTransactions } from '../store/transactions.ts';
import { failTransfer, mostTransfersPerWrite, settleTransfers } from '../store/transfers.ts';
import type { QueuedTransfer } from '../store/transfers.ts';

/**
 * Ends queued transfers: each receiver is credited once for all of its transfers in the batch, or, when it may not be
 * credited, each sender is made whole. Whatever had ended before is left alone.
 *
 * @param transactionIds at most 100
 * @returns the transfers that could not be ended now, with the reason; the others are at rest
 */
export async function endTransfers(
  transactionIds: readonly string[],
  table: Table,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const transactions = await getTransactions(table, transactionIds);
  const pending = [...transactions.values()].filter(
    (transaction): transaction is QueuedTransfer =>
      transaction.status === 'pending' && transaction.counterpartyWalletId !== undefined,
  );
  await Promise.all(
    groupByReceiver(pending, mostTransfersPerWrite).map(async (group) => {
      try {
        await endGroup(table, group);
      } catch (error) {
        for (const { transactionId } of group) failed.set(transactionId, error);
      }
    }),
  );
  return failed;
}

async function endGroup(table: Table, group: readonly QueuedTransfer[]): Promise<void> {
  const [first, ...others] = group;
  if (first === undefined) return;
  const at = new Date(table.now()).toISOString();
  const outcome = await settleTransfers(table, [first, ...others], at);
  if (outcome.settled) {
    logger.info('transfers completed', { walletId: first.counterpartyWalletId, count: group.length });
    return;
  }
  const { ended, refusal } = outcome;
  const open = group.filter(({ transactionId }) => !ended.has(transactionId));
  if (refusal === undefined || open.length < group.length) {
    // What was refused is the whole group. Without a refusal some had ended, so that each round has fewer.
    await endGroup(table, open);
  } else if (refusal.code === 'balance_limit_exceeded' && group.length > 1) {
    // Not all of them fit; one by one, some may.
    for (const transfer of group) await endGroup(table, [transfer]);
  } else {
    for (const transfer of group) await fail(table, transfer, refusal, at);
  }
}

async function fail(table: Table, transfer: QueuedTransfer, refusal: WalletError, at: string): Promise<void> {
  const failure = { code: refusal.code, message: refusal.title };
  if (await failTransfer(table, transfer, failure, at)) {
    logger.info('transfer failed', { transactionId: transfer.transactionId, code: refusal.code });
  }
}

const env = readEnvironment('transfers');
const table = openTable(dynamodbClient(), env.TABLE_NAME);

/** Consumes the transfer queue. */
export const handler = consumeTogether({
  queue: openQueue(sqsClient(), env.TRANSFER_QUEUE_URL),
  handle: (transactionIds) => endTransfers(transactionIds, table),
});
