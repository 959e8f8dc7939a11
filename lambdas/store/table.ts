import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { CancellationReason, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { systemClock } from '../aws/clock.ts';
import type { Clock } from '../aws/clock.ts';
import { waitBeforeRetry } from '../domain/backoff.ts';
import type { Backoff } from '../domain/backoff.ts';
import { WalletError } from '../domain/errors.ts';
import type { Caps } from '../domain/wallet.ts';
import { openLimitHints } from './limit-hints.ts';
import type { LimitHints } from './limit-hints.ts';

/** Limits for the retries of a call; times in milliseconds. */
export interface RetryPolicy {
  /** Time from the first try to the start of the last one. */
  readonly budgetMs: number;
  /** Before the jitter, ms. */
  readonly backoff: Backoff;
}

/** A table as every function of the store gets it, and the clock for its retries and times. */
export interface Table extends Clock {
  readonly client: DynamoDBDocumentClient;
  readonly name: string;
  readonly retry: RetryPolicy;
  readonly limitHints: LimitHints;
  /** Latest time at which a try of a write may begin, epoch ms; absent: the budget of each write alone decides. */
  readonly writeUntil?: number;
  /**
   * Number of partitions of the `due` index that open work of a type is spread over; absent: the default of the stack.
   */
  readonly dueShards?: number;
  /** The most that a wallet can have of what pays later; absent: `caps`, as in every stack. */
  readonly caps?: Caps;
}

/** Time after the gateway took a request in which its writes may be tried, ms. */
export const writesEndMs = 8_000;

/**
 * Returns the table as a request of that time may write it. A refusal is final soon after: no try of an earlier request
 * with the same key begins later than this.
 *
 * @param requestedAt when the gateway took the request, epoch ms
 */
export function forRequest(table: Table, requestedAt: number): Table {
  return { ...table, writeUntil: requestedAt + writesEndMs };
}

/**
 * Returns a table on the real clock. Within 4 s of budget a caller has its answer well before the gateway times out (29
 * s). A worker without a caller may have a longer budget.
 */
export function openTable(client: DynamoDBClient, name: string, budgetMs = 4_000): Table {
  return {
    client: documentClient(client),
    name,
    retry: { budgetMs, backoff: { first: 25, longest: 800 } },
    limitHints: openLimitHints(),
    ...systemClock,
  };
}

/**
 * Returns a client whose items are JavaScript values. Members that are undefined are left out. An integer beyond 2^53-1
 * becomes a bigint, so that no number is rounded. Commands of `@aws-sdk/client-dynamodb` pass unchanged: reads of the
 * books use them, as a stored item may have any shape.
 */
export function documentClient(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/**
 * Calls DynamoDB until it answers or the budget is spent, with full jitter between the tries. Retries only transient
 * errors. `call` must be safe to repeat.
 *
 * @param deadline latest time for a second or later try, epoch ms
 * @throws WalletError `busy` when the budget is spent
 */
export async function withRetries<T>(
  table: Table,
  call: () => Promise<T>,
  deadline = table.now() + table.retry.budgetMs,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error)) throw error;
      const delay = table.random() * waitBeforeRetry(tries, table.retry.backoff);
      if (table.now() + delay >= deadline) throw new WalletError('busy', { retryAfterSeconds: 1 }, { cause: error });
      await table.sleep(delay);
    }
  }
}

const transientReasons = new Set(['TransactionConflict', 'ProvisionedThroughputExceeded', 'ThrottlingError']);

/** Returns whether a call conflicted with another write of one of its items. */
export function isConflict(error: unknown): boolean {
  return cancellationReasons(error).some(({ Code }) => Code === 'TransactionConflict');
}

/**
 * Returns whether the same call may succeed later: contention, throttling, time-outs, and faults on the way or inside
 * AWS.
 */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // One conflicting item makes the whole cancellation unreliable: DynamoDB may have tested the other items during
  // another write.
  if (cancellationReasons(error).some(({ Code }) => Code !== undefined && transientReasons.has(Code))) return true;
  const failure = error as Parameters<typeof isTransientError>[0];
  return (
    error.name === 'TransactionConflictException' ||
    isThrottlingError(failure) ||
    isTransientError(failure) ||
    isServerError(failure)
  );
}

/** Returns whether a failed call may still write: DynamoDB has not said that it did nothing. */
export function mayArriveLater(error: unknown): boolean {
  const failure = error as Parameters<typeof isTransientError>[0];
  return error instanceof Error && !isThrottlingError(failure) && (isTransientError(failure) || isServerError(failure));
}

/**
 * Returns why each item of a cancelled write failed, in the order of the items; empty when the error is no
 * cancellation.
 */
export function cancellationReasons(error: unknown): readonly CancellationReason[] {
  return error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
}
