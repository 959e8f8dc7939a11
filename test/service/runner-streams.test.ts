import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDeliveries, type Failure } from '../../local/deliveries.ts';
import { ensureTable, localCredentials, startEngine } from '../../local/dynamodb.ts';
import { compilePattern } from '../../local/event-pattern.ts';
import type { LocalFunction } from '../../local/functions.ts';
import { openStore } from '../../local/store.ts';
import { openPositions, startStreamSource, type StreamSourceSettings } from '../../local/stream-source.ts';
import { openTableStream, type StreamRecord, type TableStream } from '../../local/table-streams.ts';
import { compileInput } from '../../local/target-input.ts';

const region = 'us-east-1';
const TableName = 'streamed';
const streamArn = `arn:aws:dynamodb:${region}:000000000000:table/${TableName}/stream/local`;

async function eventually(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < limit, 'did not come about in time');
    await sleep(5);
  }
}

describe("the stream of the engine's table", () => {
  const folder = mkdtempSync(join(tmpdir(), 'runner-streams-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function open() {
    const engine = await startEngine(join(folder, 'dynamodb.sqlite'));
    const client = new DynamoDBClient({ endpoint: engine.endpoint, region, credentials: localCredentials });
    await ensureTable(engine.endpoint, region, {
      create: {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      },
    });
    const stream = await openTableStream(engine.endpoint, TableName, streamArn);
    assert.ok(stream);
    return { engine, client, stream };
  }
  const setTo = (client: DynamoDBClient, n: number) =>
    client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: 'a' } },
        UpdateExpression: 'SET n = :n',
        ExpressionAttributeValues: { ':n': { N: String(n) } },
      }),
    );

  test('has records as Lambda hands them over, none for a write that changes nothing, and outlives the engine', async () => {
    const first = await open();
    await first.client.send(
      new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, n: { N: '1' }, bytes: { B: Buffer.from('xyz') } } }),
    );
    await setTo(first.client, 2);
    await setTo(first.client, 2);
    const [shard] = await first.stream.shards();
    const shardId = shard?.ShardId ?? '';
    const page = await first.stream.read(shardId, '');
    assert.deepEqual(
      page.records.map(({ eventName }) => eventName),
      ['INSERT', 'MODIFY'],
    );
    const [insert, modify] = page.records;
    const bytes = { B: Buffer.from('xyz').toString('base64') };
    const { ApproximateCreationDateTime: created, SizeBytes: size, ...change } = modify?.dynamodb ?? {};
    assert.deepEqual(change, {
      Keys: { pk: { S: 'a' } },
      NewImage: { pk: { S: 'a' }, n: { N: '2' }, bytes },
      OldImage: { pk: { S: 'a' }, n: { N: '1' }, bytes },
      SequenceNumber: '2',
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    });
    assert.ok(typeof size === 'number' && typeof created === 'number' && Math.abs(created - Date.now() / 1000) < 60);
    assert.ok(!('OldImage' in (insert?.dynamodb ?? {})));
    const { eventID, dynamodb: _, ...envelope } = insert ?? {};
    assert.match(eventID ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(envelope, {
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: region,
      eventSourceARN: streamArn,
    });
    first.stream.close();
    await first.engine.stop();

    const second = await open();
    await setTo(second.client, 3);
    const next = await second.stream.read(shardId, page.position);
    assert.deepEqual(
      next.records.map(({ dynamodb }) => dynamodb.NewImage?.['n']),
      [{ N: '3' }],
    );
    assert.deepEqual((await second.stream.read(shardId, next.position)).records, []);

    const path = join(folder, 'dynamodb.sqlite');
    const aged = new DatabaseSync(path);
    aged.exec('UPDATE _stream_records SET created_at = created_at - 100000');
    aged.close();
    second.engine.trimStream(TableName, next.position);
    await setTo(second.client, 4);
    const left = await second.stream.read(shardId, '');
    assert.deepEqual(
      left.records.map(({ dynamodb }) => dynamodb.NewImage?.['n']),
      [{ N: '3' }, { N: '4' }],
    );
    second.stream.close();
    second.client.destroy();
    first.client.destroy();
    await second.engine.stop();
  });
});

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

test('event patterns match as EventBridge does, and refuse what they do not know', () => {
  const event = { type: 'a.b', detail: { n: 5, list: ['x', 'y'], none: null, deep: [{ k: 1 }, { k: 2 }] } };
  const cases: [unknown, boolean][] = [
    [{ type: ['a.b', 'c'] }, true],
    [{ type: [{ prefix: 'a.' }] }, true],
    [{ type: [{ suffix: '.c' }] }, false],
    [{ type: [{ wildcard: 'a*b' }] }, true],
    [{ type: [{ 'equals-ignore-case': 'A.B' }] }, true],
    [{ type: [{ 'anything-but': ['a.b'] }] }, false],
    [{ type: [{ 'anything-but': { prefix: 'b' } }] }, true],
    [{ missing: [{ 'anything-but': 'x' }] }, false],
    [{ missing: [{ exists: false }] }, true],
    [{ detail: { n: [{ exists: true }] } }, true],
    [{ detail: { n: [{ numeric: ['>', 1, '<=', 5] }] } }, true],
    [{ detail: { n: [{ numeric: ['=', 4] }] } }, false],
    [{ detail: { n: ['5'] } }, false],
    [{ detail: { none: [null] } }, true],
    [{ detail: { list: ['y'] } }, true],
    [{ detail: { deep: { k: [2] } } }, true],
    [{ $or: [{ type: ['z'] }, { detail: { n: [5] } }] }, true],
    [{ type: ['a.b'], detail: { n: [6] } }, false],
  ];
  for (const [pattern, expected] of cases) {
    assert.equal(compilePattern(pattern, 'test')(event), expected, JSON.stringify(pattern));
  }
  const refused: unknown[] = [
    {},
    { a: [{ cidr: '10.0.0.0/8' }] },
    { a: 'text' },
    { a: [{ numeric: ['~', 1] }] },
    { a: [['x']] },
  ];
  for (const pattern of refused) assert.throws(() => compilePattern(pattern, 'test'), { name: 'TemplateError' });
});

test('a target gets the part of an event, or the template, that its rule asks for', () => {
  const event = {
    version: '0',
    id: '1',
    'detail-type': 'told',
    source: 'things',
    account: '0',
    time: '2026-01-01T00:00:00Z',
    region,
    resources: [],
    detail: { name: 'an "a"', list: [1] },
  } as const;
  const rule = { arn: 'arn', name: 'rule' };
  const made = (input: Parameters<typeof compileInput>[0]) => compileInput(input, rule, 'test')(event);
  assert.deepEqual(JSON.parse(made({})), event);
  assert.equal(made({ Input: '{"x":1}' }), '{"x":1}');
  assert.equal(made({ InputPath: '$.detail.list' }), '[1]');
  const paths = { name: '$.detail.name', list: '$.detail.list', gone: '$.detail.gone' };
  const InputTemplate =
    '{"a":<name>,"b":"is <name>","c":<list>,"r":"<aws.events.rule-name>","e":<aws.events.event.json>}';
  assert.deepEqual(JSON.parse(made({ InputTransformer: { InputPathsMap: paths, InputTemplate } })), {
    a: 'an "a"',
    b: 'is an "a"',
    c: [1],
    r: 'rule',
    e: event,
  });
  assert.throws(() => made({ InputPath: '$.detail[0]' }), { name: 'TemplateError' });
  assert.throws(() => made({ InputTransformer: { InputTemplate: '<nobody>' } }), { name: 'TemplateError' });
});

test('deliveries are tried again with growing waits, given up at their limit, and kept until then', async () => {
  const store = openStore(undefined);
  const failures: Failure[] = [];
  const tries: string[] = [];
  const route = (deliver: (body: string) => Promise<void>, maxRetries: number) => ({
    id: 'route',
    concurrency: 2,
    maxRetries,
    maxAgeMs: 60_000,
    retryDelayMs: (retry: number) => retry,
    deliver(body: string) {
      tries.push(body);
      return deliver(body);
    },
    giveUp: (_: string, failure: Failure) => {
      failures.push(failure);
    },
  });
  const first = createDeliveries(store);
  first.add('route', 'early');
  const failing = first.route(route(() => Promise.reject(new Error('away')), Infinity));
  await eventually(() => tries.length >= 3);
  await failing.stop();
  first.close();

  const second = createDeliveries(store);
  assert.equal(second.pending(), 1);
  const working = second.route(
    route((body) => (body === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve()), 2),
  );
  second.add('route', 'bad');
  await eventually(() => second.pending() === 0);
  await working.stop();
  assert.deepEqual([...new Set(tries)], ['early', 'bad']);
  assert.deepEqual(
    failures.map(({ attempts, condition }) => [attempts, condition]),
    [[3, 'MaximumRetryAttempts']],
  );
});
