/** What a newcomer does first works as printed: the README's walk-through, and the demo. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { routes } from '../../lambdas/contract.ts';
import { startService } from './service.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { runner } = await startService();

describe('README', () => {
  it('has a walk-through that works as pasted', async () => {
    const script = /```bash\n([^]*?)```/.exec(readme)?.[1]?.replace('http://127.0.0.1:3000', runner.baseUrl) ?? '';
    const { stdout } = await run('bash', ['-c', script]);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [charged, sent, repeated, withdrawn, balance, history] = answers;
    assert.equal(answers.length, 6);
    assert.deepEqual([charged?.['type'], charged?.['status'], charged?.['amount']], ['charge', 'completed', 10_000]);
    assert.equal(sent?.['status'], 'completed');
    assert.equal(repeated?.['transactionId'], sent['transactionId']);
    assert.equal(withdrawn?.['type'], 'withdrawal');
    assert.equal(balance?.['total'], Number(balance?.['available']) + Number(balance?.['held']));
    assert.equal((history!['items'] as unknown[]).length, 2);
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

describe('npm run demo', () => {
  it('tells its story against a running service, and every figure is right', async () => {
    const { stdout } = await run(process.execPath, [join(root, 'bin', 'demo.ts'), '--url', runner.baseUrl]);
    assert.match(stdout, /Every figure is right\.\n$/);
  });
});
