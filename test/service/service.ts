/** The running service for tests over HTTP: the deployed template, in memory, on its own port. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { startLocalService } from '../../bin/local-service.ts';
import type { LocalService, LocalServiceOptions } from '../../bin/local-service.ts';
import { assertDocumented } from '../documented.ts';
import { shared } from '../shared.ts';

/** An answer. `body` is parsed JSON, or an empty object when there was none. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: unknown;
  /** Sent unchanged, in place of `body`. */
  readonly raw?: string | Uint8Array;
  /** @default a new one for each POST; null sends none */
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
}

/**
 * The function that sends a request. It fails when the answer does not match docs/openapi.json. It retries a `busy`
 * answer with the same key, as the documents advise clients. On an overloaded machine a request may outlast the time
 * budget of the service.
 */
export type Request = (path: string, options?: RequestOptions) => Promise<Answer>;

/** The service at any address, with an issuer that gives every token. */
export interface Deployed {
  readonly baseUrl: string;
  readonly token: LocalService['token'];
  /** Returns a sender with a token of this client and these scopes. */
  readonly as: (clientId: string, scope: string) => Promise<Request>;
  /** Returns a sender with this Authorization header, or none. */
  readonly withAuthorization: (authorization: string | undefined) => Request;
  /** Creates an end user with a wallet that has this much money, in minor units of a dollar. */
  readonly newUser: (amount?: number) => Promise<{ ask: Request; walletId: string; ownerId: string }>;
  readonly operator: Request;
}

/** The service in the runner. */
export interface Service extends Deployed {
  readonly runner: LocalService;
}

/** Returns the option for the stack that the files of a run share; nothing when a file is started without a run. */
export function stackOfRun(): Pick<LocalServiceOptions, 'stack'> {
  const stack = process.env[shared.assembly];
  return stack === undefined ? {} : { stack };
}

/**
 * Starts the service; it stops after the tests of the file. The simulated bank is fast and fails only by its settings.
 */
export async function startService(options: LocalServiceOptions = {}): Promise<Service> {
  const runner = await startLocalService({
    memory: true,
    // On an overloaded machine a request waits for as long as the gateway does.
    longestWaitMs: 29_000,
    bank: { latencyMs: 5, failureRate: 0 },
    ...stackOfRun(),
    ...options,
  });
  afterAll(() => runner.stop());
  return { ...(await openCallers(runner)), runner };
}

/**
 * Returns the service at `ACCEPTANCE_URL` with the issuer at `ACCEPTANCE_ISSUER`, or starts one. Files in deployed/ call
 * it, and use the runner only to check more than answers show.
 */
export async function findService(): Promise<Deployed & { readonly runner?: LocalService }> {
  const { ACCEPTANCE_URL: baseUrl, ACCEPTANCE_ISSUER: issuer, ACCEPTANCE_PARALLEL: parallel } = process.env;
  if (!baseUrl || !issuer) return startService();
  return openCallers({
    baseUrl,
    atOnce: Number(parallel),
    async token({ clientId, scope = '', expiresIn = 3_600 }) {
      const form = { grant_type: 'client_credentials', client_id: clientId, scope, expires_in: String(expiresIn) };
      const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      assert.ok(token, `the issuer answers ${response.status}`);
      return token;
    },
  });
}

interface Address extends Pick<Deployed, 'baseUrl' | 'token'> {
  /**
   * Requests that are under way at the same time.
   * @default without a limit
   */
  readonly atOnce?: number;
}

async function openCallers({ baseUrl, token, atOnce = Infinity }: Address): Promise<Deployed> {
  const inTurn = newTurns(atOnce);
  const withAuthorization =
    (authorization: string | undefined): Request =>
    async (path, { method, body, raw, key, headers = {} } = {}) => {
      const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const verb = method ?? (text === undefined ? 'GET' : 'POST');
      const sent = {
        method: verb,
        headers: {
          ...(authorization !== undefined && { Authorization: authorization }),
          ...(text !== undefined && { 'Content-Type': 'application/json' }),
          ...(['POST', 'PUT', 'PATCH'].includes(verb) && key !== null && { 'Idempotency-Key': key ?? randomUUID() }),
          ...headers,
        },
        ...(text !== undefined && { body: text }),
      };
      const ask = async (): Promise<Answer> => {
        const { response, answer } = await inTurn(async () => {
          const received = await fetch(`${baseUrl}${path}`, sent);
          return { response: received, answer: await received.text() };
        });
        const { status } = response;
        assertDocumented({ method: verb, path, sent: text?.toString(), status, headers: response.headers, answer });
        return {
          status,
          headers: response.headers,
          body: (answer === '' ? {} : JSON.parse(answer)) as Answer['body'],
        };
      };
      return until(ask, (answer) => answer.body['code'] !== 'busy');
    };
  const as = async (clientId: string, scope: string) => withAuthorization(`Bearer ${await token({ clientId, scope })}`);
  const operator = await as('operator', 'wallet:operate');
  return {
    baseUrl,
    token,
    as,
    withAuthorization,
    operator,
    async newUser(amount = 0) {
      const ownerId = `user-${randomUUID()}`;
      const ask = await as(ownerId, 'wallet:read wallet:write');
      const { body } = await ask('/wallets', { body: { currency: 'USD' } });
      const walletId = String(body['walletId']);
      if (amount > 0) await operator(`/wallets/${walletId}/charge`, { body: { amount } });
      return { ask, walletId, ownerId };
    },
  };
}

/** Returns a function that runs at most `count` works at the same time; the others wait for their turn. */
function newTurns(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** Repeats the request until `done`, for at most a minute. Returns the last answer. */
export async function until(ask: () => Promise<Answer>, done: (answer: Answer) => boolean): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (done(answer) || Date.now() > deadline) return answer;
    await sleep(50);
  }
}

/** Waits until the transaction has ended or is in review. Returns it. */
export function untilEnded(ask: Request, transactionId: string): Promise<Answer> {
  return until(
    () => ask(`/transactions/${transactionId}`),
    ({ body }) => ['completed', 'failed', 'review'].includes(body['status'] as string),
  );
}

/** Returns the number of answers by status and code, as `201` or `422 insufficient_funds`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = typeof body['code'] === 'string' ? `${status} ${body['code']}` : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
