import { defaultBreaker, openBreaker, type BreakerSettings, type BreakerState } from './breaker.ts';
import { sign } from './signature.ts';
import type { KeySource, Keys } from './secret.ts';
import { isCode, withoutAccounts } from './words.ts';

export { BankUnavailable } from './breaker.ts';

/** A payment to make. `reference` is the bank's idempotency key; `amount` is in minor units. */
export interface Payment {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly destination: { readonly account: string; readonly name?: string | undefined };
}

/**
 * What the bank said of a payment. `accepted`: it has paid. `rejected`: it has not paid and never will. `unknown`:
 * anything else, and it may have paid; `reason` is for logs and holds nothing from the payment.
 */
export type SubmitOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected'; readonly code: string; readonly message: string }
  | { readonly outcome: 'unknown'; readonly reason: string };

/** As for a submit; `not_found` counts only after the bank's documented window (docs/bank-protocol.md). */
export type FindOutcome = SubmitOutcome | { readonly outcome: 'not_found' };

/** A payment as the bank's statement lists it: made, and when (ISO 8601, by the bank's clock). */
export interface StatementItem {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly paidAt: string;
}

/** A page of a statement; `next` asks for the one behind it. */
export type StatementOutcome =
  | { readonly outcome: 'page'; readonly items: readonly StatementItem[]; readonly next: string | undefined }
  | { readonly outcome: 'unknown'; readonly reason: string };

/** The time in which a submit could begin was over before it did. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
}

/**
 * The bank. Whatever bank and network do is an outcome. The methods reject only with `BankUnavailable` (the breaker
 * is open), with `TooLate`, or with the error of `keys`; nothing was sent then.
 */
export interface BankClient {
  /** @param beginBy latest time, epoch ms, at which to begin with it: reading the key comes first, and may take long */
  submit(payment: Payment, beginBy?: number): Promise<SubmitOutcome>;
  find(payment: Pick<Payment, 'reference' | 'amount' | 'currency'>): Promise<FindOutcome>;
  /**
   * Every payment that was made from `from` (inclusive) to `to` (exclusive; both ISO 8601), oldest first, a page at a
   * time. `after` is the `next` of the page before.
   */
  statement(from: string, to: string, after?: string): Promise<StatementOutcome>;
}

export interface BankOptions {
  /** Base URL; https, or http to a loopback host. */
  readonly url: string;
  /** Called before each call. The keys are tried in turn until the bank accepts the signature of one. */
  readonly keys: KeySource;
  /**
   * Limit of one call, in milliseconds, from connecting to the last byte of the answer.
   * @default 3000
   */
  readonly timeoutMs?: number;
  /** @default see `defaultBreaker` */
  readonly breaker?: BreakerSettings;
  /** Told of each change of the breaker. */
  readonly onBreaker?: (state: BreakerState) => void;
  /** @default the global fetch, which keeps connections alive */
  readonly fetch?: typeof globalThis.fetch;
}

/** Longest answer that is read, in bytes after decompression. */
const maxAnswerBytes = 65_536;

interface SignedRequest {
  readonly method: 'GET' | 'POST';
  /** Behind the base URL, with its query. */
  readonly path: string;
  /** Empty for a GET. */
  readonly body: string;
}

type Answer = { readonly status: number; readonly body: Record<string, unknown> };
type Lost = { readonly lost: string };

/**
 * A client of one bank, with its own breaker. Throws when `url` is not allowed.
 *
 * An outcome is definite only if status, code, reference, amount and currency are all what the protocol says. A proxy's
 * 404, a load balancer's 422, or an answer to a payment that is not quite ours must never end ours.
 */
export function openBank(options: BankOptions): BankClient {
  const base = baseUrl(options.url);
  const { timeoutMs = 3000, breaker = defaultBreaker, onBreaker, fetch = globalThis.fetch } = options;
  const guarded = openBreaker<FindOutcome | StatementOutcome>(breaker, isFailure, (state) => onBreaker?.(state));
  let acceptedKey: string | undefined;
  let refusesAll = false;

  async function exchange(request: SignedRequest, key: string, signal: AbortSignal): Promise<Answer | Lost> {
    const { method, path, body } = request;
    const url = new URL(base + path);
    try {
      const response = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(method === 'POST' && { 'content-type': 'application/json' }),
          ...sign({ method, path: url.pathname + url.search, body }, key, Math.floor(Date.now() / 1000)),
        },
        ...(method === 'POST' && { body }),
        // A redirect would carry the signed payment to a place that nobody has configured.
        redirect: 'manual',
        signal,
      });
      return await readAnswer(response);
    } catch (error) {
      return { lost: signal.aborted ? 'time-out' : connectionProblem(error) };
    }
  }

  function acceptedFirst(keys: Keys): Keys {
    return acceptedKey !== undefined && keys.includes(acceptedKey)
      ? [acceptedKey, ...keys.filter((key) => key !== acceptedKey)]
      : keys;
  }

  /** Makes one call. A refused signature is no work done, so the next key follows at once, within the same time limit. */
  async function exchangeWith(keys: Keys, request: SignedRequest): Promise<Answer | Lost> {
    const signal = AbortSignal.timeout(timeoutMs);
    const [first, ...others] = acceptedFirst(keys);
    let key = first;
    let answer = await exchange(request, key, signal);
    for (const other of others) {
      if (!isRefusedSignature(answer)) break;
      key = other;
      answer = await exchange(request, key, signal);
    }
    if (!('lost' in answer)) {
      refusesAll = answer.status === 401;
      if (!refusesAll && answer.status < 500) acceptedKey = key;
    }
    return answer;
  }

  async function call<T extends FindOutcome | StatementOutcome>(
    request: SignedRequest,
    read: (answer: Answer) => T,
    beginBy = Infinity,
  ): Promise<T | UnknownOutcome> {
    const keys = await options.keys(refusesAll ? 'afresh' : undefined);
    return guarded(async () => {
      // Only now: whoever waits while others try a half-open bank may have waited for long.
      if (Date.now() > beginBy) throw new TooLate('there is no time left for a call to the bank');
      const answer = await exchangeWith(keys, request);
      return 'lost' in answer ? unknown(answer.lost) : read(answer);
    });
  }

  return {
    submit(payment, beginBy) {
      const { reference, amount, currency, destination } = payment;
      const body = JSON.stringify({ reference, amount, currency, destination });
      const request = { method: 'POST', path: '/payments', body } as const;
      return call<SubmitOutcome>(request, (answer) => readSubmit(answer, payment), beginBy);
    },
    find(payment) {
      const path = `/payments/${encodeURIComponent(payment.reference)}`;
      return call({ method: 'GET', path, body: '' }, (answer) => readFind(answer, payment));
    },
    statement(from, to, after) {
      const query = new URLSearchParams({ from, to, ...(after !== undefined && { after }) });
      return call({ method: 'GET', path: `/statement?${query.toString()}`, body: '' }, readStatement);
    },
  };
}

function readSubmit({ status, body }: Answer, payment: Payment): SubmitOutcome {
  if (status !== 200 && status !== 201 && status !== 422) return surprise(status, body);
  if (body['reference'] !== payment.reference) return unknown(`status ${String(status)} for another reference`);
  if (status === 422) return readRejection(body, payment.destination.account) ?? surprise(status, body);
  if (isOther(body, payment)) return unknown(`status ${String(status)} with another amount or currency`);
  return body['status'] === 'paid' ? { outcome: 'accepted' } : surprise(status, body);
}

function readFind({ status, body }: Answer, payment: Pick<Payment, 'reference' | 'amount' | 'currency'>): FindOutcome {
  if (status !== 200 && status !== 404) return surprise(status, body);
  if (body['reference'] !== payment.reference) return unknown(`status ${String(status)} for another reference`);
  if (status === 404) return body['code'] === 'payment_not_found' ? { outcome: 'not_found' } : surprise(status, body);
  if (isOther(body, payment)) return unknown(`status ${String(status)} with another amount or currency`);
  if (body['status'] === 'paid') return { outcome: 'accepted' };
  if (body['status'] === 'processing') return processing;
  return readRejection(body) ?? surprise(status, body);
}

/** Whether the bank knows another payment under this reference. */
function isOther(body: Record<string, unknown>, { amount, currency }: Pick<Payment, 'amount' | 'currency'>): boolean {
  return body['amount'] !== amount || body['currency'] !== currency;
}

/** A statement counts as a whole or not at all: a line that cannot be read may be a payment that nobody knows. */
function readStatement({ status, body }: Answer): StatementOutcome {
  if (status !== 200) return surprise(status, body);
  const { items, next } = body;
  if (!Array.isArray(items) || !items.every(isStatementItem)) return unknown('status 200 without a statement');
  if (next !== undefined && typeof next !== 'string') return unknown('status 200 with another way to go on');
  return { outcome: 'page', items, next };
}

function isStatementItem(item: unknown): item is StatementItem {
  if (typeof item !== 'object' || item === null) return false;
  const { reference, amount, currency, paidAt } = item as Partial<Record<keyof StatementItem, unknown>>;
  return (
    typeof reference === 'string' &&
    Number.isSafeInteger(amount) &&
    typeof currency === 'string' &&
    typeof paidAt === 'string'
  );
}

function readRejection(body: Record<string, unknown>, account?: string): SubmitOutcome | undefined {
  const { status, code, message } = body;
  if (status !== 'rejected' || !isCode(code) || typeof message !== 'string') return undefined;
  return { outcome: 'rejected', code, message: withoutAccounts(message, account) };
}

const processing = { outcome: 'unknown', reason: 'processing' } as const;

/** A bank that is still at work on a payment is well; every other unknown outcome speaks against it. */
function isFailure(outcome: FindOutcome | StatementOutcome): boolean {
  return outcome.outcome === 'unknown' && outcome !== processing;
}

/** Whether the bank has refused a signature before it did any work. A 401 with another code may be a proxy's. */
function isRefusedSignature(answer: Answer | Lost): boolean {
  return !('lost' in answer) && answer.status === 401 && answer.body['code'] === 'signature_invalid';
}

type UnknownOutcome = Extract<SubmitOutcome, { outcome: 'unknown' }>;

function unknown(reason: string): UnknownOutcome {
  return { outcome: 'unknown', reason };
}

function surprise(status: number, { code }: Record<string, unknown>): UnknownOutcome {
  return unknown(`status ${String(status)}${isCode(code) ? ` ${code}` : ''}`);
}

async function readAnswer(response: Response): Promise<Answer | Lost> {
  const status = response.status;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the stream, which closes the connection.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes)
      return { lost: `status ${String(status)} with more than ${String(maxAnswerBytes)} bytes` };
    chunks.push(chunk);
  }
  const body = parseObject(Buffer.concat(chunks).toString('utf8'));
  return body ? { status, body } : { lost: `status ${String(status)} without a JSON object` };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Names the failure by its system code only: a message could quote what was sent. */
function connectionProblem(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? `connection lost (${code})` : 'connection lost';
}

/** The base URL without a slash at its end. */
function baseUrl(url: string): string {
  if (!URL.canParse(url)) throw new Error('the bank url is not a url');
  const { protocol, hostname, origin, pathname, username, password, search, hash } = new URL(url);
  if (username + password + search + hash !== '')
    throw new Error(`the bank url must have no credentials, query or fragment, received one to ${origin}`);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback))
    throw new Error(`the bank url must be https, or http to this machine, received ${protocol}//${hostname}`);
  return origin + pathname.replace(/\/+$/, '');
}
