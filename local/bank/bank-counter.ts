/** The simulated bank behind the HTTP: it takes its time, fails by its settings, and pays each reference once. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Payment } from '../../lambdas/bank/answers.ts';
import type { BankBook, BookEntry } from './bank-book.ts';
import type { BankSettings } from './bank-settings.ts';

/** An answer of the bank's protocol. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * The bank's behaviour at one call. `refuse` answers before any work that the payment is not accepted. `unavailable` is a
 * bare 503. `lose` and `pay-and-lose` leave the caller without an answer. `process` never decides.
 */
type Behaviour = 'pay' | 'reject' | 'process' | 'refuse' | 'unavailable' | 'lose' | 'pay-and-lose';

/** Behaviours by the beginning of the destination's account. `nth` is the number of the submission of a reference, from 1. */
const testDestinations: Record<string, (nth: number) => Behaviour> = {
  'SIM-OK': () => 'pay',
  'SIM-REJECT': () => 'reject',
  'SIM-FLAKY': (nth) => (nth <= 2 ? 'refuse' : 'pay'),
  'SIM-BARE-503': (nth) => (nth <= 2 ? 'unavailable' : 'pay'),
  'SIM-TIMEOUT-PAID': (nth) => (nth === 1 ? 'pay-and-lose' : 'pay'),
  'SIM-TIMEOUT-LOST': (nth) => (nth === 1 ? 'lose' : 'pay'),
  'SIM-PROCESSING': () => 'process',
  'SIM-DOWN': () => 'refuse',
};

/** The body of a submission. */
export const paymentSchema = z.strictObject({
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

export interface BankCounterOptions {
  readonly book: BankBook;
  /** Read at each call. */
  readonly settings: BankSettings;
  /** Seed of the random failures. */
  readonly seed: number;
  /** Ends all calls with an AbortError. */
  readonly stopping: AbortSignal;
}

/** The bank's side of its protocol. The answer `cut` is a connection that ends without an answer. */
export class BankCounter {
  readonly #book: BankBook;
  readonly #settings: BankSettings;
  readonly #stopping: AbortSignal;
  readonly #random: () => number;
  /** References of the submissions whose payment is not decided yet. */
  readonly #deciding = new Map<symbol, string>();

  constructor({ book, settings, seed, stopping }: BankCounterOptions) {
    this.#book = book;
    this.#settings = settings;
    this.#stopping = stopping;
    this.#random = randomFrom(seed);
  }

  async submit(payment: Payment): Promise<Reply | 'cut'> {
    const { reference } = payment;
    const nth = this.#book.submit(payment)?.submissions;
    if (nth === undefined) {
      return problem(409, 'reference_reused', 'the reference belongs to another payment', reference);
    }
    const fixed = testDestination(payment);
    const behaviour = fixed ? fixed(nth) : this.#randomBehaviour();
    if (behaviour === 'refuse') return this.refuse(payment);
    if (behaviour === 'unavailable') return this.unavailable();
    if (behaviour === 'lose') return this.#hang(fixed !== undefined);
    if (behaviour === 'process') return this.find(reference);

    const call = Symbol(reference);
    this.#deciding.set(call, reference);
    await this.#pause(this.#settings.latencyMs / 2).finally(() => this.#deciding.delete(call));
    const reply = this.#decide(reference, behaviour);
    if (behaviour === 'pay-and-lose') return this.#hang(fixed !== undefined);
    await this.#pause(this.#settings.latencyMs / 2);
    return reply;
  }

  async find(reference: string): Promise<Reply | 'cut'> {
    const entry = this.#book.get(reference);
    const fixed = entry && testDestination(entry);
    const behaviour = fixed?.(Infinity) ?? this.#randomBehaviour();
    if (behaviour === 'refuse') return this.unavailable();
    if (!fixed && behaviour !== 'pay') return 'cut';
    await this.#pause(this.#settings.latencyMs);
    const now = this.#book.get(reference);
    const isVisible = now && Date.now() - Date.parse(now.submittedAt) >= this.#settings.findDelayMs;
    const isDeciding = behaviour === 'process' || [...this.#deciding.values()].includes(reference);
    if (isVisible && (isDeciding || now.paidAt !== undefined || now.rejection)) {
      return { status: 200, body: receipt(now) };
    }
    return problem(404, 'payment_not_found', 'there is no payment with this reference', reference);
  }

  statement(query: URLSearchParams): Reply {
    const { from, to, after } = statementSchema.parse(Object.fromEntries(query));
    const start = Number(after ?? 0);
    const payments = this.#book.paid(start, statementPage);
    const items = payments
      .filter(({ at }) => at >= from && at < to)
      .map(({ reference, at: paidAt }) => {
        const { amount = 0, currency = '' } = this.#book.get(reference) ?? {};
        return { reference, amount, currency, paidAt };
      });
    const more = payments.length === statementPage;
    return { status: 200, body: { items, next: more ? String(start + statementPage) : undefined } };
  }

  /** Refuses a payment before any work, so that this takes no time. */
  refuse({ reference, amount, currency }: Payment): Promise<Reply> {
    if (this.#settings.bareRefusals) return this.unavailable();
    const body = { reference, amount, currency, code: 'not_accepted', message: 'submit it again later' };
    return Promise.resolve({ status: 503, body });
  }

  async unavailable(): Promise<Reply> {
    await this.#pause(this.#settings.latencyMs);
    return problem(503, 'unavailable', 'try again later');
  }

  /** Returns the behaviour of an ordinary destination. */
  #randomBehaviour(): Behaviour {
    if (this.#random() >= this.#settings.failureRate) return 'pay';
    const kind = this.#random();
    return kind < 0.5 ? 'refuse' : kind < 0.75 ? 'lose' : 'pay-and-lose';
  }

  /** Synchronous from the look into the book to the entry in it, so that no two calls pay one reference. */
  #decide(reference: string, behaviour: Behaviour): Reply {
    const entry = this.#book.get(reference);
    if (entry?.paidAt !== undefined) return { status: 200, body: receipt(entry) };
    if (entry?.rejection) return { status: 422, body: receipt(entry) };
    if (behaviour === 'reject') {
      const rejection = { code: 'account_closed', message: 'the account of the payee is closed' };
      return { status: 422, body: receipt(this.#book.reject(reference, rejection)) };
    }
    return { status: 201, body: receipt(this.#book.pay(reference)) };
  }

  async #hang(isTest: boolean): Promise<'cut'> {
    if (isTest) await this.#pause(this.#settings.lostAnswerMs);
    return 'cut';
  }

  #pause(ms: number): Promise<void> {
    return ms > 0 ? sleep(ms, undefined, { signal: this.#stopping }) : Promise.resolve();
  }
}

function testDestination({ destination }: Payment): ((nth: number) => Behaviour) | undefined {
  return Object.entries(testDestinations).find(([start]) => destination.account.startsWith(start))?.[1];
}

function receipt({ reference, amount, currency, paidAt, rejection }: BookEntry) {
  if (rejection) return { reference, status: 'rejected', amount, currency, ...rejection };
  return { reference, status: paidAt === undefined ? 'processing' : 'paid', amount, currency, paidAt };
}

export function problem(status: number, code: string, message: string, reference?: string): Reply {
  return { status, body: { reference, code, message } };
}

/** Returns a source of numbers in [0, 1) that depend only on the seed. */
function randomFrom(seed: number): () => number {
  let n = 0;
  return () =>
    createHash('sha256')
      .update(`${String(seed)}/${String(n++)}`)
      .digest()
      .readUInt32BE() /
    2 ** 32;
}
