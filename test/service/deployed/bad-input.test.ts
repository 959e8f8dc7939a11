import assert from 'node:assert/strict';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { request } from 'node:http';
import { describe, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { resourceServer, scopes } from '../../../lambdas/contract.ts';
import { openIssuer } from '../../../local/cognito/issuer.ts';
import { findService } from '../service.ts';
import type { RequestOptions } from '../service.ts';

const service = await findService();
const { operator, newUser, withAuthorization, runner } = service;
const ann = await newUser(1_000);
const bob = await newUser(1_000);

/** Returns every stored item, by key; undefined where the table is out of reach. */
async function stored(): Promise<Map<string, object> | undefined> {
  if (!runner) return undefined;
  const { endpoint, region, credentials } = runner.aws;
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const scan = new ScanCommand({ TableName: runner.outputs['TableName'], ConsistentRead: true });
  const { Items = [] } = await client.send(scan);
  client.destroy();
  return new Map(
    Items.filter(({ sk }) => sk?.S !== 'RATE').map((item) => [`${item['pk']!.S!} ${item['sk']!.S!}`, item]),
  );
}

const transfer = `/wallets/${ann.walletId}/transfer`;
const valid = { amount: 1, toWalletId: bob.walletId };
const long = 'x'.repeat(256);

const cases: [what: string, path: string, options: RequestOptions, status: number, code: string, path?: string][] = [
  ['a body that is not JSON', transfer, { raw: '{"amount":' }, 400, 'invalid_request'],
  ['a body that is a list', transfer, { raw: '[]' }, 400, 'invalid_request'],
  ['a body that is null', transfer, { raw: 'null' }, 400, 'invalid_request'],
  ['no body', transfer, { method: 'POST' }, 400, 'invalid_request', 'amount'],
  ['a float', transfer, { body: { ...valid, amount: 1.5 } }, 400, 'invalid_request', 'amount'],
  ['a string', transfer, { body: { ...valid, amount: '1' } }, 400, 'invalid_request', 'amount'],
  ['zero', transfer, { body: { ...valid, amount: 0 } }, 400, 'invalid_request', 'amount'],
  ['a negative amount', transfer, { body: { ...valid, amount: -1 } }, 400, 'invalid_request', 'amount'],
  [
    '2^53',
    transfer,
    { raw: `{"amount":9007199254740992,"toWalletId":"${bob.walletId}"}` },
    400,
    'invalid_request',
    'amount',
  ],
  ['1e400', transfer, { raw: `{"amount":1e400,"toWalletId":"${bob.walletId}"}` }, 400, 'invalid_request', 'amount'],
  ['an unknown field', transfer, { body: { ...valid, fee: 1 } }, 400, 'invalid_request', 'fee'],
  [
    '__proto__ as a field',
    transfer,
    { raw: `{"amount":1,"toWalletId":"${bob.walletId}","__proto__":{"a":1}}` },
    400,
    'invalid_request',
    '__proto__',
  ],
  [
    'a wallet id of a wrong type',
    transfer,
    { body: { ...valid, toWalletId: 7 } },
    400,
    'invalid_request',
    'toWalletId',
  ],
  [
    'metadata of a wrong type',
    transfer,
    { body: { ...valid, metadata: { a: 1 } } },
    400,
    'invalid_request',
    'metadata.a',
  ],
  [
    'too much metadata',
    transfer,
    { body: { ...valid, metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, 'v'])) } },
    400,
    'invalid_request',
    'metadata',
  ],
  [
    'a description that is too long',
    transfer,
    { body: { ...valid, description: 'x'.repeat(257) } },
    400,
    'invalid_request',
    'description',
  ],
  [
    'control characters',
    transfer,
    { body: { ...valid, description: 'a\u0000b' } },
    400,
    'invalid_request',
    'description',
  ],
  [
    'an amount that only rounds to an integer',
    transfer,
    { raw: `{"amount":100.00000000000000001,"toWalletId":"${bob.walletId}"}` },
    400,
    'invalid_request',
    'amount',
  ],
  [
    'an amount that is given twice',
    transfer,
    { raw: `{"amount":1,"toWalletId":"${bob.walletId}","amount":100}` },
    400,
    'invalid_request',
    'amount',
  ],
  [
    'a key of metadata that every object inherits',
    transfer,
    { body: { ...valid, metadata: { constructor: 'x' } } },
    400,
    'invalid_request',
    'metadata.constructor',
  ],
  [
    '__proto__ in metadata',
    transfer,
    { raw: `{"amount":1,"toWalletId":"${bob.walletId}","metadata":{"__proto__":"x"}}` },
    400,
    'invalid_request',
    'metadata.__proto__',
  ],
  [
    'half a surrogate pair',
    transfer,
    { raw: String.raw`{"amount":1,"toWalletId":"${bob.walletId}","description":"\ud800"}` },
    400,
    'invalid_request',
    'description',
  ],
  [
    'bytes that are no UTF-8',
    transfer,
    { raw: Buffer.from(`{"amount":1,"toWalletId":"${bob.walletId}","description":"caf\u00e9"}`, 'latin1') },
    400,
    'invalid_request',
    'description',
  ],
  [
    'another charset',
    transfer,
    { body: valid, headers: { 'Content-Type': 'application/json; charset=iso-8859-1' } },
    415,
    'unsupported_media_type',
  ],
  ['a parameter of a command', `${transfer}?amount=1`, { body: valid }, 400, 'invalid_request', 'amount'],
  ['a wallet id that is overlong', `/wallets/${'w'.repeat(2042)}`, {}, 404, 'wallet_not_found'],
  [
    'a time that is in UTC beyond the year 9999',
    `/wallets/${ann.walletId}/transactions?to=9999-12-31T23:59:59-05:00`,
    {},
    400,
    'invalid_request',
    'to',
  ],
  ['a megabyte', transfer, { body: { ...valid, description: 'x'.repeat(1_000_000) } }, 413, 'payload_too_large'],
  ['a body of twelve megabytes', transfer, { raw: 'x'.repeat(12_000_000) }, 413, 'payload_too_large'],
  [
    'another content type',
    transfer,
    { body: valid, headers: { 'Content-Type': 'text/plain' } },
    415,
    'unsupported_media_type',
  ],
  ['no key', transfer, { body: valid, key: null }, 400, 'idempotency_key_required'],
  ['an empty key', transfer, { body: valid, key: '' }, 400, 'idempotency_key_required'],
  ['a key that is too long', transfer, { body: valid, key: long }, 400, 'invalid_request', 'Idempotency-Key'],
  [
    'a key with other letters',
    transfer,
    { body: valid, key: 'schl\u00fcssel' },
    400,
    'invalid_request',
    'Idempotency-Key',
  ],
  ['the same wallet', transfer, { body: { ...valid, toWalletId: ann.walletId } }, 422, 'same_wallet'],
  ['a receiver that is no wallet', transfer, { body: { ...valid, toWalletId: 'unknown' } }, 404, 'wallet_not_found'],
  [
    'a receiver that does not exist',
    transfer,
    { body: { ...valid, toWalletId: `w_usd_${'a'.repeat(26)}` } },
    404,
    'wallet_not_found',
  ],
  [
    'a receiver in another currency',
    transfer,
    { body: { ...valid, toWalletId: `w_eur_${'a'.repeat(26)}` } },
    422,
    'currency_mismatch',
  ],
  ['another currency', transfer, { body: { ...valid, currency: 'EUR' } }, 422, 'currency_mismatch'],
  ['an unknown currency', '/wallets', { body: { currency: 'XYZ' } }, 400, 'invalid_request', 'currency'],
  ["another owner's name", '/wallets', { body: { currency: 'USD', ownerId: 'eve' } }, 403, 'forbidden'],
  [
    'an account with odd letters',
    `/wallets/${ann.walletId}/withdraw`,
    { body: { amount: 1, destination: { account: '../../../etc' } } },
    400,
    'invalid_request',
    'destination.account',
  ],
  [
    'no destination',
    `/wallets/${ann.walletId}/withdraw`,
    { body: { amount: 1 } },
    400,
    'invalid_request',
    'destination',
  ],
  [
    "another's wallet, sending",
    `/wallets/${bob.walletId}/transfer`,
    { body: { amount: 1, toWalletId: ann.walletId } },
    404,
    'wallet_not_found',
  ],
  [
    "another's wallet, withdrawing",
    `/wallets/${bob.walletId}/withdraw`,
    { body: { amount: 1, destination: { account: 'SIM-OK' } } },
    404,
    'wallet_not_found',
  ],
  ["another's wallet, reading", `/wallets/${bob.walletId}`, {}, 404, 'wallet_not_found'],
  ["another's balance", `/wallets/${bob.walletId}/balance`, {}, 404, 'wallet_not_found'],
  ["another's history", `/wallets/${bob.walletId}/transactions`, {}, 404, 'wallet_not_found'],
  ["an operator's route", `/wallets/${ann.walletId}/charge`, { body: { amount: 1 } }, 403, 'forbidden'],
  ['freezing oneself', `/wallets/${ann.walletId}/freeze`, { body: {} }, 403, 'forbidden'],
  [
    'resolving',
    `/transactions/tx_${'a'.repeat(26)}/resolve`,
    { body: { outcome: 'failed', evidence: 'x' } },
    403,
    'forbidden',
  ],
  ['an invalid cursor', `/wallets/${ann.walletId}/transactions?cursor=abc`, {}, 400, 'invalid_request', 'cursor'],
  ['a page that is too long', `/wallets/${ann.walletId}/transactions?limit=101`, {}, 400, 'invalid_request', 'limit'],
  ['a page of nothing', `/wallets/${ann.walletId}/transactions?limit=0`, {}, 400, 'invalid_request', 'limit'],
  ['a parameter that is unknown', `/wallets/${ann.walletId}/transactions?sort=up`, {}, 400, 'invalid_request', 'sort'],
  [
    'a parameter given twice',
    `/wallets/${ann.walletId}/transactions?limit=1&limit=2`,
    {},
    400,
    'invalid_request',
    'limit',
  ],
  ['an invalid time', `/wallets/${ann.walletId}/transactions?from=yesterday`, {}, 400, 'invalid_request', 'from'],
  ['an invalid status', `/wallets/${ann.walletId}/transactions?status=gone`, {}, 400, 'invalid_request', 'status'],
  ['an invalid transaction id', '/transactions/7', {}, 404, 'transaction_not_found'],
  ['an invalid receipt code', '/receipts/RCP-1', {}, 404, 'transaction_not_found'],
  ['an unknown path', '/accounts', {}, 404, 'not_found'],
  ['a notification without a signature', '/bank/notifications', { body: {}, key: null }, 401, 'unauthorized'],
];

describe('bad input is answered with its code, stores nothing and names its fault', () => {
  for (const [what, path, options, status, code, field] of cases) {
    it(what, async () => {
      const before = await stored();
      const answer = await ann.ask(path, options);
      assert.deepEqual([answer.status, answer.body['code']], [status, code]);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.ok(answer.body['requestId']);
      if (field !== undefined) {
        const paths = (answer.body['errors'] as { path: string }[]).map((error) => error.path);
        assert.deepEqual(paths.includes(field), true, `names ${field}, not ${paths.join(', ')}`);
      }
      assert.deepEqual(await stored(), before, 'nothing was stored');
    });
  }

  it("with the request's id, which is in the headers too, by functions and by the gateway itself", async () => {
    for (const path of ['/transactions/7', '/accounts']) {
      const { body, headers } = await ann.ask(path);
      assert.equal(body['requestId'], headers.get('x-amzn-requestid'), path);
    }
  });

  it('a charge above the limit of a wallet', async () => {
    const { body } = await operator(`/wallets/${ann.walletId}/charge`, { body: { amount: Number.MAX_SAFE_INTEGER } });
    assert.equal(body['code'], 'balance_limit_exceeded');
  });
});

describe('tokens', () => {
  const refused = async (authorization: string | undefined) => {
    const answer = await withAuthorization(authorization)(`/wallets/${ann.walletId}`);
    assert.deepEqual([answer.status, answer.body['code']], [401, 'unauthorized']);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  };

  it('must be present', () => refused(undefined));
  it('must have the form of a token', () => refused('Bearer nonsense'));
  it('must be bearer tokens', () => refused('Basic YTpi'));

  it('must not have expired', async () => {
    const token = await service.token({ clientId: ann.ownerId, scope: 'wallet:read', expiresIn: -60 });
    await refused(`Bearer ${token}`);
  });

  it('must be signed by the issuer', async () => {
    const token = await service.token({ clientId: ann.ownerId, scope: 'wallet:read' });
    const { iss = '', aud } = decodeJwt(token);
    const forger = await openIssuer(undefined);
    forger.serve(iss, typeof aud === 'string' ? aud : undefined);
    forger.allow(resourceServer, scopes);
    await refused(`Bearer ${await forger.token({ clientId: ann.ownerId, scope: 'wallet:read' })}`);
  });

  it('must be given once', async () => {
    const [mine, other] = await Promise.all(
      [ann, bob].map(({ ownerId }) => service.token({ clientId: ownerId, scope: 'wallet:read' })),
    );
    // The gateway caches its knowledge of a token. This call makes the first token cached and leaves the second
    // uncached.
    await ann.ask(`/wallets/${ann.walletId}`);
    for (const tokens of [
      [mine, other],
      [other, mine],
    ]) {
      const lines = tokens.map((token) => `Bearer ${String(token)}`);
      const status = await new Promise((resolve, reject) => {
        const sent = request(`${service.baseUrl}/wallets/${ann.walletId}`, { headers: { Authorization: lines } });
        sent.on('error', reject).on('response', (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.end();
      });
      assert.equal(status, 401);
      await refused(lines.join(', '));
    }
  });

  it('must carry the scope of the route', async () => {
    const reader = await service.as(ann.ownerId, 'wallet:read');
    const { status, body } = await reader(transfer, { body: valid });
    assert.deepEqual([status, body['code']], [403, 'forbidden']);
  });
});
