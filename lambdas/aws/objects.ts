import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { systemClock } from './clock.ts';

/** An object of a bucket, as it is read. */
export interface StoredObject {
  /** Bytes. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** A bucket, with the operations that the service needs of it. */
export interface Objects {
  /** Opens an object; undefined when there is none. `ifMatch`: only the object with this entity tag. */
  readonly get: (key: string, ifMatch?: string) => Promise<StoredObject | undefined>;
  /** Stores a new object. Returns false when there is one with this key already. */
  readonly add: (key: string, content: string) => Promise<boolean>;
}

/** The headers with which an object is served. */
export interface Served {
  readonly 'content-type': string;
  readonly 'content-disposition'?: string;
}

/** A bucket for files that may be too large for the memory: they are stored in parts. */
export interface FileStore {
  /** Opens an object; undefined when there is none. */
  readonly get: Objects['get'];
  /** Stores an object, in place of one with the same key. */
  readonly put: (key: string, content: string, served: Served) => Promise<void>;
  /** Begins an object in parts. It is not there before `completeUpload`. Returns the id of the upload. */
  readonly beginUpload: (key: string, served: Served) => Promise<string>;
  /**
   * Stores a part, in place of one with the same number. Each part but the last has at least `leastPartBytes`.
   *
   * @returns its entity tag; undefined when there is no such upload
   */
  readonly putPart: (
    key: string,
    part: { readonly uploadId: string; readonly number: number },
    content: string,
  ) => Promise<string | undefined>;
  /**
   * Makes the object from its parts, in place of one with the same key.
   *
   * @param etags of all parts, in the order of their numbers, from 1 on
   * @returns false when there is no such upload, or a part of it is another one
   */
  readonly completeUpload: (key: string, uploadId: string, etags: readonly string[]) => Promise<boolean>;
  /** Returns a URL with which anybody can read the object for so many seconds. */
  readonly linkTo: (key: string, seconds: number) => Promise<string>;
}

/** The least bytes of a part that is not the last one. */
export const leastPartBytes = 5 * 1024 * 1024;

const tries = 4;
const firstPauseMs = 200;
/** Time in which an answer must begin, ms. A large object is then read for minutes. */
const answerMs = 20_000;

type Headers = Readonly<Record<string, string>>;

/** The requests to one bucket. */
interface Requests {
  readonly urlOf: (key: string, query?: string) => URL;
  /** Sends a request, and repeats it where S3 has not done it. */
  readonly send: (method: string, url: URL, headers: Headers, body?: string) => Promise<Response>;
  /** Returns the query that signs a GET for so many seconds. */
  readonly presign: (url: URL, seconds: number) => Promise<string>;
}

/** Signs requests for a bucket. Region, credentials and endpoint come from the environment. */
function openRequests(bucket: string): Requests {
  const region = process.env['AWS_REGION'] ?? '';
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'];
  const base = endpoint === undefined ? `https://${bucket}.s3.${region}.amazonaws.com` : `${endpoint}/${bucket}`;
  const signer = new SignatureV4({
    ...{ service: 's3', region, credentials: environmentCredentials, sha256: Sha256 },
    // S3 signs a path as it is.
    uriEscapePath: false,
  });
  const partsOf = ({ protocol, hostname, port, pathname: path }: URL) => ({
    ...{ protocol, hostname, path },
    ...(port !== '' && { port: Number(port) }),
  });

  async function tryOnce(url: URL, method: string, more: Headers, body: string) {
    const { headers } = await signer.sign({
      ...{ ...partsOf(url), method, query: Object.fromEntries(url.searchParams), body },
      headers: { host: url.host, 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'), ...more },
    });
    const giveUp = new AbortController();
    const timer = setTimeout(() => {
      giveUp.abort();
    }, answerMs);
    try {
      return await fetch(url, { method, headers, signal: giveUp.signal, ...(method !== 'GET' && { body }) });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    urlOf: (key, query = '') => new URL(`${base}/${key.split('/').map(escaped).join('/')}${query}`),
    async send(method, url, headers, body = '') {
      for (let attempt = 1; ; attempt++) {
        try {
          const response = await tryOnce(url, method, headers, body);
          // 409: another conditional write of the same key is under way.
          if ((response.status < 500 && response.status !== 409) || attempt === tries) return response;
          await response.body?.cancel();
        } catch (error) {
          if (attempt === tries) throw error;
        }
        await systemClock.sleep(systemClock.random() * firstPauseMs * 2 ** attempt);
      }
    },
    async presign(url, seconds) {
      const headers = { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
      const request = { ...partsOf(url), method: 'GET', query: {}, headers };
      const { query = {} } = await signer.presign(request, { expiresIn: seconds });
      return Object.entries(query)
        .map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`)
        .join('&');
    },
  };
}

/**
 * Opens a bucket of S3. The SDK's client of S3 would be the largest part of a function that uses few of its hundred
 * operations.
 */
export function openObjects(bucket: string): Objects & FileStore {
  const requests = openRequests(bucket);
  const { urlOf, send, presign } = requests;
  return {
    async get(key, ifMatch) {
      const response = await send('GET', urlOf(key), ifMatch === undefined ? {} : { 'if-match': ifMatch });
      if (response.status === 404 || response.status === 412) {
        await response.body?.cancel();
        return undefined;
      }
      const { headers } = await accepted(response, key);
      return { size: Number(headers.get('content-length')), content: contentOf(response, key) };
    },
    async add(key, content) {
      const headers = { 'if-none-match': '*', 'content-type': 'application/json' };
      const response = await send('PUT', urlOf(key), headers, content);
      if (response.status !== 412) await accepted(response, key);
      await response.body?.cancel();
      return response.status !== 412;
    },
    async put(key, content, served) {
      const response = await accepted(await send('PUT', urlOf(key), { ...served }, content), key);
      await response.body?.cancel();
    },
    ...uploadsTo(requests),
    async linkTo(key, seconds) {
      return urlOf(key, `?${await presign(urlOf(key), seconds)}`).href;
    },
  };
}

/** Returns the operations that store an object in parts. */
function uploadsTo({ urlOf, send }: Requests): Pick<FileStore, 'beginUpload' | 'putPart' | 'completeUpload'> {
  return {
    async beginUpload(key, served) {
      const response = await accepted(await send('POST', urlOf(key, '?uploads='), { ...served }), key);
      const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(await response.text())?.[1];
      if (uploadId === undefined) throw new Error(`S3 has named no upload of ${key}`);
      return uploadId;
    },
    async putPart(key, { uploadId, number }, content) {
      const url = urlOf(key, `?partNumber=${number}&uploadId=${escaped(uploadId)}`);
      const response = await send('PUT', url, {}, content);
      if (response.status !== 404) await accepted(response, key);
      await response.body?.cancel();
      return response.status === 404 ? undefined : (response.headers.get('etag') ?? '');
    },
    async completeUpload(key, uploadId, etags) {
      const parts = etags.map(
        (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const xml = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      const url = urlOf(key, `?uploadId=${escaped(uploadId)}`);
      const response = await send('POST', url, { 'content-type': 'application/xml' }, xml);
      const code = codeIn(await response.text());
      if (response.status === 404 || code === 'InvalidPart') return false;
      // S3 may begin its answer before it has done the work, and then report an error under the status 200.
      if (!response.ok || code !== undefined) throw refusal(response.status, code, key);
      return true;
    },
  };
}

/** Returns the credentials of the function. They stay the same until its process ends. */
function environmentCredentials() {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
  const { AWS_SESSION_TOKEN: sessionToken } = process.env;
  return Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) });
}

async function accepted(response: Response, key: string): Promise<Response> {
  if (response.ok) return response;
  throw refusal(response.status, codeIn(await response.text()), key);
}

/** Returns the code of an error in an answer of S3. */
function codeIn(xml: string): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(xml)?.[1];
}

function refusal(status: number, code: string | undefined, key: string): Error {
  return new Error(`S3 has answered ${status} ${code ?? ''} about ${key}`);
}

/**
 * Returns the bytes of an answer, all of them. It refers to the answer until they are read: where an answer is collected as
 * garbage, Node ends its body early, without an error.
 */
async function* contentOf(response: Response, key: string): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const part of body ?? []) {
    bytes += part.length;
    yield part;
  }
  const size = Number(response.headers.get('content-length'));
  if (bytes !== size) throw new Error(`S3 has sent ${bytes} of the ${size} bytes of ${key}`);
}

/** Returns a part of a key as a URL has it, by the rules of the signature. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The hash that the signer uses. */
class Sha256 {
  readonly #secret: ConstructorParameters<typeof Sha256>[0];
  #hash: ReturnType<typeof createHash | typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.#hash = this.#begin();
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): ReturnType<typeof createHash | typeof createHmac> {
    if (this.#secret === undefined) return createHash('sha256');
    const secret = this.#secret;
    if (typeof secret === 'string') return createHmac('sha256', secret);
    return createHmac(
      'sha256',
      ArrayBuffer.isView(secret)
        ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
        : new Uint8Array(secret),
    );
  }
}
