import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmBase, IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { metricNamespace } from '../lambdas/contract.ts';
import { serviceNameOf } from './service-name.ts';

/**
 * The urgency of an alarm. `critical` calls an operator at any hour: money, or the service for many callers, is at risk.
 * `warning` can wait for the working day.
 */
export type Severity = 'critical' | 'warning';

/** The topics for alarms, by severity; undefined: they only show in CloudWatch. */
export type AlarmTopics = Readonly<Record<Severity, ITopic | undefined>>;

/** One alarm: `threshold` reached in `periods` periods of the metric in a row. */
export interface AlarmProps {
  /** The state that it reports, in few words; unique among the alarms of its severity. */
  readonly name: string;
  readonly severity: Severity;
  readonly metric: IMetric;
  readonly threshold: number;
  /**
   * The side of the threshold on which it alarms.
   *
   * @default 'at least'
   */
  readonly alarmsWhen?: 'at least' | 'below';
  readonly periods: number;
  /**
   * The meaning of a period without a point: as bad as a wrong one, or nothing, so that the alarm keeps its state.
   *
   * @default - as good as a right one
   */
  readonly missing?: 'breaching' | 'ignore';
  /** Whether money may be lost, or paid twice, while the alarm lasts. */
  readonly moneyAtRisk?: true;
  /** Whether it may last because of load alone: then it stops no deployment. */
  readonly ofLoad?: true;
  /** The meaning of the alarm, in one sentence. */
  readonly meaning: string;
  /** The entry's anchor in docs/runbook.md. */
  readonly runbook: string;
}

/** A function that adds an alarm beside the construct that it watches. */
export type AddAlarm = (scope: Construct, id: string, props: AlarmProps) => void;

/** Two alarms of different severity on one metric. */
export interface LevelsProps extends Omit<AlarmProps, 'severity' | 'threshold' | 'meaning'> {
  readonly thresholds: Readonly<Record<Severity, number>>;
  readonly meaning: (threshold: number) => string;
}

/** Adds an alarm for each severity, with its own threshold. Both have one entry in the runbook. */
export function addLevels(addAlarm: AddAlarm, scope: Construct, id: string, props: LevelsProps): void {
  const { thresholds, meaning, ...alarm } = props;
  for (const severity of ['warning', 'critical'] as const) {
    const threshold = thresholds[severity];
    const suffix = severity === 'critical' ? 'Critical' : 'Warning';
    addAlarm(scope, `${id}${suffix}`, { ...alarm, severity, threshold, meaning: meaning(threshold) });
  }
}

/** The alarms of a service. Each names its severity and runbook entry, and publishes to the topic of its severity. */
export class Alarms {
  readonly #topics: AlarmTopics;
  readonly #moneyAtRisk: Alarm[] = [];
  /** All alarms that were added, the critical ones first. */
  get all(): readonly AlarmBase[] {
    return [...this.#added.critical, ...this.#added.warning];
  }
  /** The critical alarms that end by themselves, and not by a decision, a pass over the books, or less load. */
  get endByThemselves(): readonly Alarm[] {
    return this.#endByThemselves;
  }
  readonly #endByThemselves: Alarm[] = [];
  readonly #added: Record<Severity, AlarmBase[]> = { critical: [], warning: [] };

  constructor(topics: AlarmTopics) {
    this.#topics = topics;
  }

  readonly add: AddAlarm = (scope, id, props) => {
    const { severity, metric, threshold, alarmsWhen, periods, missing, moneyAtRisk, ofLoad } = props;
    const alarm = new Alarm(scope, id, {
      alarmName: nameOf(scope, props),
      alarmDescription: descriptionOf(props),
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator:
        alarmsWhen === 'below'
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // No point means no alarm: most of these metrics have points only while there is work, or a failure.
      treatMissingData: missing === undefined ? TreatMissingData.NOT_BREACHING : missingData[missing],
    });
    const topic = this.#topics[severity];
    if (topic) alarm.addAlarmAction(new SnsAction(topic));
    if (moneyAtRisk) this.#moneyAtRisk.push(alarm);
    if (severity === 'critical' && missing !== 'ignore' && !ofLoad) this.#endByThemselves.push(alarm);
    this.#added[severity].push(alarm);
  };

  /**
   * Adds the alarm that lasts while any alarm about money lasts. Its end is the all-clear, so it is published, too. The
   * other alarms publish by themselves all the same: an emulator of AWS may evaluate no composite alarm.
   */
  addMoneyAtRisk(scope: Construct): void {
    const about = { name: 'money at risk', severity: 'critical', runbook: 'money-at-risk' } as const;
    const meaning = 'Money may be lost, or paid twice: at least one alarm that says so lasts.';
    const alarm = new CompositeAlarm(scope, 'MoneyAtRisk', {
      compositeAlarmName: nameOf(scope, about),
      alarmDescription: descriptionOf({ ...about, meaning }),
      alarmRule: AlarmRule.anyOf(...this.#moneyAtRisk.map((one) => AlarmRule.fromAlarm(one, AlarmState.ALARM))),
    });
    this.#added.critical.unshift(alarm);
    const topic = this.#topics.critical;
    if (topic) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
  }
}

const missingData = { breaching: TreatMissingData.BREACHING, ignore: TreatMissingData.IGNORE };

function nameOf(scope: Construct, { name, severity }: Pick<AlarmProps, 'name' | 'severity'>): string {
  return `${serviceNameOf(scope)} ${severity}: ${name}`;
}

function descriptionOf({ severity, meaning, runbook }: Pick<AlarmProps, 'severity' | 'meaning' | 'runbook'>): string {
  return `${severity}: ${meaning} Runbook: docs/runbook.md#${runbook}`;
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
