import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { measureBudgets } from '../../bench/budgets.ts';
import { checkUnits } from '../../bench/check-model.ts';
import { measureChecks } from './checks.ts';
import { measureFollowing } from '../../bench/following.ts';
import { startService } from '../../bench/service.ts';

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
        // Both wallets of a transfer, capture or refund, and the three of a split.
        const screened = command.startsWith('split') ? 3 : /^(transfer|hold)/.test(command) ? 2 : 1;
        assert.equal(writeUnits.screening, screened, name);
        assert.equal(writeUnits.notifications, command.endsWith('notified') ? 2 : 0, name);
        if (command === 'transfer') assert.ok(sum <= 7, name);
      }
      assert.equal(rows.length, 20);
    } finally {
      await service.stop();
    }
  });

  it('measures the check of closed hours: at most 3 read units for a charge, 6 for a transfer and 5 for a withdrawal', async () => {
    const { command, idleHour, transaction } = await measureChecks();
    const unitsOf = ({ readUnits }: { readUnits: number }) => readUnits;
    assert.ok(unitsOf(command.charge) > 1 && unitsOf(command.charge) <= 3, `charge ${unitsOf(command.charge)}`);
    assert.ok(unitsOf(command.transfer) > 1 && unitsOf(command.transfer) <= 6, `transfer ${unitsOf(command.transfer)}`);
    assert.ok(
      unitsOf(command.withdrawal) > 1 && unitsOf(command.withdrawal) <= 5,
      `withdrawal ${unitsOf(command.withdrawal)}`,
    );
    for (const name of ['charge', 'transfer', 'withdrawal'] as const) {
      assert.ok(unitsOf(command[name]) <= checkUnits.command[name].readUnits + 0.1, `the model knows a ${name}`);
    }
    assert.ok(idleHour.readUnits > 0 && idleHour.readUnits <= 2 * 129 + 32, `idle ${idleHour.readUnits}`);
    assert.ok(transaction.readUnits > 0 && transaction.readUnits < 1, `pass ${transaction.readUnits}`);
  });
});
