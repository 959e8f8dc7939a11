/** The API from a browser: open to pages of the origins that the deployment names, and closed to others. */
import assert from 'node:assert/strict';
import { afterAll, describe, it } from '@jest/globals';
import { deflateSync } from 'node:zlib';
import { routes } from '../../lambdas/contract.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';
import { agent, sendRaw } from './hostile.ts';
import { startService } from './service.ts';

const origin = 'https://app.example.com';
const { runner, newUser } = await startService({
  stack: (app) =>
    new WalletStack(app, 'Wallet', {
      cors: { allowedOrigins: [origin, 'http://localhost:5173'] },
      fourEyes: { resolve: true },
      batches: true,
      webhooks: true,
      statementFiles: true,
    }),
});
afterAll(() => {
  agent.destroy();
});
const { ask, walletId } = await newUser();

describe('a page of an allowed origin', () => {
  it('receives on every path the methods and headers that it may send, without a token', async () => {
    for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
      const answer = await fetch(runner.baseUrl + path.replaceAll(/\{\w+\}/g, walletId), {
        method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
      assert.equal(answer.status, 204, path);
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
      assert.match(answer.headers.get('access-control-allow-headers') ?? '', /Authorization.*Idempotency-Key/);
      const methods = ofPath.map(({ method }) => method).join(', ');
      assert.equal(answer.headers.get('access-control-allow-methods'), methods);
      assert.equal(answer.headers.get('vary'), 'Origin');
    }
  });

  it('reads answers and refusals, also the gateway’s own', async () => {
    const headers = { Origin: origin };
    for (const answer of [
      await ask(`/wallets/${walletId}`, { headers }),
      await ask('/wallets/x', { headers }),
      await fetch(`${runner.baseUrl}/wallets`, { headers }),
    ]) {
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
    }
    const read = await ask(`/wallets/${walletId}`, { headers });
    assert.match(read.headers.get('access-control-expose-headers') ?? '', /ETag/);
    assert.match(read.headers.get('vary') ?? '', /Origin/);
  });
});

it('a page of another origin may send no request that needs a preflight', async () => {
  for (const headers of [
    { Origin: 'https://evil.example' },
    { Origin: 'https://app-example.com' },
    { Origin: `${origin}.evil.example` },
    { Origin: 'null' },
    {},
  ]) {
    const answer = await fetch(`${runner.baseUrl}/wallets`, { method: 'OPTIONS', headers: { ...headers } });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  }
});

it('a page of another origin reads nothing', async () => {
  for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' }, {}]) {
    const answer = await ask(`/wallets/${walletId}`, { headers: { ...headers } });
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  }
});

it('a body may be deflated, as the gateway inflates it', async () => {
  const token = await runner.token({ clientId: 'ann', scope: 'wallet:write' });
  const { status } = await sendRaw(runner.baseUrl, {
    method: 'POST',
    path: '/wallets',
    headers: [
      ['authorization', `Bearer ${token}`],
      ['idempotency-key', 'open-1'],
      ['content-type', 'application/json'],
      ['content-encoding', 'deflate'],
    ],
    body: deflateSync('{"currency":"EUR"}'),
  });
  assert.equal(status, 201);
});
