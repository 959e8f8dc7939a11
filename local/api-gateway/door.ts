/** The public port: the one that callers of the API know. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestHandler } from './gateway.ts';

/** Another process listens on the port. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
}

export interface Door {
  readonly baseUrl: string;
  readonly port: number;
  /** Answers requests with `handler`; until then they get a 503. */
  readonly open: (handler: RequestHandler) => void;
  /** Takes no further request and waits for the answers under way. */
  readonly drain: () => Promise<void>;
  readonly close: () => void;
}

/** Takes the port, or a free one for 0. Throws PortInUseError. */
export async function openDoor(port: number): Promise<Door> {
  const running = new Set<Promise<void>>();
  let handler: RequestHandler | undefined;
  const server = createServer((request, response) => {
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
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} is in use: stop what listens there, or choose another: --port ${port + 1}`;
      reject(error.code === 'EADDRINUSE' ? new PortInUseError(taken) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    baseUrl: `http://127.0.0.1:${bound}`,
    port: bound,
    open(next) {
      handler = next;
    },
    async drain() {
      handler = undefined;
      server.close();
      await Promise.all(running);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
