import { metrics as names } from '../contract.ts';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { beganAtOf } from '../domain/transaction.ts';
import type { PendingTransfer, ScheduledTransfer } from '../domain/transaction.ts';
import { groupByReceiver } from '../domain/transfer.ts';
import { chunksOf } from '../aws/chunks.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { consumeTogether } from '../aws/consumer.ts';
import { forEachOf } from '../aws/parallel.ts';
import { openQueue } from '../aws/queue.ts';
import { logger, metrics } from '../aws/telemetry.ts';
import { executeTransfer } from '../store/schedules.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getTransactions } from '../store/transactions.ts';
import { crowdFrom, failTransfer, mostTransfersPerWrite, settleTransfers } from '../store/transfers.ts';
import { UnreadableItem } from '../store/unreadable.ts';

/** Transactions that one call reads. */
const mostReads = 100;
/**
 * Receivers that are credited side by side. The groups of one receiver exclude each other, so they follow one another.
 */
const receiversAtATime = 32;
/** Senders that get their money back side by side. The writes of one sender exclude each other, and follow one another. */
const sendersAtATime = 32;
/** Time after which a run begins no further write, ms: it ends well before the worker's limit of 30 s. */
const runMs = 20_000;

/** The settings and the refusals of one batch. */
interface Run {
  readonly table: Table;
  /** Number of transfers from which a group is a crowd. */
  readonly crowd: number;
  /** Epoch ms. */
  readonly until: number;
  readonly requestIds: ReadonlyMap<string, string>;
  /** Transfers that their receivers refused. */
  readonly refused: { readonly transfer: PendingTransfer; readonly refusal: WalletError }[];
}

/**
 * Executes scheduled transfers whose time has come, and ends queued transfers: one write credits a receiver for up to 99 of its transfers. When the receiver cannot be
 * credited, each sender gets the money back. Transfers that had ended before are left unchanged.
 *
 * @param crowd number of transfers from which a group is a crowd
 * @param requestIds the ids of the requests that asked for transfers, as far as they are known, for the log
 * @returns the transfers to redeliver, with the error; the others have ended. Some of these may have ended too: a
 *   repetition leaves them unchanged
 */
export async function endTransfers(
  transactionIds: readonly string[],
  table: Table,
  crowd = crowdFrom,
  requestIds: ReadonlyMap<string, string> = new Map(),
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const run: Run = { table, crowd, until: table.now() + runMs, requestIds, refused: [] };
  const reads = chunksOf(transactionIds, () => 1, { most: mostReads, mostBytes: mostReads });
  const pending: PendingTransfer[] = [];
  const scheduled: ScheduledTransfer[] = [];
  for (const found of await Promise.all(reads.map((ids) => getTransactions(table, ids)))) {
    for (const [transactionId, transaction] of found) {
      if (transaction instanceof UnreadableItem) failed.set(transactionId, transaction);
      else if (transaction.type !== 'transfer') continue;
      else if (transaction.status === 'pending') pending.push(transaction);
      else if (transaction.status === 'scheduled') scheduled.push(transaction);
    }
  }
  pending.push(...(await executeAll(run, scheduled, failed)));
  const groups = groupByReceiver(pending, mostTransfersPerWrite);
  const ofReceivers = Map.groupBy(groups, ([first]) => first.counterpartyWalletId);
  await forEachOf([...ofReceivers.values()], receiversAtATime, async (groupsOfOne) => {
    for (const [index, group] of groupsOfOne.entries()) {
      try {
        await endGroup(run, group);
      } catch (error) {
        // The queue redelivers this receiver's other groups. Waiting for it would delay the other receivers.
        for (const { transactionId } of groupsOfOne.slice(index).flat()) failed.set(transactionId, error);
        return;
      }
    }
  });
  const ofSenders = Map.groupBy(run.refused, ({ transfer }) => transfer.walletId);
  await forEachOf([...ofSenders.values()], sendersAtATime, async (refusedOfOne) => {
    for (const { transfer, refusal } of refusedOfOne) {
      try {
        await fail(run, transfer, refusal);
      } catch (error) {
        failed.set(transfer.transactionId, error);
      }
    }
  });
  return failed;
}

/**
 * Executes scheduled transfers. The writes of one sender exclude each other, and follow one another.
 *
 * @param failed receives those to redeliver, with the error
 * @returns those that are on their way to their receivers now
 */
async function executeAll(
  run: Run,
  scheduled: readonly ScheduledTransfer[],
  failed: Map<string, unknown>,
): Promise<PendingTransfer[]> {
  const executed: PendingTransfer[] = [];
  const ofSenders = Map.groupBy(scheduled, ({ walletId }) => walletId);
  await forEachOf([...ofSenders.values()], sendersAtATime, async (ofOne) => {
    for (const transfer of ofOne) {
      const { transactionId } = transfer;
      try {
        throwIfOver(run);
        const result = await executeTransfer(run.table, transfer, new Date(run.table.now()).toISOString());
        if (result.outcome === 'executed') {
          executed.push(result.payment);
        } else if (result.outcome === 'failed') {
          logger.info('scheduled transfer failed', { transactionId, code: result.failure.code });
        } else if (result.current?.type === 'transfer' && result.current.status === 'pending') {
          executed.push(result.current);
        }
      } catch (error) {
        failed.set(transactionId, error);
      }
    }
  });
  return executed;
}

/**
 * Throws when the run has no time for another write.
 *
 * @throws WalletError `busy`; then the queue redelivers the transfer
 */
function throwIfOver({ table, until }: Run): void {
  if (table.now() >= until) throw new WalletError('busy', { retryAfterSeconds: 1 });
}

async function endGroup(run: Run, group: readonly PendingTransfer[]): Promise<void> {
  const { table, crowd } = run;
  const [first, ...others] = group;
  if (first === undefined) return;
  throwIfOver(run);
  const at = new Date(table.now()).toISOString();
  const outcome = await settleTransfers(table, [first, ...others], at, crowd);
  if (outcome.settled) {
    logger.info('transfers completed', {
      walletId: first.counterpartyWalletId,
      count: group.length,
      requestIds: group.flatMap(({ transactionId }) => run.requestIds.get(transactionId) ?? []),
    });
    for (const transfer of group) countAge(run, transfer);
    return;
  }
  const { ended, refusal, fitting } = outcome;
  const open = group.filter(({ transactionId }) => !ended.has(transactionId));
  if (refusal === undefined || open.length < group.length) {
    // Some had ended. A refusal of the whole group may not hold for the rest. Each round has fewer.
    await endGroup(run, open);
  } else if (fitting.length > 0) {
    // All together are over a limit of the receiver. Settle those that fit. Try the rest once more: the limits may have changed
    // since the refused write.
    const isFitting = new Set(fitting);
    await endGroup(run, fitting);
    await endGroup(
      run,
      group.filter((transfer) => !isFitting.has(transfer)),
    );
  } else {
    for (const transfer of group) run.refused.push({ transfer, refusal });
  }
}

async function fail(run: Run, transfer: PendingTransfer, refusal: WalletError): Promise<void> {
  throwIfOver(run);
  const { table } = run;
  const at = new Date(table.now()).toISOString();
  const failure = { code: refusal.code, message: refusal.title };
  if (await failTransfer(table, transfer, failure, at)) {
    const { transactionId } = transfer;
    logger.info('transfer failed', { transactionId, requestId: run.requestIds.get(transactionId), code: refusal.code });
    countAge(run, transfer);
  }
}

/** Counts the age of a transfer that has ended. */
function countAge({ table }: Run, transfer: PendingTransfer): void {
  metrics.addMetric(names.transferAge, 'Milliseconds', table.now() - Date.parse(beganAtOf(transfer)));
}

/** Opens the consumer of the transfer queue. */
export function open(environment: Environment<'transfers'>) {
  const table = openTable(dynamodbClient(), environment.TABLE_NAME);
  return consumeTogether({
    queue: openQueue(sqsClient(), environment.TRANSFER_QUEUE_URL),
    handle: (transactionIds, requestIds) => endTransfers(transactionIds, table, crowdFrom, requestIds),
  });
}
