import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureBudgets } from '../../bench/budgets.ts';
import { measureFollowing } from '../../bench/following.ts';
import { startService } from '../../bench/service.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';

describe('benchmark', () => {
  it('measures every step that has a budget, and finds the budget kept', async () => {
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

  it("measures the consumers of end users' commands: at most 5 write units for a transfer, in all consumers", async () => {
    const service = await startService();
    try {
      const rows = await measureFollowing(service);
      assert.deepEqual(
        rows.filter(({ within }) => !within),
        [],
      );
      for (const { command, batch, writeUnits, sum } of rows) {
        const name = `${command}, batch of ${batch}`;
        assert.equal(writeUnits.screening, command.startsWith('transfer') ? 2 : 1, name);
        assert.equal(writeUnits.notifications, command.endsWith('notified') ? 2 : 0, name);
        if (command === 'transfer') assert.ok(sum <= 7, name);
      }
      assert.equal(rows.length, 10);
    } finally {
      await service.stop();
    }
  });
});
