import assert from 'node:assert/strict';
import { test } from '@jest/globals';
import { createDeliveries } from '../../local/storage/deliveries.ts';
import type { Failure } from '../../local/storage/deliveries.ts';
import { compilePattern } from '../../local/eventbridge/event-pattern.ts';
import { openStore, Query } from '../../local/storage/store.ts';
import { compileInput } from '../../local/eventbridge/target-input.ts';
import { eventually } from './eventually.ts';

const region = 'us-east-1';

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
  assert.throws(() => made({ InputTransformer: { InputTemplate: '<stranger>' } }), { name: 'TemplateError' });
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

test('a row of another shape than its query names is an error', () => {
  const store = openStore(undefined);
  store.exec("CREATE TABLE things (name, size, note); INSERT INTO things VALUES ('a', 1, NULL), ('b', 'big', NULL)");
  const query = new Query(
    store,
    { name: 'text', size: 'number', note: 'number or null' },
    'SELECT name, size, note FROM things WHERE name = ?',
  );
  assert.deepEqual({ ...query.first('a') }, { name: 'a', size: 1, note: null });
  assert.equal(query.first('c'), undefined);
  assert.throws(() => query.all('b'), /the column size has no number: big/);
  store.close();
});
