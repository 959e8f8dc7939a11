import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Payment } from '../lambdas/bank/client.ts';
import { checkSignature, signatureHeader, timestampHeader } from '../lambdas/bank/signature.ts';
import { openBankBook, type BankBook, type BookEntry } from './bank-book.ts';

const settingsSchema = z.strictObject({
  latencyMs: z.int().min(0).max(60_000),
  failureRate: z.number().min(0).max(1),
  down: z.boolean(),
  bareRefusals: z.boolean(),
  findDelayMs: z.int().min(0).max(600_000),
  lostAnswerMs: z.int().min(0).max(60_000),
});

/** How the simulated bank behaves; may change at any time. */
export interface BankSettings {
  /**
   * How long a call takes, in milliseconds; half of it passes before the bank decides and half after.
   * @default 1000
   */
  latencyMs: number;
  /**
   * Share of calls for ordinary destinations that fail for a while: half of them are refused with 503 before any work,
   * a quarter lose the request, a quarter lose the answer.
   * @default 0.3
   */
  failureRate: number;
  /**
   * Answers everything with 503.
   * @default false
   */
  down: boolean;
  /**
   * Refuses with a bare 503, which leaves open whether the payment was taken.
   * @default false: with the code `not_accepted` and the payment
   */
  bareRefusals: boolean;
  /**
   * For this long after a first submission, in milliseconds, `find` does not know the payment yet.
   * @default 0
   */
  findDelayMs: number;
  /**
   * How long a SIM-TIMEOUT-… call hangs before its connection is cut, in milliseconds.
   * @default 4000, which is longer than the client waits
   */
  lostAnswerMs: number;
}

export interface BankSimulatorOptions extends Partial<BankSettings> {
  /** The keys whose signatures it accepts; asked at each request. */
  readonly keys: () => readonly string[];
  /** @default a free port */
  readonly port?: number;
  /**
   * Seed of the random failures.
   * @default 1
   */
  readonly seed?: number;
  /** @default the book is kept in memory */
  readonly dataFile?: string;
}

export interface BankSimulator {
  readonly url: string;
  readonly port: number;
  /** Every reference that was ever submitted and what became of it. Also at `GET /book`, as `{items}`. */
  book(): BookEntry[];
  /** Also at `PUT /settings`. Takes a `Partial<BankSettings>`, throws a ZodError for anything else; gives all settings. */
  configure(settings: unknown): BankSettings;
  /** Cuts all connections. What was being decided is not paid. */
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * What the bank does with one call. `refuse`: it says before any work that it does not accept the payment. `unavailable`: a
 * bare 503. `lose` and `pay-and-lose` leave the caller without an answer.
 */
type Behaviour = 'pay' | 'reject' | 'refuse' | 'unavailable' | 'lose' | 'pay-and-lose';

/** Destinations that always behave the same, by how their account begins. `nth`: which submission of a reference. */
const testDestinations: Record<string, (nth: number) => Behaviour> = {
  'SIM-OK': () => 'pay',
  'SIM-REJECT': () => 'reject',
  'SIM-FLAKY': (nth) => (nth <= 2 ? 'refuse' : 'pay'),
  'SIM-BARE-503': (nth) => (nth <= 2 ? 'unavailable' : 'pay'),
  'SIM-TIMEOUT-PAID': (nth) => (nth === 1 ? 'pay-and-lose' : 'pay'),
  'SIM-TIMEOUT-LOST': (nth) => (nth === 1 ? 'lose' : 'pay'),
  'SIM-DOWN': () => 'refuse',
};

const paymentSchema = z.strictObject({
  reference: z.string().regex(/^[\w-]{1,64}$/),
  amount: z.int().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/),
  destination: z.strictObject({
    account: z.string().min(1).max(64),
    name: z.string().max(140).exactOptional(),
  }),
});

const statementSchema = z.strictObject({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  after: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
});
/** Payments on a page of a statement; a page stays below the 64 KiB of an answer. */
const statementPage = 250;

/** Starts the simulated bank on 127.0.0.1. Its protocol is docs/bank-protocol.md. */
export async function startBankSimulator(options: BankSimulatorOptions): Promise<BankSimulator> {
  const { keys, port = 0, seed = 1, dataFile, ...given } = options;
  const settings: BankSettings = settingsSchema.parse({
    latencyMs: 1000,
    failureRate: 0.3,
    down: false,
    bareRefusals: false,
    findDelayMs: 0,
    lostAnswerMs: 4000,
    ...given,
  });
  const book = openBankBook(dataFile);
  const stopping = new AbortController();
  const bank = openCounter(book, settings, randomFrom(seed), stopping.signal);

  function configure(changes: unknown): BankSettings {
    return Object.assign(settings, settingsSchema.partial().parse(changes));
  }

  async function answer(request: IncomingMessage): Promise<Reply | 'cut'> {
    const { method = '', url: path = '', headers } = request;
    const body = await readBody(request);
    if (method === 'GET' && path === '/book') return { status: 200, body: { items: book.list() } };
    if (method === 'PUT' && path === '/settings') return { status: 200, body: configure(parse(body)) };
    const submits = method === 'POST' && path === '/payments';
    if (settings.down) return submits ? bank.refuse(paymentSchema.parse(parse(body))) : bank.unavailable();
    const signature = { timestamp: header(headers[timestampHeader]), signature: header(headers[signatureHeader]) };
    const verdicts = keys().map((key) => checkSignature({ method, path, body }, signature, key, Date.now() / 1000));
    const check = verdicts.find((verdict) => verdict !== 'invalid') ?? 'invalid';
    if (check !== 'valid') return problem(401, `signature_${check}`, 'the request is not signed as it must be');
    if (submits) return bank.submit(paymentSchema.parse(parse(body)));
    if (method === 'GET' && path.startsWith('/statement?'))
      return bank.statement(new URL(path, 'http://bank').searchParams);
    const reference = /^\/payments\/([\w-]{1,64})$/.exec(path)?.[1];
    if (method === 'GET' && reference !== undefined) return bank.find(reference);
    return problem(404, 'no_such_route', 'there is nothing here');
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reply = await answer(request).catch(invalid);
      if (reply === 'cut') request.socket.destroy();
      else response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
    } catch {
      // The bank is stopping or the caller has gone.
      request.socket.destroy();
    }
  }

  const server = createServer((request, response) => void serve(request, response));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the bank simulator has no port');

  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    port: address.port,
    book: () => book.list(),
    configure,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      book.close();
    },
  };
}

/** The bank behind the HTTP: it takes its time, fails as it was told to, and pays each reference once. */
function openCounter(book: BankBook, settings: BankSettings, random: () => number, stopping: AbortSignal) {
  /** Submissions on whose payment the bank has not decided yet. */
  const deciding = new Map<symbol, string>();

  const pause = (ms: number) => (ms > 0 ? sleep(ms, undefined, { signal: stopping }) : Promise.resolve());

  async function unavailable(): Promise<Reply> {
    await pause(settings.latencyMs);
    return problem(503, 'unavailable', 'try again later');
  }

  /** Refuses a payment before any work, so that this takes no time. */
  function refuse({ reference, amount, currency }: Payment): Promise<Reply> {
    if (settings.bareRefusals) return unavailable();
    const body = { reference, amount, currency, code: 'not_accepted', message: 'submit it again later' };
    return Promise.resolve({ status: 503, body });
  }

  function ordinary(): Behaviour {
    if (random() >= settings.failureRate) return 'pay';
    const kind = random();
    return kind < 0.5 ? 'refuse' : kind < 0.75 ? 'lose' : 'pay-and-lose';
  }

  async function hang(isTest: boolean): Promise<'cut'> {
    if (isTest) await pause(settings.lostAnswerMs);
    return 'cut';
  }

  /** Synchronous from the look into the book to the entry in it, so that no two calls pay one reference. */
  function decide(reference: string, behaviour: Behaviour): Reply {
    const entry = book.get(reference);
    if (entry?.paidAt !== undefined) return { status: 200, body: receipt(entry) };
    if (entry?.rejection) return { status: 422, body: receipt(entry) };
    if (behaviour === 'reject') {
      const rejection = { code: 'account_closed', message: 'the account of the payee is closed' };
      return { status: 422, body: receipt(book.reject(reference, rejection)) };
    }
    return { status: 201, body: receipt(book.pay(reference)) };
  }

  return {
    unavailable,
    refuse,

    async submit(payment: Payment): Promise<Reply | 'cut'> {
      const { reference } = payment;
      const nth = book.submit(payment)?.submissions;
      if (nth === undefined)
        return problem(409, 'reference_reused', 'the reference belongs to another payment', reference);
      const fixed = testDestination(payment);
      const behaviour = fixed ? fixed(nth) : ordinary();
      if (behaviour === 'refuse') return refuse(payment);
      if (behaviour === 'unavailable') return unavailable();
      if (behaviour === 'lose') return hang(fixed !== undefined);

      const call = Symbol(reference);
      deciding.set(call, reference);
      await pause(settings.latencyMs / 2).finally(() => deciding.delete(call));
      const reply = decide(reference, behaviour);
      if (behaviour === 'pay-and-lose') return hang(fixed !== undefined);
      await pause(settings.latencyMs / 2);
      return reply;
    },

    statement(query: URLSearchParams): Reply {
      const { from, to, after } = statementSchema.parse(Object.fromEntries(query));
      const start = Number(after ?? 0);
      const payments = book.paid(start, statementPage);
      const items = payments
        .filter(({ at }) => at >= from && at < to)
        .map(({ reference, at: paidAt }) => {
          const { amount = 0, currency = '' } = book.get(reference) ?? {};
          return { reference, amount, currency, paidAt };
        });
      const more = payments.length === statementPage;
      return { status: 200, body: { items, next: more ? String(start + statementPage) : undefined } };
    },

    async find(reference: string): Promise<Reply | 'cut'> {
      const entry = book.get(reference);
      const fixed = entry && testDestination(entry);
      const behaviour = fixed?.(Infinity) ?? ordinary();
      if (behaviour === 'refuse') return unavailable();
      if (!fixed && behaviour !== 'pay') return 'cut';
      await pause(settings.latencyMs);
      const now = book.get(reference);
      const isVisible = now && Date.now() - Date.parse(now.submittedAt) >= settings.findDelayMs;
      const isDeciding = [...deciding.values()].includes(reference);
      if (isVisible && (isDeciding || now.paidAt !== undefined || now.rejection))
        return { status: 200, body: receipt(now) };
      return problem(404, 'payment_not_found', 'there is no payment with this reference', reference);
    },
  };
}

function testDestination({ destination }: Payment): ((nth: number) => Behaviour) | undefined {
  return Object.entries(testDestinations).find(([start]) => destination.account.startsWith(start))?.[1];
}

function receipt({ reference, amount, currency, paidAt, rejection }: BookEntry) {
  if (rejection) return { reference, status: 'rejected', amount, currency, ...rejection };
  return { reference, status: paidAt === undefined ? 'processing' : 'paid', amount, currency, paidAt };
}

function problem(status: number, code: string, message: string, reference?: string): Reply {
  return { status, body: { reference, code, message } };
}

function invalid(error: unknown): Reply {
  if (error instanceof z.ZodError || error instanceof SyntaxError)
    return problem(400, 'invalid_request', 'the request does not follow the protocol');
  throw error;
}

function parse(body: Uint8Array): unknown {
  return JSON.parse(Buffer.from(body).toString('utf8'));
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > 65_536) throw new Error('the request is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function header(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Numbers in [0, 1) that depend on nothing but the seed. */
function randomFrom(seed: number): () => number {
  let n = 0;
  return () =>
    createHash('sha256')
      .update(`${String(seed)}/${String(n++)}`)
      .digest()
      .readUInt32BE() /
    2 ** 32;
}
