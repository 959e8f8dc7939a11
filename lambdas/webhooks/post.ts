import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Outcome } from '../domain/webhook.ts';
import { AddressRefused, defectOf, isLoopback, publicLookup } from './target.ts';
import type { Resolve, Targets } from './target.ts';

/** Time for the whole of a delivery, from the look-up of the name to the status of the answer, ms. */
const timeoutMs = 10_000;
/** Most bytes of an answer that are read. They are dropped: only the status counts. */
const mostAnswerBytes = 1_024;

/** A body to send, with its headers. */
export interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The connections of one turn. */
export interface Poster {
  readonly post: (message: Message) => Promise<Outcome>;
  readonly close: () => void;
}

/** The network of a turn. It connects only to addresses that `lookup` returns. */
export interface Wire {
  readonly send: (url: URL, message: Omit<Message, 'url'>) => Promise<Outcome>;
  readonly close: () => void;
}

export type OpenWire = (lookup: LookupFunction, options: PosterOptions) => Wire;

export interface PosterOptions {
  readonly targets: Targets;
  /** Most connections to a host. */
  readonly connections: number;
  /** Resolves names. Absent: by the name servers of this machine. */
  readonly resolve?: Resolve | undefined;
  readonly timeoutMs?: number | undefined;
  /** Absent: HTTP. */
  readonly openWire?: OpenWire | undefined;
}

/** Returns connections that reach permitted receivers only, and follow no redirect. They are kept until `close`. */
export function openPoster(options: PosterOptions): Poster {
  const { targets, resolve, openWire = openHttp } = options;
  const wire = openWire(publicLookup(resolve), options);
  return {
    post: ({ url, ...message }) => {
      // Checked again: the endpoint may come from a release with other rules. An address in the URL is not looked up.
      if (defectOf(url, targets) !== undefined) return Promise.resolve({ failure: 'address_refused' });
      return wire.send(new URL(url), message);
    },
    close: wire.close,
  };
}

function openHttp(
  lookup: LookupFunction,
  { targets, connections, timeoutMs: limitMs = timeoutMs }: PosterOptions,
): Wire {
  const agents = {
    'https:': new https.Agent({ keepAlive: true, maxSockets: connections, lookup }),
    'http:': new http.Agent({ keepAlive: true, maxSockets: connections }),
  };
  return {
    send(url, { headers, body }) {
      const request = isLoopback(url, targets)
        ? http.request(url, { method: 'POST', headers, agent: agents['http:'] })
        : https.request(url, { method: 'POST', headers, agent: agents['https:'] });
      return sent(request, body, limitMs);
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Sends a request. Returns its outcome, and leaves no request open. */
function sent(request: http.ClientRequest, body: string, limitMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome: Outcome | undefined;
    const end = (found: Outcome) => {
      clearTimeout(timer);
      outcome ??= found;
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      end({ failure: 'timeout' });
      request.destroy();
    }, limitMs);
    request.on('error', (error) => {
      end({ failure: error instanceof AddressRefused ? 'address_refused' : 'no_connection' });
    });
    request.on('response', (response) => {
      outcome = { status: response.statusCode ?? 0 };
      const decided = outcome;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > mostAnswerBytes) request.destroy();
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        end(decided);
      });
    });
    // A switch of protocols is no answer to a delivery, and nothing else would end it.
    request.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      end({ status: statusCode });
    });
    request.end(body);
  });
}
