import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from '@jest/globals';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { open } from '../../lambdas/api/reference.ts';
import { errorTitles } from '../../lambdas/domain/errors.ts';
import { assertDocumented, document } from '../documented.ts';

const handler = open() as unknown as (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** Requests a path of the reference. Returns the answer, which the document describes. */
async function get(path: string, headers: Readonly<Record<string, string>> = {}, query?: Record<string, string>) {
  const event = {
    ...{ httpMethod: 'GET', resource: path, path, pathParameters: null, body: null, isBase64Encoded: false },
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query ? { of: ['x'] } : null,
    requestContext: { requestId: 'r-1', path },
  };
  const answer = await handler(event as unknown as APIGatewayProxyEvent, { awsRequestId: 'i-1' } as Context);
  const answerHeaders = new Headers(answer.headers as Record<string, string>);
  assertDocumented({ method: 'GET', path, status: answer.statusCode, headers: answerHeaders, answer: answer.body });
  return { status: answer.statusCode, headers: answerHeaders, body: answer.body };
}

describe.each(['/openapi.json', '/docs'])('GET %s', (path) => {
  it('may be kept by every cache, and is not sent again to a client that has it', async () => {
    const first = await get(path);
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('Cache-Control'), 'public, max-age=300');
    const again = await get(path, { 'If-None-Match': first.headers.get('ETag') ?? '' });
    assert.deepEqual([again.status, again.body], [304, '']);
  });

  it('is far below the 6 MB that a function may answer, and refuses query parameters', async () => {
    assert.ok(Buffer.byteLength((await get(path)).body) < (6 * 1024 * 1024) / 4);
    assert.equal((await get(path, {}, { of: 'x' })).status, 400);
  });
});

it('the description is docs/openapi.json', async () => {
  assert.deepEqual(JSON.parse((await get('/openapi.json')).body), document);
});

describe('the page', () => {
  it('has every route, schema and code', async () => {
    const { body } = await get('/docs');
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { operationId }] of Object.entries(methods)) {
        assert.ok(
          body.includes(`<section id="${operationId}">\n<h3>${method.toUpperCase()} <code>${path}</code>`),
          path,
        );
      }
    }
    for (const name of Object.keys(document.components.schemas)) {
      assert.ok(body.includes(`<section id="${name}">`), name);
    }
    for (const code of Object.keys(errorTitles)) assert.ok(body.includes(`<td><code>${code}</code>`), code);
  });

  it('has a target for each link, and no target twice', async () => {
    const { body } = await get('/docs');
    const targets = [...body.matchAll(/ id="?([\w-]+)/g)].map(([, id]) => id);
    assert.equal(new Set(targets).size, targets.length);
    for (const [, id] of body.matchAll(/href="?#([\w-]+)/g)) assert.ok(targets.includes(id), id);
  });

  it('loads nothing and runs nothing, and its policy allows its own style alone', async () => {
    const { body, headers } = await get('/docs');
    assert.doesNotMatch(body, /<script|<link|<img|<iframe| style=| on\w+=|src=/i);
    const [, style = ''] = /<style>([^]*?)<\/style>/.exec(body) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    assert.ok(headers.get('Content-Security-Policy')?.startsWith(`default-src 'none'; style-src 'sha256-${hash}';`));
  });
});
