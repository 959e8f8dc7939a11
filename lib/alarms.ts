import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { metricNamespace } from '../lambdas/contract.ts';
import { serviceNameOf } from './service-name.ts';

/** One alarm: `threshold` reached in `periods` periods of the metric in a row. */
export interface AlarmProps {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly periods: number;
  /**
   * The meaning of a period without a point.
   *
   * @default no alarm
   */
  readonly missing?: 'breaching';
  /** The meaning of the alarm, in one sentence. */
  readonly meaning: string;
  /** The entry's anchor in docs/runbook.md. */
  readonly runbook: string;
}

/** A function that adds an alarm beside the construct that it watches. */
export type AddAlarm = (scope: Construct, id: string, props: AlarmProps) => void;

/** Returns a function that adds alarms. Each names its runbook entry and publishes to the topic, if there is one. */
export function alarmsTo(topic: ITopic | undefined): AddAlarm {
  return (scope, id, { metric, threshold, periods, missing, meaning, runbook }) => {
    const alarm = new Alarm(scope, id, {
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // No point means no alarm: most of these metrics have points only while there is work, or a failure.
      treatMissingData: missing === 'breaching' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: `${meaning} Runbook: docs/runbook.md#${runbook}`,
    });
    if (topic) alarm.addAlarmAction(new SnsAction(topic));
  };
}

/** Returns a metric that the functions of the service around `scope` emit themselves (lambdas/contract.ts). */
export function ownMetric(
  scope: Construct,
  metricName: string,
  statistic: string,
  period = Duration.minutes(1),
): Metric {
  return new Metric({
    namespace: metricNamespace,
    metricName,
    dimensionsMap: { service: serviceNameOf(scope) },
    statistic,
    period,
  });
}
