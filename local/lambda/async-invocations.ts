/** Functions called without waiting for their answer: kept until they succeed, and tried again as Lambda does. */
import { randomUUID } from 'node:crypto';
import type { Queue } from '../sqs/queues.ts';
import type { Deliveries } from '../storage/deliveries.ts';
import type { LocalFunction } from './function-pool.ts';
import { FunctionError } from './function-thread.ts';

/** The treatment of events on which the function keeps failing. */
export interface AsyncSettings {
  readonly maxRetries: number;
  readonly maxAgeSeconds: number;
  /** Gets a report in the shape of a Lambda destination. */
  readonly onFailure?: Queue | undefined;
  /** Gets the event itself: the function's dead-letter queue. */
  readonly deadLetters?: Queue | undefined;
}

export interface AsyncInvocations {
  configure(target: LocalFunction, settings: Partial<AsyncSettings>): void;
  /** Returns the id of the route by which events reach the function. */
  routeTo(target: LocalFunction): string;
  stop(): Promise<void>;
}

const defaults: AsyncSettings = { maxRetries: 2, maxAgeSeconds: 6 * 3600 };
// Lambda waits one minute and then two. That is too long for a person who watches a run.
const retryDelayMs = (retry: number): number => 1000 * retry;

export function createAsyncInvocations(deliveries: Deliveries): AsyncInvocations {
  const settings = new Map<string, AsyncSettings>();
  const routes = new Map<string, { stop(): Promise<void> }>();
  return {
    configure({ settings: { arn } }, given) {
      settings.set(arn, { ...(settings.get(arn) ?? defaults), ...given });
    },
    routeTo(target) {
      const { arn } = target.settings;
      const id = `invoke ${arn}`;
      if (routes.has(id)) return id;
      const { maxRetries, maxAgeSeconds, onFailure, deadLetters } = settings.get(arn) ?? defaults;
      const route = deliveries.route({
        id,
        concurrency: target.concurrency,
        maxRetries,
        maxAgeMs: maxAgeSeconds * 1000,
        retryDelayMs,
        async deliver(body) {
          await target.invoke(JSON.parse(body), 'event');
        },
        giveUp(body, { error, attempts, condition }) {
          const errorType = error instanceof FunctionError ? error.errorType : 'Error';
          const errorMessage = error instanceof Error ? error.message : String(error);
          const requestId = randomUUID();
          const text = (StringValue: string) => ({ DataType: 'String', StringValue });
          deadLetters?.send(body, {
            attributes: {
              RequestID: text(requestId),
              ErrorCode: { DataType: 'Number', StringValue: '200' },
              ErrorMessage: text(errorMessage.slice(0, 1024) || errorType),
            },
          });
          const report = {
            version: '1.0',
            timestamp: new Date().toISOString(),
            requestContext: {
              requestId,
              functionArn: `${arn}:$LATEST`,
              condition: condition === 'MaximumRetryAttempts' ? 'RetriesExhausted' : 'EventAgeExceeded',
              approximateInvokeCount: attempts,
            },
            requestPayload: JSON.parse(body) as unknown,
            responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
            responsePayload: { errorType, errorMessage },
          };
          onFailure?.send(JSON.stringify(report));
        },
      });
      routes.set(id, route);
      return id;
    },
    async stop() {
      await Promise.all([...routes.values()].map((route) => route.stop()));
    },
  };
}
