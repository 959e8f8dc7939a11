/** The first steps of a newcomer work as printed: the README's walk-through, and the demo. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { promisify } from 'node:util';
import { routes } from '../../lambdas/contract.ts';
import { untilPrinted } from './printed.ts';
import { startService } from './service.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const pageOf = (name: string) => readFileSync(join(root, 'docs', `${name}.md`), 'utf8');
const pages = ['holds', 'refunds', 'splits', 'limits', 'fees', 'approvals', 'batches', 'webhooks', 'aliases'].map(
  pageOf,
);
const day = pageOf('walkthrough').split('## The day of a marketplace')[1] ?? '';
const { runner } = await startService();

/** Checks the answers of a marketplace's day against the figures of its page. */
function checkDay(answers: readonly Record<string, unknown>[]): void {
  const [filled, sale, refund, limited, chargeback, refused, below, firm, approved, francs] = answers;
  assert.equal(filled?.['available'], 196_000);
  assert.deepEqual([sale?.['amount'], sale?.['fee']], [80_000, 4_000]);
  assert.deepEqual([refund?.['type'], refund?.['amount']], ['refund', 10_000]);
  assert.deepEqual([limited?.['code'], limited?.['limit']], ['limit_exceeded', 'out.perTransaction']);
  assert.deepEqual([chargeback?.['chargeback'], chargeback?.['amount']], [true, 200_000]);
  assert.equal(refused?.['code'], 'insufficient_funds');
  assert.equal(below?.['available'], -74_000);
  assert.equal(firm?.['available'], 66_500);
  assert.equal(approved?.['status'], 'approved');
  assert.equal(francs?.['available'], 2_000_000);
}

describe('README', () => {
  it('has a walk-through that works as pasted, and those of the features go on from it', async () => {
    const commands = [readme, ...pages, day].map((page) => /```bash\n([^]*?)```/.exec(page)?.[1] ?? '');
    const { stdout } = await run('bash', ['-c', commands.join('').replace('http://127.0.0.1:3000', runner.baseUrl)]);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    checkDay(answers.splice(-10));
    const [named, byAlias, unknown, taken] = answers.splice(-4);
    assert.equal(named?.['alias'], 'bob.builder');
    assert.deepEqual([byAlias?.['to'], byAlias?.['counterpartyWalletId']], ['@bob.builder', undefined]);
    assert.deepEqual([unknown?.['code'], taken?.['code']], ['receiver_unavailable', 'alias_unavailable']);
    const [charged, sent, repeated, withdrawn, balance, history, captured, released, left, ...more] = answers;
    assert.equal(answers.length, 31);
    assert.deepEqual([charged?.['type'], charged?.['status'], charged?.['amount']], ['charge', 'completed', 10_000]);
    assert.equal(sent?.['status'], 'completed');
    assert.equal(repeated?.['transactionId'], sent['transactionId']);
    assert.deepEqual([withdrawn?.['type'], withdrawn?.['status']], ['withdrawal', 'completed']);
    assert.equal((withdrawn?.['attempts'] as unknown[]).length, 3);
    assert.deepEqual([balance?.['available'], balance?.['held'], balance?.['total']], [5_000, 0, 5_000]);
    assert.equal((history!['items'] as unknown[]).length, 2);
    assert.deepEqual([captured?.['type'], captured?.['amount']], ['capture', 1_500]);
    assert.deepEqual([released?.['status'], released?.['end'], released?.['captured']], ['ended', 'released', 1_500]);
    assert.deepEqual([left?.['available'], left?.['held']], [3_500, 0]);
    const [refunded, rent, split, sale, limited, allowed, refused, wallet, funded, asked, dinner, rest, ...approved] =
      more;
    assert.deepEqual([refunded?.['type'], refunded?.['amount']], ['refund', 500]);
    assert.deepEqual([rent?.['transactionId'], rent?.['refunded']], [sent['transactionId'], 500]);
    assert.deepEqual([split?.['amount'], (split!['legs'] as unknown[]).length], [330, 2]);
    const [leg] = sale!['items'] as Record<string, unknown>[];
    assert.deepEqual([leg?.['splitId'], leg?.['amount']], [split!['splitId'], 300]);
    assert.deepEqual(limited?.['limits'], { out: { perDay: 2_000 } });
    assert.equal(allowed?.['status'], 'completed');
    assert.deepEqual([refused?.['code'], refused?.['left']], ['limit_exceeded', 500]);
    assert.equal((wallet!['limitWindows'] as { used: number }[])[0]?.used, 1_500);
    assert.deepEqual([funded?.['amount'], funded?.['fee']], [100_000, 2_000]);
    assert.deepEqual([asked?.['dryRun'], asked?.['fee'], asked?.['paid']], [true, 500, 30_500]);
    assert.deepEqual([dinner?.['status'], dinner?.['fee'], rest?.['available']], ['completed', 500, 67_500]);
    const [charge, test, deliveries] = approved.splice(-3);
    assert.deepEqual([charge, test].map((event) => event?.['type']).sort(), ['wallet.funded', 'webhook.ping']);
    assert.deepEqual(
      (deliveries!['items'] as { status: string }[]).map(({ status }) => status),
      ['delivered', 'delivered'],
    );
    const [batch, lines] = approved.splice(-2);
    assert.deepEqual([batch?.['status'], batch?.['accepted'], batch?.['refused']], ['completed', 2, 1]);
    assert.equal((lines!['items'] as { failure?: { code: string } }[])[2]?.failure?.code, 'insufficient_funds');
    assert.deepEqual(
      approved.map((answer) => answer['code'] ?? answer['status'] ?? answer['available']),
      ['asked', 'forbidden', 'approved', 'completed', 2_000_000],
    );
  });

  it('lists every route, with the file that serves it', () => {
    for (const route of routes) {
      const row = `| \`${route.method} ${route.path}\``;
      const file = `](lambdas/api/${route.function}.ts)`;
      assert.ok(
        readme.split('\n').some((line) => line.replace(/ +\|/g, ' |').startsWith(row) && line.includes(file)),
        `${route.method} ${route.path} → ${route.function}`,
      );
    }
  });
});

describe('npm start', () => {
  it('prints commands that work as pasted, up to the check of its books', async () => {
    const child = spawn(process.execPath, [join(root, 'bin', 'local.ts'), '--memory', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    try {
      const printed = await untilPrinted(child.stdout, 'Ctrl-C stops');
      const commands = [...printed.matchAll(/^ {2}((?:export|curl|npm run) .*)$/gm)].map(
        ([, command]) => command ?? '',
      );
      const verify = commands.pop() ?? '';
      assert.match(verify, /^npm run verify /);
      const { stdout } = await run('bash', ['-ec', commands.join('\necho\n')], { cwd: root });
      assert.equal((JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { available: number }).available, 10_000);
      // The ledgers lag behind the wallets.
      const limit = Date.now() + 20_000;
      const found = async () => (await run('bash', ['-c', `${verify} || true`], { cwd: root })).stdout;
      let verdict = await found();
      while (!verdict.includes('The books are sound.') && Date.now() < limit) verdict = await found();
      assert.match(verdict, /^USD: wallets 10000, external -10000, transit 0, sum 0\nThe books are sound\.$/m);
    } finally {
      child.kill();
      await ended;
    }
  });
});

describe('npm run demo', () => {
  it('runs nowhere else when the given address does not answer', async () => {
    const demo = run(process.execPath, [join(root, 'bin', 'demo.ts'), '--url', 'http://127.0.0.1:1/x']);
    await assert.rejects(demo, { code: 1, stdout: '', stderr: 'nothing answers at http://127.0.0.1:1/x\n' });
  });

  it('runs against a running service, and every figure is right', async () => {
    const { stdout } = await run(process.execPath, [join(root, 'bin', 'demo.ts'), '--url', runner.baseUrl]);
    assert.match(stdout, /Every figure is right\.\n$/);
  });

  it('tells the day of a marketplace, up to a payroll of a thousand, and every figure is right', async () => {
    const { stdout } = await run(process.execPath, [join(root, 'bin', 'demo.ts'), '--url', runner.baseUrl, '--day']);
    assert.match(stdout, /paid to the workers: 300000\n/);
    assert.match(stdout, /Every figure is right\.\n$/);
  });
});
