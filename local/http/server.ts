/** The HTTP server of gateway, endpoint and bank. It listens on 127.0.0.1, and can end its answers before it stops. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOfHost } from './callers.ts';

/** The error of a port on which another process listens. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
}

/** A function that answers a request. When it rejects, the caller gets a 500. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface LocalServer {
  readonly url: string;
  readonly port: number;
  /** Answers requests with `handler`; until then they get a 503. */
  open(handler: RequestHandler): void;
  /** Takes no further request and waits for the answers under way. */
  drain(): Promise<void>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

const keepAliveMs = 60_000;

/**
 * Listens on the port; on a free one when it is 0. Refuses requests for other hosts. Throws PortInUseError.
 *
 * @param host a further name of this machine that requests may have in `Host`
 */
export async function listen(port: number, host?: string): Promise<LocalServer> {
  const running = new Set<Promise<void>>();
  let handler: RequestHandler | undefined;
  const server = createServer((request, response) => {
    const refusal = refusalOfHost(request.headers, host);
    if (refusal) {
      // The body is not read, and would be taken for the next request.
      response.setHeader('connection', 'close');
      sendJson(response, 421, refusal);
      return;
    }
    if (!handler) {
      response.setHeader('retry-after', '1');
      sendJson(response, 503, { message: 'Service Unavailable' });
      return;
    }
    const run: Promise<void> = handler(request, response)
      .catch(() => {
        if (response.headersSent) response.destroy();
        else sendJson(response, 500, { message: 'Internal server error' });
      })
      .finally(() => running.delete(run));
    running.add(run);
  });
  server.keepAliveTimeout = keepAliveMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} is in use: stop what listens there, or choose another: --port ${port + 1}`;
      reject(error.code === 'EADDRINUSE' ? new PortInUseError(taken) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const closed = once(server, 'close');
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    open(next) {
      handler = next;
    },
    async drain() {
      handler = undefined;
      server.close();
      await Promise.all(running);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
