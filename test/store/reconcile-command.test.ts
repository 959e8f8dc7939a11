/** `npm run reconcile` from a shell: its exit codes, what it prints, and the report that it writes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, it } from '@jest/globals';
import type { ReconcileReport } from '../../lambdas/bank-files/report.ts';
import type { TestTable } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { charge, timeOf, withdraw } from './commands.ts';
import { settle } from './histories.ts';
import { fundedWallet } from './wallets.ts';

const engine = useEngine();
let table: TestTable;
let id = '';

beforeAll(async () => {
  table = await engine.newTable();
  const walletId = await fundedWallet(table, 'ann', 10_000, 'USD');
  await charge(table, walletId, { amount: 10_000, externalReference: 'invoice-1' });
  id = (await withdraw(table, walletId, { owner: 'ann', amount: 2_000 })).transaction.transactionId;
  await settle(table, id);
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wallet-test-'));
  afterTest(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

async function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [
    'bin/reconcile.mjs',
    '--endpoint',
    engine.endpoint,
    '--table',
    table.name,
    ...args,
  ]);
  const exit = once(child, 'exit') as Promise<[number]>;
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, error, code };
}

/** Returns the file of the documentation's example. */
function example(folder: string, amount: string): string[] {
  const today = timeOf(table).slice(0, 10);
  const rows = [`${today};${id};-${amount};USD;B1`, `${today};INVOICE-1;100.00;USD;B2`, `${today};a gift;5.00;USD;B3`];
  const file = join(folder, 'day.csv');
  writeFileSync(file, ['date;text;amount;currency;id', ...rows, ''].join('\n'));
  return ['--csv', 'docs/bank-files/columns.json', file];
}

describe('npm run reconcile', () => {
  it('names the differences of the example in the documentation, and exits with 1', async () => {
    const args = example(newFolder(), '20.01');
    const { out, code } = await run(...args);
    const documented = readFileSync('docs/bank-files.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('DIFFERENCE '));
    const printed = out.split('\n').filter((line) => line.startsWith('DIFFERENCE '));
    const plain = printed.map((line) => line.replace(args.at(-1) ?? '', 'day.csv').replace(id, 'tx_…'));
    assert.deepEqual([plain, code], [documented, 1]);
  });

  it('writes a report, says when it has one of these files, and exits with 0 when all agrees', async () => {
    const folder = newFolder();
    const [option = '', mapping = '', file = ''] = example(folder, '20.00');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/.*a gift.*\n/, ''));
    const report = join(folder, 'report.json');
    const first = await run(option, mapping, file, '--report', report);
    assert.deepEqual([first.code, first.error], [0, '']);
    const kept = readFileSync(report, 'utf8');
    assert.equal((JSON.parse(kept) as ReconcileReport).counts.matched, 2);
    const second = await run(option, mapping, file, '--report', report, '--json');
    assert.match(second.error, /has a report of these files already; nothing has changed since/);
    assert.deepEqual([JSON.parse(second.out), readFileSync(report, 'utf8')], [JSON.parse(kept), kept]);
  });

  it('exits with 2 for a broken file, a missing one, and a table that cannot be read', async () => {
    const folder = newFolder();
    const broken = join(folder, 'broken.xml');
    writeFileSync(broken, '<Document>\n<a></b></Document>');
    const outcomes = await Promise.all([
      run(broken),
      run(join(folder, 'none.xml')),
      run(broken, '--table', 'none'),
      run(broken, '--days', 'x'),
    ]);
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [2, 2, 2, 2],
    );
    const [first = '', second = '', third = '', fourth = ''] = outcomes.map(({ error }) => error.split('\n')[0] ?? '');
    assert.match(first, /broken\.xml:2: bad_xml: /);
    assert.match(second, /^cannot read the file .*none\.xml$/);
    assert.match(third, /^cannot read --table none: ResourceNotFoundException/);
    assert.match(fourth, /^--days must be a whole number/);
  });
});
