/** Processes one batch of stream records: retries it, splits it down to the record that fails, or gives it up. */
import { randomUUID } from 'node:crypto';
import { isRecord } from '../cloudformation/template.ts';
import type { StreamRecord } from '../dynamodb/table-streams.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import { afterErrorMs, pause } from '../process/pause.ts';

export interface BatchSettings {
  /** Attempts after the first; Infinity for no limit. */
  readonly maxRetries: number;
  /** A record that is older is given up; Infinity for no limit. */
  readonly maxRecordAgeSeconds: number;
  readonly bisects: boolean;
  readonly reportsItemFailures: boolean;
  /** Receives each batch that is given up, in Lambda's own shape. Throws when that did not succeed. */
  readonly onFailure: ((report: object) => void) | undefined;
}

type Batch = readonly StreamRecord[];
/** The result of one invocation: all records are done, or those before the index `failedFrom`. */
type Outcome = 'done' | { readonly failedFrom: number; readonly functionError: boolean };

const firstRetryMs = 100;
const longestRetryMs = 10_000;

/**
 * Returns when each record of the batch is done or the signal aborts. `done` is called with the number of records, from
 * the first that is left, that need no further attempt.
 */
export type ProcessBatch = (batch: Batch, shardId: string, done: (count: number) => void) => Promise<void>;

export function createBatchProcessor(
  target: LocalFunction,
  settings: BatchSettings,
  signal: AbortSignal,
): ProcessBatch {
  const process: ProcessBatch = async (batch, shardId, done) => {
    let rest = batch;
    let attempts = 0;
    const finish = (count: number): void => {
      rest = rest.slice(count);
      attempts = 0;
      done(count);
    };
    while (rest.length > 0 && !signal.aborted) {
      const old = countOlderThan(settings.maxRecordAgeSeconds, rest);
      if (old > 0) {
        const about = { shardId, condition: 'RecordAgeExceeded', attempts, functionError: false } as const;
        if (!(await giveUp(rest.slice(0, old), about))) return;
        finish(old);
        continue;
      }
      const outcome = await invoke(target, settings, rest);
      attempts += 1;
      if (outcome === 'done') {
        finish(rest.length);
      } else if (outcome.failedFrom > 0) {
        // The records before the first failed one are done: the batch now begins with the failed one.
        finish(outcome.failedFrom);
      } else if (settings.bisects && rest.length > 1) {
        const middle = Math.ceil(rest.length / 2);
        await process(rest.slice(0, middle), shardId, done);
        rest = rest.slice(middle);
        attempts = 0;
      } else if (attempts <= settings.maxRetries) {
        await pause(Math.min(firstRetryMs * 2 ** (attempts - 1), longestRetryMs), signal);
      } else {
        const { functionError } = outcome;
        if (!(await giveUp(rest, { shardId, condition: 'RetryAttemptsExhausted', attempts, functionError }))) return;
        finish(rest.length);
      }
    }
  };

  /** Reports the batch until that succeeds. Returns false when the source was stopped before. */
  async function giveUp(batch: Batch, about: GivenUp): Promise<boolean> {
    while (!signal.aborted) {
      try {
        settings.onFailure?.(failureReport(batch, about, target.settings.arn));
        return true;
      } catch {
        await pause(afterErrorMs, signal);
      }
    }
    return false;
  }

  return process;
}

async function invoke(target: LocalFunction, { reportsItemFailures }: BatchSettings, batch: Batch): Promise<Outcome> {
  try {
    const answer = await target.invoke({ Records: batch }, 'event');
    if (!reportsItemFailures) return 'done';
    const failedFrom = firstFailure(answer, batch);
    return failedFrom === undefined ? 'done' : { failedFrom, functionError: false };
  } catch {
    return { failedFrom: 0, functionError: true }; // The function's log has the reason.
  }
}

/** Returns how many records at the beginning of the batch are too old. Records of a stream come in the order of their age. */
function countOlderThan(seconds: number, batch: Batch): number {
  const firstYoung = batch.findIndex((record) => ageSeconds(record) <= seconds);
  return firstYoung < 0 ? batch.length : firstYoung;
}

const ageSeconds = (record: StreamRecord): number => Date.now() / 1000 - record.dynamodb.ApproximateCreationDateTime;

/** Returns the index of the oldest record that the answer calls failed. An answer that Lambda does not understand fails all. */
function firstFailure(answer: unknown, batch: Batch): number | undefined {
  if (answer === null || answer === undefined) return undefined;
  if (!isRecord(answer)) return 0;
  const failures = answer['batchItemFailures'];
  if (failures === null || failures === undefined) return undefined;
  if (!Array.isArray(failures)) return 0;
  const indexes = (failures as unknown[]).map((failure) => {
    const id = isRecord(failure) ? failure['itemIdentifier'] : undefined;
    return Math.max(
      0,
      batch.findIndex((record) => record.dynamodb.SequenceNumber === id),
    );
  });
  return indexes.length > 0 ? Math.min(...indexes) : undefined;
}

/** The attempts of a batch that was given up, and the reason. */
interface GivenUp {
  readonly shardId: string;
  readonly condition: 'RecordAgeExceeded' | 'RetryAttemptsExhausted';
  readonly attempts: number;
  readonly functionError: boolean;
}

function failureReport(batch: Batch, about: GivenUp, functionArn: string): object {
  const [first, last] = [batch[0], batch.at(-1)];
  const time = (record: StreamRecord | undefined): string =>
    new Date((record?.dynamodb.ApproximateCreationDateTime ?? 0) * 1000).toISOString();
  return {
    requestContext: {
      requestId: randomUUID(),
      functionArn,
      condition: about.condition,
      approximateInvokeCount: about.attempts,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: '$LATEST',
      functionError: about.functionError ? 'Unhandled' : null,
    },
    version: '1.0',
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId: about.shardId,
      startSequenceNumber: first?.dynamodb.SequenceNumber,
      endSequenceNumber: last?.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: time(first),
      approximateArrivalOfLastRecord: time(last),
      batchSize: batch.length,
      streamArn: first?.eventSourceARN,
    },
  };
}
