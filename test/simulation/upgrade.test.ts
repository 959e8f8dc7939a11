/** Upgrades while the service runs: `npm run simulate -- --upgrade` runs any number of histories with one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { report } from '../fixture.ts';

describe('an upgrade and its rollback', () => {
  it('keep every invariant, and lose nothing that an earlier release cannot read', () => {
    const script = join(import.meta.dirname, 'simulate.ts');
    const options = ['--upgrade', '--histories', '30', '--seed', 'ci', '--threads', '1'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options], { encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
    const tally = [...stdout.matchAll(/^ *(\d+) {2}(upgrade.*)$/gm)].map(([, count, what]) => `${what}: ${count}`);
    report(tally.join('\n'));
    for (const reached of [
      /^upgrade reads first/,
      /^upgrade leaves one out/,
      /^upgrade goes back by two/,
      /^upgrade: newer messages are kept/,
      /^upgrade: records are set aside, and handed back/,
      /^upgrade: withdrawals leaves a newer item/,
      /^upgrade: (?:charge|refund|transfer|withdraw) leaves a newer item/,
    ]) {
      assert.ok(
        tally.some((line) => reached.test(line)),
        `no history shows ${String(reached)}`,
      );
    }
  });
});
