import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { metrics as names } from '../contract.ts';

/** Structured log lines of this container. Lines carry ids, codes and durations: never bodies, tokens or accounts. */
export const logger = new Logger({ serviceName: names.service });

/** Metrics of this container, written as log lines in CloudWatch's embedded format. */
export const metrics = new Metrics({ namespace: names.namespace, serviceName: names.service });

/** Adds fields that name the request to its log lines, and to the line of its metrics. */
export function nameRequest(fields: Readonly<Record<string, string>>): void {
  logger.appendKeys(fields);
  for (const [name, value] of Object.entries(fields)) metrics.addMetadata(name, value);
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
