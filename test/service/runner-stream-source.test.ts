import assert from 'node:assert/strict';
import { describe, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { compilePattern } from '../../local/eventbridge/event-pattern.ts';
import type { LocalFunction } from '../../local/lambda/function-pool.ts';
import { openStore } from '../../local/storage/store.ts';
import { openPositions } from '../../local/event-sources/stream-positions.ts';
import type { StreamSourceSettings } from '../../local/event-sources/stream-shard.ts';
import { startStreamSource } from '../../local/event-sources/stream-source.ts';
import type { StreamRecord, TableStream } from '../../local/dynamodb/table-streams.ts';
import { eventually } from './eventually.ts';

const region = 'us-east-1';
const streamArn = `arn:aws:dynamodb:${region}:000000000000:table/streamed/stream/local`;

describe('a stream event source', () => {
  const record = (number: number, key: string, ageSeconds = 0): StreamRecord => ({
    eventID: String(number),
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    eventSourceARN: streamArn,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(Date.now() / 1000) - ageSeconds,
      Keys: { pk: { S: key } },
      SequenceNumber: String(number),
      SizeBytes: 1,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  });
  const streamOf = (records: readonly StreamRecord[]): TableStream => ({
    arn: 'stream',
    shards: () => Promise.resolve([{ ShardId: 'shard' }]),
    read(_, position) {
      const next = records.filter(({ dynamodb }) => Number(dynamodb.SequenceNumber) > Number(position));
      const last = next.at(-1)?.dynamodb.SequenceNumber ?? position;
      return Promise.resolve({ records: next, position: last, ended: false });
    },
    close: () => undefined,
  });
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

  /** Runs a source over the records; `handle` is the function, given the numbers of a batch. */
  function run(
    records: readonly StreamRecord[],
    handle: (batch: readonly number[]) => unknown,
    settings: Partial<StreamSourceSettings> = {},
    store = openStore(undefined),
  ) {
    const batches: number[][] = [];
    const reports: { requestContext: { condition: string }; DDBStreamBatchInfo: Record<string, unknown> }[] = [];
    const target: LocalFunction = {
      settings: { arn: 'arn' } as LocalFunction['settings'],
      concurrency: 10,
      invoke(event) {
        const batch = (event as { Records: StreamRecord[] }).Records.map(({ eventID }) => Number(eventID));
        batches.push(batch);
        return Promise.resolve(batch).then(handle);
      },
    };
    const positions = openPositions(store, 'mapping', 'stream');
    const source = startStreamSource(streamOf(records), target, positions, {
      batchSize: 10,
      batchingWindowSeconds: 0,
      startingPosition: 'TRIM_HORIZON',
      parallelizationFactor: 1,
      maxRetries: Infinity,
      maxRecordAgeSeconds: Infinity,
      bisects: false,
      reportsItemFailures: false,
      filters: undefined,
      onFailure: (report) => {
        reports.push(report as (typeof reports)[number]);
      },
      ...settings,
    });
    const reached = (position: number) => eventually(() => positions.get('shard') === String(position));
    return { batches, reports, source, reached, store };
  }
  const plain = numbers(1, 25).map((number) => record(number, `key ${number}`));

  test('hands over batches in order, and goes on where it was', async () => {
    const first = run(plain, () => null);
    await first.reached(25);
    await first.source.stop();
    assert.deepEqual(first.batches, [numbers(1, 10), numbers(11, 20), numbers(21, 25)]);
    const second = run([...plain, record(26, 'new')], () => null, {}, first.store);
    await second.reached(26);
    await second.source.stop();
    assert.deepEqual(second.batches, [[26]]);
  });

  test('tries a batch again until it succeeds, and skips nothing when it is stopped before', async () => {
    let fails = 2;
    const flaky = run(plain, () => {
      if (fails-- > 0) throw new Error('not now');
    });
    await flaky.reached(25);
    await flaky.source.stop();
    assert.deepEqual(flaky.batches.slice(0, 4), [numbers(1, 10), numbers(1, 10), numbers(1, 10), numbers(11, 20)]);

    const stuck = run(plain, (batch) => {
      if (batch.includes(11)) throw new Error('never');
    });
    await eventually(() => stuck.batches.length >= 3);
    await stuck.source.stop();
    const later = run(plain, () => null, {}, stuck.store);
    await later.reached(25);
    await later.source.stop();
    assert.deepEqual(later.batches, [numbers(11, 20), numbers(21, 25)]);
  });

  test('goes on from the first record that the function reports', async () => {
    let reported = 0;
    const failures = (...failed: number[]) => ({
      batchItemFailures: failed.map((number) => ({ itemIdentifier: String(number) })),
    });
    const partial = run(plain, () => (reported++ === 0 ? failures(7, 4) : failures()), { reportsItemFailures: true });
    await partial.reached(25);
    await partial.source.stop();
    assert.deepEqual(partial.batches.slice(0, 3), [numbers(1, 10), numbers(4, 10), numbers(11, 20)]);

    const answers: unknown[] = [
      { batchItemFailures: [{ itemIdentifier: 'x' }] },
      { batchItemFailures: 1 },
      'odd',
      null,
    ];
    const malformed = run(plain.slice(0, 3), () => answers.shift(), { reportsItemFailures: true });
    await malformed.reached(3);
    await malformed.source.stop();
    assert.deepEqual(
      malformed.batches,
      Array.from({ length: 4 }, () => [1, 2, 3]),
    );
  });

  test('splits a batch down to the record that fails, and gives up that one only', async () => {
    const bisecting = run(
      plain,
      (batch) => {
        if (batch.includes(13)) throw new Error('poison');
      },
      { bisects: true, maxRetries: 1 },
    );
    await bisecting.reached(25);
    await bisecting.source.stop();
    const [report, ...others] = bisecting.reports;
    assert.equal(others.length, 0);
    assert.equal(report?.requestContext.condition, 'RetryAttemptsExhausted');
    const { startSequenceNumber, endSequenceNumber, batchSize } = report.DDBStreamBatchInfo;
    assert.deepEqual([startSequenceNumber, endSequenceNumber, batchSize], ['13', '13', 1]);
    const handled = new Set(bisecting.batches.filter((batch) => !batch.includes(13)).flat());
    assert.deepEqual(
      [...handled].sort((left, right) => left - right),
      numbers(1, 25).filter((number) => number !== 13),
    );
  });

  test('gives up what is too old without a try', async () => {
    const old = run([record(1, 'a', 100), record(2, 'b')], () => null, { maxRecordAgeSeconds: 60 });
    await old.reached(2);
    await old.source.stop();
    assert.deepEqual(old.batches, [[2]]);
    assert.deepEqual(
      old.reports.map(({ requestContext }) => requestContext.condition),
      ['RecordAgeExceeded'],
    );
  });

  test('keeps the order of a key with several batches at the same time, none of which holds up the others', async () => {
    const records = numbers(1, 200).map((number) => record(number, `key ${number % 20}`));
    const done: number[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let busy = 0;
    let most = 0;
    const parallel = run(
      records,
      async (batch) => {
        most = Math.max(most, (busy += 1));
        if (batch.includes(1)) await gate;
        await sleep(1);
        done.push(...batch);
        busy -= 1;
      },
      { parallelizationFactor: 4, batchSize: 5 },
    );
    await eventually(() => done.length > 100);
    assert.ok(!done.includes(1));
    open();
    await parallel.reached(200);
    await parallel.source.stop();
    assert.ok(most > 1 && most <= 4, String(most));
    for (const key of numbers(0, 19)) {
      const ofKey = done.filter((number) => number % 20 === key);
      assert.deepEqual(
        ofKey,
        numbers(1, 200).filter((number) => number % 20 === key),
      );
    }
  });

  test('starts at the latest record once, filters, and gathers for a window', async () => {
    const records = [...plain];
    const latest = run(records, () => null, { startingPosition: 'LATEST' });
    await latest.reached(25);
    records.push(record(26, 'new'));
    await latest.reached(26);
    await latest.source.stop();
    assert.deepEqual(latest.batches, [[26]]);

    const filters = [compilePattern({ dynamodb: { Keys: { pk: { S: [{ suffix: '5' }] } } } }, 'test')];
    const filtered = run(plain, () => null, { filters });
    await filtered.reached(25);
    await filtered.source.stop();
    assert.deepEqual(filtered.batches, [[5, 15, 25]]);

    const arriving = [record(1, 'a')];
    const gathering = run(arriving, () => null, { batchingWindowSeconds: 0.5 });
    await sleep(150);
    arriving.push(record(2, 'b'));
    await gathering.reached(2);
    await gathering.source.stop();
    assert.deepEqual(gathering.batches, [[1, 2]]);
  });
});
