import '../environment.ts';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { environments, type FunctionName } from '../../lambdas/contract.ts';
import { bundle, bundleOf, entryOf } from '../../lib/bundle.ts';

const names = Object.keys(environments) as FunctionName[];
const root = dirname(dirname(import.meta.dirname));

describe('bundles', () => {
  it('load as they are, with the environment of the contract, and export a handler', async () => {
    for (const name of names) {
      const url = pathToFileURL(join(bundleOf(name), 'index.mjs')).href;
      const variables = environments[name].map((variable) => [variable, process.env[variable]]);
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', `process.stdout.write(typeof (await import('${url}')).handler)`],
        { env: { AWS_REGION: 'eu-central-1', ...(Object.fromEntries(variables) as Record<string, string>) } },
      );
      assert.equal(stdout, 'function', name);
    }
  });

  it('are the same bytes each time, wherever the project is', () => {
    const again = bundle({ charge: entryOf('charge') }).charge;
    for (const file of ['index.mjs', 'index.mjs.map']) {
      const content = readFileSync(join(again, file), 'utf8');
      assert.equal(content, readFileSync(join(bundleOf('charge'), file), 'utf8'));
      assert.ok(!content.includes(root), `${file} names a folder of this machine`);
    }
  });
});
