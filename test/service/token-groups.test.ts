/** The scopes that tokens of a person and of a machine open, by claim and by group. A local server has the keys. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { silence } from '../../bench/silence.ts';
import { openTokenVerifier } from '../../lambdas/http/tokens.ts';

const issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI';
const kid = 'pool';
const { publicKey, privateKey } = await generateKeyPair('RS256');
const server = createServer((_, response) => {
  void exportJWK(publicKey).then((jwk) => {
    response.end(JSON.stringify({ keys: [{ ...jwk, kid, alg: 'RS256', use: 'sig' }] }));
  });
});
beforeAll(silence);

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** Returns the scopes that a token with these claims opens, as the handlers see them; undefined for a refused token. */
async function scopesOf(claims: Record<string, unknown>, kind: 'cognito' | 'oidc' = 'cognito') {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuer(issuer)
    .setExpirationTime('1h')
    .sign(privateKey);
  const verify = openTokenVerifier({
    TOKEN_KIND: kind,
    TOKEN_ISSUER: issuer,
    TOKEN_AUDIENCE: 'wallet',
    TOKEN_JWKS_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
  });
  return (await verify(`Bearer ${token}`))?.scopes;
}

/** A person's access token as Cognito writes it after a sign-in at the people's client. */
const person = {
  sub: '5f0c6f4e-70b1-7030-8d5b-1a2b3c4d5e6f',
  username: '5f0c6f4e-70b1-7030-8d5b-1a2b3c4d5e6f',
  client_id: 'people',
  token_use: 'access',
  scope: 'wallet/read wallet/write',
};
const machine = { sub: 'backend', client_id: 'backend', token_use: 'access', scope: 'wallet/charge wallet/read' };

describe('a person', () => {
  it('has the scopes of an owner, and those of operators by group only', async () => {
    assert.equal(await scopesOf(person), 'read write');
    assert.equal(await scopesOf({ ...person, 'cognito:groups': ['wallet-support'] }), 'read write support');
    assert.equal(await scopesOf({ ...person, 'cognito:groups': ['wallet-decide', 'staff'] }), 'read write decide');
    assert.equal(
      await scopesOf({ ...person, scope: 'wallet/read', 'cognito:groups': ['wallet-decide', 'wallet-support'] }),
      'read support decide',
    );
  });

  it('gets no operator scope from the token itself, even when a client of the pool allows it', async () => {
    const asked = 'wallet/read wallet/charge wallet/support wallet/decide wallet/operate';
    assert.equal(await scopesOf({ ...person, scope: asked }), 'read');
    assert.equal(await scopesOf({ ...person, scope: asked, 'cognito:groups': ['wallet-support'] }), 'read support');
    const { client_id: _, ...unnamed } = person;
    assert.equal(await scopesOf({ ...unnamed, scope: asked }), 'read');
  });

  it('gets no scope from a group with a similar name, or from groups that are not a list', async () => {
    for (const groups of [
      [
        'Wallet-Support',
        'WALLET-DECIDE',
        ' wallet-decide',
        'wallet-decide ',
        'wallet_decide',
        'decide',
        'wallet/decide',
      ],
      ['wallet-operate', 'wallet-charge', 'wallet-support wallet-decide', 'constructor', '__proto__'],
      'wallet-decide',
      { 0: 'wallet-decide', length: 1 },
      { 'wallet-decide': 'wallet-decide' },
      [['wallet-decide'], { name: 'wallet-decide' }, null, 7],
      null,
    ]) {
      assert.equal(await scopesOf({ ...person, 'cognito:groups': groups }), 'read write', JSON.stringify(groups));
    }
    for (const claim of ['groups', 'cognito:group', 'Cognito:Groups', 'cognito:roles']) {
      assert.equal(await scopesOf({ ...person, [claim]: ['wallet-decide'] }), 'read write', claim);
    }
  });

  it('gets no scope from a group when the token has no scope of this service', async () => {
    const groups = { 'cognito:groups': ['wallet-support', 'wallet-decide'] };
    for (const scope of [
      undefined,
      '',
      // The only scope of a sign-in through the API, which has none of the client's scopes.
      'aws.cognito.signin.user.admin',
      'openid email',
      'other/read',
      'wallet/everything',
      'wallet',
    ]) {
      assert.equal(await scopesOf({ ...person, ...groups, scope }), '', String(scope));
    }
  });

  it('is refused with an ID token, for any claims', async () => {
    const groups = { 'cognito:groups': ['wallet-support', 'wallet-decide'] };
    for (const use of ['id', 'refresh', 'Access', undefined]) {
      assert.equal(await scopesOf({ ...person, ...groups, token_use: use }), undefined, use);
    }
    assert.equal(await scopesOf({ ...person, ...groups, token_use: 'id', aud: 'wallet' }), undefined);
  });
});

describe('a machine', () => {
  it('has the scopes of its token, and none by group', async () => {
    assert.equal(await scopesOf(machine), 'read charge');
    assert.equal(await scopesOf({ ...machine, scope: 'wallet/operate' }), 'operate');
    assert.equal(await scopesOf({ ...machine, 'cognito:groups': ['wallet-decide'] }), 'read charge');
  });
});

describe('a caller of another issuer', () => {
  it('has the scopes of the token, and none by group', async () => {
    const token = { ...person, aud: 'wallet', scope: 'wallet:read', 'cognito:groups': ['wallet-decide'] };
    assert.equal(await scopesOf(token, 'oidc'), 'read');
    assert.equal(await scopesOf({ ...token, scope: 'wallet:support' }, 'oidc'), 'support');
    assert.equal(await scopesOf({ ...token, scope: undefined }, 'oidc'), '');
  });
});
