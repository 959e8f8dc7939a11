/**
 * Evaluates the alarms of a template over metrics, as CloudWatch does: every minute, from the points of the last periods, by
 * each alarm's own definition.
 */
import type { Resource } from '../stack/synthesized.ts';
import { MetricData } from './metric-data.ts';
import type { MetricId } from './metric-data.ts';
import { valueOf } from './metric-math.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** An alarm as its template defines it. */
export interface Definition {
  readonly name: string;
  /** Seconds. */
  readonly period: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: string;
  readonly missing: Missing;
  /** The metrics by their ids, each with its statistic. */
  readonly metrics: Readonly<Record<string, MetricId & { readonly statistic: string }>>;
  /** The math over them; undefined: the value of the only one. */
  readonly expression: string | undefined;
}

export type Missing = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

interface StatProperties {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

interface AlarmProperties extends StatProperties {
  readonly AlarmName: string;
  readonly Period?: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: Missing;
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: StatProperties; readonly Period: number; readonly Stat: string };
  }[];
}

/** Returns the definition of an alarm. A dimension that names a resource has the resource's logical id as its value. */
function definitionOf(resource: Resource): Definition {
  const alarm = resource.Properties as unknown as AlarmProperties;
  const { Metrics = [], Statistic, ExtendedStatistic } = alarm;
  const stats = Metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [{ Id, ...MetricStat }] : []));
  const metrics =
    stats.length === 0
      ? { value: { ...idOf(alarm), statistic: Statistic ?? ExtendedStatistic ?? '' } }
      : Object.fromEntries(stats.map(({ Id, Metric, Stat }) => [Id, { ...idOf(Metric), statistic: Stat }]));
  return {
    name: alarm.AlarmName,
    period: alarm.Period ?? stats[0]?.Period ?? NaN,
    evaluationPeriods: alarm.EvaluationPeriods,
    datapointsToAlarm: alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods,
    threshold: alarm.Threshold,
    comparison: alarm.ComparisonOperator,
    missing: alarm.TreatMissingData ?? 'missing',
    metrics,
    expression: Metrics.find(({ Expression }) => Expression !== undefined)?.Expression,
  };
}

function idOf({ Namespace: namespace, MetricName: name, Dimensions = [] }: StatProperties): MetricId {
  return { namespace, name, dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, idIn(Value)])) };
}

function idIn(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: readonly string[] };
  return Ref ?? attribute?.[0] ?? JSON.stringify(value);
}

/** Points of the last periods, the latest first: whether each is on the wrong side of the threshold; undefined: no point. */
type Points = readonly (boolean | undefined)[];

/**
 * CloudWatch reads some periods more than it evaluates, so that late points do not count as missing. AWS does not publish how
 * many; its examples have two.
 */
export const furtherPeriods = 2;

/** Returns the state of an alarm, by the tables of "Configuring how CloudWatch alarms treat missing data". */
export function stateOf(
  { evaluationPeriods, datapointsToAlarm, missing }: Omit<Definition, 'name' | 'period' | 'metrics' | 'expression'>,
  points: Points,
  before: AlarmState,
): AlarmState {
  const known = points.filter((point) => point !== undefined).slice(0, evaluationPeriods);
  const wrong = known.filter(Boolean).length;
  const absent = evaluationPeriods - known.length;
  if (wrong >= datapointsToAlarm) return 'ALARM';
  if (absent === 0) return 'OK';
  switch (missing) {
    case 'breaching':
      return wrong + absent >= datapointsToAlarm ? 'ALARM' : 'OK';
    case 'notBreaching':
      return 'OK';
    case 'ignore':
      return wrong < known.length ? 'OK' : before;
    case 'missing':
      if (known.length === 0) return 'INSUFFICIENT_DATA';
      return wrong === known.length ? 'ALARM' : 'OK';
  }
}

/** A change of the state of an alarm. */
export interface Change {
  /** Epoch ms. */
  readonly at: number;
  readonly name: string;
  readonly state: AlarmState;
}

const minuteMs = 60_000;

/** The alarms of a template over metrics. */
export class Watch {
  readonly data: MetricData;
  readonly definitions: readonly Definition[];
  readonly changes: Change[] = [];
  readonly #members: ReadonlyMap<string, readonly string[]>;
  readonly #states = new Map<string, AlarmState>();

  constructor(resources: Readonly<Record<string, Resource>>, data = new MetricData()) {
    this.data = data;
    const entries = Object.entries(resources);
    const alarms = entries.filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm');
    this.definitions = alarms.map(([, resource]) => definitionOf(resource));
    const composites = entries.filter(([, { Type }]) => Type === 'AWS::CloudWatch::CompositeAlarm');
    this.#members = new Map(
      composites.map(([, { Properties }]) => {
        const rule = JSON.stringify(Properties['AlarmRule']);
        if (/\b(?:AND|NOT)\b/.test(rule)) throw new Error(`the rule ${rule} is not understood`);
        const members = alarms.filter(([id]) => rule.includes(`["${id}","Arn"]`));
        return [
          String(Properties['AlarmName']),
          members.map(([, { Properties: member }]) => String(member['AlarmName'])),
        ];
      }),
    );
  }

  /** Evaluates all alarms at a full minute, epoch ms, over the periods that ended until then. */
  evaluate(at: number): void {
    for (const definition of this.definitions) {
      this.#set(definition.name, at, stateOf(definition, this.#points(definition, at), this.stateOf(definition.name)));
    }
    for (const [name, members] of this.#members) {
      const isOn = members.some((member) => this.stateOf(member) === 'ALARM');
      this.#set(name, at, isOn ? 'ALARM' : 'OK');
    }
  }

  /** Evaluates at each full minute after `from` until `to`, epoch ms. */
  evaluateEach(from: number, to: number): void {
    for (let at = (Math.floor(from / minuteMs) + 1) * minuteMs; at <= to; at += minuteMs) this.evaluate(at);
  }

  stateOf(name: string): AlarmState {
    return this.#states.get(name) ?? 'INSUFFICIENT_DATA';
  }

  /** Sets a state by hand, as `aws cloudwatch set-alarm-state` does. */
  acknowledge(name: string, at: number): void {
    this.#set(name, at, 'OK');
  }

  /** Returns the names of the alarms that went off from `from` on, each once, in the order of time. */
  fired(from = -Infinity): string[] {
    return [
      ...new Set(this.changes.filter(({ at, state }) => state === 'ALARM' && at >= from).map(({ name }) => name)),
    ];
  }

  #set(name: string, at: number, state: AlarmState): void {
    if (this.stateOf(name) !== state) this.changes.push({ at, name, state });
    this.#states.set(name, state);
  }

  #points({ period, evaluationPeriods, threshold, comparison, metrics, expression }: Definition, at: number): Points {
    return Array.from({ length: evaluationPeriods + furtherPeriods }, (_, back) => {
      const to = at - back * period * 1000;
      const values = Object.fromEntries(
        Object.entries(metrics).map(([id, metric]) => [
          id,
          this.data.statistic(metric, metric.statistic, to - period * 1000, to),
        ]),
      );
      const value = expression === undefined ? values['value'] : valueOf(expression, values);
      return value === undefined ? undefined : isWrong(value, comparison, threshold);
    });
  }
}

function isWrong(value: number, comparison: string, threshold: number): boolean {
  switch (comparison) {
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold;
    case 'LessThanThreshold':
      return value < threshold;
    default:
      throw new Error(`the comparison ${comparison} is not known here`);
  }
}
