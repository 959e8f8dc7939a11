/** The first call that a function makes while it starts. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { meter } from '../../bench/meter.ts';
import { warmUp } from '../../lambdas/store/warm-up.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { useTable } from '../fixture.ts';
import { checkUnits } from '../units.ts';

const key = transactionKey('none');
const table = useTable();
beforeAll(() => {
  process.env['AWS_LAMBDA_INITIALIZATION_TYPE'] = 'on-demand';
});

describe('the first call of a function', () => {
  it('costs half a read unit', async () => {
    const { calls, readUnits, writeUnits } = await meter(table.client, () => warmUp(table, key));
    assert.equal(calls, 1);
    checkUnits(() => {
      assert.deepEqual({ readUnits, writeUnits }, { readUnits: 0.5, writeUnits: 0 });
    });
  });

  it('neither fails nor delays the function', async () => {
    table.fault = () => Promise.reject(new Error('no access'));
    await warmUp(table, key);
    table.fault = () => new Promise(() => undefined);
    const startedAt = performance.now();
    await warmUp(table, key);
    assert.ok(performance.now() - startedAt < 1_500);
    table.fault = undefined;
  });

  it('is made only by functions', async () => {
    delete process.env['AWS_LAMBDA_INITIALIZATION_TYPE'];
    const { calls } = await meter(table.client, () => warmUp(table, key));
    assert.equal(calls, 0);
  });
});
