/** The clients against the running service: one story with each of them, and what only the command does. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { callWallet, tellInShell } from '../clients/shell.ts';
import { facts } from '../clients/story.ts';
import { tellInTypeScript } from '../clients/typescript.ts';
import { startService } from './service.ts';

const { baseUrl: url, token } = await startService();
const stage = { url, token: (clientId: string, scope: string) => token({ clientId, scope }) };

describe('the story of a payment', () => {
  it('is the same with the TypeScript client', async () => {
    assert.deepEqual(await tellInTypeScript(stage), facts);
  });

  it('is the same with the command', async () => {
    assert.deepEqual(await tellInShell(stage), facts);
  });
});

describe('the command wallet', () => {
  const home = mkdtempSync(join(tmpdir(), 'wallet-home-'));
  const file = join(home, '.config', 'wallet', 'config.json');
  const wallet = (...args: string[]) => callWallet(args, { HOME: home });

  it('signs in with a profile that others cannot read, and prints no token', async () => {
    const login = ['login', '--profile', 'shop', '--url', url, '--client-id', 'shop', '--scope', 'wallet:operate'];
    const { exitCode, stdout, stderr } = await callWallet([...login, '--secret-stdin'], { HOME: home }, 's3cret\n');
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /s3cret|eyJ/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(readFileSync(file, 'utf8').includes('s3cret'));
    const opened = await wallet('open', 'USD', '--profile', 'shop');
    assert.match(opened.stdout, /^wallet {5}w_\S+\nowner {6}shop\nstatus {5}active\navailable {2}0\.00 USD \(0\)\n/);

    const other = await wallet('wallets', '--profile', 'shop', '--url', url.replace('127.0.0.1', 'localhost'));
    assert.equal(other.exitCode, 4, 'the token of a profile is for its own service');
    chmodSync(file, 0o644);
    const open = await wallet('wallets', '--profile', 'shop');
    assert.deepEqual([open.exitCode, /chmod 600/.test(open.stderr)], [2, true]);
    chmodSync(file, 0o600);
    assert.equal((await wallet('logout', '--profile', 'shop')).exitCode, 0);
  });

  it('takes a token from a command of its user', async () => {
    const own = await token({ clientId: 'ann', scope: 'wallet:read wallet:write' });
    const login = await wallet('login', '--url', url, '--token-command', `echo ${own}`);
    assert.equal(login.exitCode, 0, login.stderr);
    assert.equal((await wallet('wallets')).stdout, 'no wallets\n');
  });

  it('ends a wait that is over with a code of its own: the transaction goes on', async () => {
    const operator = {
      HOME: home,
      WALLET_URL: url,
      WALLET_TOKEN: await token({ clientId: 'op', scope: 'wallet:operate' }),
    };
    const { stdout } = await callWallet(['open', 'USD', '--owner', 'zoe', '--json'], operator);
    const { walletId } = JSON.parse(stdout) as { walletId: string };
    await callWallet(['charge', walletId, '500'], operator);
    const withdrawal = ['withdraw', walletId, '100', '--to', 'SIM-DOWN', '--wait', '0'];
    const pending = await callWallet(withdrawal, operator);
    assert.equal(pending.exitCode, 8, pending.stderr);
    assert.match(pending.stderr, /the transaction goes on\nwallet wait tx_\w+ waits longer\n$/);
    const failed = await callWallet(['withdraw', walletId, '100', '--to', 'SIM-REJECT', '--wait', '60'], operator);
    assert.equal(failed.exitCode, 9, failed.stderr);
    assert.match(failed.stdout, /^status {7}failed$/m);
  });

  it('names the key of a command whose outcome is unknown', async () => {
    const lost = await callWallet(['charge', 'w_usd_x', '100', '--key', 'k 1', '--json', '--retry', '0'], {
      ...{ HOME: home, WALLET_URL: 'http://127.0.0.1:1', WALLET_TOKEN: 't' },
    });
    assert.equal(lost.exitCode, 7, lost.stderr);
    const { error, advice } = JSON.parse(lost.stderr) as { error: { key: string }; advice: string };
    assert.equal(error.key, 'k 1');
    assert.match(advice, /repeat the same command with --key 'k 1'$/);
  });
});

it('the reference is served compressed, to callers without a token', async () => {
  for (const path of ['/docs', '/openapi.json']) {
    const answer = await fetch(url + path);
    assert.deepEqual([answer.status, answer.headers.get('content-encoding')], [200, 'gzip']);
    assert.ok((await answer.text()).includes('/wallets/{walletId}/charge'));
  }
});
