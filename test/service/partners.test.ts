/** The issuer and the bank as commands of their own, for a stack that does not run in the runner. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { openBank } from '../../lambdas/bank/client.ts';
import { openTokenVerifier } from '../../lambdas/http/tokens.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import { afterTest } from '../fixture.ts';
import { untilPrinted } from './printed.ts';

const root = join(import.meta.dirname, '..', '..');
const payment = { reference: 'tx_1', amount: 100, currency: 'EUR', destination: { account: 'SIM-OK' } };

/** Starts a command that serves until it is stopped. Returns what it printed first. */
async function start(file: string, options: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'bin', file), '--port', '0', ...options], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  afterTest(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    assert.equal(code, 0, 'it ends without an error');
  });
  return untilPrinted(child.stdout, 'Ctrl-C stops');
}

function fails(file: string, options: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin', file), ...options], {
    env: { ...process.env, BANK_SECRET: '', ...env },
    encoding: 'utf8',
  });
  assert.equal(status, 1, stderr);
  return stderr;
}

describe('npm run issuer', () => {
  it('gives tokens that a stack with the printed context accepts', async () => {
    const printed = await start('issuer.ts', ['--audience', 'money']);
    const context = (name: string) => new RegExp(` -c ${name}=(\\S+)`).exec(printed)?.[1] ?? '';
    const verify = openTokenVerifier({
      TOKEN_KIND: 'oidc',
      TOKEN_ISSUER: context('tokenIssuer'),
      TOKEN_AUDIENCE: context('tokenAudience'),
      TOKEN_JWKS_URI: context('tokenJwksUri'),
    });
    const form = { grant_type: 'client_credentials', client_id: 'ann', scope: 'wallet:read wallet:write' };
    const answer = await fetch(`${context('tokenIssuer')}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    assert.deepEqual(await verify(`Bearer ${token}`), {
      principal: 'ann',
      scopes: 'read write',
      issuer: context('tokenIssuer'),
    });
    assert.equal((await fetch(`${context('tokenIssuer')}/elsewhere`)).status, 404);
  });

  it('names a port that is none', () => {
    assert.match(fails('issuer.ts', ['--port', 'x']), /^--port must be a number .* received x\n\nnpm run issuer/);
  });
});

describe('npm run bank', () => {
  it('pays requests that are signed with its key, and only those', async () => {
    const printed = await start('bank.ts', ['--latency', '0'], { BANK_SECRET: 'shared' });
    const url = /BankUrl=(\S+)/.exec(printed)?.[1] ?? '';
    const client = (key: string) => openBank({ url, keys: () => Promise.resolve([key]) });
    assert.deepEqual(await client('other').submit(payment), {
      outcome: 'unknown',
      reason: 'status 401 signature_invalid',
    });
    assert.deepEqual(await client('shared').submit(payment), { outcome: 'accepted' });
    const { items } = (await (await fetch(`${url}/book`)).json()) as { items: { timesPaid: number }[] };
    assert.deepEqual(
      items.map(({ timesPaid }) => timesPaid),
      [1],
    );
  });

  it('needs a key, and names a setting that is none', () => {
    assert.match(fails('bank.ts', []), /^--secret-arn is needed, or the key in BANK_SECRET\n\nnpm run bank/);
    assert.match(fails('bank.ts', ['--failures', '2'], { BANK_SECRET: 'shared' }), /failureRate/);
    assert.match(fails('bank.ts', ['--failures', 'x'], { BANK_SECRET: 'shared' }), /failureRate/);
  });
});

describe('a bank whose key cannot be read', () => {
  it('is unavailable, and pays nothing', async () => {
    const keySources = [() => [], () => Promise.reject(new Error('no key'))];
    for (const keys of keySources) {
      const bank = await startBankSimulator({ keys, latencyMs: 0 });
      afterTest(() => bank.stop());
      const client = openBank({ url: bank.url, keys: () => Promise.resolve(['any']) });
      assert.deepEqual(await client.submit(payment), { outcome: 'unknown', reason: 'status 503 unavailable' });
      assert.deepEqual(bank.book(), []);
    }
  });
});

describe('the host that BANK_PLAIN_HOST names', () => {
  it('is the only one beyond this machine that the bank client calls by http', () => {
    const open = (url: string) => openBank({ url, keys: () => Promise.resolve(['any']) });
    process.env['BANK_PLAIN_HOST'] = 'host.docker.internal';
    afterTest(() => delete process.env['BANK_PLAIN_HOST']);
    open('http://host.docker.internal:9020');
    for (const url of ['http://bank.example', 'http://docker.internal', 'http://xhost.docker.internal']) {
      assert.throws(() => open(url), /must be https/);
    }
    delete process.env['BANK_PLAIN_HOST'];
    assert.throws(() => open('http://host.docker.internal:9020'), /must be https/);
  });
});
