import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import { createAuthorizer } from '../../local/api-gateway/authorizer.ts';
import type { LocalFunction } from '../../local/lambda/function-pool.ts';
import { FunctionError } from '../../local/lambda/function-thread.ts';
import { createGatewayResponses } from '../../local/api-gateway/gateway-responses.ts';
import { createGateway } from '../../local/api-gateway/gateway.ts';
import { startRunner } from '../../local/runner/runner.ts';
import type { Runner } from '../../local/runner/runner.ts';
import { FixtureStack } from './runner-fixture/stack.ts';
import { synthesized } from './runner-fixture/synthesized.ts';
import { afterTest } from '../fixture.ts';

interface Echo {
  readonly event: {
    readonly resource: string;
    readonly path: string;
    readonly body: string | null;
    readonly pathParameters: Record<string, string> | null;
    readonly queryStringParameters: Record<string, string> | null;
    readonly multiValueQueryStringParameters: Record<string, string[]> | null;
    readonly multiValueHeaders: Record<string, string[]>;
    readonly requestContext: { readonly authorizer: Record<string, string>; readonly identity: { sourceIp: string } };
  };
  readonly remainingMs: number;
  readonly env: Record<string, string>;
}

describe('the API Gateway of the runner', () => {
  let runner: Runner;
  let log = '';

  beforeAll(async () => {
    runner = await startRunner({
      synthesize: synthesized((app) => new FixtureStack(app, 'Fixture')),
      parameters: { Greeting: 'good' },
      log: (text) => {
        log += text;
      },
    });
  });
  afterAll(() => runner.stop());

  const get = (path: string, token: string | undefined = 'allow') =>
    fetch(`${runner.baseUrl}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  const order = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${runner.baseUrl}/open`, { method: 'POST', body: JSON.stringify(body), headers });
  async function problem(response: Promise<Response>): Promise<[number, unknown]> {
    const { status, text } = { status: (await response).status, text: await (await response).text() };
    return [status, (JSON.parse(text) as { code: unknown }).code];
  }

  test('a method with a throttle of its own refuses what is beyond it, and others go on', async () => {
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await get('/things/seldom')).status);
    assert.deepEqual(statuses, [200, 200, 429]);
    assert.equal((await get('/things/other')).status, 200);
  });

  test('a function gets the event of a proxy integration, its environment and its time', async () => {
    const answer = (await (await get('/things/a%20b?x=1&x=2&constructor=y')).json()) as Echo;
    const { event } = answer;
    assert.equal(event.resource, '/things/{thingId}');
    assert.equal(event.path, '/things/a%20b');
    assert.deepEqual(event.pathParameters, { thingId: 'a b' });
    assert.deepEqual(event.queryStringParameters, { x: '2', constructor: 'y' });
    assert.deepEqual(event.multiValueQueryStringParameters, { x: ['1', '2'], constructor: ['y'] });
    assert.deepEqual(event.multiValueHeaders['Authorization'], ['Bearer allow']);
    assert.equal(event.body, null);
    assert.equal(event.requestContext.identity.sourceIp, '127.0.0.1');
    assert.ok(answer.remainingMs > 0 && answer.remainingMs <= 2000);
    assert.equal(answer.env['GREETING'], 'good world');
    const table = runner.resources.find(({ type }) => type === 'AWS::DynamoDB::GlobalTable');
    assert.equal(answer.env['TABLE_NAME'], table?.ref);
  });

  test('a literal path wins over a parameter', async () => {
    const answer = (await (await get('/things/special')).json()) as Echo;
    assert.equal(answer.event.resource, '/things/special');
  });

  test('the authorizer is asked once for an identity, and its context arrives as strings', async () => {
    const asked = async (token: string): Promise<string | undefined> => {
      const answer = (await (await get('/things/1', token)).json()) as Echo;
      assert.equal(answer.event.requestContext.authorizer['trusted'], 'true');
      assert.equal(answer.event.requestContext.authorizer['principalId'], token);
      return answer.event.requestContext.authorizer['asked'];
    };
    const first = await asked('carol');
    assert.equal(await asked('carol'), first);
    assert.notEqual(await asked('dave'), first);
  });

  test('refusals of the authorizer are the gateway responses of the template', async () => {
    const without = fetch(`${runner.baseUrl}/things/1`);
    assert.equal((await without).headers.get('content-type'), 'application/problem+json');
    assert.deepEqual(await problem(without), [401, 'unauthorized']);
    assert.deepEqual(await problem(get('/things/1', 'refuse')), [401, 'unauthorized']);
    assert.deepEqual(await problem(get('/things/1', 'deny')), [403, 'forbidden']);
    assert.deepEqual(await problem(get('/things/1', 'crash')), [500, 'internal_error']);
    assert.deepEqual(await problem(get('/things/1', 'odd')), [500, 'internal_error']);
  });

  test('the base URL answers with links to all routes', async () => {
    const response = await fetch(`${runner.baseUrl}/?from=curl`);
    const { stack, api, local } = (await response.json()) as Record<string, unknown>;
    assert.deepEqual([response.status, stack], [200, 'Fixture']);
    const { baseUrl } = runner;
    assert.deepEqual(api, [
      { method: 'POST', url: `${baseUrl}/things` },
      { method: 'GET', url: `${baseUrl}/things/{thingId}` },
      { method: 'GET', url: `${baseUrl}/things/seldom` },
      { method: 'GET', url: `${baseUrl}/things/special` },
      { method: 'POST', url: `${baseUrl}/open` },
    ]);
    const links = local as { method: string; url: string; about: string }[];
    for (const path of ['functions', 'events', 'notifications', 'faults']) {
      const { url = '', about = '' } = links.find((link) => link.method === 'GET' && link.url.endsWith(path)) ?? {};
      assert.ok(about);
      assert.equal((await fetch(url)).status, 200);
    }
    assert.ok(links.some(({ url }) => url === `${baseUrl}/oauth/token`));
    assert.deepEqual(await problem(fetch(`${baseUrl}/`, { method: 'DELETE' })), [404, 'not_found']);
  });

  test('unknown routes and paths that cannot be decoded', async () => {
    assert.deepEqual(await problem(get('/nothing')), [404, 'not_found']);
    assert.deepEqual(await problem(get('/things/')), [404, 'not_found']);
    assert.deepEqual(await problem(fetch(`${runner.baseUrl}/open`, { method: 'DELETE' })), [404, 'not_found']);
    assert.deepEqual(await problem(get('/things/%E0%A4%A')), [400, 'client_error']);
  });

  test('a body over 10 MB is refused and the connection ends', async () => {
    const body = 'x'.repeat(10 * 1024 * 1024 + 1);
    const { status, code } = await new Promise<{ status: number | undefined; code: string }>((resolve, reject) => {
      const sent = request(`${runner.baseUrl}/open`, { method: 'POST', headers: { 'content-length': body.length } });
      sent.on('error', reject).on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode, code: (JSON.parse(text) as { code: string }).code });
          sent.destroy();
        });
      });
      sent.flushHeaders();
    });
    assert.deepEqual([status, code], [413, 'payload_too_large']);
  });

  test('answers from 1 KiB on are compressed for clients that accept it', async () => {
    const long = { answer: { statusCode: 200, body: 'a'.repeat(2000) } };
    const raw = (acceptEncoding: string, body: unknown) =>
      new Promise<{ encoding: string | undefined; content: Buffer }>((resolve, reject) => {
        const sent = request(
          `${runner.baseUrl}/open`,
          { method: 'POST', headers: { 'accept-encoding': acceptEncoding } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => {
              resolve({ encoding: response.headers['content-encoding'], content: Buffer.concat(chunks) });
            });
          },
        );
        sent.on('error', reject).end(JSON.stringify(body));
      });
    const compressed = await raw('br, gzip', long);
    assert.equal(compressed.encoding, 'gzip');
    assert.equal(gunzipSync(compressed.content).toString(), 'a'.repeat(2000));
    assert.equal((await raw('br', long)).encoding, undefined);
    assert.equal((await raw('gzip;q=0', long)).encoding, undefined);
    assert.equal((await raw('gzip', { answer: { statusCode: 200, body: 'short' } })).encoding, undefined);
  });

  test('headers, status and bodies of an answer', async () => {
    const plain = await order({
      answer: {
        statusCode: 201,
        headers: { 'X-One': 1, 'WWW-Authenticate': 'Basic' },
        multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
        body: Buffer.from('bytes').toString('base64'),
        isBase64Encoded: true,
      },
    });
    assert.equal(plain.status, 201);
    assert.equal(await plain.text(), 'bytes');
    assert.equal(plain.headers.get('x-one'), '1');
    assert.equal(plain.headers.get('x-amzn-remapped-www-authenticate'), 'Basic');
    assert.deepEqual([...plain.headers.getSetCookie()], ['a=1', 'b=2']);
    const unchanged = await order({ answer: { statusCode: 304, headers: { ETag: '"7"' }, body: 'ignored' } });
    assert.equal(unchanged.status, 304);
    assert.equal(unchanged.headers.get('etag'), '"7"');
    assert.equal(await unchanged.text(), '');
  });

  test('answers that are none, errors and crashes are a 502', async () => {
    const malformed = [
      null,
      'text',
      {},
      { statusCode: 'two hundred' },
      { statusCode: 200, body: { not: 'a string' } },
      { statusCode: 200, headers: { x: { nested: 1 } } },
      { statusCode: 200, multiValueHeaders: { x: 'not a list' } },
    ];
    for (const answer of malformed) assert.deepEqual(await problem(order({ answer })), [502, 'internal_error']);
    assert.deepEqual(await problem(order({ throw: 'secret detail' })), [502, 'internal_error']);
    assert.match(log, /^Fixture-\d+-\d+-echo\w+ Error: secret detail$/m);
    assert.match(log, /^Fixture-\d+-\d+-echo\w+ {5}at /m, 'each line of the log names its function');
    assert.deepEqual(await problem(order({ exit: true })), [502, 'internal_error']);
    assert.equal((await order({})).status, 200, 'the next event finds a new thread');
  });

  test('a function that does not end is ended, even in a loop', async () => {
    const before = performance.now();
    assert.deepEqual(await problem(order({ spin: true })), [502, 'internal_error']);
    assert.ok(performance.now() - before < 4000);
    assert.match(log, /Task timed out after 2\.00 seconds/);
    assert.equal((await order({})).status, 200);
  });

  test('events at the same time have a thread each', async () => {
    const before = performance.now();
    await Promise.all([order({ sleepMs: 1200 }), order({ sleepMs: 1200 }), order({ sleepMs: 1200 })]);
    assert.ok(performance.now() - before < 3500);
  });

  test('a token of the issuer names its pool, and its key is served', async () => {
    const form = (fields: Record<string, string>) =>
      fetch(`${runner.baseUrl}/oauth/token`, { method: 'POST', body: new URLSearchParams(fields) });
    const asked = { grant_type: 'client_credentials', client_id: 'erin', scope: 'wallet:read' };
    const answer = (await (await form(asked)).json()) as { access_token: string };
    const [header = '', claims = ''] = answer.access_token.split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    const { iss, sub, client_id, scope, token_use } = read(claims);
    assert.deepEqual(
      { sub, client_id, scope, token_use },
      { sub: 'erin', client_id: 'erin', scope: 'wallet/read', token_use: 'access' },
    );
    const jwks = (await (
      await fetch(`${runner.baseUrl}${new URL(String(iss)).pathname}/.well-known/jwks.json`)
    ).json()) as { keys: { kid: string }[] };
    assert.equal(jwks.keys[0]?.kid, read(header)['kid']);
    assert.equal((await form({ ...asked, scope: 'wallet/everything' })).status, 400);
    assert.equal((await form({ ...asked, grant_type: 'password' })).status, 400);
  });
});

test('a request for which a function or its authorizer has no thread is refused with 429', async () => {
  const target: LocalFunction = {
    settings: { name: 'busy' } as LocalFunction['settings'],
    concurrency: 1,
    invoke: () => Promise.reject(new FunctionError('TooManyRequests', 'no thread')),
  };
  const route = { target, timeoutMs: 1_000, httpMethod: 'GET' };
  const authorizer = createAuthorizer({ target, identityHeaders: ['authorization'], ttlSeconds: 0 });
  const gateway = createGateway({
    apiId: 'api',
    stage: 'stage',
    accountId: '0',
    region: 'us-east-1',
    methods: [
      { ...route, resourcePath: '/open' },
      { ...route, resourcePath: '/guarded', authorizer },
    ],
    responses: createGatewayResponses(),
  });
  const server = createServer((received, response) => void gateway(received, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  for (const path of ['open', 'guarded']) {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;
    assert.equal((await fetch(url, { headers: { authorization: 'x' } })).status, 429);
  }
});
