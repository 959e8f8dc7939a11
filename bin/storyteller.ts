/** The teller of the story of `npm run demo` and `npm run smoke`: it sends requests, and prints figures with a mark. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** An owner of the story. */
export interface Person {
  readonly name: string;
  readonly token: string;
  /**
   * The owner of the wallet, for a token that opens wallets for others.
   * @default the caller itself
   */
  readonly ownerId?: string | undefined;
  /**
   * The idempotency key of the wallet's opening. The same key opens the same wallet each time.
   * @default a new one
   */
  readonly walletKey?: string | undefined;
}

/** The surroundings of the story. */
export interface Stage {
  readonly baseUrl: string;
  readonly ada: Person;
  readonly ben: Person;
  /** The token that charges wallets and closes them. */
  readonly operator: string;
  readonly currency: string;
  /** Minor units in one percent of the charge. */
  readonly unit: number;
  /**
   * The bank account that takes all money at the end. One that begins with `SIM-` means the simulated bank, whose
   * failures the story shows too. Without an account, or when nothing `pays`, no money moves.
   */
  readonly account: string | undefined;
  /** Whether the tokens of Ada and Ben may take money out of their wallets. */
  readonly pays: boolean;
  /** Whether `operator` may close wallets. */
  readonly closes: boolean;
  /** Whether `operator` may set the limits of the wallets. */
  readonly limits: boolean;
  /** Whether `operator` may send batches, where the service has them. */
  readonly batches: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A person with a wallet. `available` and `held` are the balance as it must be now. */
export interface Holder extends Person {
  readonly walletId: string;
  available: number;
  held: number;
}

/** The two owners. */
export interface Characters {
  readonly ada: Holder;
  readonly ben: Holder;
}

const withdrawalPatienceMs = 120_000;
const requestTimeoutMs = 15_000;
/** Tries of one request. They have the same key, so money moves once. */
const tries = 5;

/** Sends the requests of the story, prints what it checks, and counts what is wrong. */
export class Story {
  wrong = 0;
  readonly #baseUrl: string;
  readonly #currency: string;
  readonly #digits: number;

  constructor({ baseUrl, currency }: Pick<Stage, 'baseUrl' | 'currency'>) {
    this.#baseUrl = baseUrl;
    this.#currency = currency;
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    this.#digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  }

  chapter(title: string): void {
    console.log(`\n${title}`);
  }

  check(subject: string, actual: unknown, expected: unknown): void {
    const right = actual === expected;
    if (!right) this.wrong++;
    console.log(`  ${right ? '✓' : '✗'} ${subject}: ${String(actual)}${right ? '' : `, must be ${String(expected)}`}`);
  }

  money(amount: number): string {
    return (amount / 10 ** this.#digits).toFixed(this.#digits);
  }

  async openWallet(person: Person): Promise<Holder> {
    const { name, token, ownerId, walletKey } = person;
    const opening = { currency: this.#currency, ...(ownerId !== undefined && { ownerId }) };
    const { status, body } = await this.post(token, '/wallets', opening, walletKey);
    this.check(`${name} has a wallet`, status, 201);
    if (status !== 201) throw new Error(`${name} has no wallet: ${JSON.stringify(body)}`);
    const walletId = String(body['walletId']);
    console.log(`    … ${walletId}`);
    // A wallet of an earlier run may still have money.
    const holder = { ...person, walletId, available: 0, held: 0 };
    return { ...holder, available: (await this.balanceOf(holder)).available };
  }

  async balanceOf({ token, walletId }: Holder): Promise<{ available: number; held: number }> {
    const { body } = await this.get(token, `/wallets/${walletId}/balance?consistent=true`);
    return { available: Number(body['available']), held: Number(body['held']) };
  }

  /** Returns the most that a wallet can pay out together with the fee of it. */
  async mostToWithdraw(holder: Holder, account: string): Promise<number> {
    const { available: amount } = await this.balanceOf(holder);
    if (amount <= 0) return 0;
    const body = { amount, destination: { account }, dryRun: true };
    const asked = await this.post(holder.token, `/wallets/${holder.walletId}/withdraw`, body);
    // A smaller amount has no larger fee.
    return amount - feeOf(asked.body);
  }

  async checkBalances(...holders: readonly Holder[]): Promise<void> {
    const text = (available: number, held: number) => `${this.money(available)} available, ${this.money(held)} held`;
    for (const holder of holders) {
      const { available, held } = await this.balanceOf(holder);
      this.check(`${holder.name}'s balance`, text(available, held), text(holder.available, holder.held));
    }
  }

  /** Withdraws, and returns the transaction at its end, or as it is when that takes too long. */
  async withdraw({ token, walletId }: Holder, amount: number, account: string): Promise<Answer['body']> {
    const accepted = await this.post(token, `/wallets/${walletId}/withdraw`, { amount, destination: { account } });
    this.check('answered at once', accepted.status, 202);
    this.check('status', accepted.body['status'], 'pending');
    const deadline = Date.now() + withdrawalPatienceMs;
    let seen = '';
    for (;;) {
      const { body } = await this.get(token, `/transactions/${String(accepted.body['transactionId'])}`);
      const attempts = (body['attempts'] as unknown[] | undefined)?.length ?? 0;
      const now = `${String(body['status'])}, ${attempts} visits to the bank`;
      if (now !== seen) console.log(`    … ${now}`);
      seen = now;
      if (body['completedAt'] !== undefined || body['status'] === 'review' || Date.now() > deadline) return body;
      await sleep(200);
    }
  }

  /** Returns a resource when it is completed, or as it is when that takes too long. */
  async untilCompleted(token: string, path: string): Promise<Answer['body']> {
    const deadline = Date.now() + withdrawalPatienceMs;
    for (;;) {
      const { body } = await this.get(token, path);
      if (body['completedAt'] !== undefined || Date.now() > deadline) return body;
      await sleep(200);
    }
  }

  /** Returns the id of the transaction that the first line of a batch has made. */
  async firstOf(token: string, path: string): Promise<string> {
    const { body } = await this.get(token, `${path}/items?limit=1`);
    return String((body['items'] as { transactionId: string }[])[0]?.transactionId);
  }

  /** Waits until queued transfers have arrived, or until that takes too long. */
  async untilArrived(holder: Holder): Promise<void> {
    const deadline = Date.now() + withdrawalPatienceMs;
    while ((await this.balanceOf(holder)).available < holder.available && Date.now() < deadline) await sleep(200);
  }

  /** Sends a file with a value on each line. */
  postLines(token: string, path: string, lines: readonly object[]): Promise<Answer> {
    const headers = { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': randomUUID() };
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    return this.#send(token, path, { method: 'POST', headers, body });
  }

  post(token: string, path: string, body: object, key: string = randomUUID()): Promise<Answer> {
    return this.#command('POST', token, path, body, key);
  }

  put(token: string, path: string, body: object): Promise<Answer> {
    return this.#command('PUT', token, path, body, randomUUID());
  }

  #command(method: string, token: string, path: string, body: object, key: string): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
    return this.#send(token, path, { method, headers, body: JSON.stringify(body) });
  }

  get(token: string | undefined, path: string): Promise<Answer> {
    return this.#send(token, path, {});
  }

  /** Sends a request until it has a definite answer, as a careful client does. */
  async #send(token: string | undefined, path: string, { headers, ...request }: RequestInit): Promise<Answer> {
    for (let left = tries; ; left--) {
      try {
        const response = await fetch(this.#baseUrl + path, {
          ...request,
          headers: { ...(token !== undefined && { Authorization: `Bearer ${token}` }), ...(headers as object) },
          signal: AbortSignal.timeout(requestTimeoutMs),
        });
        const text = await response.text();
        const isDefinite = response.status < 500 && response.status !== 429;
        if (isDefinite || left === 1) {
          return { status: response.status, headers: response.headers, body: JSON.parse(text) as Answer['body'] };
        }
      } catch (error) {
        if (left === 1) throw new Error(`${path} was not answered`, { cause: error });
      }
      await sleep(1_000);
    }
  }
}

/** Returns the fee of a transaction, as it is shown to the side that pays it; 0 where there is none. */
export function feeOf(transaction: Answer['body']): number {
  return Number(transaction['fee'] ?? 0);
}
