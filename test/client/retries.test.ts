import { describe, expect, it } from '@jest/globals';
import { NoAnswerError, WalletServiceError } from '../../client/src/index.ts';
import type { Answer } from '../../client/src/index.ts';
import { json, refusal, scriptedClient, transaction } from './scripted.ts';
import type { Scripted, ScriptedClient } from './scripted.ts';

const body = { amount: 100, toWalletId: 'w_2' };
const lost = new TypeError('fetch failed');
const keysOf = ({ received }: ScriptedClient) => received.map(({ headers }) => headers.get('Idempotency-Key'));
const timesOf = ({ received }: ScriptedClient) => received.map(({ at }) => at);

function brokenBody(): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      controller.error(lost);
    },
  });
}

const ofJson = { 'Content-Type': 'application/json' };

function endlessBody(): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(1 << 20));
    },
  });
}

/** Transfers, and returns the result or the error. */
async function transfer(scripted: ScriptedClient, options = {}): Promise<unknown> {
  return scripted.client
    .wallet('w_1')
    .transfer(body, options)
    .catch((error: unknown) => error);
}

describe('a command that has an answer', () => {
  it('sends token, key, body and preferences', async () => {
    const scripted = scriptedClient([json(201, transaction)]);
    expect(await transfer(scripted, { key: 'rent-1', wait: 5, async: true })).toEqual(transaction);
    const [request] = scripted.received;
    expect(request).toMatchObject({ method: 'POST', url: 'https://wallet.example/prod/wallets/w_1/transfer' });
    expect(JSON.parse(request!.body!)).toEqual(body);
    expect(Object.fromEntries(request!.headers)).toMatchObject({
      authorization: 'Bearer secret-token',
      'content-type': 'application/json',
      'idempotency-key': 'rent-1',
      prefer: 'respond-async, wait=5',
    });
  });

  it('has a key of its own for each call, and one that the caller gives as it is', async () => {
    const scripted = scriptedClient([json(201, transaction)]);
    await transfer(scripted);
    await transfer(scripted);
    await transfer(scripted, { key: ' mine ' });
    const [first, second, third] = keysOf(scripted);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(third).toBe('mine');
  });

  it('reports whether it is a repetition', async () => {
    const seen: Answer[] = [];
    const scripted = scriptedClient([lost, json(201, transaction, { 'Idempotency-Replayed': 'true' })]);
    await transfer(scripted, { key: 'k', onAnswer: (answer: Answer) => seen.push(answer) });
    expect(seen).toEqual([{ status: 201, key: 'k', replayed: true, attempts: 2 }]);
  });
});

describe('a command without a certain answer', () => {
  it.each<[string, Scripted]>([
    ['an error of the network', lost],
    ['a time-out', new DOMException('timed out', 'TimeoutError')],
    ['502', new Response('<html>', { status: 502 })],
    ['504', json(504, { message: 'Endpoint request timed out' })],
    ['500', refusal(500, 'internal_error')],
    ['a body that breaks off', () => new Response(brokenBody(), { status: 201 })],
    ['a page of another server', new Response('<html>sign in', { status: 200 })],
    ['a body that was cut', new Response('{"transactionId":"tx_', { status: 201, headers: ofJson })],
    ['an empty body', new Response('', { status: 201, headers: ofJson })],
    ['a body that is no object', new Response('null', { status: 201, headers: ofJson })],
    ['a body without end', () => new Response(endlessBody(), { status: 201, headers: ofJson })],
    ['the errors of another server', json(502, { code: 502, errors: { a: 1 }, detail: {} })],
    ['errors of no known shape', json(500, { code: 'internal_error', errors: { a: 1 }, detail: {} })],
  ])('is repeated with the same key after %s', async (_name, answer) => {
    const scripted = scriptedClient([answer, answer, json(201, transaction)]);
    expect(await transfer(scripted)).toEqual(transaction);
    expect(scripted.received).toHaveLength(3);
    expect(new Set(keysOf(scripted)).size).toBe(1);
    expect(timesOf(scripted)).toEqual([0, 250, 750]);
  });

  it('ends after the total time with an error that has the key', async () => {
    const scripted = scriptedClient([lost]);
    const error = await transfer(scripted, { key: 'k' });
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ key: 'k', cause: lost });
    expect(scripted.now()).toBeLessThanOrEqual(60_000);
    expect(scripted.now()).toBeGreaterThan(50_000);
  });

  it.each(['secret\ntoken', 'secret tok\u0000en', ''])(
    'is not sent with the token %j, and no error shows it',
    async (token) => {
      const scripted = scriptedClient([json(201, transaction)], { token });
      const error = (await transfer(scripted, { key: 'k' })) as Error;
      expect(error).toMatchObject({ name: 'WalletClientError', key: 'k' });
      expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
      expect(scripted.received).toHaveLength(0);
    },
  );

  it('is sent once when no time is given to retries', async () => {
    const scripted = scriptedClient([lost], { retries: { totalMs: 0 } });
    expect(await transfer(scripted)).toBeInstanceOf(NoAnswerError);
    expect(scripted.received).toHaveLength(1);
  });

  it('takes an attempt as lost when the time of one is over', async () => {
    const scripted = scriptedClient([json(201, transaction)], {
      retries: { attemptMs: 5, totalMs: 0 },
      fetch: ((_url: string, { signal }: RequestInit) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        })) as typeof fetch,
    });
    expect(await transfer(scripted)).toMatchObject({ name: 'NoAnswerError', cause: { name: 'TimeoutError' } });
  });

  it('gives the key to the caller when no token can be had for a retry', async () => {
    const tokens = ['first'];
    const token = () => tokens.pop() ?? Promise.reject(new Error('the issuer is down'));
    const error = await transfer(scriptedClient([lost], { token }), { key: 'k' });
    expect(error).toMatchObject({ name: 'NoAnswerError', key: 'k', cause: { message: 'the issuer is down' } });
  });
});

describe('a refusal', () => {
  it.each([400, 401, 403, 404, 409, 413, 415, 422])('%i is not repeated', async (status) => {
    const scripted = scriptedClient([refusal(status, 'some_code')]);
    const error = await transfer(scripted);
    expect(error).toBeInstanceOf(WalletServiceError);
    expect(error).toMatchObject({ status, code: 'some_code', requestId: 'r-1', isFinal: true });
    expect(scripted.received).toHaveLength(1);
  });

  it.each([429, 503])('%i is repeated after the time that it asks for', async (status) => {
    const scripted = scriptedClient([refusal(status, 'busy', { 'Retry-After': '7' }), json(201, transaction)]);
    expect(await transfer(scripted)).toEqual(transaction);
    expect(timesOf(scripted)).toEqual([0, 7_000]);
    expect(new Set(keysOf(scripted)).size).toBe(1);
  });

  it('is thrown at once when it asks for more time than is left', async () => {
    const scripted = scriptedClient([refusal(429, 'rate_limited', { 'Retry-After': '1800' })]);
    expect(await transfer(scripted)).toMatchObject({ code: 'rate_limited', retryAfterMs: 1_800_000, isFinal: true });
    expect(scripted.received).toHaveLength(1);
  });

  it('after a lost answer is asked for again when no earlier request can be carried out any more', async () => {
    const scripted = scriptedClient([lost, refusal(422, 'insufficient_funds'), refusal(422, 'insufficient_funds')]);
    expect(await transfer(scripted)).toMatchObject({ code: 'insufficient_funds', isFinal: true });
    expect(timesOf(scripted)).toEqual([0, 250, 10_000]);
  });

  it('after a lost answer gives way to the result of the earlier request', async () => {
    const replay = json(201, transaction, { 'Idempotency-Replayed': 'true' });
    const scripted = scriptedClient([refusal(503, 'busy'), refusal(422, 'insufficient_funds'), replay]);
    expect(await transfer(scripted)).toEqual(transaction);
  });

  it('after a lost answer is not final when the time is over before', async () => {
    const scripted = scriptedClient([lost, refusal(422, 'insufficient_funds')], { retries: { totalMs: 5_000 } });
    expect(await transfer(scripted)).toMatchObject({ code: 'insufficient_funds', isFinal: false });
  });

  it.each([401, 403])('%i after a lost answer says nothing about it', async (status) => {
    const scripted = scriptedClient([lost, refusal(status, 'some_code')]);
    expect(await transfer(scripted)).toMatchObject({ status, isFinal: false });
    expect(scripted.received).toHaveLength(2);
  });

  it('of something in front of the service has no code of it', async () => {
    const scripted = scriptedClient([new Response('<html>', { status: 403 })]);
    expect(await transfer(scripted)).toMatchObject({ code: 'unknown', status: 403 });
  });
});

describe('a signal', () => {
  it('ends the retries with its reason', async () => {
    const abort = new AbortController();
    const scripted = scriptedClient([
      () => {
        abort.abort(new Error('enough'));
        throw lost;
      },
    ]);
    expect(await transfer(scripted, { signal: abort.signal })).toMatchObject({ message: 'enough' });
    expect(scripted.received).toHaveLength(1);
  });

  it('does not take away an answer that has come', async () => {
    const abort = new AbortController();
    const scripted = scriptedClient([
      () => {
        abort.abort();
        return json(201, transaction);
      },
    ]);
    expect(await transfer(scripted, { signal: abort.signal })).toEqual(transaction);
  });
});
