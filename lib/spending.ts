import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Function } from 'aws-cdk-lib/aws-lambda';
import { listPrices } from './prices.ts';

/** A function, and the memory that its time is paid for. */
export interface PaidFunction {
  readonly handler: Function;
  /** Megabytes. */
  readonly memorySize: number;
}

/** A table, and its indexes, which are paid for like tables. */
export interface PaidTable {
  readonly table: ITableV2;
  readonly indexes: readonly string[];
}

/** The parts of the service whose use is paid for and has metrics. */
export interface Spending {
  readonly functions: readonly PaidFunction[];
  readonly tables: readonly PaidTable[];
  /** Whether the tables are paid for by their capacity, used or not. */
  readonly isProvisioned: boolean;
}

/** The check of the books runs every quarter of an hour: in shorter periods it would have no point. */
const period = Duration.minutes(15);
const periodsInAnHour = 4;

/** Returns the dollars an hour that tables and functions cost by list prices, as metrics. */
export function dollarsAnHour({ functions, tables, isProvisioned }: Spending): IMetric[] {
  const units = (kind: 'Write' | 'Read') =>
    isProvisioned
      ? unitsOf(tables, `Provisioned${kind}CapacityUnits`, Stats.AVERAGE)
      : unitsOf(tables, `Consumed${kind}CapacityUnits`, Stats.SUM);
  const { writeUnit, readUnit, provisionedHour, provisionedReadHour } = listPrices;
  const an = periodsInAnHour / 1e6;
  return [
    sumOf('DynamoDB writes', units('Write'), isProvisioned ? provisionedHour : an * writeUnit),
    sumOf('DynamoDB reads', units('Read'), isProvisioned ? provisionedReadHour : an * readUnit),
    ...timeOf(functions),
    sumOf(
      'Lambda requests',
      functions.map(({ handler }) => handler.metricInvocations({ period, statistic: Stats.SUM })),
      an * listPrices.lambdaRequest,
    ),
  ];
}

/** Returns the time of functions, apart for each size of memory: a sum in which one has no point would have none. */
function timeOf(functions: readonly PaidFunction[]): IMetric[] {
  return [...Map.groupBy(functions, ({ memorySize }) => memorySize)].map(([memorySize, same]) => {
    const aGigabyteSecond = (periodsInAnHour * listPrices.lambdaTime) / 1e6;
    return sumOf(
      `Lambda time with ${memorySize} MB`,
      same.map(({ handler }) => handler.metricDuration({ period, statistic: Stats.SUM })),
      (aGigabyteSecond * memorySize) / 1_024 / 1_000,
    );
  });
}

function unitsOf(tables: readonly PaidTable[], metricName: string, statistic: string): IMetric[] {
  return tables.flatMap(({ table, indexes }) => [
    table.metric(metricName, { period, statistic }),
    ...indexes.map(
      (index) =>
        new Metric({
          namespace: 'AWS/DynamoDB',
          metricName,
          dimensionsMap: { TableName: table.tableName, GlobalSecondaryIndexName: index },
          statistic,
          period,
        }),
    ),
  ]);
}

/** Returns the dollars of all units together. A sum, because a metric may have no points at all. */
function sumOf(label: string, units: readonly IMetric[], dollarsOfOne: number): IMetric {
  // Each label makes ids of its own: ids are unique in a graph.
  const prefix = label.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  const ids = units.map((_unit, index) => `${prefix}_${index}`);
  return new MathExpression({
    label,
    // Metric math takes no exponents.
    expression: `SUM([${ids.join(', ')}]) * ${dollarsOfOne.toFixed(12)}`,
    period,
    usingMetrics: Object.fromEntries(units.map((unit, index) => [`${prefix}_${index}`, unit])),
  });
}
