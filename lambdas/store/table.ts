import { setTimeout as sleep } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { CancellationReason, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { WalletError } from '../domain/errors.ts';

/** How long and how often a call is tried again; times in milliseconds. */
export interface RetryPolicy {
  /** Time from the first try to the start of the last one. */
  readonly budgetMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/** The wallet table as every function of the store gets it; time and chance are passed in so that tests own them. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly retry: RetryPolicy;
  /** Latest time at which a try of a write may begin, epoch ms; absent: the budget of each write alone decides. */
  readonly writeUntil?: number;
  /** Over how many partitions of the `due` index open work of a type is spread; absent: the default of the stack. */
  readonly dueShards?: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How long after a request came to the gateway its writes may be tried, ms. */
export const writesEndMs = 8_000;

/**
 * Returns the table as a request of that time may write it. What is refused stays refused soon after: no try of an
 * earlier request with the same key begins later than this.
 *
 * @param requestedAt when the gateway took the request, epoch ms
 */
export function forRequest(table: Table, requestedAt: number): Table {
  return { ...table, writeUntil: requestedAt + writesEndMs };
}

/**
 * A table on the real clock. Within 4 s of budget a caller has its answer well before the gateway gives up (29 s); who
 * has no caller may be more patient.
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
 * Calls DynamoDB until it answers or the budget is spent, with full jitter between the tries. Only what another try
 * may mend is tried again; whatever `call` sends must be safe to repeat.
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

/** Whether a call met another write of one of its items. */
export function isConflict(error: unknown): boolean {
  return cancellationReasons(error).some(({ Code }) => Code === 'TransactionConflict');
}

/** Whether the same call may succeed later: contention, throttling, time-outs, and faults on the way or inside AWS. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // One conflicting item makes the whole cancellation worthless as a judgement: the others were read mid-flight.
  if (cancellationReasons(error).some(({ Code }) => Code !== undefined && transientReasons.has(Code))) return true;
  const failure = error as Parameters<typeof isTransientError>[0];
  return (
    error.name === 'TransactionConflictException' ||
    isThrottlingError(failure) ||
    isTransientError(failure) ||
    isServerError(failure)
  );
}

/** Whether a call that failed so may still be on its way: DynamoDB has not said that it did nothing. */
export function mayArriveLater(error: unknown): boolean {
  const failure = error as Parameters<typeof isTransientError>[0];
  return error instanceof Error && !isThrottlingError(failure) && (isTransientError(failure) || isServerError(failure));
}

/** Why each item of a cancelled write failed, in the order of the items; empty when the error is no cancellation. */
export function cancellationReasons(error: unknown): readonly CancellationReason[] {
  return error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
}
