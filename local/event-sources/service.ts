/** Event source mappings of Lambda: the ways by which messages of queues and records of streams reach functions. */
import { region } from '../cloudformation/account.ts';
import { TemplateError } from '../cloudformation/template.ts';
import { dynamoDb } from '../dynamodb/service.ts';
import { compilePattern } from '../eventbridge/event-pattern.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import { lambda } from '../lambda/service.ts';
import { resourceType } from '../machine/machine.ts';
import type { Machine, Service } from '../machine/machine.ts';
import type { Queue } from '../sqs/queues.ts';
import { sqs } from '../sqs/service.ts';
import { startEventSource } from './event-source.ts';
import { openPositions } from './stream-positions.ts';
import { startStreamSource } from './stream-source.ts';

interface MappingProperties {
  readonly BatchSize?: number;
  readonly BisectBatchOnFunctionError?: boolean;
  readonly DestinationConfig?: { readonly OnFailure?: { readonly Destination: string } };
  readonly EventSourceArn: string;
  readonly FilterCriteria?: { readonly Filters?: readonly { readonly Pattern: string }[] };
  readonly FunctionName: string;
  readonly FunctionResponseTypes?: readonly string[];
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly MaximumRecordAgeInSeconds?: number;
  readonly MaximumRetryAttempts?: number;
  readonly ParallelizationFactor?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly StartingPosition?: 'TRIM_HORIZON' | 'LATEST';
}

export const eventSources: Service<void> = {
  open: () => undefined,
  types: {
    'AWS::Lambda::EventSourceMapping': resourceType<MappingProperties>({
      shape: {
        BatchSize: true,
        BisectBatchOnFunctionError: true,
        DestinationConfig: { OnFailure: { Destination: true } },
        EventSourceArn: true,
        FilterCriteria: { Filters: [{ Pattern: true }] },
        FunctionName: true,
        FunctionResponseTypes: [{ only: ['ReportBatchItemFailures'] }],
        MaximumBatchingWindowInSeconds: true,
        MaximumRecordAgeInSeconds: true,
        MaximumRetryAttempts: true,
        ParallelizationFactor: true,
        ScalingConfig: { MaximumConcurrency: true },
        StartingPosition: { only: ['TRIM_HORIZON', 'LATEST'] },
        Tags: 'cloud',
      },
      async boot(machine, { logicalId, properties }) {
        const target = machine.use(lambda).functionOf(properties.FunctionName, logicalId);
        const queue = machine.use(sqs).byArn(properties.EventSourceArn);
        if (queue) startQueueMapping(machine, queue, target, properties, logicalId);
        else await startStreamMapping(machine, target, properties, logicalId);
      },
    }),
  },
};

function startQueueMapping(
  machine: Machine,
  queue: Queue,
  target: LocalFunction,
  properties: MappingProperties,
  where: string,
): void {
  if (properties.FilterCriteria) throw new TemplateError(`${where}: filters of a queue are not supported`);
  const source = startEventSource(queue, target, {
    batchSize: properties.BatchSize ?? 10,
    batchingWindowSeconds: properties.MaximumBatchingWindowInSeconds ?? 0,
    maxConcurrency: properties.ScalingConfig?.MaximumConcurrency ?? Infinity,
    reportsItemFailures: properties.FunctionResponseTypes !== undefined,
    region,
  });
  machine.shutdown.addDraining(() => source.stop());
}

async function startStreamMapping(
  machine: Machine,
  target: LocalFunction,
  properties: MappingProperties,
  where: string,
): Promise<void> {
  const tableName = /:table\/([^/]+)\/stream\//.exec(properties.EventSourceArn)?.[1];
  const { engine, streams } = machine.use(dynamoDb);
  const stream = tableName && (await streams.open(tableName, properties.EventSourceArn));
  if (!stream) {
    throw new TemplateError(`${where}: ${properties.EventSourceArn} is not a queue or stream of this template`);
  }
  const destination = properties.DestinationConfig?.OnFailure?.Destination;
  const { queueOf, sendTo } = machine.use(sqs);
  const failures = destination === undefined ? undefined : queueOf(destination, where);
  const unlimited = (value: number | undefined): number => (value === undefined || value < 0 ? Infinity : value);
  const positions = openPositions(machine.data.store, where, stream.arn);
  const consumed = positions.leastOfAll();
  if (consumed !== undefined) engine.trimStream(tableName, consumed);
  const source = startStreamSource(stream, target, positions, {
    batchSize: properties.BatchSize ?? 100,
    batchingWindowSeconds: properties.MaximumBatchingWindowInSeconds ?? 0,
    startingPosition: properties.StartingPosition ?? 'TRIM_HORIZON',
    parallelizationFactor: properties.ParallelizationFactor ?? 1,
    maxRetries: unlimited(properties.MaximumRetryAttempts),
    maxRecordAgeSeconds: unlimited(properties.MaximumRecordAgeInSeconds),
    bisects: properties.BisectBatchOnFunctionError ?? false,
    reportsItemFailures: properties.FunctionResponseTypes !== undefined,
    filters: properties.FilterCriteria?.Filters?.map(({ Pattern }) => compilePattern(JSON.parse(Pattern), where)),
    onFailure:
      failures &&
      ((report) => {
        sendTo(failures, JSON.stringify(report));
      }),
  });
  machine.shutdown.addDraining(() => source.stop());
}
