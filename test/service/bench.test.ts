import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureBudgets } from '../../bench/budgets.ts';
import { startService } from '../../bench/service.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';

describe('benchmark', () => {
  it('measures every step that has a budget, and finds it kept', async () => {
    const service = await startService();
    try {
      const steps = await measureBudgets(service);
      assert.deepEqual(
        steps.filter(({ within }) => !within),
        [],
      );
      assert.ok(steps.filter(({ budget }) => budget !== undefined).length >= 15);
    } finally {
      await service.stop();
    }
  });
});
