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

const tries = 4;
const firstPauseMs = 200;
/** Time in which an answer must begin, ms. A large object is then read for minutes. */
const answerMs = 20_000;

/**
 * Opens a bucket of S3. The SDK's client of S3 would be the largest part of a function that uses two of its hundred
 * operations. Region, credentials and endpoint come from the environment.
 */
export function openObjects(bucket: string): Objects {
  const region = process.env['AWS_REGION'] ?? '';
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'];
  const base = endpoint === undefined ? `https://${bucket}.s3.${region}.amazonaws.com` : `${endpoint}/${bucket}`;
  const signer = new SignatureV4({
    ...{ service: 's3', region, credentials: environmentCredentials, sha256: Sha256 },
    // S3 signs a path as it is.
    uriEscapePath: false,
  });

  async function tryOnce(url: URL, method: string, more: Readonly<Record<string, string>>, body: string) {
    const { protocol, hostname, port, pathname: path } = url;
    const { headers } = await signer.sign({
      ...{ method, protocol, hostname, path, query: {}, body },
      ...(port !== '' && { port: Number(port) }),
      headers: { host: url.host, 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'), ...more },
    });
    const giveUp = new AbortController();
    const timer = setTimeout(() => {
      giveUp.abort();
    }, answerMs);
    try {
      return await fetch(url, { method, headers, signal: giveUp.signal, ...(method === 'PUT' && { body }) });
    } finally {
      clearTimeout(timer);
    }
  }

  async function send(method: string, key: string, headers: Readonly<Record<string, string>>, body = '') {
    const url = new URL(`${base}/${key.split('/').map(escaped).join('/')}`);
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
  }

  return {
    async get(key, ifMatch) {
      const response = await send('GET', key, ifMatch === undefined ? {} : { 'if-match': ifMatch });
      if (response.status === 404 || response.status === 412) {
        await response.body?.cancel();
        return undefined;
      }
      const { headers, body } = await accepted(response, key);
      return { size: Number(headers.get('content-length')), content: body ?? nothing() };
    },
    async add(key, content) {
      const response = await send('PUT', key, { 'if-none-match': '*', 'content-type': 'application/json' }, content);
      if (response.status !== 412) await accepted(response, key);
      await response.body?.cancel();
      return response.status !== 412;
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
  const code = /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? '';
  throw new Error(`S3 has answered ${response.status} ${code} about ${key}`);
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty object has no body.
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
