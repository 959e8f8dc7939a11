import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { examine } from './exhaustive.ts';
import { openLab } from './lab.ts';
import { forgottenRoutes, operations } from './operations.ts';

describe('every fault at every external call of every operation', () => {
  const lab = openLab();
  const figures = { calls: 0, runs: 0 };
  after(() => lab.close());

  it('knows every route', () => {
    assert.deepEqual(forgottenRoutes(), []);
  });

  for (const operation of operations) {
    it(operation.name, async (context) => {
      const { calls, runs, failures } = await examine(lab, operation);
      figures.calls += calls.length;
      figures.runs += runs;
      context.diagnostic(`${calls.length} external calls, ${runs} histories`);
      assert.deepEqual(failures, []);
    });
  }

  it('has covered them all', (context) => {
    context.diagnostic(
      `${operations.length} operations, ${figures.calls} external calls, ${figures.runs} histories, one for each fault`,
    );
  });
});
