/** A service that answers as a test says, and a clock that a test moves: for the tests of the client. */
import { createWalletClient } from '../../client/src/index.ts';
import type { WalletClient, WalletClientOptions } from '../../client/src/index.ts';

/** A request as the service got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  /** Time since the first request, ms. */
  readonly at: number;
}

/** An answer: a response, or an error of the network. */
export type Scripted = Response | Error | ((request: Received) => Response | Promise<Response>);

/** A client with what it did. */
export interface ScriptedClient {
  readonly client: WalletClient;
  readonly received: Received[];
  readonly now: () => number;
}

/** Returns a client whose requests get these answers in turn; the last one again and again. Waits take no time. */
export function scriptedClient(
  answers: readonly Scripted[],
  options: Partial<WalletClientOptions> = {},
): ScriptedClient {
  let now = 1_000_000;
  const begin = now;
  const received: Received[] = [];
  const clock = {
    now: () => now,
    sleep(delayMs: number, signal?: AbortSignal | null): Promise<void> {
      now += delayMs;
      signal?.throwIfAborted();
      return Promise.resolve();
    },
    random: () => 0,
  };
  const answer = async (url: string, init: RequestInit): Promise<Response> => {
    const answerOfTurn = answers[Math.min(received.length, answers.length - 1)]!;
    const request = {
      method: init.method ?? 'GET',
      url,
      headers: new Headers(init.headers),
      body: init.body as string | undefined,
      at: now - begin,
    };
    received.push(request);
    if (answerOfTurn instanceof Error) throw answerOfTurn;
    return typeof answerOfTurn === 'function' ? answerOfTurn(request) : answerOfTurn.clone();
  };
  const client = createWalletClient({
    url: 'https://wallet.example/prod',
    token: 'secret-token',
    fetch: answer as typeof fetch,
    clock,
    ...options,
  });
  return { client, received, now: () => now - begin };
}

/** Returns an answer with a JSON body. */
export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

/** Returns a refusal with this code. */
export function refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Response {
  const body = { type: 'about:blank', title: code, status, code, requestId: 'r-1' };
  return json(status, body, { 'Content-Type': 'application/problem+json', ...headers });
}

export const transaction = { transactionId: 'tx_1', receiptCode: 'RCP-1', type: 'transfer', status: 'completed' };
