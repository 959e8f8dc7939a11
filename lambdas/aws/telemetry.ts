import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { metricNamespace, metrics as names, refusalMetric } from '../contract.ts';
import type { ErrorCode } from '../contract.ts';

// Made here and not in `open`, as every layer writes to them. That has no effect: Powertools reads its own settings, among
// them the service's name, has a default for each, and writes nothing.

/** Structured log lines of this container. Lines carry ids, codes and durations: never bodies, tokens or accounts. */
export const logger = new Logger();

/** Metrics of this container, written as log lines in CloudWatch's embedded format. */
export const metrics = new Metrics({ namespace: metricNamespace });

/** The fields that name the request that this container is working on. */
let request: Readonly<Record<string, string>> = {};
/** The time that this request has waited at its caller's wish, ms. */
let waitedMs = 0;

/**
 * Begins the log of a request: its lines carry the route and these fields, and no field of the request before.
 *
 * @param fields without the route
 */
export function beginRequest(route: string, fields: Readonly<Record<string, string>>): void {
  logger.resetKeys();
  logger.appendKeys({ route });
  request = { route };
  waitedMs = 0;
  nameRequest(fields);
}

/** Adds a time (ms) that the request waits at its caller's wish: it says nothing about the service's speed. */
export function addWait(ms: number): void {
  waitedMs += ms;
}

/** Adds fields that name the request to its log lines. */
export function nameRequest(fields: Readonly<Record<string, string>>): void {
  logger.appendKeys(fields);
  request = { ...request, ...fields };
}

/** The end of a request: a command that succeeded, with its duration in ms, a refusal, or a fault of the service. */
export type RequestEnd =
  | { readonly kind: 'command'; readonly durationMs: number; readonly isReplay: boolean }
  | { readonly kind: 'refusal'; readonly code: ErrorCode }
  | { readonly kind: 'fault' };

/**
 * Writes the line that ends a command, or a read that was refused or failed: its route, fields and outcome. CloudWatch
 * reads the line's metrics. The route is no dimension, because each route is a function with metrics of its own.
 */
export function countRequest(end: RequestEnd, outcome: Readonly<Record<string, string>>): void {
  switch (end.kind) {
    case 'command':
      metrics.addMetric(names.commandDuration, 'Milliseconds', Math.max(0, Math.round(end.durationMs - waitedMs)));
      if (end.isReplay) metrics.addMetric(names.replays, 'Count', 1);
      break;
    case 'refusal':
      metrics.addMetric(refusalMetric(end.code), 'Count', 1);
      break;
    case 'fault':
      metrics.addMetric(names.faults, 'Count', 1);
  }
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
