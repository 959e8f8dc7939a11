import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import { addLevels, ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import type { EntriesTable } from './entries-table.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';
import type { WorkQueue } from './work-queue.ts';

/** Properties of `Sweeper`. */
export interface SweeperProps {
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  readonly withdrawals: WorkQueue;
  readonly transfers: WorkQueue;
  /** The revenue wallets by currency, as JSON. */
  readonly revenueWallets: string;
  /** Undefined where batches are switched off. */
  readonly batches: WorkQueue | undefined;
  /** `PAYOUT_WINDOW`. */
  readonly payoutWindow: string;
  /** Messages that may wait in a queue before new work is refused. */
  readonly queueDepthLimit: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/**
 * The minutely search for overdue work that does not move, which it queues again, for holds that have expired, and for
 * payments whose time has come. It also collects fees into the revenue wallets.
 */
export class Sweeper extends Construct {
  readonly sweeper: WalletFunction<'sweeper'>;

  constructor(scope: Construct, id: string, props: SweeperProps) {
    super(scope, id);
    const { ledger, entries, withdrawals, transfers, batches, revenueWallets, shares, addAlarm } = props;
    const collects = revenueWallets !== '{}';
    // Two runs at once do no harm, as each piece of work is marked by a conditional write before it is sent.
    this.sweeper = new WalletFunction(this, 'sweeper', {
      timeout: Duration.seconds(50),
      reservedConcurrency: shares.scheduled,
      environment: {
        // It reads the holds that it ends, and gives back their money. It makes the payments of standing orders. A collection is
        // a transaction of its own, and counted in the item of its currency.
        TABLE_NAME: ledger.allow(
          {
            GetItem: ['transaction', ...(collects ? (['fees'] as const) : [])],
            PutItem: ['transaction', ...(collects ? (['fees'] as const) : [])],
            UpdateItem: ['transaction', 'wallet', 'standingOrder', ...(batches ? (['batch'] as const) : [])],
          },
          ['due'],
        ),
        // What came together is the total of the account of fees.
        ENTRIES_TABLE_NAME: entries.allow(collects ? { Query: ['total'] } : {}),
        REVENUE_WALLETS: revenueWallets,
        DUE_SHARDS: ledger.dueShards,
        WITHDRAWAL_QUEUE_URL: withdrawals.allow(['SendMessage', 'GetQueueAttributes']),
        TRANSFER_QUEUE_URL: transfers.allow(['SendMessage', 'GetQueueAttributes']),
        BATCH_QUEUE_URL: batches?.allow(['SendMessage', 'GetQueueAttributes']) ?? 'none',
        PAYOUT_WINDOW: props.payoutWindow,
        QUEUE_DEPTH_LIMIT: String(props.queueDepthLimit),
      },
    });
    new Rule(this, 'EveryMinute', {
      description: 'Wallet service: queue overdue and scheduled work, end expired holds, and collect fees',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.sweeper.invoked)],
    });
    this.#addAlarms(addAlarm);
    if (collects) this.#addFeeAlarm(addAlarm);
  }

  #addAlarms(addAlarm: AddAlarm): void {
    addAlarm(this, 'Errors', {
      name: 'sweeper fails',
      severity: 'warning',
      metric: this.sweeper.handler.metricErrors({ statistic: Stats.SUM, period: Duration.minutes(1) }),
      threshold: 1,
      periods: 3,
      meaning: 'The sweeper keeps failing: no worker gets work whose message is lost, or no fees are collected.',
      runbook: 'sweeper-errors',
    });
    addAlarm(this, 'Silent', {
      name: 'sweeper silent',
      severity: 'critical',
      metric: ownMetric(this, metrics.workRequeued, Stats.SAMPLE_COUNT),
      threshold: 1,
      alarmsWhen: 'below',
      // In AWS's examples CloudWatch looks back two more periods before a missing point breaches: three minutes of silence.
      periods: 1,
      missing: 'breaching',
      meaning: 'The sweeper has not ended a run for three minutes: lost work stays open, and no alarm sees its age.',
      runbook: 'sweeper-silent',
    });
    addLevels(addAlarm, this, 'HoldsOverdue', {
      name: 'expired hold open for too long',
      metric: ownMetric(this, metrics.oldestExpiredHold, Stats.MAXIMUM),
      thresholds: { warning: 300, critical: 900 },
      periods: 3,
      ofLoad: true,
      meaning: (seconds) =>
        `A hold that expired ${seconds / 60} minutes ago or more is still open; its payer waits for the money.`,
      runbook: 'expired-hold-open-for-too-long',
    });
    // In a crowd of payments some wait for their turn, at half the room of their queue a minute.
    addLevels(addAlarm, this, 'ScheduledLate', {
      name: 'scheduled payment waits for too long',
      metric: ownMetric(this, metrics.oldestScheduled, Stats.MAXIMUM),
      thresholds: { warning: 900, critical: 3_600 },
      periods: 3,
      ofLoad: true,
      meaning: (seconds) =>
        `A scheduled payment whose time came ${seconds / 60} minutes ago or more is not queued yet.`,
      runbook: 'scheduled-payment-waits-for-too-long',
    });
    addLevels(addAlarm, this, 'OrdersLate', {
      name: 'standing order waits for too long',
      metric: ownMetric(this, metrics.oldestDueOrder, Stats.MAXIMUM),
      thresholds: { warning: 3_600, critical: 86_400 },
      periods: 3,
      ofLoad: true,
      meaning: (seconds) => `A standing order has waited ${seconds / 3_600} hours or more to make its next payment.`,
      runbook: 'standing-order-waits-for-too-long',
    });
    addAlarm(this, 'WorkRequeued', {
      name: 'much work requeued',
      severity: 'warning',
      metric: ownMetric(this, metrics.workRequeued, Stats.SUM, Duration.minutes(5)),
      threshold: 50,
      periods: 1,
      meaning: 'Much overdue work did not move, and was queued again: messages are lost, or workers crash.',
      runbook: 'work-requeued',
    });
  }

  #addFeeAlarm(addAlarm: AddAlarm): void {
    addAlarm(this, 'FeesRefused', {
      name: 'fees not collected',
      severity: 'warning',
      metric: ownMetric(this, metrics.feesRefused, Stats.MAXIMUM),
      threshold: 1,
      periods: 3,
      meaning: 'A revenue wallet takes no fees: they stay on their account until it does.',
      runbook: 'fees-not-collected',
    });
  }
}
