import { setTimeout as sleep } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { CancellationReason, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { WalletError } from '../domain/errors.ts';

/** Limits for the retries of a call; times in milliseconds. */
export interface RetryPolicy {
  /** Time from the first try to the start of the last one. */
  readonly budgetMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * The wallet table as every function of the store gets it. Clock and random source are passed in, so that tests control
 * them.
 */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly retry: RetryPolicy;
  /** Latest time at which a try of a write may begin, epoch ms; absent: the budget of each write alone decides. */
  readonly writeUntil?: number;
  /**
   * Number of partitions of the `due` index that open work of a type is spread over; absent: the default of the stack.
   */
  readonly dueShards?: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
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
    client,
    name,
    retry: { budgetMs, firstDelayMs: 25, longestDelayMs: 800 },
    now: Date.now,
    random: Math.random,
    sleep: (ms) => sleep(ms),
  };
}

/**
 * Calls DynamoDB until it answers or the budget is spent, with full jitter between the tries. Retries only transient
 * errors. `call` must be safe to repeat.
 *
 * @param deadline latest time for a second or later try, epoch ms
 * @throws WalletError `busy` when the budget is spent
 */
export async function persist<T>(
  table: Table,
  call: () => Promise<T>,
  deadline = table.now() + table.retry.budgetMs,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error)) throw error;
      const ceiling = Math.min(table.retry.firstDelayMs * 2 ** tries, table.retry.longestDelayMs);
      const delay = table.random() * ceiling;
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
