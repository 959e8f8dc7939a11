/** `npm run acceptance` against the running service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from '@jest/globals';
import { shared } from '../shared.ts';
import { startService } from './service.ts';

const run = promisify(execFile);
const file = join(import.meta.dirname, '..', '..', 'bin', 'acceptance.ts');
const { runner, operator } = await startService();

describe('npm run acceptance', () => {
  it('runs the tests of deployed/ against the address, and prints their number', async () => {
    const options = ['--url', `${runner.baseUrl}/`, '--issuer', runner.baseUrl, '--tests', 'limits'];
    const { stderr } = await run(process.execPath, [file, ...options]);
    assert.match(stderr, /Tests: +([1-9]\d*) passed, \1 total/);
    assert.ok(existsSync(process.env[shared.scratch] ?? ''), 'the run of the command leaves the files of this run');
    // The wallets of a test that names its caller: they are in this service, and in none of the test's own.
    const { body } = await operator('/wallets?ownerId=operator');
    assert.ok((body['items'] as unknown[]).length > 0);
  });

  it('needs an address and an issuer', async () => {
    await assert.rejects(run(process.execPath, [file, '--url', runner.baseUrl]), {
      code: 1,
      stderr: /^--url and --issuer are needed\n\nnpm run acceptance/,
    });
  });
});
