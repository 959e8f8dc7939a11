import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { checkSignature, signatureHeader, timestampHeader } from '../../lambdas/bank/signature.ts';
import { readBody } from '../http/body.ts';
import { listen, sendJson } from '../http/server.ts';
import { openBankBook } from './bank-book.ts';
import type { BookEntry } from './bank-book.ts';
import { BankCounter, paymentSchema, problem } from './bank-counter.ts';
import type { Reply } from './bank-counter.ts';
import { defaultSettings, settingsSchema } from './bank-settings.ts';
import type { BankSettings } from './bank-settings.ts';

export interface BankSimulatorOptions extends Partial<BankSettings> {
  /** Returns the keys whose signatures the bank accepts. Called at each request. Without keys it is unavailable. */
  readonly keys: () => readonly string[] | Promise<readonly string[]>;
  /** @default a free port */
  readonly port?: number;
  /** A further name of this machine in requests: host.docker.internal. */
  readonly host?: string | undefined;
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
  /** Returns the record of every reference that was ever submitted. Also at `GET /book`, as `{items}`. */
  book(): BookEntry[];
  /** Sets a `Partial<BankSettings>`, and returns all settings. Throws ZodError. Also at `PUT /settings`. */
  configure(settings: unknown): BankSettings;
  /** Cuts all connections. Payments without a decision are not paid. */
  stop(): Promise<void>;
}

const maxBodyBytes = 65_536;

/** Starts the simulated bank on 127.0.0.1. Its protocol is docs/bank-protocol.md. */
export async function startBankSimulator(options: BankSimulatorOptions): Promise<BankSimulator> {
  const { keys, port = 0, host, seed = 1, dataFile, ...given } = options;
  const settings: BankSettings = settingsSchema.parse({ ...defaultSettings, ...given });
  const book = openBankBook(dataFile);
  const stopping = new AbortController();
  const bank = new BankCounter({ book, settings, seed, stopping: stopping.signal });

  function configure(changes: unknown): BankSettings {
    return Object.assign(settings, settingsSchema.partial().parse(changes));
  }

  async function answer(request: IncomingMessage): Promise<Reply | 'cut'> {
    const { method = '', url: path = '', headers } = request;
    const body = await readBody(request, maxBodyBytes);
    if (body === 'too long') throw new Error('the request is too long');
    if (method === 'GET' && path === '/book') return { status: 200, body: { items: book.list() } };
    if (method === 'PUT' && path === '/settings') return { status: 200, body: configure(parse(body)) };
    const submits = method === 'POST' && path === '/payments';
    if (settings.down) return submits ? bank.refuse(paymentSchema.parse(parse(body))) : bank.unavailable();
    const signature = { timestamp: header(headers[timestampHeader]), signature: header(headers[signatureHeader]) };
    const accepted = await Promise.resolve(keys()).catch(() => []);
    if (accepted.length === 0) return bank.unavailable();
    const verdicts = accepted.map((key) => checkSignature({ method, path, body }, signature, key, Date.now() / 1000));
    const check = verdicts.find((verdict) => verdict !== 'invalid') ?? 'invalid';
    if (check !== 'valid') return problem(401, `signature_${check}`, 'the request is not signed as it must be');
    if (submits) return bank.submit(paymentSchema.parse(parse(body)));
    if (method === 'GET' && path.startsWith('/statement?')) {
      return bank.statement(new URL(path, 'http://bank').searchParams);
    }
    const reference = /^\/payments\/([\w-]{1,64})$/.exec(path)?.[1];
    if (method === 'GET' && reference !== undefined) return bank.find(reference);
    return problem(404, 'no_such_route', 'there is nothing here');
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reply = await answer(request).catch(invalid);
      if (reply === 'cut') request.socket.destroy();
      else sendJson(response, reply.status, reply.body);
    } catch {
      // The bank is stopping or the caller has gone.
      request.socket.destroy();
    }
  }

  const server = await listen(port, host);
  server.open(serve);

  return {
    url: server.url,
    port: server.port,
    book: () => book.list(),
    configure,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await server.close();
      book.close();
    },
  };
}

function invalid(error: unknown): Reply {
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return problem(400, 'invalid_request', 'the request does not follow the protocol');
  }
  throw error;
}

function parse(body: Buffer): unknown {
  return JSON.parse(body.toString());
}

function header(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
