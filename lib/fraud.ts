import { Duration } from 'aws-cdk-lib';
import { AttributeType } from 'aws-cdk-lib/aws-dynamodb';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { activityItems, screenedEvents } from '../lambdas/contract.ts';
import type { FraudPolicy } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';
import type { TableCapacity } from './capacity.ts';
import type { Shares } from './concurrency.ts';
import type { Events } from './events.ts';
import { ExpiringTable } from './expiring-table.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Limits that a wallet may reach without a signal, and the reaction to an excess. */
export interface FraudOptions extends Partial<FraudPolicy> {
  /**
   * Whether a wallet that exceeds a limit is frozen until an operator unfreezes it.
   *
   * @default false
   */
  readonly freezeOnSuspicion?: boolean;
}

/** Amounts in minor units: 10,000.00 in a minute where a unit has a hundred of them. Set them for your business. */
const defaults: FraudPolicy = {
  outgoingPerMinute: { count: 10, amount: 1_000_000 },
  outgoingPerHour: { count: 60, amount: 2_000_000 },
  outgoingPerDay: { count: 300, amount: 5_000_000 },
  inAndOut: { minutes: 10, amount: 500_000 },
  newDestination: { amount: 500_000 },
};

/** Properties of `Fraud`. */
export interface FraudProps {
  readonly ledger: LedgerTable;
  readonly events: Events;
  readonly options: FraudOptions;
  readonly capacity: TableCapacity;
  /** Most batches that are handled at the same time: 2 to 1000. */
  readonly concurrency: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/**
 * The screening of each wallet's movements. It publishes an event about each limit that a wallet exceeds and, if
 * enabled, freezes the wallet.
 */
export class Fraud extends Construct {
  readonly work: WorkQueue;
  readonly worker: WalletFunction<'fraud'>;
  /** The movements that are counted. */
  readonly activity: ExpiringTable<keyof typeof activityItems>;

  constructor(scope: Construct, id: string, props: FraudProps) {
    super(scope, id);
    const { ledger, events, options, capacity, concurrency, shares, addAlarm } = props;
    const { freezeOnSuspicion = false, ...limits } = options;
    const policy: FraudPolicy = { ...defaults, ...limits };
    this.activity = new ExpiringTable(this, 'Activity', {
      ...capacity.table('activity'),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      items: activityItems,
      timeToLiveAttribute: 'ttl',
    });
    // In batches, so that a wallet with many movements is counted once for all of them.
    this.work = new WorkQueue(this, 'Work', {
      work: 'screening',
      atStake: 'a movement has not been counted',
      batchSize: 100,
      batchingWindow: Duration.seconds(1),
      concurrency,
      shares,
      addAlarm,
    });
    events.route(this, 'Screened', {
      description: 'money that is screened for fraud',
      types: screenedEvents,
      target: new SqsQueue(this.work.queue, { deadLetterQueue: this.work.deadLetterQueue }),
    });
    this.worker = new WalletFunction(this, 'fraud', {
      timeout: this.work.workerTimeout,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow({ GetItem: ['wallet'], PutItem: ['transaction'], UpdateItem: ['wallet'] }),
        SCREENING_QUEUE_URL: this.work.allow(['ChangeMessageVisibility']),
        ACTIVITY_TABLE_NAME: this.activity.allow({ BatchGetItem: ['activity'], PutItem: ['activity'] }),
        EVENT_BUS_NAME: events.allowPublishing(),
        FRAUD_LIMITS: JSON.stringify(policy),
        FREEZE_ON_SUSPICION: String(freezeOnSuspicion),
      },
    });
    this.work.feed(this.worker);
  }
}
