/** The operations of a bucket over HTTP: keys, conditions, parts, signatures, retries and errors. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, it } from '@jest/globals';
import { openObjects } from '../../lambdas/aws/objects.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

let server: Server;
let bucket: ReturnType<typeof openObjects>;
let answers: [status: number, body: string][] = [];
const requests: { line: string; headers: IncomingMessage['headers']; body: string }[] = [];
const names = ['AWS_REGION', 'AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
const before = names.map((name) => process.env[name]);

beforeEach(async () => {
  requests.length = 0;
  server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, headers: request.headers, body });
      const [status, content] = answers.shift() ?? [200, ''];
      response.writeHead(status, { 'content-length': Buffer.byteLength(content) }).end(content);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const values = ['eu-west-1', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'id', 'key'];
  for (const [index, name] of names.entries()) process.env[name] = values[index];
  bucket = openObjects('files');
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
  for (const [index, name] of names.entries()) {
    const value = before[index];
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
});

describe('a bucket', () => {
  it('opens an object by its key and entity tag, signed', async () => {
    answers = [[200, 'content']];
    const found = await bucket.get("incoming/März (1)'s.xml", '"e1"');
    assert.ok(found);
    const parts: Uint8Array[] = [];
    for await (const part of found.content) parts.push(part);
    assert.deepEqual([Buffer.concat(parts).toString(), found.size], ['content', 7]);
    const [{ line, headers } = assert.fail()] = requests;
    assert.equal(line, 'GET /files/incoming/M%C3%A4rz%20%281%29%27s.xml');
    assert.equal(headers['if-match'], '"e1"');
    assert.match(
      String(headers['authorization']),
      /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-west-1\/s3\/aws4_request, SignedHeaders=host;if-match;/,
    );
  });

  it('has all of an object that is read long after it was opened', async () => {
    answers = [[200, 'x'.repeat(3_000_000)]];
    const found = await bucket.get('a');
    assert.ok(found);
    // A collection of garbage ends the body of an answer that nothing refers to.
    for (let n = 0; n < 3; n++) {
      gc();
      await setTimeout(20);
    }
    assert.equal((await text(Readable.from(found.content))).length, 3_000_000);
  });

  it('has no object that is missing or was replaced', async () => {
    answers = [
      [404, ''],
      [412, ''],
    ];
    assert.deepEqual([await bucket.get('a'), await bucket.get('a', 'e1')], [undefined, undefined]);
  });

  it('adds an object once', async () => {
    answers = [
      [200, ''],
      [412, ''],
    ];
    assert.deepEqual(
      [await bucket.add('reports/a.json', '{}'), await bucket.add('reports/a.json', '{}')],
      [true, false],
    );
    assert.deepEqual(
      [requests[0]?.line, requests[0]?.headers['if-none-match'], requests[0]?.body],
      ['PUT /files/reports/a.json', '*', '{}'],
    );
  });

  it('is asked again when S3 is busy, and names what S3 refuses', async () => {
    answers = [
      [503, ''],
      [409, ''],
      [200, 'x'],
      [403, '<Error><Code>AccessDenied</Code></Error>'],
    ];
    assert.equal((await bucket.get('a'))?.size, 1);
    await assert.rejects(bucket.get('a'), { message: 'S3 has answered 403 AccessDenied about a' });
  });

  it('stores an object in parts', async () => {
    answers = [
      [200, '<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>'],
      [200, ''],
      [200, '<CompleteMultipartUploadResult/>'],
    ];
    const uploadId = await bucket.beginUpload('files/a.csv', { 'content-type': 'text/csv' });
    assert.equal(uploadId, 'u/1');
    await bucket.putPart('files/a.csv', { uploadId, number: 2 }, 'part');
    assert.equal(await bucket.completeUpload('files/a.csv', uploadId, ['"e1"', '"e2"']), true);
    assert.deepEqual(
      requests.map(({ line }) => line),
      [
        'POST /files/files/a.csv?uploads=',
        'PUT /files/files/a.csv?partNumber=2&uploadId=u%2F1',
        'POST /files/files/a.csv?uploadId=u%2F1',
      ],
    );
    assert.equal(requests[0]?.headers['content-type'], 'text/csv');
    assert.match(requests[2]?.body ?? '', /<Part><PartNumber>2<\/PartNumber><ETag>"e2"<\/ETag><\/Part>/);
  });

  it('reports an upload that is over, and an error under the status 200', async () => {
    const error = (code: string) => `<Error><Code>${code}</Code></Error>`;
    answers = [
      [404, error('NoSuchUpload')],
      [404, error('NoSuchUpload')],
      [400, error('InvalidPart')],
      [200, error('InternalError')],
    ];
    assert.equal(await bucket.putPart('a', { uploadId: 'u', number: 1 }, ''), undefined);
    assert.equal(await bucket.completeUpload('a', 'u', []), false);
    assert.equal(await bucket.completeUpload('a', 'u', []), false);
    await assert.rejects(bucket.completeUpload('a', 'u', []), { message: 'S3 has answered 200 InternalError about a' });
  });
});
