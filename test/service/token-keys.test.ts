/** The keys that tokens are signed with, as the issuer changes them: against a server with the issuer's keys. */
import '../environment.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { authorize } from '../../lambdas/api/authorizer.ts';
import { openTokenVerifier } from '../../lambdas/runtime/tokens.ts';
import { synthesize, theOnly } from '../stack/synthesized.ts';

const minuteMs = 60_000;
const issuer = 'https://issuer.example';

async function newKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const token = await new SignJWT({ scope: 'wallet:read' })
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuer(issuer)
    .setAudience('wallets')
    .setSubject('ann')
    .setExpirationTime('1h')
    .sign(privateKey);
  return { jwk, header: `Bearer ${token}` };
}

/** An issuer whose keys a test owns, and a container that checks tokens, on a clock of the test's. */
async function newIssuer(context: TestContext, keys: JWK[]) {
  const state = { keys, status: 200, reads: 0 };
  const server = createServer((_, response) => {
    state.reads++;
    response.writeHead(state.status).end(JSON.stringify({ keys: state.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const clock = { now: 0 };
  const settings = {
    TOKEN_KIND: 'oidc',
    TOKEN_ISSUER: issuer,
    TOKEN_AUDIENCE: 'wallets',
    TOKEN_JWKS_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
  };
  return { state, clock, verify: openTokenVerifier(settings, () => clock.now) };
}

describe('a key that the issuer has withdrawn', () => {
  it('is refused within five minutes, with the time for which the gateway keeps an answer', async (t) => {
    const [old, next] = await Promise.all([newKey('old'), newKey('next')]);
    const { state, clock, verify } = await newIssuer(t, [old.jwk]);
    assert.equal((await verify(old.header))?.principal, 'ann');
    state.keys = [next.jwk];
    const { template } = synthesize();
    const [, authorizer] = theOnly(template, 'AWS::ApiGateway::Authorizer');
    clock.now += 5 * minuteMs - 1000 * (authorizer.Properties['AuthorizerResultTtlInSeconds'] as number) - 1;
    assert.equal(await verify(old.header), undefined);
    assert.equal((await verify(next.header))?.principal, 'ann');
  });

  it('is a 401 of the gateway', async (t) => {
    const [old, next] = await Promise.all([newKey('old'), newKey('next')]);
    const { state, clock, verify } = await newIssuer(t, [old.jwk]);
    await verify(old.header);
    state.keys = [next.jwk];
    clock.now += 2 * minuteMs;
    const event = { headers: { Authorization: old.header }, methodArn: 'arn/stage/GET/wallets' };
    await assert.rejects(authorize(verify)(event as unknown as APIGatewayRequestAuthorizerEvent), {
      message: 'Unauthorized',
    });
  });
});

describe('a new key of the issuer', () => {
  it('is found at once, and tokens of unknown keys make no more than a read in ten seconds', async (t) => {
    const [old, next, unknown] = await Promise.all([newKey('old'), newKey('next'), newKey('unknown')]);
    const { state, clock, verify } = await newIssuer(t, [old.jwk]);
    await verify(old.header);
    state.keys = [old.jwk, next.jwk];
    assert.equal((await verify(next.header))?.principal, 'ann');
    assert.equal((await verify(old.header))?.principal, 'ann');
    for (let second = 0; second < 20; second++, clock.now += 1000)
      assert.equal(await verify(unknown.header), undefined);
    assert.equal(state.reads, 3);
  });
});

describe('an issuer that cannot be read', () => {
  it('leaves the last keys in use for an hour, and then fails', async (t) => {
    const { jwk, header } = await newKey('only');
    const { state, clock, verify } = await newIssuer(t, [jwk]);
    await verify(header);
    state.status = 503;
    clock.now += 2 * minuteMs;
    assert.equal((await verify(header))?.principal, 'ann');
    clock.now = 60 * minuteMs;
    await assert.rejects(verify(header), /answered with 503/);
    state.status = 200;
    assert.equal((await verify(header))?.principal, 'ann');
  });

  it('is an error from the start, and no 401', async (t) => {
    const { header } = await newKey('only');
    const { state, verify } = await newIssuer(t, []);
    state.status = 503;
    await assert.rejects(verify(header), /answered with 503/);
  });
});
