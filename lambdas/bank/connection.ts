import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** A signed request to the bank. */
export interface BankRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty for a GET. */
  readonly body: string;
  /** Ends the call at any stage. */
  readonly signal: AbortSignal;
}

/**
 * The function that sends a request and reads its answer. It rejects with `NeverConnected`, or with another error when
 * the answer was lost.
 */
export type Send = (request: BankRequest) => Promise<{ readonly status: number; readonly text: string }>;

/** No connection was established, so no byte of the request has left. The message names the system's code. */
export class NeverConnected extends Error {
  override readonly name = 'NeverConnected';

  constructor(cause: unknown) {
    super(`no connection (${codeOf(cause) ?? 'unknown reason'})`, { cause });
  }
}

/** The answer has more bytes than any answer of the protocol. */
export class TooLong extends Error {
  override readonly name = 'TooLong';

  constructor(status: number) {
    super(`status ${String(status)} with more than ${String(maxAnswerBytes)} bytes`);
  }
}

/** Longest answer that is read, in bytes. */
const maxAnswerBytes = 65_536;
/** Time for which an idle connection is kept; servers close theirs later than this. */
const idleMs = 4_000;
const agents = {
  http: new HttpAgent({ keepAlive: true, timeout: idleMs }),
  https: new HttpsAgent({ keepAlive: true, timeout: idleMs }),
};

/**
 * Sends over HTTP, and watches the socket. An established connection is the difference between "not accepted" and
 * "unknown", and error codes alone do not show it. Sends no request a second time, and follows no redirect.
 */
export const sendOverHttp: Send = ({ method, url, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const isSecure = url.protocol === 'https:';
    const open = isSecure ? requestHttps : requestHttp;
    const request = open(url, { method, headers, signal, agent: isSecure ? agents.https : agents.http });
    let connected = false;
    request.once('socket', (socket) => {
      if (request.reusedSocket) connected = true;
      // Before the end of the handshake no part of the request is sent.
      else socket.once(isSecure ? 'secureConnect' : 'connect', () => (connected = true));
    });
    request.on('error', (error) => {
      reject(connected ? error : new NeverConnected(error));
    });
    request.once('response', (response) => {
      readText(response).then(resolve, reject);
    });
    request.end(body === '' ? undefined : body);
  });

async function readText(response: IncomingMessage): Promise<{ status: number; text: string }> {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the stream, which closes the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw new TooLong(status);
    chunks.push(chunk);
  }
  return { status, text: Buffer.concat(chunks).toString('utf8') };
}

/** Returns the system's code of an error (`ECONNRESET`). The message is not used: it could quote the request. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z_]*$/.test(code) ? code : undefined;
}
