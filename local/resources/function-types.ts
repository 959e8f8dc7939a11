/** The resource types by which events reach functions: mappings of queues and streams, and what failed events become. */
import { region } from '../cloudformation/account.ts';
import { TemplateError } from '../cloudformation/template.ts';
import { startEventSource } from '../event-sources/event-source.ts';
import { openPositions } from '../event-sources/stream-positions.ts';
import { startStreamSource } from '../event-sources/stream-source.ts';
import { compilePattern } from '../eventbridge/event-pattern.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import type { Queue } from '../sqs/queues.ts';
import { functionOf, queueOf, resourceType, send } from './machine.ts';
import type { Machine, ResourceType } from './machine.ts';

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

export const invokeTypes: Record<string, ResourceType> = {
  'AWS::Lambda::EventInvokeConfig': resourceType<{
    DestinationConfig?: { OnFailure?: { Destination: string } };
    FunctionName: string;
    MaximumEventAgeInSeconds?: number;
    MaximumRetryAttempts?: number;
  }>({
    shape: {
      DestinationConfig: { OnFailure: { Destination: true } },
      FunctionName: true,
      MaximumEventAgeInSeconds: true,
      MaximumRetryAttempts: true,
      Qualifier: { only: ['$LATEST'] },
    },
    boot(machine, { logicalId, properties }) {
      const destination = properties.DestinationConfig?.OnFailure?.Destination;
      const { MaximumEventAgeInSeconds: maxAgeSeconds, MaximumRetryAttempts: maxRetries } = properties;
      machine.asyncInvocations.configure(functionOf(machine, properties.FunctionName, logicalId), {
        ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
        ...(maxRetries !== undefined && { maxRetries }),
        ...(destination !== undefined && { onFailure: queueOf(machine, destination, logicalId) }),
      });
    },
  }),
};

export const mappingTypes: Record<string, ResourceType> = {
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
      const target = functionOf(machine, properties.FunctionName, logicalId);
      const queue = machine.queues.byArn(properties.EventSourceArn);
      if (queue) startQueueMapping(machine, queue, target, properties, logicalId);
      else await startStreamMapping(machine, target, properties, logicalId);
    },
  }),
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
  machine.onStop(source);
}

async function startStreamMapping(
  machine: Machine,
  target: LocalFunction,
  properties: MappingProperties,
  where: string,
): Promise<void> {
  const tableName = /:table\/([^/]+)\/stream\//.exec(properties.EventSourceArn)?.[1];
  const stream = tableName && (await machine.tableStreams.open(tableName, properties.EventSourceArn));
  if (!stream) {
    throw new TemplateError(`${where}: ${properties.EventSourceArn} is not a queue or stream of this template`);
  }
  const destination = properties.DestinationConfig?.OnFailure?.Destination;
  const failures = destination === undefined ? undefined : queueOf(machine, destination, where);
  const unlimited = (value: number | undefined): number => (value === undefined || value < 0 ? Infinity : value);
  const positions = openPositions(machine.store, where, stream.arn);
  const consumed = positions.leastOfAll();
  if (consumed !== undefined) machine.engine.trimStream(tableName, consumed);
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
        send(machine, failures, JSON.stringify(report));
      }),
  });
  machine.onStop(source);
}
