/** Metrics as CloudWatch keeps them: values by namespace, name and dimensions, from which statistics are computed. */

/** The identity of a metric. */
export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface Value {
  /** Epoch ms. */
  readonly at: number;
  readonly value: number;
}

export class MetricData {
  readonly #values = new Map<string, Value[]>();

  /** Adds a value at a time, epoch ms. */
  put(metric: MetricId, at: number, value: number): void {
    const key = keyOf(metric);
    const values = this.#values.get(key) ?? [];
    this.#values.set(key, values);
    values.push({ at, value });
  }

  /** Adds the metrics of a log line in CloudWatch's embedded format. Other lines have none. */
  putLine(line: string): void {
    if (!line.includes('"CloudWatchMetrics"')) return;
    const { _aws: about, ...members } = JSON.parse(line.slice(line.indexOf('{'))) as EmbeddedLine;
    for (const { Namespace: namespace, Dimensions, Metrics } of about.CloudWatchMetrics) {
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(members[name])]));
        for (const { Name: name } of Metrics) {
          for (const value of [members[name]].flat()) {
            this.put({ namespace, name, dimensions }, about.Timestamp, Number(value));
          }
        }
      }
    }
  }

  /** Returns a statistic of the values from `from` on and before `to` (epoch ms); undefined when there is none. */
  statistic(metric: MetricId, statistic: string, from: number, to: number): number | undefined {
    const values = (this.#values.get(keyOf(metric)) ?? [])
      .filter(({ at }) => at >= from && at < to)
      .map(({ value }) => value);
    if (values.length === 0) return undefined;
    const sum = values.reduce((total, value) => total + value, 0);
    switch (statistic) {
      case 'SampleCount':
        return values.length;
      case 'Sum':
        return sum;
      case 'Average':
        return sum / values.length;
      case 'Maximum':
        return Math.max(...values);
      default:
        return percentile(values, statistic);
    }
  }
}

interface EmbeddedLine {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

function percentile(values: readonly number[], statistic: string): number {
  const [, rank] = /^p(\d+(?:\.\d+)?)$/.exec(statistic) ?? [];
  if (rank === undefined) throw new Error(`the statistic ${statistic} is not known here`);
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((Number(rank) / 100) * sorted.length) - 1] ?? NaN;
}

function keyOf({ namespace, name, dimensions }: MetricId): string {
  return JSON.stringify([namespace, name, Object.entries(dimensions).sort()]);
}
