/** What the parts of the client share: the typed routes, keys, and the settings of a call. */
import type { Client } from 'openapi-fetch';
import type { Clock } from './clock.ts';
import type { paths } from './openapi.generated.ts';
import { pagesOf } from './pages.ts';
import type { Page, Pages } from './pages.ts';
import type { Answer, Send } from './retries.ts';

/** Settings of a read. */
export interface CallOptions {
  /** Ends the call, its waits and its retries. */
  readonly signal?: AbortSignal | undefined;
}

/** Settings of a command. */
export interface CommandOptions extends CallOptions {
  /**
   * The Idempotency-Key, which names this command for ever. Give one of your own that outlives your process, such as the
   * number of an invoice: then a command can be repeated after a crash.
   * @default a new one for each call
   */
  readonly key?: string | undefined;
  /** Called with the facts about the answer, before the call returns. */
  readonly onAnswer?: ((answer: Answer) => void) | undefined;
}

/** Settings of a command that the service ends later. */
export interface WaitingOptions extends CommandOptions {
  /** Waits up to so many seconds, at most 20, for the end of the transaction. */
  readonly wait?: number | undefined;
}

/** The typed routes of the document, with token, retries and typed errors. */
export type Http = Client<paths>;

/** The parts of a client that send requests. */
export interface Transport {
  readonly http: Http;
  readonly send: Send;
  readonly clock: Clock;
}

/** An answer of the typed routes. A refusal was thrown before. */
interface Answered<T> {
  readonly data?: T;
  readonly response: Response;
}

/** Returns the body of an answer. */
export async function dataOf<T>(answer: Promise<Answered<T>>): Promise<T> {
  return (await answer).data as T;
}

/** The parts of a command's call that do not depend on its route. */
export interface CommandCall {
  readonly key: string;
  readonly header: { readonly 'Idempotency-Key': string; readonly Prefer?: string };
  readonly init: { readonly signal?: AbortSignal; readonly fetch: (request: Request) => Promise<Response> };
}

/** Returns the parts of a command's call, with a new key where the caller gives none. */
export function commandCall(
  { send }: Transport,
  options: WaitingOptions = {},
  prefer: readonly string[] = [],
): CommandCall {
  const { key = crypto.randomUUID(), signal, onAnswer, wait } = options;
  const preferences = [...prefer, ...(wait === undefined ? [] : [`wait=${wait}`])];
  return {
    key,
    header: { 'Idempotency-Key': key, ...(preferences.length > 0 && { Prefer: preferences.join(', ') }) },
    init: { ...(signal && { signal }), fetch: (request) => send(request, { onAnswer }) },
  };
}

/** Returns the signal of a call, as a member that is absent where there is none. */
export function signalOf({ signal }: CallOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Returns a list over the function that reads a page with these query parameters. */
export function listOf<T, Query extends CallOptions>(
  options: Query,
  read: (
    query: Omit<Query, 'signal'> & { cursor?: string },
    init: { signal?: AbortSignal },
  ) => Promise<Answered<Page<T>>>,
): Pages<T> {
  const { signal, ...query } = options;
  return pagesOf((cursor) => dataOf(read({ ...query, ...(cursor !== undefined && { cursor }) }, signalOf({ signal }))));
}
