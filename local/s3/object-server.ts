/** The HTTP interface of buckets: the operations of S3 that functions use, and links to objects. */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { readBody } from '../http/body.ts';
import type { RequestHandler } from '../http/server.ts';
import { defectOfLink } from './link-signature.ts';
import type { ObjectFolders, ObjectHeaders, ObjectName } from './object-folders.ts';

/** S3 takes parts of 5 GB; those of functions are in their memory. */
const mostBytes = 64 * 1024 * 1024;
const keptHeaders = ['content-type', 'content-disposition'] as const;

/** An error as S3 answers it. */
class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Returns the handler of requests with paths `/<bucket>/<key>`. Signed requests of functions are taken as they are. A link
 * opens an object when its signature is right.
 *
 * @param secretKey returns the key that functions sign with
 */
export function serveObjects(folders: ObjectFolders, secretKey: () => string): RequestHandler {
  return async (request, response) => {
    try {
      await answer(request, response, { folders, secretKey: secretKey() });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      const { status, code, message } = error;
      reply(response, status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
    }
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { folders, secretKey }: { readonly folders: ObjectFolders; readonly secretKey: string },
): Promise<void> {
  const { method = '', url = '', headers } = request;
  const { pathname, searchParams: query } = new URL(url, 'http://bucket');
  const [, bucket = '', ...key] = pathname.split('/').map(decodeURIComponent);
  const name = { bucket, key: key.join('/') };
  if (headers.authorization === undefined) {
    const isLink = method === 'GET' && query.has('X-Amz-Signature');
    const defect = isLink
      ? defectOfLink({ method, url, host: headers.host ?? '' }, secretKey, Date.now())
      : 'the request is not signed';
    if (defect !== undefined) throw new S3Error(403, 'AccessDenied', defect);
  }
  if (method === 'GET') {
    await sendObject(response, folders, name, headers['if-match']);
    return;
  }
  const body = await readBody(request, mostBytes);
  if (body === 'too long') throw new S3Error(400, 'EntityTooLarge', 'the body is too large');
  if (method === 'PUT') putContent(request, response, folders, { name, query, body });
  else if (method === 'POST') await changeUpload(request, response, folders, { name, query, body });
  else throw new S3Error(405, 'MethodNotAllowed', 'this operation is not supported here');
}

interface Sent {
  readonly name: ObjectName;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

async function sendObject(
  response: ServerResponse,
  folders: ObjectFolders,
  name: ObjectName,
  ifMatch: string | undefined,
): Promise<void> {
  const file = folders.find(name);
  if (file === undefined) throw new S3Error(404, 'NoSuchKey', 'there is no such object');
  if (ifMatch !== undefined && ifMatch !== file.headers['etag']) {
    throw new S3Error(412, 'PreconditionFailed', 'the object is another one');
  }
  response.writeHead(200, { ...file.headers, 'content-length': file.bytes });
  await pipeline(createReadStream(file.path), response);
}

function putContent(
  request: IncomingMessage,
  response: ServerResponse,
  folders: ObjectFolders,
  { name, query, body }: Sent,
): void {
  const uploadId = query.get('uploadId');
  if (uploadId === null) {
    if (request.headers['if-none-match'] === '*' && folders.find(name)) {
      throw new S3Error(412, 'PreconditionFailed', 'there is such an object');
    }
    reply(response, 200, '', { etag: folders.put(name, body, kept(request)) });
    return;
  }
  const etag = folders.putPart(uploadId, Number(query.get('partNumber')), body);
  if (etag === undefined) throw new S3Error(404, 'NoSuchUpload', 'there is no such upload');
  reply(response, 200, '', { etag });
}

async function changeUpload(
  request: IncomingMessage,
  response: ServerResponse,
  folders: ObjectFolders,
  { name, query, body }: Sent,
): Promise<void> {
  const uploadId = query.get('uploadId');
  if (uploadId === null) {
    const begun = folders.begin(name, kept(request));
    reply(
      response,
      200,
      `<InitiateMultipartUploadResult><UploadId>${begun}</UploadId></InitiateMultipartUploadResult>`,
    );
    return;
  }
  const etags = Array.from(body.toString().matchAll(/<ETag>([^<]*)<\/ETag>/g), ([, etag = '']) => etag);
  const result = await folders.complete(uploadId, etags);
  if (result !== 'completed') throw new S3Error(result === 'InvalidPart' ? 400 : 404, result, 'nothing was made of it');
  reply(response, 200, '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>');
}

function kept({ headers }: IncomingMessage): ObjectHeaders {
  return Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function reply(response: ServerResponse, status: number, xml: string, headers: ObjectHeaders = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml), ...headers })
    .end(xml);
}
