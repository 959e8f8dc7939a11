import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import { addLevels, ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Properties of `Batches`. */
export interface BatchesProps {
  readonly ledger: LedgerTable;
  readonly withdrawals: WorkQueue;
  readonly transfers: WorkQueue;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Fees` as JSON. */
  readonly fees: string;
  /** Messages that may wait in a queue. From half of it on, batches wait. */
  readonly queueDepthLimit: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Bulk payments: a file of transfers and withdrawals, accepted as a whole and made by a worker. */
export class Batches extends Construct {
  readonly work: WorkQueue;
  readonly functions;
  readonly worker: WalletFunction<'batches'>;

  constructor(scope: Construct, id: string, props: BatchesProps) {
    super(scope, id);
    const { ledger, operatorLimits, fees, shares, addAlarm } = props;
    this.work = new WorkQueue(this, 'Work', {
      work: 'batch',
      atStake: 'the rest of its payments is not made',
      // A batch takes most of a run by itself.
      batchSize: 1,
      concurrency: 2,
      shares,
      addAlarm,
    });
    this.functions = {
      'create-batch': new WalletFunction(this, 'create-batch', {
        timeout: WalletFunction.longestRouteTimeout,
        environment: {
          TABLE_NAME: ledger.allow({ GetItem: ['batch'], PutItem: ['batch', 'transaction'] }),
          BATCH_QUEUE_URL: this.work.allow(['SendMessage']),
          OPERATOR_LIMITS: operatorLimits,
          FEES: fees,
        },
      }),
      'get-batch': new WalletFunction(this, 'get-batch', {
        environment: { TABLE_NAME: ledger.allow({ GetItem: ['batch'], BatchGetItem: ['transaction'] }) },
      }),
    };
    this.worker = new WalletFunction(this, 'batches', {
      timeout: this.work.workerTimeout,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow({
          GetItem: ['batch'],
          // Transactions of a batch that a restore has torn.
          BatchGetItem: ['transaction', 'alias'],
          PutItem: ['batch', 'transaction', 'reference'],
          UpdateItem: ['batch', 'wallet'],
        }),
        DUE_SHARDS: ledger.dueShards,
        QUEUE_DEPTH_LIMIT: String(props.queueDepthLimit),
        BATCH_QUEUE_URL: this.work.allow(['SendMessage', 'ChangeMessageVisibility']),
        WITHDRAWAL_QUEUE_URL: props.withdrawals.allow(['SendMessage', 'GetQueueAttributes']),
        TRANSFER_QUEUE_URL: props.transfers.allow(['SendMessage', 'GetQueueAttributes']),
      },
    });
    this.work.feed(this.worker);
    addLevels(addAlarm, this, 'OpenTooLong', {
      name: 'batch open for too long',
      metric: ownMetric(this, metrics.oldestBatch, Stats.MAXIMUM),
      thresholds: { warning: 1_800, critical: 7_200 },
      periods: 3,
      ofLoad: true,
      meaning: (seconds) =>
        `A batch has been open for ${seconds / 60} minutes or more; some of its payments are not made.`,
      runbook: 'batch-open-for-too-long',
    });
  }
}
