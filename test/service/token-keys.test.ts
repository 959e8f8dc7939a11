/** The keys that sign tokens, through the changes of their issuer, against a server with the issuer's keys. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, it } from '@jest/globals';
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { silence } from '../../bench/silence.ts';
import { authorize } from '../../lambdas/api/authorizer.ts';
import { openForgeries } from '../../lambdas/http/forgeries.ts';
import { openTokenVerifier } from '../../lambdas/http/tokens.ts';
import { freePort } from '../../local/process/free-port.ts';
import { synthesize, theOnly } from '../stack/synthesized.ts';
import { afterTest } from '../fixture.ts';

beforeAll(silence);

const minuteMs = 60_000;
const issuer = 'https://issuer.example';

async function newKey(kid: string, { subject = 'ann', expires = '1h' } = {}) {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const token = await new SignJWT({ scope: 'wallet:read' })
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuer(issuer)
    .setAudience('wallets')
    .setSubject(subject)
    .setExpirationTime(expires)
    .sign(privateKey);
  return { jwk, header: `Bearer ${token}` };
}

/** Starts an issuer whose keys the test owns, and a container that checks tokens on the test's clock. */
async function newIssuer(keys: JWK[]) {
  const state = { keys, status: 200, reads: 0 };
  const server = createServer((_, response) => {
    state.reads++;
    response.writeHead(state.status).end(JSON.stringify({ keys: state.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
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
  const now = () => clock.now;
  return { state, clock, verify: openTokenVerifier(settings, now, openForgeries(20, now)) };
}

function eventWith(authorization: string): APIGatewayRequestAuthorizerEvent {
  const event = {
    multiValueHeaders: { Authorization: [authorization] },
    methodArn: 'arn/stage/GET/wallets',
    requestContext: { identity: { sourceIp: '192.0.2.1' } },
  };
  return event as unknown as APIGatewayRequestAuthorizerEvent;
}

describe('a key that the issuer has withdrawn', () => {
  it('is refused within five minutes, including the time for which the gateway caches an answer', async () => {
    const [old, next] = await Promise.all([newKey('old'), newKey('next')]);
    const { state, clock, verify } = await newIssuer([old.jwk]);
    assert.equal((await verify(old.header))?.principal, 'ann');
    state.keys = [next.jwk];
    const { template } = synthesize();
    const [, authorizer] = theOnly(template, 'AWS::ApiGateway::Authorizer');
    clock.now += 5 * minuteMs - 1000 * (authorizer.Properties['AuthorizerResultTtlInSeconds'] as number) - 1;
    assert.equal(await verify(old.header), undefined);
    assert.equal((await verify(next.header))?.principal, 'ann');
  });

  it('is a 401 of the gateway', async () => {
    const [old, next] = await Promise.all([newKey('old'), newKey('next')]);
    const { state, clock, verify } = await newIssuer([old.jwk]);
    await verify(old.header);
    state.keys = [next.jwk];
    clock.now += 2 * minuteMs;
    const handler = authorize(verify, () => Promise.resolve());
    await assert.rejects(handler(eventWith(old.header)), { message: 'Unauthorized' });
  });
});

describe('a new key of the issuer', () => {
  it('is found at once, and tokens of unknown keys cause at most one read in ten seconds', async () => {
    const [old, next, unknown] = await Promise.all([newKey('old'), newKey('next'), newKey('unknown')]);
    const { state, clock, verify } = await newIssuer([old.jwk]);
    await verify(old.header);
    state.keys = [old.jwk, next.jwk];
    assert.equal((await verify(next.header))?.principal, 'ann');
    assert.equal((await verify(old.header))?.principal, 'ann');
    for (let second = 0; second < 20; second++, clock.now += 1000) {
      assert.equal(await verify(unknown.header), undefined);
    }
    assert.equal(state.reads, 3);
  });
});

describe('an issuer that cannot be read', () => {
  it('leaves the last keys in use for an hour, and then fails', async () => {
    const { jwk, header } = await newKey('only');
    const { state, clock, verify } = await newIssuer([jwk]);
    await verify(header);
    state.status = 503;
    clock.now += 2 * minuteMs;
    assert.equal((await verify(header))?.principal, 'ann');
    clock.now = 60 * minuteMs;
    await assert.rejects(verify(header), /answered with 503/);
    state.status = 200;
    assert.equal((await verify(header))?.principal, 'ann');
  });

  it('is an error from the start, and no 401', async () => {
    const { header } = await newKey('only');
    const { state, verify } = await newIssuer([]);
    state.status = 503;
    await assert.rejects(verify(header), /answered with 503/);
  });
});

describe('a wrong URL of the keys', () => {
  const pages: Readonly<Record<string, [status: number, text: string]>> = {
    '/page': [200, '<!doctype html><title>Sign in</title>'],
    '/settings': [200, '{"jwks_uri":"https://issuer.example/jwks"}'],
    '/none': [404, 'no such page'],
  };
  const expected: [path: string, message: RegExp][] = [
    ['/page', /keys at http:\S+\/page are no key set/],
    ['/settings', /keys at http:\S+\/settings are no key set/],
    ['/none', /keys at http:\S+\/none were answered with 404/],
  ];

  async function check(uri: string, message: RegExp): Promise<void> {
    const settings = { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: 'wallets', TOKEN_JWKS_URI: uri };
    for (const TOKEN_KIND of ['oidc', 'cognito']) {
      const handler = authorize(openTokenVerifier({ ...settings, TOKEN_KIND }), () => Promise.resolve());
      await assert.rejects(handler(eventWith((await newKey('only')).header)), { message });
    }
  }

  it('is an error that names it, and no 401', async () => {
    const server = createServer(({ url = '' }, response) => {
      const [status, text] = pages[url] ?? [500, ''];
      response.writeHead(status).end(text);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => server.close());
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [path, message] of expected) await check(base + path, message);
  });

  it('that nothing serves is such an error, too', async () => {
    await check(`http://127.0.0.1:${await freePort()}/jwks`, /keys at http:\S+\/jwks cannot be reached/);
  });
});

describe('an address that sends tokens without a valid signature of the issuer', () => {
  const shared = '192.0.2.1';

  it('gets at most 20 of them checked in a minute, and known callers at the same address still pass', async () => {
    const [key, forged, unknown] = await Promise.all([newKey('only'), newKey('only'), newKey('unknown')]);
    const other = await newKey('other', { subject: 'bob' });
    const { state, clock, verify } = await newIssuer([key.jwk, other.jwk]);
    assert.equal((await verify(key.header, shared))?.principal, 'ann');
    for (let n = 0; n < 20; n++) assert.equal(await verify((n % 2 ? forged : unknown).header, shared), undefined);
    assert.equal(await verify(other.header, shared), undefined, 'a new caller looks like the forger');
    assert.equal((await verify(key.header, shared))?.principal, 'ann');
    assert.equal((await verify(other.header, '192.0.2.2'))?.principal, 'bob', 'other addresses are not concerned');
    assert.equal((await verify(other.header, shared))?.principal, 'bob', 'the container knows it now');
    const late = await newKey('late', { subject: 'eve' });
    state.keys = [key.jwk, other.jwk, late.jwk];
    clock.now += 3_000;
    assert.equal(await verify(late.header, shared), undefined, 'one is checked again, by keys that are too old');
    clock.now += 60_000;
    assert.equal((await verify(late.header, shared))?.principal, 'eve', 'the allowance has grown back');
  });

  it('loses nothing by expired tokens', async () => {
    const expired = await newKey('only', { expires: '-1h' });
    const next = await newKey('next');
    const { verify } = await newIssuer([expired.jwk, next.jwk]);
    for (let n = 0; n < 50; n++) assert.equal(await verify(expired.header, shared), undefined);
    assert.equal((await verify(next.header, shared))?.principal, 'ann');
  });

  it('is forgotten after a thousand other addresses', () => {
    const forgeries = openForgeries(1, () => 0);
    for (let n = 0; n <= 1_000; n++) forgeries.count(String(n));
    assert.deepEqual(
      ['0', '1', '1000'].map((address) => forgeries.refuse('token', address)),
      [false, true, true],
    );
  });
});
