import assert from 'node:assert/strict';
import { afterAll, describe, it } from '@jest/globals';
import { openEngines } from './engines.ts';
import { examine } from './exhaustive.ts';
import { forgottenRoutes, operations } from './operations.ts';
import type { FaultKind } from './plan.ts';
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

/**
 * Returns whether to try a kind of fault at a call. `npm test` kills every process after each of its calls that changes
 * something: so it leaves each state behind in which a process can die. `npm run exhaustive` tries every fault that a call can
 * meet, which takes many times as long.
 */
const tries = (kind: FaultKind, call: string) =>
  process.env['FAULTS'] === 'all' || (kind === 'crash-after' && !reads.has(call));

/** Every fault of one operation on a machine that is ten times overloaded, ms. */
const longestMs = 3 * 3_600_000;

describe('faults at every external call of every operation', () => {
  const engines = openEngines();
  const figures = { calls: 0, runs: 0 };
  afterAll(() => engines.close());

  it('covers every route', () => {
    assert.deepEqual(forgottenRoutes(), []);
  });

  for (const operation of operations) {
    it(
      operation.name,
      async () => {
        const { calls, runs, failures } = await examine(engines, operation, tries);
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
