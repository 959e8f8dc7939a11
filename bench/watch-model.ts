/**
 * The cost of watching a service in CloudWatch, a month: alarms by the metrics that they read, metrics that functions emit, and
 * dashboards. Prices are those of us-east-1 in November 2026, without free tiers.
 */
import type { ErrorCode, metrics } from '../lambdas/contract.ts';

/** Dollars a month. */
const prices = { alarmMetric: 0.1, compositeAlarm: 0.5, metric: 0.3, dashboard: 3 };

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>> | undefined;
}

/** The number of each thing that CloudWatch charges for, and its cost in dollars a month. */
export interface WatchCost {
  readonly alarms: number;
  /** Metrics that the alarms read. A metric math expression counts each of its own. */
  readonly alarmMetrics: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
  readonly alarmDollars: number;
  readonly dashboardDollars: number;
  /** Metrics of a service without any request, and their dollars. */
  readonly idleMetrics: number;
  readonly idleMetricDollars: number;
  /** The same for a service with every kind of request and of failure, but few of the refusals. */
  readonly busyMetrics: number;
  readonly busyMetricDollars: number;
}

type OwnMetric = (typeof metrics)[keyof typeof metrics];

/** Metrics that schedules emit, and so a service without requests, too. */
const scheduled: readonly OwnMetric[] = [
  'OldestOpenWithdrawal',
  'OldestOpenTransfer',
  'OldestExpiredHold',
  'OldestScheduledPayment',
  'OldestDueStandingOrder',
  'OpenWithdrawals',
  'WithdrawalsInReview',
  'WorkRequeued',
  'Discrepancies',
  'UncheckedHours',
  'HoursSincePass',
];

/** Codes of refusals that most services meet every day. Each code is a metric in the hours in which it occurs. */
const dailyRefusals: readonly ErrorCode[] = [
  'insufficient_funds',
  'invalid_request',
  'rate_limited',
  'transaction_not_found',
  'wallet_frozen',
  'wallet_not_found',
];

/**
 * Returns the cost of the alarms and dashboards of a template, and of the metrics of its functions.
 *
 * @param ownMetrics the names of all metrics that functions emit, without those of refusals
 */
export function costOfWatching(resources: readonly Resource[], ownMetrics: readonly string[]): WatchCost {
  const count = (type: string) => resources.filter(({ Type }) => Type === type).length;
  const alarms = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  const alarmMetrics = alarms.reduce((sum, { Properties = {} }) => sum + metricsOf(Properties), 0);
  const compositeAlarms = count('AWS::CloudWatch::CompositeAlarm');
  const dashboards = count('AWS::CloudWatch::Dashboard');
  const busyMetrics = ownMetrics.length + dailyRefusals.length;
  return {
    alarms: alarms.length,
    alarmMetrics,
    compositeAlarms,
    dashboards,
    alarmDollars: prices.alarmMetric * alarmMetrics + prices.compositeAlarm * compositeAlarms,
    dashboardDollars: prices.dashboard * dashboards,
    idleMetrics: scheduled.length,
    idleMetricDollars: prices.metric * scheduled.length,
    busyMetrics,
    busyMetricDollars: prices.metric * busyMetrics,
  };
}

function metricsOf({ Metrics }: Readonly<Record<string, unknown>>): number {
  if (Metrics === undefined) return 1;
  return (Metrics as readonly object[]).filter((query) => 'MetricStat' in query).length;
}
