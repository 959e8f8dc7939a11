/**
 * One batch of stream records to its end: tried again until it succeeds, is split down to the record that fails, or is
 * given up.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalFunction } from './function-pool.ts';
import type { StreamRecord } from './table-streams.ts';
import { isRecord } from './template.ts';

export interface BatchSettings {
  /** Tries after the first; Infinity for no limit. */
  readonly maxRetries: number;
  /** A record that is older is given up; Infinity for no limit. */
  readonly maxRecordAgeSeconds: number;
  readonly bisects: boolean;
  readonly reportsItemFailures: boolean;
  /** Receives each batch that is given up, in Lambda's own shape. Throws when that did not succeed. */
  readonly onFailure: ((report: object) => void) | undefined;
}

type Batch = readonly StreamRecord[];
/** What the function made of a batch: the index of the first record that is not done, if any. */
type Outcome = 'done' | { readonly failedFrom: number; readonly functionError: boolean };

const afterErrorMs = 1_000;
const firstRetryMs = 100;
const longestRetryMs = 10_000;

/**
 * Returns when each record of the batch is done or the signal aborts. `done` is told how many of the records that are
 * left, from the first, need no further try.
 */
export type ProcessBatch = (batch: Batch, shardId: string, done: (count: number) => void) => Promise<void>;

export function createBatchProcessor(
  target: LocalFunction,
  settings: BatchSettings,
  signal: AbortSignal,
): ProcessBatch {
  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal }).then(
      () => undefined,
      () => undefined,
    );

  const process: ProcessBatch = async (batch, shardId, done) => {
    let rest = batch;
    let attempts = 0;
    const finish = (count: number): void => {
      rest = rest.slice(count);
      attempts = 0;
      done(count);
    };
    while (rest.length > 0 && !signal.aborted) {
      // Records of a stream come in the order of their age.
      const firstYoung = rest.findIndex((record) => ageSeconds(record) <= settings.maxRecordAgeSeconds);
      const old = firstYoung < 0 ? rest.length : firstYoung;
      if (old > 0) {
        if (!(await giveUp(rest.slice(0, old), shardId, 'RecordAgeExceeded', attempts, false))) return;
        finish(old);
        continue;
      }
      const outcome = await invoke(rest);
      attempts += 1;
      if (outcome === 'done') {
        finish(rest.length);
      } else if (outcome.failedFrom > 0) {
        // What comes before the first failed record is done: the batch now begins with that one.
        finish(outcome.failedFrom);
      } else if (settings.bisects && rest.length > 1) {
        const middle = Math.ceil(rest.length / 2);
        await process(rest.slice(0, middle), shardId, done);
        rest = rest.slice(middle);
        attempts = 0;
      } else if (attempts <= settings.maxRetries) {
        await pause(Math.min(firstRetryMs * 2 ** (attempts - 1), longestRetryMs));
      } else {
        if (!(await giveUp(rest, shardId, 'RetryAttemptsExhausted', attempts, outcome.functionError))) return;
        finish(rest.length);
      }
    }
  };

  async function invoke(batch: Batch): Promise<Outcome> {
    try {
      const answer = await target.invoke({ Records: batch }, 'event');
      if (!settings.reportsItemFailures) return 'done';
      const failedFrom = firstFailure(answer, batch);
      return failedFrom === undefined ? 'done' : { failedFrom, functionError: false };
    } catch {
      return { failedFrom: 0, functionError: true }; // The function's log has the reason.
    }
  }

  /** False when the source was stopped before the report was taken. */
  async function giveUp(
    batch: Batch,
    shardId: string,
    condition: string,
    attempts: number,
    functionError: boolean,
  ): Promise<boolean> {
    while (!signal.aborted) {
      try {
        settings.onFailure?.(
          failureReport(batch, { shardId, condition, attempts, functionError, functionArn: target.settings.arn }),
        );
        return true;
      } catch {
        await pause(afterErrorMs);
      }
    }
    return false;
  }

  return process;
}

const ageSeconds = (record: StreamRecord): number => Date.now() / 1000 - record.dynamodb.ApproximateCreationDateTime;

/** Index of the oldest record that the answer calls failed; an answer that Lambda does not understand fails them all. */
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

function failureReport(
  batch: Batch,
  about: { shardId: string; condition: string; attempts: number; functionError: boolean; functionArn: string },
): object {
  const [first, last] = [batch[0], batch.at(-1)];
  const time = (record: StreamRecord | undefined): string =>
    new Date((record?.dynamodb.ApproximateCreationDateTime ?? 0) * 1000).toISOString();
  return {
    requestContext: {
      requestId: randomUUID(),
      functionArn: about.functionArn,
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
