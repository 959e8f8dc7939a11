import { isBankFailure, isRefusedSignature, readFind, readStatement, readSubmit } from './answers.ts';
import type { Answer, FindOutcome, Lost, Outcome, Payment, StatementOutcome, SubmitOutcome } from './answers.ts';
import { defaultBreaker, openBreaker } from './breaker.ts';
import type { BreakerState } from '../domain/breaker.ts';
import type { BreakerSettings } from './breaker.ts';
import { codeOf, NeverConnected, sendOverHttp, TooLong } from './connection.ts';
import type { Send } from './connection.ts';
import { doubtfulNames, parseExact } from '../domain/json.ts';
import { sign } from './signature.ts';
import type { KeySource, Keys } from './secret.ts';

export { BankUnavailable } from './breaker.ts';

/** A submit did not begin, because its `beginBy` was over. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
}

/**
 * A client of the bank. Each answer and each failure of bank or network is an outcome. The methods reject only with
 * `BankUnavailable` (the breaker is open), `TooLate`, or the error of `keys`. Then nothing was sent.
 */
export interface BankClient {
  /**
   * Submits a payment.
   *
   * @param beginBy latest time to begin the call, epoch ms; reading the keys and waiting for the breaker come first
   */
  submit(payment: Payment, beginBy?: number): Promise<SubmitOutcome>;
  /** Asks the bank for the outcome of a payment. */
  find(payment: Pick<Payment, 'reference' | 'amount' | 'currency'>): Promise<FindOutcome>;
  /**
   * Reads a page of the payments that were made from `from` (inclusive) to `to` (exclusive; both ISO 8601), oldest first.
   *
   * @param after the `next` of the page before; absent for the first page
   */
  statement(from: string, to: string, after?: string): Promise<StatementOutcome>;
  /**
   * Returns whether the breaker is open or half-open: so many of the last calls failed that the bank counts as down.
   */
  isDown(): boolean;
}

export interface BankOptions {
  /** Base URL; https, or http to a loopback host. */
  readonly url: string;
  /** Called before each call. The client signs with one key after the other until the bank accepts a signature. */
  readonly keys: KeySource;
  /**
   * Limit of one call, in milliseconds, from connecting to the last byte of the answer.
   * @default 3000
   */
  readonly timeoutMs?: number;
  /** @default see `defaultBreaker` */
  readonly breaker?: BreakerSettings;
  /** Receives each change of the breaker. */
  readonly onBreaker?: (state: BreakerState) => void;
  /** @default HTTP, over connections that are kept alive */
  readonly send?: Send;
}

interface SignedRequest {
  readonly method: 'GET' | 'POST';
  /** The path after the base URL, with its query. */
  readonly path: string;
  /** Empty for a GET. */
  readonly body: string;
}

/**
 * Opens a client of one bank, with its own breaker.
 *
 * @throws Error when `url` is not allowed
 */
export function openBank(options: BankOptions): BankClient {
  const { timeoutMs = 3000, breaker: settings = defaultBreaker, onBreaker, send = sendOverHttp } = options;
  const bank = { base: baseUrl(options.url), send };
  const breaker = openBreaker<Outcome>(settings, isBankFailure, (state) => onBreaker?.(state));
  let acceptedKey: string | undefined;
  let refusesAll = false;

  function acceptedFirst(keys: Keys): Keys {
    return acceptedKey !== undefined && keys.includes(acceptedKey)
      ? [acceptedKey, ...keys.filter((key) => key !== acceptedKey)]
      : keys;
  }

  /**
   * Makes one call. A refused signature means that the bank did nothing, so the next key follows within the same limit.
   */
  async function exchangeWith(keys: Keys, request: SignedRequest): Promise<Answer | Lost> {
    const signal = AbortSignal.timeout(timeoutMs);
    const endsAt = Date.now() + timeoutMs;
    const [first, ...others] = acceptedFirst(keys);
    let key = first;
    let answer = await exchange(bank, request, key, signal);
    for (const other of others) {
      // If the process was suspended, the timer of the signal is late: so the clock is read, too.
      if (!isRefusedSignature(answer) || Date.now() >= endsAt) break;
      key = other;
      answer = await exchange(bank, request, key, signal);
    }
    if (!('lost' in answer)) {
      refusesAll = answer.status === 401;
      if (!refusesAll && answer.status < 500) acceptedKey = key;
    }
    return answer;
  }

  async function call<T extends Outcome>(
    request: SignedRequest,
    read: (answer: Answer | Lost) => T,
    beginBy = Infinity,
  ): Promise<T> {
    const keys = await options.keys(refusesAll ? 'reload' : undefined);
    return breaker.guard(async () => {
      // Checked here, because a call may have waited long for others that test a half-open bank.
      if (Date.now() > beginBy) throw new TooLate('no time is left for a call to the bank');
      return read(await exchangeWith(keys, request));
    });
  }

  return {
    submit(payment, beginBy) {
      const { reference, amount, currency, destination } = payment;
      const body = JSON.stringify({ reference, amount, currency, destination });
      const request = { method: 'POST', path: '/payments', body } as const;
      return call(request, (answer) => readSubmit(answer, payment), beginBy);
    },
    find(payment) {
      const path = `/payments/${encodeURIComponent(payment.reference)}`;
      return call({ method: 'GET', path, body: '' }, (answer) => readFind(answer, payment));
    },
    statement(from, to, after) {
      const query = new URLSearchParams({ from, to, ...(after !== undefined && { after }) });
      return call({ method: 'GET', path: `/statement?${query.toString()}`, body: '' }, readStatement);
    },
    isDown: () => !breaker.isClosed(),
  };
}

/** Sends one signed request, once. Never throws. */
async function exchange(
  { base, send }: { readonly base: string; readonly send: Send },
  { method, path, body }: SignedRequest,
  key: string,
  signal: AbortSignal,
): Promise<Answer | Lost> {
  const url = new URL(base + path);
  try {
    const { status, text } = await send({
      method,
      url,
      headers: {
        accept: 'application/json',
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...sign({ method, path: url.pathname + url.search, body }, key, Math.floor(Date.now() / 1000)),
      },
      body,
      signal,
    });
    const answer = parseObject(text);
    if (answer !== undefined) return { status, body: answer };
    return { lost: `status ${String(status)} without a JSON object`, sent: true };
  } catch (error) {
    if (error instanceof TooLong) return { lost: error.message, sent: true };
    if (error instanceof NeverConnected) {
      return { lost: signal.aborted ? 'no connection (time-out)' : error.message, sent: false };
    }
    if (signal.aborted) return { lost: 'time-out', sent: true };
    const code = codeOf(error);
    return { lost: code === undefined ? 'connection lost' : `connection lost (${code})`, sent: true };
  }
}

/** Returns undefined also for an object with a name twice: which of the two values is meant is not known. */
function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseExact(text);
    return typeof value === 'object' && value !== null && doubtfulNames(text).length === 0 ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the base URL without a slash at its end. Throws for one that is not allowed. The variable `BANK_PLAIN_HOST`
 * names one more host for http. Only a stack for an emulator sets it (lib/emulator-gaps.ts), whose functions may run in
 * a container and find the bank's machine under another name.
 */
function baseUrl(url: string): string {
  if (!URL.canParse(url)) throw new Error('the bank url is not a url');
  const { protocol, hostname, origin, pathname, username, password, search, hash } = new URL(url);
  if (username + password + search + hash !== '') {
    throw new Error(`the bank url must have no credentials, query or fragment, received one to ${origin}`);
  }
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
  const isPlainHost = isLoopback || hostname === process.env['BANK_PLAIN_HOST'];
  if (protocol !== 'https:' && !(protocol === 'http:' && isPlainHost)) {
    throw new Error(`the bank url must be https, or http to this machine, received ${protocol}//${hostname}`);
  }
  return origin + pathname.replace(/\/+$/, '');
}
