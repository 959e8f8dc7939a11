/** The steps that a budget is given for: each is one request or one turn of a worker, measured by itself. */
import { meter } from './meter.ts';
import type { Usage } from './meter.ts';
import { contextOf, eventOf, operator, request } from './requests.ts';
import type { BenchCaller, BenchRequest } from './requests.ts';
import { openRoutes } from './routes.ts';
import type { Handler } from './routes.ts';
import type { Service } from './service.ts';

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
export const rateWindowUnits = 2;
export const endUser: BenchCaller = { principal: 'end-user', scopes: 'read write' };
/** An operator who decides about withdrawals that `operator` owns. */
export const supervisor: BenchCaller = { principal: 'supervisor', scopes: 'decide' };

/** The routes, and what a step is made of. */
export type Bench = ReturnType<typeof openBench>;

/** Wallets that the steps have in common. */
export interface Wallets {
  /** The operator's. */
  readonly wallet: string;
  readonly other: string;
  readonly shop: string;
  /** The end user's. */
  readonly mine: string;
}

export interface PostOptions {
  readonly caller?: BenchCaller;
  readonly key?: string;
  readonly method?: 'PUT';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Body {
  readonly walletId?: string;
  readonly transactionId?: string;
  readonly receiptCode?: string;
}

/** Opens the routes and workers over the service's table. */
export function openBench({ table }: Service) {
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

/** Returns the id of the transaction that a command answered. */
export function idIn({ transactionId = '' }: Body): string {
  return transactionId;
}

/** Returns the members of a body with an amount, as callers send them. */
export function money(amount: number) {
  return { amount, description: 'Invoice 2026-001', metadata: { invoice: 'INV-2026-001' } };
}
