import { mostLegs, mostWallets } from '../lambdas/domain/split.ts';
import { sign } from '../lambdas/bank/signature.ts';
import type { SubmitOutcome } from '../lambdas/bank/client.ts';
import { meter } from './meter.ts';
import type { Usage } from './meter.ts';
import { contextOf, eventOf, operator, request } from './requests.ts';
import type { BenchCaller, BenchRequest } from './requests.ts';
import { bankKey, openRoutes } from './routes.ts';
import type { Handler } from './routes.ts';
import type { Service } from './service.ts';
import { figure, table as tableOf, verdict } from './report.ts';

/** The most that a step may use; an absent member has no budget. */
export type Budget = Partial<Pick<Usage, 'roundTrips' | 'writeUnits' | 'readUnits'>>;

/** The usage of one step of the service. */
export interface Step extends Usage {
  readonly step: string;
  /** Messages sent to a queue. */
  readonly sends: number;
  readonly budget: Budget | undefined;
  readonly within: boolean;
}

/** The most that an end user's rate window adds. */
const rateWindowUnits = 2;
const endUser: BenchCaller = { principal: 'end-user', scopes: 'read write' };
/** An operator who decides about withdrawals that `operator` owns. */
const supervisor: BenchCaller = { principal: 'supervisor', scopes: 'decide' };

/** The routes, and what a step is made of. */
type Bench = ReturnType<typeof openBench>;

/** Wallets that the steps have in common. */
interface Wallets {
  /** The operator's. */
  readonly wallet: string;
  readonly other: string;
  readonly shop: string;
  /** The end user's. */
  readonly mine: string;
}

/**
 * Runs each route and worker once and measures its use of DynamoDB, with the indexes. The figures do not depend on the
 * machine.
 */
export async function measureBudgets(service: Service): Promise<Step[]> {
  const bench = openBench(service);
  await bench.step('create wallet', undefined, () => bench.open());
  await bench.step('create wallet, end user', undefined, () => bench.open(endUser));
  const wallets: Wallets = {
    wallet: await bench.open(),
    other: await bench.open(),
    mine: await bench.open(endUser),
    shop: await bench.open(),
  };
  await measureCharge(bench, wallets);
  await measureWithdrawals(bench, wallets);
  await measureTransfers(bench, wallets);
  await measureHolds(bench, wallets);
  await measureRefunds(bench, wallets);
  await measureSplits(bench, wallets);
  await measureSchedules(bench, wallets);
  await measureBatches(bench, wallets);
  await measureLimits(bench);
  await measureReads(bench, wallets);
  await measureStatus(bench);
  await measureDecisions(bench, wallets);
  await measureBankNotifications(bench, wallets);
  await bench.step('health', undefined, () => bench.get(bench.routes.health, '/health', ''));
  const { sweep } = bench.routes.workers;
  await bench.step('sweeper, nothing due', undefined, () => sweep(0));
  await bench.step('sweeper, all that is open', undefined, () => sweep(120_000));
  return bench.steps;
}

function openBench({ table }: Service) {
  const steps: Step[] = [];
  const messages: string[] = [];
  let keys = 0;
  const routes = openRoutes(table, ({ transactionId }) => messages.push(transactionId));

  async function step(name: string, budget: Budget | undefined, work: () => Promise<unknown>): Promise<void> {
    messages.length = 0;
    const usage = await meter(table.client, work);
    const within = (Object.keys(budget ?? {}) as (keyof Budget)[]).every(
      (kind) => usage[kind] <= (budget?.[kind] ?? 0),
    );
    steps.push({ step: name, ...usage, sends: messages.length, budget, within });
  }

  async function call(handler: Handler, benchRequest: BenchRequest, status: number, caller = operator): Promise<Body> {
    const answer = await handler(eventOf(benchRequest, caller), contextOf('bench'));
    if (answer.statusCode !== status) {
      throw new Error(`${benchRequest.path} answered ${answer.statusCode}: ${answer.body}`);
    }
    return (answer.body === '' ? {} : JSON.parse(answer.body)) as Body;
  }

  /** Sends a request with its own key. */
  function post(handler: Handler, path: string, id: string, status: number, options: PostOptions = {}): Promise<Body> {
    const { caller, key = `key-${keys++}`, method = 'POST', body = {}, headers = {} } = options;
    const benchRequest = request(method, path, { walletId: id, transactionId: id }, { key, body, headers });
    return call(handler, benchRequest, status, caller);
  }

  function get(handler: Handler, path: string, id: string, query?: Record<string, string>): Promise<Body> {
    const parameters = { walletId: id, transactionId: id, receiptCode: id };
    return call(handler, request('GET', path, parameters, query ? { query } : {}), 200);
  }

  /** Opens a wallet and returns its id. */
  async function open(caller = operator): Promise<string> {
    const { walletId = '' } = await post(routes.createWallet, '/wallets', '', 201, {
      caller,
      body: { currency: 'EUR' },
    });
    return walletId;
  }

  const charge = (walletId: string, options: PostOptions) =>
    post(routes.charge, '/wallets/{walletId}/charge', walletId, 201, options);

  /** Returns the id of an accepted withdrawal of 100. */
  async function withdraw(walletId: string, caller = operator): Promise<string> {
    const body = { ...money(100), destination: { account: 'DE89370400440532013000', name: 'Ada Lovelace' } };
    return idIn(await post(routes.withdraw, '/wallets/{walletId}/withdraw', walletId, 202, { caller, body }));
  }

  /** Returns the ids in the messages of the last step. */
  const sent = () => [...messages];

  return { routes, steps, step, call, post, get, open, charge, withdraw, sent };
}

async function measureCharge({ step, charge }: Bench, { wallet, mine }: Wallets): Promise<void> {
  const body = money(1_000_000);
  await step('charge', { roundTrips: 1, writeUnits: 5 }, () => charge(wallet, { body }));
  await charge(mine, { body });
}

async function measureWithdrawals({ step, withdraw, routes }: Bench, { wallet, mine }: Wallets): Promise<void> {
  await step('withdraw, accepted', { roundTrips: 1, writeUnits: 6 }, () => withdraw(wallet));
  await step('withdraw, accepted, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, () =>
    withdraw(mine, endUser),
  );
  const outcomes: readonly (readonly [string, SubmitOutcome])[] = [
    ['paid', { outcome: 'accepted' }],
    ['rejected', { outcome: 'rejected', code: 'account_closed', message: 'The account is closed' }],
    ['put back', { outcome: 'unknown', reason: 'status 503' }],
  ];
  for (const [name, outcome] of outcomes) {
    const id = await withdraw(wallet);
    // The third trip reads whether the wallet is frozen.
    const budget = { roundTrips: 3, writeUnits: 12, readUnits: 1 };
    await step(`withdrawal worker, ${name}`, budget, () => routes.workers.withdrawal(id, outcome));
  }
}

async function measureTransfers({ step, post, routes }: Bench, { wallet, other, mine, shop }: Wallets): Promise<void> {
  const transfer = (from: string, to: string, more: PostOptions = {}) =>
    post(routes.transfer, '/wallets/{walletId}/transfer', from, more.headers ? 202 : 201, {
      body: { ...money(100), toWalletId: to },
      ...more,
    });
  const queued = { headers: { Prefer: 'respond-async' } };
  await step('transfer', { roundTrips: 1, writeUnits: 8 }, () => transfer(wallet, other));
  await step('transfer, end user', { roundTrips: 1, writeUnits: 8 + rateWindowUnits }, () =>
    transfer(mine, other, { caller: endUser }),
  );
  await step('transfer queued, accepted', { roundTrips: 1, writeUnits: 6 }, () => transfer(wallet, shop, queued));
  await step('transfer queued, accepted, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, () =>
    transfer(mine, shop, { ...queued, caller: endUser }),
  );
  for (const size of [1, 10, 99]) {
    const ids: string[] = [];
    for (let n = 0; n < size; n++) ids.push(idIn(await transfer(wallet, shop, queued)));
    // The read of the batch comes before its one write.
    const budget = { roundTrips: 2, writeUnits: 2 + 5 * size };
    await step(`transfer worker, ${size} to one wallet`, budget, () => routes.workers.transfers(ids));
  }
}

async function measureHolds({ step, post, routes }: Bench, { wallet, other, mine }: Wallets): Promise<void> {
  const hold = async (from: string, to: string | undefined, more: PostOptions = {}) => {
    const body = { ...money(100), toWalletId: to, expiresAt: new Date(Date.now() + 90_000).toISOString() };
    return idIn(await post(routes.openHold, '/wallets/{walletId}/holds', from, 201, { body, ...more }));
  };
  const capture = (id: string, body: object) =>
    post(routes.capture, '/holds/{transactionId}/capture', id, 201, { body });
  await step('hold', { roundTrips: 1, writeUnits: 6 }, () => hold(wallet, other));
  await step('hold, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, () =>
    hold(mine, other, { caller: endUser }),
  );
  // An operator captures from the wallets of others. The first trip reads the hold.
  const id = await hold(mine, other);
  await step('capture, a part', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () => capture(id, money(40)));
  await step('capture, final', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () =>
    capture(id, { ...money(10), final: true }),
  );
  const outside = await hold(mine, undefined);
  await step('capture, to the world outside', { roundTrips: 2, writeUnits: 9, readUnits: 1 }, () =>
    capture(outside, money(100)),
  );
  const mineToTake = await hold(wallet, mine);
  await step('capture, final, end user', { roundTrips: 3, writeUnits: 12 + rateWindowUnits, readUnits: 3 }, () =>
    post(routes.capture, '/holds/{transactionId}/capture', mineToTake, 201, { caller: endUser, body: money(100) }),
  );
  const unwanted = await hold(mine, other);
  // The last trip reads the hold at its end.
  await step('release', { roundTrips: 3, writeUnits: 8, readUnits: 2 }, () =>
    post(routes.release, '/holds/{transactionId}/release', unwanted, 200),
  );
}

async function measureRefunds({ step, post, charge, routes }: Bench, { wallet, mine }: Wallets): Promise<void> {
  const pay = async (amount: number) => {
    const body = { ...money(amount), toWalletId: wallet };
    return idIn(await post(routes.transfer, '/wallets/{walletId}/transfer', mine, 201, { body, caller: endUser }));
  };
  const refund = (id: string, body: object = {}) =>
    post(routes.refund, '/transactions/{transactionId}/refund', id, 201, { body: { reason: 'sent back', ...body } });
  // The first trip reads the transaction.
  const id = await pay(1_000);
  await step('refund, a part', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () => refund(id, { amount: 10 }));
  await step('refund, all that is left', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () => refund(id));
  const back = { ...money(100), toWalletId: mine };
  const got = idIn(await post(routes.transfer, '/wallets/{walletId}/transfer', wallet, 201, { body: back }));
  await step('refund, end user', { roundTrips: 3, writeUnits: 12 + rateWindowUnits, readUnits: 3 }, () =>
    post(routes.refund, '/transactions/{transactionId}/refund', got, 201, {
      ...{ caller: endUser, body: { reason: 'sent back' } },
    }),
  );
  const often = await pay(1_000);
  for (let times = 1; times < 100; times++) await refund(often, { amount: 1 });
  await step('refund, the hundredth of one transfer', { roundTrips: 2, writeUnits: 24 }, () => refund(often));
  const charged = idIn(await charge(mine, { body: money(100) }));
  await step('refund of a charge', { roundTrips: 2, writeUnits: 8, readUnits: 1 }, () =>
    refund(charged, { amount: 40 }),
  );
  await step('chargeback', { roundTrips: 2, writeUnits: 8, readUnits: 1 }, () => refund(charged, { chargeback: true }));
}

/** Measures splits: one wallet pays the others. Each leg costs as much as the record of a transfer, and each wallet as much as in one. */
async function measureSplits({ step, post, open, routes }: Bench, { wallet, mine, shop }: Wallets): Promise<void> {
  const split = (from: string, to: readonly string[], caller = operator) => {
    const legs = to.map((toWalletId) => ({ fromWalletId: from, toWalletId, amount: 10 }));
    return post(routes.split, '/transfers', '', 201, { body: { legs }, caller });
  };
  await step('split, 2 legs', { roundTrips: 1, writeUnits: 16, readUnits: 0 }, () => split(wallet, [mine, shop]));
  await step('split, 2 legs, end user', { roundTrips: 1, writeUnits: 16 + rateWindowUnits, readUnits: 0 }, () =>
    split(mine, [wallet, shop], endUser),
  );
  const others: string[] = [];
  for (let n = 0; n < mostWallets - 1; n++) others.push(await open());
  await step('split, 39 legs of 40 wallets', { roundTrips: 1, writeUnits: 238, readUnits: 0 }, () =>
    split(wallet, others),
  );
  const most = [...others, ...others].slice(0, mostLegs);
  await step('split, 50 legs of 40 wallets', { roundTrips: 1, writeUnits: 282, readUnits: 0 }, () =>
    split(wallet, most),
  );
}

/** Measures a transfer for later: its acceptance, and its execution by the worker of transfers. */
async function measureSchedules({ step, post, routes }: Bench, { mine, other }: Wallets): Promise<void> {
  const leadMs = 120_000;
  const body = { ...money(100), toWalletId: other, executeAt: new Date(Date.now() + leadMs).toISOString() };
  let id = '';
  await step('transfer scheduled, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, async () => {
    id = idIn(await post(routes.transfer, '/wallets/{walletId}/transfer', mine, 202, { body, caller: endUser }));
  });
  // Its place in the history and in the index of open work moves to the time of its execution.
  await step('transfer worker, a scheduled one', { roundTrips: 3, writeUnits: 8 + 7, readUnits: 1 }, () =>
    routes.workers.transfers([id], leadMs + 1_000),
  );
}

/** Payments that one write of a batch makes. */
export const linesOfWrite = 99;

/** Measures a batch of transfers from one wallet to as many others: its acceptance, its worker, and that of the transfers. */
async function measureBatches({ step, call, open, routes, sent }: Bench, { wallet }: Wallets): Promise<void> {
  const lines: object[] = [];
  for (let n = 0; n < linesOfWrite; n++) {
    const line = { ...money(10), key: `line-${n}`, type: 'transfer', walletId: wallet, toWalletId: await open() };
    lines.push(line);
  }
  const headers = { 'Idempotency-Key': 'payroll', 'Content-Type': 'application/x-ndjson' };
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  await step('batch of 99 transfers', { roundTrips: 1, writeUnits: 11 }, () =>
    call(routes.createBatch, request('POST', '/batches', {}, { headers, text }), 202),
  );
  const [batch = ''] = sent();
  await step('batch worker, 99 transfers', { writeUnits: 2 + 4 * linesOfWrite + 9 }, () => routes.workers.batch(batch));
  const ids = sent();
  if (ids.length !== linesOfWrite) throw new Error(`the batch has sent ${ids.length} messages`);
  await step('transfer worker, 99 to as many wallets', { writeUnits: 7 * linesOfWrite }, () =>
    routes.workers.transfers(ids),
  );
}

/** Measures commands of wallets with every limit. Only the first command of a function that has not met the wallet costs more. */
async function measureLimits({ step, post, open, charge, withdraw, routes }: Bench): Promise<void> {
  const [payer, receiver] = [await open(), await open()];
  const flow = { perTransaction: 1_000_000, perDay: 5_000_000, perMonth: 20_000_000 };
  const limits = { out: flow, in: flow, minimumBalance: 0, maximumBalance: 90_000_000 };
  const body = { reason: 'A new customer, case 4711', limits, version: 0 };
  const limit = (walletId: string) =>
    post(routes.setLimits, '/wallets/{walletId}/limits', walletId, 200, { method: 'PUT', caller: supervisor, body });
  const transfer = () =>
    post(routes.transfer, '/wallets/{walletId}/transfer', payer, 201, {
      body: { ...money(100), toWalletId: receiver },
    });
  await charge(payer, { body: money(1_000_000) });
  await step('set limits', { roundTrips: 2, writeUnits: 4 }, () => limit(payer));
  await limit(receiver);
  await step('transfer, both limited, first of a function', { roundTrips: 2 }, transfer);
  await step('transfer, both limited', { roundTrips: 1, writeUnits: 8 }, transfer);
  await step('charge, limited', { roundTrips: 1, writeUnits: 5 }, () => charge(receiver, { body: money(100) }));
  await step('withdraw, accepted, limited', { roundTrips: 1, writeUnits: 6 }, () => withdraw(payer));
}

async function measureReads({ step, charge, get, routes }: Bench, { wallet }: Wallets): Promise<void> {
  const replayed = { key: 'replayed', body: money(100) };
  const { receiptCode = '', transactionId = '' } = await charge(wallet, replayed);
  await step('charge, replayed', { roundTrips: 1 }, () => charge(wallet, replayed));
  const balance = '/wallets/{walletId}/balance';
  await step('balance', { roundTrips: 1, readUnits: 0.5 }, () => get(routes.getBalance, balance, wallet));
  await step('balance, consistent', { roundTrips: 1, readUnits: 1 }, () =>
    get(routes.getBalance, balance, wallet, { consistent: 'true' }),
  );
  await step('wallet', undefined, () => get(routes.getWallet, '/wallets/{walletId}', wallet));
  await step('wallets of a caller', undefined, () => get(routes.listWallets, '/wallets', ''));
  await step('history page of 20', { roundTrips: 1, readUnits: 5 }, () =>
    get(routes.listTransactions, '/wallets/{walletId}/transactions', wallet),
  );
  await step('transaction', undefined, () =>
    get(routes.getTransaction, '/transactions/{transactionId}', transactionId),
  );
  await step('receipt', undefined, () => get(routes.getReceipt, '/receipts/{receiptCode}', receiptCode));
}

async function measureStatus({ step, post, open, routes }: Bench): Promise<void> {
  const empty = await open();
  await step('freeze', undefined, () => post(routes.freeze, '/wallets/{walletId}/freeze', empty, 200));
  await step('unfreeze', undefined, () =>
    post(routes.unfreeze, '/wallets/{walletId}/unfreeze', empty, 200, { caller: supervisor }),
  );
  await step('close', undefined, () => post(routes.close, '/wallets/{walletId}/close', empty, 200));
}

async function measureDecisions({ step, post, withdraw, routes }: Bench, { wallet, mine }: Wallets): Promise<void> {
  const [unwanted, waiting] = [await withdraw(wallet), await withdraw(mine)];
  await step('cancel', undefined, () => post(routes.cancel, '/transactions/{transactionId}/cancel', unwanted, 200));
  await post(routes.freeze, '/wallets/{walletId}/freeze', mine, 200);
  await step('withdrawal worker, wallet frozen', { roundTrips: 3, writeUnits: 12, readUnits: 1 }, () =>
    routes.workers.withdrawal(waiting, { outcome: 'accepted' }),
  );
  await post(routes.unfreeze, '/wallets/{walletId}/unfreeze', mine, 200);

  const inReview = await withdraw(wallet);
  await routes.workers.withdrawal(inReview, { outcome: 'unknown', reason: 'time-out' }, 1);
  await step('resolve', undefined, () =>
    post(routes.resolve, '/transactions/{transactionId}/resolve', inReview, 200, {
      caller: supervisor,
      body: { outcome: 'completed', evidence: 'Statement of 2026-11-01, line 12' },
    }),
  );
}

async function measureBankNotifications({ step, call, withdraw, routes }: Bench, { wallet }: Wallets): Promise<void> {
  for (const status of ['paid', 'returned'] as const) {
    const reference = await withdraw(wallet);
    await step(`bank notification, ${status}`, undefined, () =>
      call(routes.bankNotifications, notification({ reference, status, amount: 100, currency: 'EUR' }), 200),
    );
  }
}

interface PostOptions {
  readonly caller?: BenchCaller;
  readonly key?: string;
  readonly method?: 'PUT';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Body {
  readonly walletId?: string;
  readonly transactionId?: string;
  readonly receiptCode?: string;
}

function idIn({ transactionId = '' }: Body): string {
  return transactionId;
}

function money(amount: number) {
  return { amount, description: 'Invoice 2026-001', metadata: { invoice: 'INV-2026-001' } };
}

function notification(body: object): BenchRequest {
  const path = '/bank/notifications';
  const headers = sign({ method: 'POST', path, body: JSON.stringify(body) }, bankKey, Math.floor(Date.now() / 1000));
  return request('POST', path, {}, { body, headers });
}

/** Returns the steps as a table. */
export function budgetTable(steps: readonly Step[]): string {
  const against = (used: number, most: number | undefined) =>
    most === undefined ? figure(used) : `${figure(used)} / ${figure(most)}`;
  return tableOf(
    ['step (used / budget)', 'round trips', 'calls', 'queue', 'write units', 'read units', ''],
    steps.map(({ step, budget, within, ...used }) => [
      step,
      against(used.roundTrips, budget?.roundTrips),
      figure(used.calls),
      figure(used.sends),
      against(used.writeUnits, budget?.writeUnits),
      against(used.readUnits, budget?.readUnits),
      budget === undefined ? '' : verdict(within),
    ]),
  );
}
