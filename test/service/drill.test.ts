/** `npm run drill`, as people start it, with a few seconds of traffic. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { it } from '@jest/globals';
import { report } from '../fixture.ts';

const script = join(import.meta.dirname, '..', '..', 'bin', 'drill.ts');

it('brings the books back after a loss, and tells what is lost', async () => {
  const child = spawn(process.execPath, [script, '--seconds', '3', '--wallets', '4'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, output);
  assert.match(output, /^Open work ends now.*\n(?: +\d+ s: work is open.*\n)* +\d+\.\d s: no work is open/m);
  assert.match(output, /^RPO: (?:nothing is lost|\d+\.\d s)$/m);
  assert.match(output, /^RTO: \d+\.\d s for the recovery of \d+ transactions$/m);
  report(output.slice(output.indexOf('Copy: ')));
});
