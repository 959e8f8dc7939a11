import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { sign } from '../lambdas/bank/signature.ts';
import type { BankClient, SubmitOutcome } from '../lambdas/bank/client.ts';
import type { WorkMessage } from '../lambdas/contract.ts';
import type { Table } from '../lambdas/store/table.ts';
import { meter } from './meter.ts';
import type { Usage } from './meter.ts';
import { contextOf, eventOf, operator, request } from './requests.ts';
import type { BenchCaller, BenchRequest } from './requests.ts';
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

export type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** The most that an end user's rate window adds. */
const rateWindowUnits = 2;
const endUser: BenchCaller = { principal: 'end-user', scopes: 'read write' };
/** An operator who decides about withdrawals that `operator` owns. */
const supervisor: BenchCaller = { principal: 'supervisor', scopes: 'decide' };

/**
 * Runs each route and worker once and measures its use of DynamoDB, with the indexes. The figures do not depend on the
 * machine. Sets the environment of this process, as the functions read it while they load.
 */
export async function measureBudgets(service: Service): Promise<Step[]> {
  Object.assign(process.env, service.environment);
  const routes = await openRoutes(service.table);
  const { workers } = routes;
  const steps: Step[] = [];
  let keys = 0;
  let sent: string[] = [];
  routes.onSend = ({ transactionId }) => sent.push(transactionId);

  async function step(name: string, budget: Budget | undefined, work: () => Promise<unknown>): Promise<void> {
    sent = [];
    const usage = await meter(service.table.client, work);
    const within = (Object.keys(budget ?? {}) as (keyof Budget)[]).every(
      (kind) => usage[kind] <= (budget?.[kind] ?? 0),
    );
    steps.push({ step: name, ...usage, sends: sent.length, budget, within });
  }

  async function call(handler: Handler, wanted: BenchRequest, status: number, caller = operator): Promise<Body> {
    const answer = await handler(eventOf(wanted, caller), contextOf('bench'));
    if (answer.statusCode !== status) throw new Error(`${wanted.path} answered ${answer.statusCode}: ${answer.body}`);
    return (answer.body === '' ? {} : JSON.parse(answer.body)) as Body;
  }
  /** Sends a request with its own key. */
  function post(handler: Handler, path: string, id: string, status: number, options: PostOptions = {}): Promise<Body> {
    const { caller, key = `key-${keys++}`, body = {}, headers = {} } = options;
    return call(
      handler,
      request('POST', path, { walletId: id, transactionId: id }, { key, body, headers }),
      status,
      caller,
    );
  }
  const get = (handler: Handler, path: string, id: string, query?: Record<string, string>) =>
    call(
      handler,
      request('GET', path, { walletId: id, transactionId: id, receiptCode: id }, query ? { query } : {}),
      200,
    );
  const open = async (caller = operator) =>
    (await post(routes.createWallet, '/wallets', '', 201, { caller, body: { currency: 'EUR' } })).walletId ?? '';
  const idOf = (body: Body) => body.transactionId ?? '';
  const money = (amount: number) => ({ amount, description: 'Invoice 2026-001', externalReference: 'INV-2026-001' });
  const destination = { account: 'DE89370400440532013000', name: 'Ada Lovelace' };

  await step('create wallet', undefined, () => open());
  await step('create wallet, end user', undefined, () => open(endUser));
  const [wallet, other, mine, shop] = [await open(), await open(), await open(endUser), await open()];
  const paths = {
    charge: '/wallets/{walletId}/charge',
    withdraw: '/wallets/{walletId}/withdraw',
    transfer: '/wallets/{walletId}/transfer',
  };
  const charge = (id: string, amount: number) => post(routes.charge, paths.charge, id, 201, { body: money(amount) });
  await step('charge', { roundTrips: 1, writeUnits: 5 }, () => charge(wallet, 1_000_000));
  await charge(mine, 1_000_000);

  const withdraw = (id: string, caller?: BenchCaller) =>
    post(routes.withdraw, paths.withdraw, id, 202, { body: { ...money(100), destination }, ...(caller && { caller }) });
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
    const id = idOf(await withdraw(wallet));
    // The third trip reads whether the wallet is frozen.
    const budget = { roundTrips: 3, writeUnits: 12, readUnits: 1 };
    await step(`withdrawal worker, ${name}`, budget, () => workers.withdrawal(id, outcome));
  }

  const transfer = (id: string, to: string, more: PostOptions = {}) =>
    post(routes.transfer, paths.transfer, id, more.headers ? 202 : 201, {
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
    for (let n = 0; n < size; n++) ids.push(idOf(await transfer(wallet, shop, queued)));
    // The read of the batch comes before its one write.
    const budget = { roundTrips: 2, writeUnits: 2 + 5 * size };
    await step(`transfer worker, ${size} to one wallet`, budget, () => workers.transfers(ids));
  }

  const replayed = { key: 'replayed', body: money(100) };
  const { receiptCode = '', transactionId = '' } = await post(routes.charge, paths.charge, wallet, 201, replayed);
  await step('charge, replayed', { roundTrips: 1 }, () => post(routes.charge, paths.charge, wallet, 201, replayed));

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

  const empty = await open();
  await step('freeze', undefined, () => post(routes.freeze, '/wallets/{walletId}/freeze', empty, 200));
  await step('unfreeze', undefined, () =>
    post(routes.unfreeze, '/wallets/{walletId}/unfreeze', empty, 200, { caller: supervisor }),
  );
  await step('close', undefined, () => post(routes.close, '/wallets/{walletId}/close', empty, 200));

  const [unwanted, waiting] = [idOf(await withdraw(wallet)), idOf(await withdraw(mine))];
  await step('cancel', undefined, () => post(routes.cancel, '/transactions/{transactionId}/cancel', unwanted, 200));
  await post(routes.freeze, '/wallets/{walletId}/freeze', mine, 200);
  await step('withdrawal worker, wallet frozen', { roundTrips: 3, writeUnits: 12, readUnits: 1 }, () =>
    workers.withdrawal(waiting, { outcome: 'accepted' }),
  );
  await post(routes.unfreeze, '/wallets/{walletId}/unfreeze', mine, 200);

  const inReview = idOf(await withdraw(wallet));
  await workers.withdrawal(inReview, { outcome: 'unknown', reason: 'time-out' }, 1);
  await step('resolve', undefined, () =>
    post(routes.resolve, '/transactions/{transactionId}/resolve', inReview, 200, {
      caller: supervisor,
      body: { outcome: 'completed', evidence: 'Statement of 2026-11-01, line 12' },
    }),
  );
  for (const status of ['paid', 'returned'] as const) {
    const reference = idOf(await withdraw(wallet));
    await step(`bank notification, ${status}`, undefined, () =>
      call(routes.bankNotifications, notification({ reference, status, amount: 100, currency: 'EUR' }), 200),
    );
  }
  await step('health', undefined, () => get(routes.health, '/health', ''));
  await step('sweeper, nothing due', undefined, () => workers.sweep(0));
  await step('sweeper, all that is open', undefined, () => workers.sweep(120_000));
  return steps;
}

interface PostOptions {
  readonly caller?: BenchCaller;
  readonly key?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Body {
  readonly walletId?: string;
  readonly transactionId?: string;
  readonly receiptCode?: string;
}

const bankKey = 'key of the bank';

function notification(body: object): BenchRequest {
  const path = '/bank/notifications';
  const headers = sign({ method: 'POST', path, body: JSON.stringify(body) }, bankKey, Math.floor(Date.now() / 1000));
  return request('POST', path, {}, { body, headers });
}

/**
 * Opens the routes and workers on this table, without queues and bank. Imports them here, when their environment is
 * set.
 */
export async function openRoutes(table: Table) {
  const { serve } = await import('../lambdas/http/http.ts');
  const { openLimits } = await import('../lambdas/http/limits.ts');
  const { createWallet } = await import('../lambdas/api/create-wallet.ts');
  const { listWallets } = await import('../lambdas/api/list-wallets.ts');
  const { getWallet } = await import('../lambdas/api/get-wallet.ts');
  const { getBalance } = await import('../lambdas/api/get-balance.ts');
  const { charge } = await import('../lambdas/api/charge.ts');
  const { withdraw } = await import('../lambdas/api/withdraw.ts');
  const { transfer } = await import('../lambdas/api/transfer.ts');
  const { listTransactions } = await import('../lambdas/api/list-transactions.ts');
  const { getTransaction } = await import('../lambdas/api/get-transaction.ts');
  const { getReceipt } = await import('../lambdas/api/get-receipt.ts');
  const { freeze } = await import('../lambdas/api/freeze.ts');
  const { unfreeze } = await import('../lambdas/api/unfreeze.ts');
  const { close } = await import('../lambdas/api/close.ts');
  const { resolve } = await import('../lambdas/api/resolve.ts');
  const { cancel } = await import('../lambdas/api/cancel.ts');
  const { bankNotifications } = await import('../lambdas/api/bank-notifications.ts');
  const { health } = await import('../lambdas/api/health.ts');
  const { advanceWithdrawal } = await import('../lambdas/workers/withdrawals.ts');
  const { endTransfers } = await import('../lambdas/workers/transfers.ts');
  const { sweep } = await import('../lambdas/workers/sweeper.ts');
  const opened: { onSend: (message: WorkMessage) => void } = { onSend: () => undefined };
  const send = (message: WorkMessage) => {
    opened.onSend(message);
    return Promise.resolve();
  };
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000_000 });
  const limited = { table, limits };
  const queued = { ...limited, queue: { send }, isOverloaded: () => Promise.resolve(false) };
  const depth = () => Promise.resolve(0);
  const swept = {
    depth,
    send(messages: readonly WorkMessage[]) {
      for (const message of messages) opened.onSend(message);
      return Promise.resolve([]);
    },
  };
  return Object.assign(opened, {
    createWallet: serve(createWallet, limited),
    listWallets: serve(listWallets, limited),
    getWallet: serve(getWallet, limited),
    getBalance: serve(getBalance, { ...limited, entries: table }),
    charge: serve(charge, { table }),
    withdraw: serve(withdraw, queued),
    transfer: serve(transfer, queued),
    listTransactions: serve(listTransactions, limited),
    getTransaction: serve(getTransaction, limited),
    getReceipt: serve(getReceipt, limited),
    freeze: serve(freeze, { table }),
    unfreeze: serve(unfreeze, { table }),
    close: serve(close, { table }),
    resolve: serve(resolve, { table }),
    cancel: serve(cancel, { table, limits: openLimits({ cancellationsPerHour: 1_000_000 }) }),
    bankNotifications: serve(bankNotifications, {
      table,
      keys: () => Promise.resolve([bankKey]),
      bankId: 'bank.example.com/v1',
    }),
    health: serve(health, {
      table,
      verify: () => Promise.resolve(undefined),
      depths: { withdrawals: depth, withdrawalsDead: depth, transfers: depth, transfersDead: depth },
    }),
    workers: {
      withdrawal(transactionId: string, outcome: SubmitOutcome, maxAttempts = 10) {
        const bank: BankClient = {
          submit: () => Promise.resolve(outcome),
          find: () => Promise.resolve({ outcome: 'not_found' }),
          statement: () => Promise.reject(new Error('the worker reads no statement')),
          isDown: () => false,
        };
        return advanceWithdrawal(transactionId, {
          table,
          bank,
          bankId: 'bank.example.com/v1',
          policy: { maxAttempts, notFoundWindowMs: 2_000 },
        });
      },
      transfers: (transactionIds: readonly string[]) => endTransfers(transactionIds, table),
      /** Runs the sweeper as it would run `laterMs` from now. */
      sweep: (laterMs: number) =>
        sweep({ table: { ...table, now: () => Date.now() + laterMs }, withdrawals: swept, transfers: swept }),
    },
  });
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
