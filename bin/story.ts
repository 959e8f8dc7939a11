/**
 * The story of two owners, over HTTP against a running service, for `npm run demo` and `npm run smoke`. It prints
 * each figure with a mark, and leaves wallets that are empty and, where the token allows it, closed.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { payLater } from './story-later.ts';

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
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A person with a wallet. `available` and `held` are the balance as it must be now. */
interface Holder extends Person {
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

/** Runs the story. Returns the number of wrong figures. Throws when the service gives no answer. */
export async function runStory(stage: Stage): Promise<number> {
  const story = new Story(stage);
  story.chapter(`Ada and Ben each open a wallet in ${stage.currency}`);
  const characters = { ada: await story.openWallet(stage.ada), ben: await story.openWallet(stage.ben) };
  try {
    if (stage.account !== undefined && stage.pays) await moveMoney(story, stage, characters, stage.account);
    else story.chapter('No money moves: an account that takes it back is needed, and a token that may send it there');
    await refuse(story, stage, characters);
  } finally {
    // Also after a request that failed.
    await leaveNothing(story, stage, characters);
  }
  return story.wrong;
}

async function moveMoney(story: Story, stage: Stage, { ada, ben }: Characters, account: string): Promise<void> {
  const { unit, operator } = stage;
  story.chapter(`A payment provider was paid ${story.money(100 * unit)} by Ada: an operator charges her wallet`);
  const charge = { amount: 100 * unit, externalReference: 'invoice 1' };
  const charged = await story.post(operator, `/wallets/${ada.walletId}/charge`, charge);
  story.check('answered', charged.status, 201);
  ada.available += 100 * unit;
  await story.checkBalances(ada, ben);

  story.chapter(
    `Ada sends Ben ${story.money(30 * unit)}, and her client repeats the request because it lost the answer`,
  );
  const key = randomUUID();
  const transfer = (amount: number) =>
    story.post(ada.token, `/wallets/${ada.walletId}/transfer`, { amount, toWalletId: ben.walletId }, key);
  const sent = await transfer(30 * unit);
  const repeated = await transfer(30 * unit);
  story.check('first answer', sent.status, 201);
  story.check('repetition is marked', repeated.headers.get('idempotency-replayed'), 'true');
  story.check('same transaction', repeated.body['transactionId'], sent.body['transactionId']);
  ada.available -= 30 * unit;
  ben.available += 30 * unit;
  await story.checkBalances(ada, ben);

  story.chapter('The same key with another amount is refused');
  const reused = await transfer(31 * unit);
  story.check('code', reused.body['code'], 'idempotency_key_reused');

  const isSimulated = account.startsWith('SIM-');
  const ending = isSimulated ? '; the bank fails twice before it pays' : '';
  story.chapter(`Ada withdraws ${story.money(20 * unit)}${ending}`);
  const paid = await story.withdraw(ada, 20 * unit, isSimulated ? 'SIM-FLAKY' : account);
  story.check('in the end', paid['status'], 'completed');
  if (isSimulated) story.check('attempts', (paid['attempts'] as unknown[]).length, 3);
  ada.available -= 20 * unit;
  await story.checkBalances(ada, ben);

  if (isSimulated) {
    story.chapter(`Ben withdraws ${story.money(10 * unit)}; the bank rejects it, and the money is back`);
    const failed = await story.withdraw(ben, 10 * unit, 'SIM-REJECT');
    story.check('in the end', failed['status'], 'failed');
    await story.checkBalances(ada, ben);
  }

  story.chapter('Ada reads her receipt and her history');
  const receipt = await story.get(ada.token, `/receipts/${String(sent.body['receiptCode'])}`);
  story.check('receipt', receipt.body['transactionId'], sent.body['transactionId']);
  const history = await story.get(ada.token, `/wallets/${ada.walletId}/transactions?limit=3`);
  const types = (history.body['items'] as { type: string }[]).map(({ type }) => type);
  story.check('newest first', types.join(', '), 'withdrawal, transfer, charge');

  await promiseMoney(story, unit, { ada, ben });
  await giveMoneyBack(story, unit, { ada, ben }, String(sent.body['transactionId']));
  await payLater(story, unit, { ada, ben });
  if (stage.limits) await limitMoney(story, stage, { ada, ben });
}

/** Holds money of Ada for Ben, who takes a part of it and releases the rest. */
async function promiseMoney(story: Story, unit: number, { ada, ben }: Characters): Promise<void> {
  story.chapter(`Ada promises Ben up to ${story.money(25 * unit)} for an order: her money is held for an hour`);
  const opening = { amount: 25 * unit, toWalletId: ben.walletId, expiresAt: inAnHour() };
  const hold = await story.post(ada.token, `/wallets/${ada.walletId}/holds`, opening);
  story.check('answered', hold.status, 201);
  story.check('status', hold.body['status'], 'open');
  ada.available -= 25 * unit;
  ada.held += 25 * unit;
  await story.checkBalances(ada, ben);

  const path = `/holds/${String(hold.body['transactionId'])}`;
  try {
    story.chapter(`Ben delivers a part of the order, and captures ${story.money(15 * unit)}`);
    const captured = await story.post(ben.token, `${path}/capture`, { amount: 15 * unit });
    story.check('answered', captured.status, 201);
    ada.held -= 15 * unit;
    ben.available += 15 * unit;
    await story.checkBalances(ada, ben);

    story.chapter('He tries to capture more than is left');
    const tooMuch = await story.post(ben.token, `${path}/capture`, { amount: 10 * unit + 1 });
    story.check('code', tooMuch.body['code'], 'exceeds_hold');
  } finally {
    // Also after a request that failed: held money could not be paid out at the end.
    story.chapter('He cannot deliver the rest, and releases it: the money is available to Ada again');
    const released = await story.post(ben.token, `${path}/release`, { reason: 'sold out' });
    story.check('status', released.body['status'], 'ended');
    ada.available += ada.held;
    ada.held = 0;
  }
  await story.checkBalances(ada, ben);
}

/** Gives Ada a part of her transfer to Ben back, and no more than that. */
async function giveMoneyBack(story: Story, unit: number, { ada, ben }: Characters, transfer: string): Promise<void> {
  story.chapter(`Ben gives ${story.money(10 * unit)} of Ada's first payment back`);
  const path = `/transactions/${transfer}/refund`;
  const refunded = await story.post(ben.token, path, { amount: 10 * unit, reason: 'a part was missing' });
  story.check('answered', refunded.status, 201);
  ben.available -= 10 * unit;
  ada.available += 10 * unit;
  await story.checkBalances(ada, ben);
  const payment = await story.get(ada.token, `/transactions/${transfer}`);
  story.check('refunded, on the payment', payment.body['refunded'], 10 * unit);

  story.chapter('He tries to give back more than is left of it');
  const tooMuch = await story.post(ben.token, path, { amount: 20 * unit + 1, reason: 'a mistake' });
  story.check('code', tooMuch.body['code'], 'exceeds_refundable');
}

/** Limits what Ada may send, and lets her try to send more. */
async function limitMoney(story: Story, { unit, operator }: Stage, { ada, ben }: Characters): Promise<void> {
  const most = 20 * unit;
  story.chapter(`An operator limits each payment of Ada to ${story.money(most)}`);
  const set = (limits: object) =>
    story.put(operator, `/wallets/${ada.walletId}/limits`, { reason: 'the story of the demo', limits });
  const limited = await set({ out: { perTransaction: most } });
  story.check('answered', limited.status, 200);
  try {
    story.chapter(`Ada has ${story.money(ada.available)}, and tries to send ${story.money(most + 1)}`);
    const body = { amount: most + 1, toWalletId: ben.walletId };
    const refused = await story.post(ada.token, `/wallets/${ada.walletId}/transfer`, body);
    story.check('code', refused.body['code'], 'limit_exceeded');
    story.check('limit', refused.body['limit'], 'out.perTransaction');
    story.check('left', refused.body['left'], most);
  } finally {
    // Also after a request that failed: all money is paid out at the end.
    const free = await set({});
    story.check('limits are removed', free.status, 200);
  }
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

async function refuse(story: Story, stage: Stage, { ada, ben }: Characters): Promise<void> {
  story.chapter('Ada tries to send more than she has');
  const tooMuch = { amount: ada.available + 1, toWalletId: ben.walletId };
  const overdraft = await story.post(ada.token, `/wallets/${ada.walletId}/transfer`, tooMuch);
  story.check('code', overdraft.body['code'], stage.pays ? 'insufficient_funds' : 'forbidden');
  await story.checkBalances(ada, ben);

  if (ben.token === ada.token) {
    story.chapter("A caller without a token cannot see Ada's wallet");
    const stranger = await story.get(undefined, `/wallets/${ada.walletId}`);
    story.check('code', stranger.body['code'], 'unauthorized');
  } else {
    story.chapter("Ben cannot see Ada's wallet");
    const stranger = await story.get(ben.token, `/wallets/${ada.walletId}`);
    story.check('code', stranger.body['code'], 'wallet_not_found');
  }
}

/** Pays out the money that is in the wallets, whatever went before, and closes them. */
async function leaveNothing(story: Story, stage: Stage, { ada, ben }: Characters): Promise<void> {
  if (stage.account !== undefined && stage.pays) {
    story.chapter('Both withdraw all that is left');
    for (const person of [ada, ben]) {
      const { available } = await story.balanceOf(person);
      const paid = available > 0 ? await story.withdraw(person, available, stage.account) : undefined;
      if (paid !== undefined) story.check('in the end', paid['status'], 'completed');
      person.available = 0;
    }
    await story.checkBalances(ada, ben);
  }
  if (!stage.closes) {
    story.chapter('The token may close no wallet: both remain, and the next run uses them again');
    return;
  }
  story.chapter('An operator closes both wallets');
  for (const { name, walletId } of [ada, ben]) {
    const closed = await story.post(stage.operator, `/wallets/${walletId}/close`, {});
    story.check(`${name}'s wallet`, closed.body['status'], 'closed');
  }
}

/** Sends the requests of the story, prints what it checks, and counts what is wrong. */
export class Story {
  wrong = 0;
  readonly #baseUrl: string;
  readonly #currency: string;
  readonly #digits: number;

  constructor({ baseUrl, currency }: Stage) {
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
