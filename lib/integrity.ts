import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { metrics, mostUncheckedHours } from '../lambdas/contract.ts';
import { ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import type { EntriesTable } from './entries-table.ts';
import type { Events } from './events.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';
import type { Withdrawals } from './withdrawals.ts';

/** Properties of `Integrity`. */
export interface IntegrityProps {
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  /** The construct with access to the bank, whose statement is compared. */
  readonly withdrawals: Withdrawals;
  readonly events: Events;
  readonly shares: Shares;
  /** See `WalletServiceProps`. */
  readonly fullPassEvery: Duration;
  readonly addAlarm: AddAlarm;
}

/** The check of the closed hours and of all books, and the route that returns its findings. */
export class Integrity extends Construct {
  readonly functions;
  readonly job: WalletFunction<'integrity-job'>;

  constructor(scope: Construct, id: string, props: IntegrityProps) {
    super(scope, id);
    const { ledger, entries, withdrawals, events, shares, fullPassEvery, addAlarm } = props;
    this.functions = {
      integrity: new WalletFunction(this, 'integrity', {
        environment: { ENTRIES_TABLE_NAME: entries.allow({ GetItem: ['pass'] }) },
      }),
    };
    this.job = new WalletFunction(this, 'integrity-job', {
      // A run ends after ten minutes by itself, and the next run goes on.
      timeout: Duration.minutes(15),
      // One thread computes all the time, so that a second processor would be idle.
      memorySize: 1_769,
      reservedConcurrency: shares.scheduled,
      environment: {
        TABLE_NAME: ledger.allow(
          {
            GetItem: ['wallet', 'fees'],
            BatchGetItem: ['wallet', 'transaction', 'reference'],
            Scan: 'everything',
            DescribeTable: 'everything',
          },
          ['byWallet', 'byCounterparty'],
        ),
        ENTRIES_TABLE_NAME: entries.allow({
          GetItem: ['pass'],
          BatchGetItem: ['entry', 'total'],
          Query: ['entry', 'total', 'journal'],
          PutItem: ['pass'],
        }),
        ...withdrawals.bankAccess,
        EVENT_BUS_NAME: events.allowPublishing(),
        FULL_PASS_HOURS: String(fullPassEvery.toHours()),
      },
      network: withdrawals.network,
    });
    new Rule(this, 'EveryQuarter', {
      description: 'Wallet service: check the books',
      schedule: Schedule.rate(Duration.minutes(15)),
      targets: [new LambdaFunction(this.job.invoked)],
    });
    this.#addAlarms(addAlarm, fullPassEvery);
  }

  #addAlarms(addAlarm: AddAlarm, fullPassEvery: Duration): void {
    addAlarm(this, 'Discrepancy', {
      name: 'discrepancy in the books',
      severity: 'critical',
      metric: ownMetric(this, metrics.discrepancies, Stats.MAXIMUM),
      threshold: 1,
      periods: 1,
      // The job reports every quarter of an hour. Between its reports a discrepancy is neither over nor new.
      missing: 'ignore',
      moneyAtRisk: true,
      meaning: 'The check of the books has found a discrepancy, and no whole pass since then has found it gone.',
      runbook: 'discrepancy',
    });
    addAlarm(this, 'Errors', {
      name: 'check of the books fails',
      severity: 'warning',
      metric: this.job.handler.metricErrors({ statistic: Stats.SUM, period: Duration.hours(1) }),
      threshold: 1,
      periods: 2,
      meaning: 'The check of the books fails; it finds no discrepancy until it works again.',
      runbook: 'integrity-errors',
    });
    addAlarm(this, 'PassTooOld', {
      name: 'no pass over the books',
      severity: 'warning',
      metric: ownMetric(this, metrics.hoursSincePass, Stats.MAXIMUM, Duration.minutes(30)),
      threshold: 2 * fullPassEvery.toHours(),
      periods: 1,
      meaning: 'No pass over all books has ended for twice the time that it should take.',
      runbook: 'no-pass-over-the-books',
    });
    addAlarm(this, 'Unchecked', {
      name: 'hours unchecked',
      severity: 'warning',
      metric: ownMetric(this, metrics.uncheckedHours, Stats.MAXIMUM, Duration.minutes(30)),
      threshold: mostUncheckedHours,
      periods: 2,
      missing: 'breaching',
      meaning:
        'The books of an hour that ended over two hours ago are not checked; a discrepancy in them is not found.',
      runbook: 'unchecked-hours',
    });
  }
}
