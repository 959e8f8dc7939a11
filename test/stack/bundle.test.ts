import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from '@jest/globals';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { sampleEnvironment } from '../../bench/sample-environment.ts';
import { environments, logLevelVariable } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { bundleFile, codeFile } from '../../lib/bundle-files.ts';
import { bundle, bundleOf, sourceOf } from '../../lib/bundle.ts';

const names = Object.keys(environments) as FunctionName[];
const root = dirname(dirname(import.meta.dirname));

describe('bundles', () => {
  it('load with the environment of the contract, export a handler, and load no module that Lambda never needs', async () => {
    const unused = ['internal/deps/undici/undici', 'http2', 'child_process'];
    for (const name of names) {
      const url = pathToFileURL(join(bundleOf(name), bundleFile)).href;
      const variables = environments[name].map((variable) => [variable, sampleEnvironment[variable]]);
      const script = `const { handler } = await import('${url}');
        process.stdout.write(JSON.stringify({ handler: typeof handler, modules: process.moduleLoadList }))`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
        env: { AWS_REGION: 'eu-central-1', ...(Object.fromEntries(variables) as Record<string, string>) },
      });
      const { handler, modules } = JSON.parse(stdout) as { handler: string; modules: string[] };
      assert.equal(handler, 'function', name);
      const loaded = unused.filter((module) => modules.includes(`NativeModule ${module}`));
      assert.deepEqual(loaded, [], name);
    }
  });

  it('do not start without a variable of the contract', () => {
    const { status, stderr } = startCharge({ TABLE_NAME: 'wallets' });
    assert.notEqual(status, 0);
    assert.match(stderr, /function charge lacks environment variables: OPERATOR_LIMITS/);
  });

  it('log from the level of the service on, under the level that Lambda sets, and write their metrics at each level', () => {
    const folder = mkdtempSync(join(tmpdir(), 'levels-'));
    try {
      const file = join(folder, 'speaks.ts');
      const telemetry = join(root, 'lambdas', 'aws', 'telemetry.ts');
      writeFileSync(
        file,
        `import { countRequest, logger } from ${JSON.stringify(telemetry)};
        export const open = () => {
          logger.info('an info');
          logger.warn('a warning');
          countRequest({ kind: 'fault' }, {});
        };`,
      );
      const { speaks } = bundle({ speaks: { file, variables: [] } });
      const spoken = (level: Record<string, string>) => {
        const env = { AWS_LAMBDA_LOG_LEVEL: 'INFO', ...level };
        const { stdout, stderr } = start(speaks, env);
        return ['an info', 'a warning', 'Faults'].filter((text) => (stdout + stderr).includes(`"${text}"`));
      };
      assert.deepEqual(spoken({}), ['an info', 'a warning', 'Faults']);
      assert.deepEqual(spoken({ [logLevelVariable]: 'WARN' }), ['a warning', 'Faults']);
      assert.deepEqual(spoken({ [logLevelVariable]: 'ERROR' }), ['Faults']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have stack traces that npm run trace maps to the source', () => {
    const { stderr } = startCharge({ TABLE_NAME: 'wallets', OPERATOR_LIMITS: 'not JSON', FOUR_EYES: '{}', FEES: '{}' });
    assert.match(stderr, /SyntaxError/);
    const script = join(root, 'bin', 'trace.ts');
    const traced = spawnSync(process.execPath, [script, 'charge'], { input: stderr, encoding: 'utf8' });
    assert.match(traced.stdout, /at [\w$]+ \(lambdas\/http\/operator-limits\.ts:\d+\)/, traced.stderr);
    assert.match(traced.stdout, /at [\w$]+ \(lambdas\/api\/charge\.ts:\d+\)/);
  });

  it('of a killed process are removed by the next one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bundles-of-the-dead-'));
    const inProcess = (then: string) => {
      const module = pathToFileURL(join(root, 'lib', 'scratch.ts')).href;
      const script = `import { scratchFolder } from '${module}'; scratchFolder('bundles'); ${then}`;
      const env = { ...process.env, TMPDIR: folder };
      return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { env, encoding: 'utf8' });
    };
    try {
      const killed = inProcess("process.kill(process.pid, 'SIGKILL')");
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      assert.match(readdirSync(folder).join(), new RegExp(`^wallet-bundles-${String(killed.pid)}-\\w+$`));
      const next = inProcess('');
      assert.match(readdirSync(folder).join(), new RegExp(`^wallet-bundles-${String(next.pid)}-\\w+$`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are the same bytes each time, in any folder', () => {
    const again = bundle({ charge: sourceOf('charge') }).charge;
    for (const file of [bundleFile, codeFile, `${codeFile}.map`]) {
      const content = readFileSync(join(again, file), 'utf8');
      assert.equal(content, readFileSync(join(bundleOf('charge'), file), 'utf8'));
      assert.ok(!content.includes(root), `${file} names a folder of this machine`);
    }
  });
});

/** Starts the function in a process that has only these variables. */
function startCharge(env: Readonly<Record<string, string>>) {
  return start(bundleOf('charge'), env);
}

/** Starts a bundle in a process that has only these variables. */
function start(folder: string, env: Readonly<Record<string, string>>) {
  const url = pathToFileURL(join(folder, bundleFile)).href;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', `await import('${url}')`], {
    env,
    encoding: 'utf8',
  });
}
