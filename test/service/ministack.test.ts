/**
 * The stack, deployed to an emulator that others wrote. It needs `ministack` in PATH (docs/local-testing.md); without it the
 * test is skipped, and its title says so.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { it } from '@jest/globals';
import { freePort } from '../../local/process/free-port.ts';
import { afterTest, report } from '../fixture.ts';
import { eventually } from './eventually.ts';

const root = join(import.meta.dirname, '..', '..');
/** An overloaded machine takes minutes for the deployment. */
const patience = { limitMs: 120_000, everyMs: 500 };

function isInstalled(): boolean {
  try {
    execFileSync('ministack', ['--help'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

if (isInstalled()) {
  it('the stack deploys to MiniStack, the demo is right there, and the books are sound', async () => {
    const endpoint = await startMiniStack();
    const emulator = spawn(process.execPath, [join(root, 'bin', 'emulator.ts'), '--endpoint', endpoint], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, errors, [code]] = await Promise.all([
      text(emulator.stdout),
      text(emulator.stderr),
      once(emulator, 'exit') as Promise<[number | null]>,
    ]);
    assert.equal(code, 0, out + errors);
    assert.match(out, /^The books are sound/m);
    report(
      out
        .split('\n')
        .filter((line) => / s$/.test(line))
        .join('; '),
    );
  });
} else {
  it.skip('the stack deploys to MiniStack: not in PATH, pip install ministack==1.5.33', () => undefined);
}

async function startMiniStack(): Promise<string> {
  const port = await freePort();
  const server = spawn('ministack', [], {
    env: { ...process.env, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port) },
    stdio: 'ignore',
  });
  afterTest(async () => {
    server.kill();
    await once(server, 'exit');
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    return answer?.status === 200;
  }, patience);
  return endpoint;
}
