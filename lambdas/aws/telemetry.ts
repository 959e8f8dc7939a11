import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { metrics as names } from '../contract.ts';

// Made here and not in `open`, as every layer writes to them. That has no effect: Powertools reads its own settings, has
// a default for each, and writes nothing.

/** Structured log lines of this container. Lines carry ids, codes and durations: never bodies, tokens or accounts. */
export const logger = new Logger({ serviceName: names.service });

/** Metrics of this container, written as log lines in CloudWatch's embedded format. */
export const metrics = new Metrics({ namespace: names.namespace, serviceName: names.service });

/** The fields that name the request that this container is working on. */
let request: Readonly<Record<string, string>> = {};

/**
 * Begins the log of a request: its lines carry the route and these fields, and no field of the request before.
 *
 * @param fields without the route, which is the dimension of the metrics
 */
export function beginRequest(route: string, fields: Readonly<Record<string, string>>): void {
  logger.resetKeys();
  logger.appendKeys({ route });
  request = {};
  nameRequest(fields);
}

/** Adds fields that name the request to its log lines. */
export function nameRequest(fields: Readonly<Record<string, string>>): void {
  logger.appendKeys(fields);
  request = { ...request, ...fields };
}

/**
 * Writes the line that ends a command, or a read that was refused or failed: its route, fields and outcome. CloudWatch
 * counts it in the metric.
 */
export function countRequest(
  route: string,
  metric: 'Commands' | 'Refusals' | 'Faults',
  outcome: Readonly<Record<string, string>>,
): void {
  metrics.addDimension('route', route);
  metrics.addMetric(metric, 'Count', 1);
  for (const [name, value] of Object.entries({ ...request, ...outcome })) metrics.addMetadata(name, value);
  metrics.publishStoredMetrics();
}

/**
 * Returns an error and its causes for the log: names, messages and stacks only. The SDK's errors carry the items that a
 * write failed on, and with them bank accounts.
 */
export function describe(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause !== undefined && { cause: describe(cause) }) };
}
