import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { FunctionName } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';

/**
 * The functions that accept or move most money, or publish it. CloudWatch allows ten metrics in one alarm. A refused
 * invocation of another route is a 5xx of the API, which has an alarm of its own.
 */
const watched = [
  ...['authorizer', 'charge', 'withdraw', 'transfer', 'bank-notifications'],
  ...['withdrawals', 'transfers', 'sweeper', 'projector', 'relay'],
] as const satisfies readonly FunctionName[];

/** Properties of `LambdaLimits`. */
export interface LambdaLimitsProps {
  readonly functions: Readonly<Record<(typeof watched)[number], IFunction>>;
  /** See `WalletServiceProps`. */
  readonly accountConcurrency: number;
  readonly addAlarm: AddAlarm;
}

/** The alarms on Lambda's limits: refused invocations, and the concurrency that the account has left. */
export class LambdaLimits extends Construct {
  constructor(scope: Construct, id: string, { functions, accountConcurrency, addAlarm }: LambdaLimitsProps) {
    super(scope, id);
    const aMinute = { statistic: Stats.SUM, period: Duration.minutes(1) };
    addAlarm(this, 'Throttled', {
      name: 'functions throttled',
      severity: 'warning',
      metric: new MathExpression({
        label: 'refused invocations',
        expression: 'SUM(METRICS())',
        period: Duration.minutes(1),
        usingMetrics: Object.fromEntries(
          watched.map((name) => [name.replaceAll('-', '_'), functions[name].metricThrottles(aMinute)]),
        ),
      }),
      threshold: 10,
      periods: 3,
      meaning: 'Lambda has been refusing invocations for three minutes: callers get errors, or work is late.',
      runbook: 'functions-throttled',
    });
    addAlarm(this, 'AccountConcurrency', {
      name: "account's concurrency nearly used up",
      severity: 'warning',
      // Reserved concurrency counts as used: no other function can have it.
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'ClaimedAccountConcurrency',
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: Math.ceil(0.9 * accountConcurrency),
      periods: 3,
      meaning: "Nine tenths of the account's concurrency are in use or reserved: invocations will soon be refused.",
      runbook: 'account-concurrency',
    });
  }
}
