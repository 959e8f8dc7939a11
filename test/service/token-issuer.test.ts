/** The wallets of one data folder behind a restarted service: on another port, or with another token issuer. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { WalletStack } from '../../lib/wallet-stack.ts';
import { startLocalService } from '../../bin/local-service.ts';
import type { LocalServiceOptions } from '../../bin/local-service.ts';
import type { Runner } from '../../local/runner/runner.ts';
import { afterTest } from '../fixture.ts';
import { stackOfRun } from './service.ts';

const userScopes = 'wallet:read wallet:write';

/** Starts the service on the folder. Call `stop` before the next start. */
async function start(dataDir: string, stack?: LocalServiceOptions) {
  const log: string[] = [];
  const runner = await startLocalService({ ...stackOfRun(), dataDir, log: (text) => log.push(text), ...stack });
  afterTest(() => runner.stop());
  return { runner, log };
}

async function ask({ baseUrl }: Runner, token: string, path: string, body?: object) {
  const response = await fetch(`${baseUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body && { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Starts an issuer outside the stack, with its keys on this machine. */
async function newIssuer() {
  const issuer = 'https://other.example';
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'other', alg: 'RS256', use: 'sig' }];
  const server = createServer((_, response) => response.end(JSON.stringify({ keys })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    settings: {
      issuer,
      audience: 'wallets',
      jwksUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    },
    token: (subject: string, scope: string) =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: 'RS256', kid: 'other' })
        .setIssuer(issuer)
        .setAudience('wallets')
        .setSubject(subject)
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}

describe('a stack with a sign-in for people', () => {
  it('runs on one machine, where machines get tokens', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'token-issuer-'));
    afterTest(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });
    const people = { callbackUrls: ['https://desk.example/'], logoutUrls: ['https://desk.example/bye'] };
    const { runner } = await start(dataDir, {
      stack: (app) => new WalletStack(app, 'Wallet', { bank: { id: 'simulator' }, people }),
    });
    const token = await runner.token({ clientId: 'desk', scope: 'wallet:support' });
    assert.equal((await ask(runner, token, '/integrity')).status, 200);
  });
});

describe("the keys of the stack's own user pool", () => {
  /** Starts the service with its keys at a server that answers with what `keysOf` returns. */
  async function startWithKeys(keysOf: (runner: Runner) => Promise<string>) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      void keysOf(runner).then((keys) => response.end(keys));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => {
      server.close();
      server.closeAllConnections();
    });
    const tokenJwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const runner = await startLocalService({
      memory: true,
      log: () => undefined,
      stack: (app) => new WalletStack(app, 'Wallet', { bank: { id: 'simulator' }, tokenJwksUri }),
    });
    afterTest(() => runner.stop());
    const token = await runner.token({ clientId: 'ann', scope: userScopes });
    return {
      asked,
      runner,
      list: () => fetch(`${runner.baseUrl}/wallets`, { headers: { Authorization: `Bearer ${token}` } }),
    };
  }

  it('may be read elsewhere', async () => {
    const { asked, list } = await startWithKeys(async ({ baseUrl, outputs }) => {
      const keys = await fetch(`${baseUrl}/${String(outputs['UserPoolId'])}/.well-known/jwks.json`);
      return keys.text();
    });
    assert.equal((await list()).status, 200);
    assert.deepEqual(asked, ['/keys']);
  });

  it('that are none are answered as a fault of the service, with a code of its own', async () => {
    const { list } = await startWithKeys(() => Promise.resolve('<!doctype html>'));
    const answer = await list();
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type'), answer.headers.get('retry-after')],
      [503, 'application/problem+json', '10'],
    );
    assert.equal(((await answer.json()) as { code: string }).code, 'token_not_checked');
  });
});

describe('the wallets of a stack', () => {
  it('stay with their owners on another port, and are closed to every subject of another issuer', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'token-issuer-'));
    afterTest(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });
    const first = await start(dataDir);
    const ann = await first.runner.token({ clientId: 'ann', scope: userScopes });
    const opened = await ask(first.runner, ann, '/wallets', { currency: 'EUR' });
    assert.equal(opened.status, 201);
    await first.runner.stop();

    const moved = await start(dataDir);
    assert.notEqual(moved.runner.baseUrl, first.runner.baseUrl);
    // The token of the first run too.
    for (const token of [ann, await moved.runner.token({ clientId: 'ann', scope: userScopes })]) {
      const { status, body } = await ask(moved.runner, token, '/wallets');
      assert.equal(status, 200);
      assert.deepEqual(
        (body['items'] as { walletId: string }[]).map(({ walletId }) => walletId),
        [opened.body['walletId']],
      );
    }
    await moved.runner.stop();

    const other = await newIssuer();
    const changed = await start(dataDir, {
      stack: (app) => new WalletStack(app, 'Wallet', { bank: { id: 'simulator' }, tokens: other.settings }),
    });
    const [stranger, operator] = [await other.token('ann', userScopes), await other.token('olga', 'wallet:operate')];
    for (const path of ['/wallets', `/wallets/${String(opened.body['walletId'])}`, '/wallets?ownerId=ann']) {
      for (const token of [stranger, operator]) {
        const { status, body } = await ask(changed.runner, token, path);
        assert.deepEqual([status, body['code']], [503, 'token_not_checked']);
      }
    }
    assert.equal((await ask(changed.runner, stranger, '/wallets', { currency: 'EUR' })).status, 503);
    const said = changed.log.join('');
    const message =
      /tokens of issuer https:\/\/other\.example are refused, .* issuer https:\/\/cognito-idp\.[^ ]+: see docs\/runbook\.md#the-token-issuer-was-changed/;
    assert.match(said, message);
    assert.deepEqual(await ask(changed.runner, operator, '/health'), { status: 200, body: { status: 'ok' } });
    await changed.runner.stop();

    // The wallets are still there under the first issuer.
    const back = await start(dataDir);
    assert.equal((await ask(back.runner, ann, `/wallets/${String(opened.body['walletId'])}`)).status, 200);
    const health = await ask(back.runner, await back.runner.token({ clientId: 'op' }), '/health');
    assert.ok('inReview' in health.body);
  });
});
