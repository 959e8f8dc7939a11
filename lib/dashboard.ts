import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  LogQueryWidget,
  Metric,
  Row,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IAlarm, IMetric, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { errorTitles, indexes, metrics, refusalMetric } from '../lambdas/contract.ts';
import type { ErrorCode, PerFunction } from '../lambdas/contract.ts';
import { ownMetric } from './alarms.ts';
import type { LogQueries } from './log-queries.ts';
import { serviceNameOf } from './service-name.ts';
import { dollarsAnHour } from './spending.ts';
import type { Spending } from './spending.ts';
import type { WorkQueue } from './work-queue.ts';

/** Properties of `Dashboard`. */
export interface DashboardProps {
  readonly alarms: readonly IAlarm[];
  readonly api: RestApi;
  readonly functions: PerFunction<IFunction>;
  /** By the word for the work of each. */
  readonly queues: Readonly<Record<string, WorkQueue>>;
  readonly ledger: ITableV2;
  readonly entries: ITableV2;
  readonly queries: LogQueries;
  readonly spending: Spending;
}

const minute = Duration.minutes(1);
const columns = 24;

/**
 * One page from the top down: what lasts, what callers get, how fast, what waits, and then the parts that may be the reason. It
 * has the name of the service.
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const rows: (readonly [title: string, widgets: readonly IWidget[]])[] = [
      ['Business: what callers get', this.#business(props)],
      ['Latency', this.#latency(props)],
      ['Queues and open work', this.#queues(props)],
      ['Bank', this.#bank(props)],
      ['Streams: ledgers and events', this.#streams(props)],
      ['Books', this.#books()],
      ['Cost: dollars, units of DynamoDB, and concurrency', this.#cost(props)],
    ];
    const alarms = new AlarmStatusWidget({ title: 'Alarms', width: columns, height: 5, alarms: [...props.alarms] });
    new CloudWatchDashboard(this, 'Page', {
      dashboardName: serviceNameOf(this),
      defaultInterval: Duration.hours(3),
      widgets: [
        [alarms],
        ...rows.flatMap(([title, widgets]) => [
          [new TextWidget({ markdown: `## ${title}`, width: columns, height: 1 })],
          [new Row(...widgets)],
        ]),
      ],
    });
  }

  #own(name: string, statistic: string, label: string): Metric {
    return ownMetric(this, name, statistic).with({ label });
  }

  #business({ api }: DashboardProps): IWidget[] {
    const codes = Object.keys(errorTitles) as ErrorCode[];
    return [
      graph('Requests and answers, a minute', [
        api.metricCount({ period: minute, statistic: Stats.SUM, label: 'requests' }),
        this.#own(metrics.commandDuration, Stats.SAMPLE_COUNT, 'commands that succeeded'),
        this.#own(metrics.replays, Stats.SUM, 'of these repetitions'),
        api.metricServerError({ period: minute, statistic: Stats.SUM, label: '5xx' }),
        this.#own(metrics.faults, Stats.SUM, '5xx of functions'),
      ]),
      graph(
        'Refusals by code, a minute',
        codes.map((code) => this.#own(refusalMetric(code), Stats.SUM, code)),
      ),
      graph('Withdrawals', [
        this.#own(metrics.withdrawalAge, Stats.SAMPLE_COUNT, 'ended in a minute'),
        this.#own(metrics.openWithdrawals, Stats.MAXIMUM, 'open, at least'),
        this.#own(metrics.withdrawalsInReview, Stats.MAXIMUM, 'in review'),
      ]),
    ];
  }

  #latency({ functions }: DashboardProps): IWidget[] {
    const quantiles = (name: string) => [50, 99].map((p) => this.#own(name, Stats.percentile(p), `p${p}`));
    return [
      graph('Commands, ms without waits', quantiles(metrics.commandDuration)),
      graph('Balances, ms in the function', [
        functions['get-balance'].metricDuration({ period: minute, statistic: Stats.percentile(50), label: 'p50' }),
        functions['get-balance'].metricDuration({ period: minute, statistic: Stats.percentile(99), label: 'p99' }),
      ]),
      graph('Withdrawals from acceptance to end, ms', quantiles(metrics.withdrawalAge)),
      graph('Queued transfers from acceptance to end, ms', quantiles(metrics.transferAge)),
    ];
  }

  #queues({ queues }: DashboardProps): IWidget[] {
    const most = { period: minute, statistic: Stats.MAXIMUM };
    const each = Object.entries(queues);
    return [
      graph('Oldest open work, s since acceptance', [
        this.#own(metrics.oldestWithdrawal, Stats.MAXIMUM, 'withdrawal'),
        this.#own(metrics.oldestTransfer, Stats.MAXIMUM, 'transfer'),
        this.#own(metrics.oldestExpiredHold, Stats.MAXIMUM, 'hold, since its expiry'),
        this.#own(metrics.oldestScheduled, Stats.MAXIMUM, 'scheduled payment, since its time'),
        this.#own(metrics.oldestDueOrder, Stats.MAXIMUM, 'standing order, since its next payment was due'),
        this.#own(metrics.oldestBatch, Stats.MAXIMUM, 'batch'),
      ]),
      graph('Revenue wallets that take no fees', [this.#own(metrics.feesRefused, Stats.MAXIMUM, 'wallets')]),
      graph(
        'Messages that wait or are at work',
        each.flatMap(([label, { queue }]) => [
          queue.metricApproximateNumberOfMessagesVisible({ ...most, label: `${label}, wait` }),
          queue.metricApproximateNumberOfMessagesNotVisible({ ...most, label: `${label}, at work` }),
        ]),
      ),
      graph('Dead letters, and work queued again', [
        ...each.map(([label, { deadLetterQueue }]) =>
          deadLetterQueue.metricApproximateNumberOfMessagesVisible({ ...most, label }),
        ),
        this.#own(metrics.workRequeued, Stats.SUM, 'queued again'),
        this.#own(metrics.webhooksParked, Stats.SUM, 'deliveries of webhooks, parked'),
        this.#own(metrics.webhooksDisabled, Stats.SUM, 'webhooks, disabled'),
        this.#own(metrics.statementsFailed, Stats.SUM, 'statements, failed'),
      ]),
    ];
  }

  #bank({ queries }: DashboardProps): IWidget[] {
    return [
      graph('Share of turns that failed, or met an open breaker', [
        this.#own(metrics.bankFailed, Stats.AVERAGE, 'failed'),
        this.#own(metrics.breakerOpen, Stats.AVERAGE, 'breaker open'),
      ]),
      graph('Turns of withdrawals, and contradictions', [
        this.#own(metrics.bankFailed, Stats.SAMPLE_COUNT, 'turns'),
        this.#own(metrics.clockDoubted, Stats.SUM, 'left to another clock'),
        this.#own(metrics.bankContradiction, Stats.SUM, 'contradictions'),
      ]),
      new LogQueryWidget({ title: 'Outcomes and reasons', width: columns / 3, height: 6, ...queries.bankOutcomes }),
    ];
  }

  #streams({ functions }: DashboardProps): IWidget[] {
    const followers = { projector: functions.projector, relay: functions.relay };
    return [
      graph(
        'Behind the table, ms',
        Object.entries(followers).map(([label, handler]) =>
          handler.metric('IteratorAge', { period: minute, statistic: Stats.MAXIMUM, label }),
        ),
      ),
      graph(
        'Failures of followers',
        Object.entries({ ...followers, screening: functions.fraud, notifications: functions.notifier }).flatMap(
          ([label, handler]) => handler?.metricErrors({ period: minute, label }) ?? [],
        ),
      ),
    ];
  }

  #books(): IWidget[] {
    return [
      graph('Discrepancies', [
        this.#own(metrics.discrepancies, Stats.MAXIMUM, 'not over'),
        this.#own(metrics.bankFileDifferences, Stats.MAXIMUM, "of a bank's file"),
      ]),
      graph('Hours', [
        this.#own(metrics.uncheckedHours, Stats.MAXIMUM, 'since the end of the oldest unchecked hour'),
        this.#own(metrics.hoursSincePass, Stats.MAXIMUM, 'since a pass ended'),
      ]),
    ];
  }

  #cost({ ledger, entries, spending }: DashboardProps): IWidget[] {
    const units = (metricName: string) => [
      ledger.metric(metricName, { period: minute, statistic: Stats.SUM, label: 'wallets and transactions' }),
      ...Object.values(indexes).map((index) =>
        unitsOfIndex(ledger, index, metricName).with({ label: `index ${index}` }),
      ),
      entries.metric(metricName, { period: minute, statistic: Stats.SUM, label: 'entries' }),
    ];
    return [
      new GraphWidget({
        title: 'Dollars an hour, by list prices of us-east-1',
        left: dollarsAnHour(spending),
        stacked: true,
        width: columns / 4,
        height: 6,
        leftYAxis: { min: 0 },
      }),
      graph('Write units, a minute', units('ConsumedWriteCapacityUnits')),
      graph('Read units, a minute', units('ConsumedReadCapacityUnits')),
      graph('Writes that met another, and concurrency of the account', [
        this.#own(metrics.conflicts, Stats.SUM, 'conflicts'),
        new Metric({
          namespace: 'AWS/Lambda',
          metricName: 'ClaimedAccountConcurrency',
          statistic: Stats.MAXIMUM,
          period: minute,
          label: 'concurrency in use or reserved',
        }),
      ]),
    ];
  }
}

function unitsOfIndex({ tableName }: ITableV2, index: string, metricName: string): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: tableName, GlobalSecondaryIndexName: index },
    statistic: Stats.SUM,
    period: minute,
  });
}

function graph(title: string, left: readonly IMetric[]): GraphWidget {
  return new GraphWidget({ title, left: [...left], width: columns / 4, height: 6, leftYAxis: { min: 0 } });
}
