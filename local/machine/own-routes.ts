/** Routes on the public port that this machine answers itself, beside those of the template's API. */
import type { IncomingMessage } from 'node:http';
import { readBody } from '../http/body.ts';
import { refusalOfPage } from '../http/callers.ts';

export interface OwnRequest {
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  /** Returns the body; the empty text for one that is too long. */
  readonly text: () => Promise<string>;
  /** Returns the body's JSON; undefined for anything else. */
  readonly json: () => Promise<unknown>;
}

export interface OwnAnswer {
  readonly status: number;
  readonly body: object;
}

export interface OwnRoute {
  /** `GET /local/functions` */
  readonly route: string;
  /** Its purpose, in one line. */
  readonly about: string;
  readonly answer: (request: OwnRequest) => OwnAnswer | Promise<OwnAnswer>;
}

export interface OwnRoutes {
  add(...routes: readonly OwnRoute[]): void;
  list(): OwnRoute[];
  /** Returns the answer to a request; undefined for a route that is not one of these. */
  answer(request: IncomingMessage): Promise<OwnAnswer> | undefined;
}

const defaultLimit = 100;
const maxLimit = 1000;
const maxBodyBytes = 16_384;

export function createOwnRoutes(): OwnRoutes {
  const routes = new Map<string, OwnRoute>();
  return {
    add(...added) {
      for (const one of added) routes.set(one.route, one);
    },
    list: () => [...routes.values()],
    answer(request) {
      const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
      const found = routes.get(`${request.method ?? 'GET'} ${path}`);
      if (!found) return undefined;
      const refusal = request.method === 'GET' ? undefined : refusalOfPage(request.headers);
      return Promise.resolve(refusal ? { status: 403, body: refusal } : found.answer(ownRequest(request, query)));
    },
  };
}

export function ok(body: object): OwnAnswer {
  return { status: 200, body };
}

export function bad(message: string): OwnAnswer {
  return { status: 400, body: { message } };
}

/** Answers with the newest `?limit=` items, 100 without one. */
export function listed(query: URLSearchParams, list: (limit: number) => readonly object[]): OwnAnswer {
  const limit = Number(query.get('limit') ?? defaultLimit);
  const isValid = Number.isInteger(limit) && limit >= 1 && limit <= maxLimit;
  return isValid ? ok({ items: list(limit) }) : bad(`limit must be a number from 1 to ${maxLimit}`);
}

function ownRequest(request: IncomingMessage, query: string): OwnRequest {
  const text = async (): Promise<string> => {
    const body = await readBody(request, maxBodyBytes);
    return body === 'too long' ? '' : body.toString();
  };
  return {
    query: new URLSearchParams(query),
    authorization: request.headers.authorization,
    text,
    json: async () => parse(await text()),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
