import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, it } from '@jest/globals';
import { pathToFileURL } from 'node:url';
import { isCount, sampleEnvironment } from '../../bench/sample-environment.ts';
import { environments } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { sourceOf } from '../../lib/bundle.ts';

const root = dirname(dirname(import.meta.dirname));
const names = Object.keys(environments) as FunctionName[];

/**
 * The script of a process without environment. It imports every file, and reports the variables that code of the
 * service read (code of libraries may read some), and the open resources before and after. One file stands in bundles
 * for code that must not load, so it throws.
 */
const script = `
  import { globSync } from 'node:fs';
  import { join } from 'node:path';
  const [, folder] = process.argv;
  const files = globSync('**/*.ts', { cwd: folder }).filter((file) => file !== 'sdk/no-event-streams.ts');
  const reads = [];
  const noteRead = (name) => {
    const frames = new Error().stack.split('\\n').slice(1);
    const caller = frames.find((line) => !/\\[eval|node:|at Object\\.(get|has) /.test(line)) ?? '';
    if (caller.includes('/lambdas/')) reads.push(String(name) + ' ' + caller.trim());
  };
  process.env = new Proxy(process.env, {
    get(target, name) { noteRead(name); return target[name]; },
    has(target, name) { noteRead(name); return name in target; },
  });
  // The log writes to the process's own outputs, which open when they are first named.
  const outputs = [process.stdout, process.stderr];
  const before = process.getActiveResourcesInfo().sort();
  for (const file of files) await import(join(folder, file));
  const after = process.getActiveResourcesInfo().sort();
  process.stdout.write(JSON.stringify({ files: files.length, reads, before, after }));
`;

describe('imports of lambdas/', () => {
  it('have no effect: they read no variable, open nothing, begin nothing and write nothing', () => {
    // A timer or a socket would keep the process until it is killed.
    const { signal, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script, join(root, 'lambdas')],
      { env: {}, encoding: 'utf8', timeout: 60_000 },
    );
    assert.equal(stderr, '');
    const { files, reads, before, after } = JSON.parse(stdout) as {
      files: number;
      reads: string[];
      before: string[];
      after: string[];
    };
    assert.deepEqual(reads, []);
    assert.deepEqual(after, before);
    assert.equal(signal, null, 'the process did not end by itself');
    assert.ok(files > 100, `only ${files} files`);
  });
});

async function openOf(name: FunctionName) {
  const { open } = (await import(pathToFileURL(sourceOf(name).file).href)) as {
    open: (environment: Readonly<Record<string, string>>) => unknown;
  };
  return open;
}

describe('open', () => {
  it('is exported by the file of each function, reads only the variables of the contract, and returns the handler', async () => {
    for (const name of names) {
      const allowed: readonly string[] = environments[name];
      const environment = new Proxy<Record<string, string>>(sampleEnvironment, {
        get(target, variable) {
          assert.ok(allowed.includes(String(variable)), `${name} reads ${String(variable)}`);
          return target[String(variable)];
        },
      });
      const open = await openOf(name);
      assert.equal(typeof (await open(environment)), 'function', name);
    }
  });

  it('throws for each number of the contract that is not a whole number of at least 1', async () => {
    for (const name of names) {
      const open = await openOf(name);
      for (const variable of environments[name].filter(isCount)) {
        for (const wrong of ['0', '1.5', 'many']) {
          const environment = { ...sampleEnvironment, [variable]: wrong };
          const opening = new Promise((resolve) => {
            resolve(open(environment));
          });
          await assert.rejects(
            opening,
            { message: new RegExp(`${variable} must be a whole number .* "${wrong}"`) },
            name,
          );
        }
      }
    }
  });
});
