/**
 * Sends a request until it has an answer. A command is repeated with the same Idempotency-Key, so it is carried out at
 * most once, however often it is sent.
 */
import { defectOfJson, isJson, problemIn, textOf } from './bodies.ts';
import { backoffMs } from './clock.ts';
import type { Clock } from './clock.ts';
import { NoAnswerError, WalletClientError, WalletServiceError } from './errors.ts';

/** How long the client goes on with one request. */
export interface Retries {
  /**
   * The time in which a further attempt may begin. 0 means one attempt.
   * @default 60,000
   */
  readonly totalMs?: number | undefined;
  /**
   * The time that one attempt may take. A gateway of AWS answers within 29 seconds.
   * @default 30,000
   */
  readonly attemptMs?: number | undefined;
}

/** Facts about the answer to a command that its body does not have. */
export interface Answer {
  readonly status: number;
  /** The Idempotency-Key of the command. */
  readonly key: string | undefined;
  /** Whether the service had carried the command out before this request. */
  readonly replayed: boolean;
  /** The number of requests that were sent. */
  readonly attempts: number;
}

/** The surroundings of a sender. */
export interface SenderOptions {
  readonly fetch: typeof fetch;
  /** Returns the bearer token for an attempt; undefined for requests without one. */
  readonly token: () => Promise<string | undefined>;
  readonly totalMs: number;
  readonly attemptMs: number;
  readonly clock: Clock;
}

/** Settings of one request. */
export interface SendOptions {
  /** Sends the request once, without retries. */
  readonly once?: boolean;
  /** A status of an error whose body is an answer. */
  readonly accepts?: number;
  readonly onAnswer?: ((answer: Answer) => void) | undefined;
}

/** Sends a request, with retries. Returns its answer, which is no refusal. Throws the errors of the client. */
export type Send = (request: Request, options?: SendOptions) => Promise<Response>;

/** The service may still carry out an earlier request for this time after the last request with its key. */
const finalAfterMs = 10_000;
const firstDelayMs = 250;
const longestDelayMs = 8_000;

/** The outcome of an attempt. */
type Outcome =
  | { readonly kind: 'answered'; readonly response: Response; readonly text: string | null }
  | { readonly kind: 'lost'; readonly cause: unknown };

/** What is known about the attempts before. */
interface Progress {
  attempts: number;
  /** When an attempt last ended without a certain answer, epoch ms. */
  uncertainAt: number | undefined;
}

/** What to do about an outcome. `waitMs` leads to another attempt. */
type Step =
  | { readonly kind: 'return'; readonly response: Response }
  | { readonly kind: 'throw'; readonly error: Error }
  | { readonly kind: 'repeat'; readonly waitMs: number; readonly orElse: Error };

/** Returns a function that sends requests. */
export function sender(options: SenderOptions): Send {
  const { clock } = options;
  return async (request, { once = false, accepts, onAnswer } = {}) => {
    const { signal } = request;
    const key = request.headers.get('Idempotency-Key') ?? undefined;
    // Not by `request.body`, which Firefox does not have.
    const body = (await request.text()) || undefined;
    const until = once ? 0 : clock.now() + options.totalMs;
    const progress: Progress = { attempts: 0, uncertainAt: undefined };
    for (;;) {
      signal.throwIfAborted();
      progress.attempts += 1;
      const outcome = await attempt(request, body, options, progress);
      if (outcome.kind === 'lost') signal.throwIfAborted();
      const step = stepAfter(outcome, { key, accepts }, progress, clock);
      if (step.kind === 'throw') throw step.error;
      if (step.kind === 'return') {
        const { status, headers } = step.response;
        const replayed = headers.get('Idempotency-Replayed') === 'true';
        onAnswer?.({ status, key, replayed, attempts: progress.attempts });
        return step.response;
      }
      if (clock.now() + step.waitMs > until) throw step.orElse;
      await clock.sleep(step.waitMs, signal);
    }
  };
}

/** Sends the request once, and reads the whole answer: a body that breaks off is no answer. */
async function attempt(
  request: Request,
  body: string | undefined,
  { fetch, token, attemptMs }: SenderOptions,
  progress: Progress,
): Promise<Outcome> {
  const headers = new Headers(request.headers);
  const key = request.headers.get('Idempotency-Key') ?? undefined;
  const bearer = await token()
    .then((found) => sendable(found, key))
    .catch((cause: unknown) => {
      // After a lost answer the caller must get the key, too.
      if (progress.uncertainAt === undefined) throw cause;
      throw new NoAnswerError(key, progress.attempts - 1, cause);
    });
  if (bearer !== undefined) headers.set('Authorization', `Bearer ${bearer}`);
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers,
      ...(body !== undefined && { body }),
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(attemptMs)]),
      // No route redirects. A POST that is redirected may become a GET.
      redirect: 'error',
    });
    const hasBody = request.method !== 'HEAD' && response.status !== 204 && response.status !== 304;
    return { kind: 'answered', response, text: hasBody ? await textOf(response) : null };
  } catch (cause) {
    return { kind: 'lost', cause };
  }
}

/** Returns a token as a header takes it. The error of the platform for any other would show the token. */
function sendable(token: string | undefined, key: string | undefined): string | undefined {
  if (token === undefined || /^[\u0021-\u007e]+$/.test(token)) return token;
  throw new WalletClientError('the token is empty, or has a character that no token has', key);
}

/** The parts of a request that the next step depends on. */
interface Asked {
  readonly key: string | undefined;
  readonly accepts: number | undefined;
}

/** Decides what to do after an attempt. */
function stepAfter(outcome: Outcome, { key, accepts }: Asked, progress: Progress, clock: Clock): Step {
  const { attempts } = progress;
  const delayMs = backoffMs(attempts, firstDelayMs, longestDelayMs, clock.random());
  // A request without a key leaves nothing that could be carried out later.
  const doubt = (): void => {
    if (key !== undefined) progress.uncertainAt = clock.now();
  };
  const lose = (cause: unknown): Step => {
    doubt();
    return { kind: 'repeat', waitMs: delayMs, orElse: new NoAnswerError(key, attempts, cause) };
  };
  if (outcome.kind === 'lost') return lose(outcome.cause);
  const { response, text } = outcome;
  const { status, headers } = response;
  const problem = problemIn(text);
  if (response.ok || status === 304 || (status === accepts && problem.code === undefined && isJson(headers))) {
    // Each command is answered as JSON: other content is of a page between client and service.
    if (key !== undefined && !isJson(headers)) return lose(new Error(`the answer ${status} has no JSON`));
    const defect = text !== null && isJson(headers) ? defectOfJson(text) : undefined;
    if (defect) return lose(defect);
    return { kind: 'return', response: answerWith(text, status, headers) };
  }
  const uncertainBefore = progress.uncertainAt;
  if (status >= 500) doubt();
  const refusal = new WalletServiceError(problem, {
    status,
    key,
    retryAfterMs: retryAfterMsOf(headers, clock.now()),
    isFinal: status < 500 && (uncertainBefore === undefined || isAfter(uncertainBefore, status, clock.now())),
  });
  if (status === 502 || status === 504) return lose(refusal);
  if (status === 429 || status >= 500) {
    return { kind: 'repeat', waitMs: Math.max(delayMs, refusal.retryAfterMs ?? 0), orElse: refusal };
  }
  // 401 and 403 say nothing about earlier requests, however often they are repeated.
  if (refusal.isFinal || status === 401 || status === 403) return { kind: 'throw', error: refusal };
  const waitMs = (uncertainBefore ?? 0) + finalAfterMs - clock.now();
  return { kind: 'repeat', waitMs, orElse: refusal };
}

/** Returns whether a refusal shows that no earlier request was or will be carried out. */
function isAfter(uncertainAt: number, status: number, now: number): boolean {
  if (status === 401 || status === 403 || status === 429) return false;
  return now >= uncertainAt + finalAfterMs;
}

/** Returns an answer with a body that was read. Its length and coding were those of the transfer. */
function answerWith(text: string | null, status: number, headers: Headers): Response {
  const kept = new Headers(headers);
  for (const name of ['Content-Length', 'Content-Encoding', 'Transfer-Encoding']) kept.delete(name);
  return new Response(text, { status, headers: kept });
}

/** Returns the wait that `Retry-After` asks for, in seconds or as a date. */
function retryAfterMsOf(headers: Headers, now: number): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
