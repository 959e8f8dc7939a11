import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import { addLevels, ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Properties of `Transfers`. */
export interface TransfersProps {
  readonly ledger: LedgerTable;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Fees` as JSON. */
  readonly fees: string;
  /** Whether transfers can be scheduled. */
  readonly schedules: boolean;
  /** Messages that may wait before new queued transfers are refused. */
  readonly queueDepthLimit: number;
  /** Most batches of queued transfers that are settled at the same time: 2 to 1000. */
  readonly concurrency: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Money from wallet to wallet: at once, or queued and settled by a worker in groups. */
export class Transfers extends Construct {
  readonly work: WorkQueue;
  readonly functions;
  readonly worker: WalletFunction<'transfers'>;

  constructor(scope: Construct, id: string, props: TransfersProps) {
    super(scope, id);
    const { ledger, rateLimits, concurrency, shares, addAlarm } = props;
    // Many at a time, so that a wallet with many payers is credited once for all of them.
    this.work = new WorkQueue(this, 'Work', {
      work: 'transfer',
      atStake: 'its money is with neither side',
      // The groups of one wallet follow one another in one function, where they do not conflict (docs/adr/0015-*.md).
      batchSize: 2_000,
      batchingWindow: Duration.seconds(1),
      concurrency,
      depthLimit: props.queueDepthLimit,
      shares,
      addAlarm,
    });
    this.functions = {
      transfer: new WalletFunction(this, 'transfer', {
        timeout: WalletFunction.longestRouteTimeout,
        reservedConcurrency: shares.waitingRoutes,
        environment: {
          TABLE_NAME: ledger.allowPayments(['alias']),
          READS_PER_HOUR: String(rateLimits.reads),
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          TRANSFERS_PER_HOUR: String(rateLimits.transfers),
          TRANSFER_QUEUE_URL: this.work.allow(['SendMessage', 'GetQueueAttributes']),
          DUE_SHARDS: ledger.dueShards,
          QUEUE_DEPTH_LIMIT: String(props.queueDepthLimit),
          OPERATOR_LIMITS: props.operatorLimits,
          FEES: props.fees,
          SCHEDULES: String(props.schedules),
        },
      }),
    };
    this.worker = new WalletFunction(this, 'transfers', {
      timeout: this.work.workerTimeout,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow({ BatchGetItem: ['transaction'], UpdateItem: ['transaction', 'wallet'] }),
        TRANSFER_QUEUE_URL: this.work.allow(['ChangeMessageVisibility']),
      },
    });
    this.work.feed(this.worker);
    addLevels(addAlarm, this, 'OpenTooLong', {
      name: 'transfer open for too long',
      metric: ownMetric(this, metrics.oldestTransfer, Stats.MAXIMUM),
      thresholds: { warning: 300, critical: 900 },
      periods: 3,
      meaning: (seconds) =>
        `A queued transfer has been open for ${seconds / 60} minutes or more; its money is on its way.`,
      runbook: 'transfer-open-for-too-long',
    });
  }
}
