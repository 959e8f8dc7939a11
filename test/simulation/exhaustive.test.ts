import assert from 'node:assert/strict';
import { afterAll, describe, it } from '@jest/globals';
import { kindOfChange } from './changes.ts';
import { openEngines } from './engines.ts';
import { examine, firstOfKind } from './exhaustive.ts';
import { forgottenRoutes, operations } from './operations.ts';
import type { Operation } from './operation.ts';
import type { FaultKind, Point } from './plan.ts';
import { report } from '../fixture.ts';

/** Calls that change nothing outside: after one, the outside is as after the call before it. */
const reads = new Set([
  'dynamodb GetItem',
  'dynamodb BatchGetItem',
  'dynamodb Query',
  'sqs GetQueueAttributes',
  'secrets GetSecretValue',
  'bank GET /payments',
]);

const isFirst = firstOfKind();

/**
 * Returns a function that tells whether to try a kind of fault at a call. These tests run every operation, and kill a process
 * after each call that changes something, once for each kind of change: so they leave each state behind in which a process
 * can die. `npm run exhaustive` tries every fault that a call can meet, at every call, which takes many times as long.
 */
const triesOf = (operation: Operation) => (kind: FaultKind, point: Point) =>
  kind === 'crash-after' && !reads.has(point.call) && isFirst(operation, point);

/** Every fault of one operation on a machine that is ten times overloaded, ms. */
const longestMs = 3 * 3_600_000;

describe('faults at every external call of every operation', () => {
  const engines = openEngines();
  const figures = { calls: 0, runs: 0 };
  afterAll(() => engines.close());

  it('covers every route', () => {
    assert.deepEqual(forgottenRoutes(), []);
  });

  it('are of one kind when they differ in ids and amounts only', () => {
    const change = (id: string, amount: string, status: string, expression: string) =>
      kindOfChange({
        Update: {
          Key: { pk: { S: `TX#${id}` }, sk: { S: 'TX' } },
          UpdateExpression: expression,
          ExpressionAttributeValues: { ':amount': { N: amount }, ':status': { S: status } },
        },
      });
    const known = change('8b1c', '100', 'completed', 'SET a = :amount');
    assert.equal(change('77aa', '5', 'completed', 'SET a = :amount'), known);
    assert.notEqual(change('8b1c', '100', 'failed', 'SET a = :amount'), known);
    assert.notEqual(change('8b1c', '100', 'completed', 'SET b = :amount'), known);
    assert.equal(kindOfChange({ one: 'a', other: 'b' }), kindOfChange({ other: 'b', one: 'a' }));
    assert.notEqual(kindOfChange({ QueueUrl: 'one' }), kindOfChange({ QueueUrl: 'other' }));
  });

  for (const operation of operations) {
    it(
      operation.name,
      async () => {
        const { calls, runs, failures } = await examine(engines, operation, triesOf(operation));
        figures.calls += calls.length;
        figures.runs += runs;
        report(`${calls.length} external calls, ${runs} histories`);
        assert.deepEqual(failures, []);
      },
      longestMs,
    );
  }

  it('covered every operation', () => {
    report(
      `${operations.length} operations, ${figures.calls} external calls, ${figures.runs} histories, one for each fault`,
    );
  });
});
