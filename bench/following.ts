import { randomUUID } from 'node:crypto';
import { putPreferences } from '../lambdas/store/preferences.ts';
import type { Table } from '../lambdas/store/table.ts';
import type { Usage } from './meter.ts';
import { openRecords } from './records.ts';
import { figure, table as tableOf, verdict } from './report.ts';
import { contextOf, eventOf, operator, request } from './requests.ts';
import type { BenchCaller } from './requests.ts';
import { openRoutes } from './routes.ts';
import type { Handler } from './routes.ts';
import type { Service } from './service.ts';
import { consumers, openConsumers } from './consumers.ts';
import type { Consumer } from './consumers.ts';

/** The use of all consumers for one command of a batch. */
export interface Following {
  readonly command: string;
  /** Commands whose records and events were delivered together, each between wallets of its own. */
  readonly batch: number;
  readonly writeUnits: Readonly<Record<Consumer, number>>;
  readonly sum: number;
  readonly readUnits: number;
  readonly calls: number;
  /** The most that the sum may be; undefined: no budget. */
  readonly budget: number | undefined;
  readonly within: boolean;
}

const batches = [1, 20];
/**
 * Runs commands of end users and passes the stream's records to every consumer. Returns their use of DynamoDB, from its
 * consumed capacity.
 */
export async function measureFollowing(service: Service): Promise<Following[]> {
  const users = openUsers(service.table);
  const consume = await openConsumers(service);
  const records = await openRecords(service.endpoint, service.table.name);
  const rows: Following[] = [];
  try {
    for (const [name, command] of Object.entries(commandsOf(users))) {
      for (const batch of batches) {
        const pairs = await each(Array.from({ length: batch }), async (): Promise<Pair> => [
          await users.open(command.isAsked),
          await users.open(command.isAsked),
          ...(command.hasThird ? [await users.open()] : []),
        ]);
        await consume(await records.next());
        await command.run(pairs);
        rows.push(rowOf(name, command.budget, batch, await consume(await records.next())));
      }
    }
    return rows;
  } finally {
    records.close();
  }
}

function rowOf(
  command: string,
  budget: number | undefined,
  batch: number,
  usage: Readonly<Record<Consumer, Usage>>,
): Following {
  const perCommand = (kind: keyof Usage) => consumers.map((name) => usage[name][kind] / batch);
  const sumOf = (kind: keyof Usage) => perCommand(kind).reduce((sum, value) => sum + value, 0);
  const sum = sumOf('writeUnits');
  const [ledger = NaN, screening = NaN, notifications = NaN] = perCommand('writeUnits');
  return {
    ...{ command, batch, sum, budget, within: budget === undefined || sum <= budget },
    writeUnits: { ledger, screening, notifications },
    ...{ readUnits: sumOf('readUnits'), calls: sumOf('calls') },
  };
}

const money = { amount: 100, description: 'Invoice 2026-001', metadata: { invoice: 'INV-2026-001' } };

/** Owners of wallets on this table, and what they do; each call has a key of its own. */
function openUsers(table: Table) {
  const sent: string[] = [];
  const routes = openRoutes(table, ({ transactionId }) => sent.push(transactionId));

  async function post(handler: Handler, path: string, id: string, body: object, more: PostOptions = {}) {
    const { caller = operator, headers = {} } = more;
    const parameters = { walletId: id, transactionId: id };
    const benchRequest = request('POST', path, parameters, { key: randomUUID(), body, headers });
    const answer = await handler(eventOf(benchRequest, caller), contextOf('bench'));
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${answer.body}`);
    return JSON.parse(answer.body) as { readonly walletId?: string; readonly transactionId?: string };
  }

  const charge = ({ walletId }: User) => post(routes.charge, '/wallets/{walletId}/charge', walletId, money);

  /** Opens a wallet with money for a new owner, who asks for notifications or has never said anything about them. */
  async function open(isAsked = false): Promise<User> {
    const caller = { principal: `user-${randomUUID()}`, scopes: 'read write' };
    const { walletId = '' } = await post(routes.createWallet, '/wallets', '', { currency: 'EUR' }, { caller });
    const channels = { email: true, sms: false, push: false };
    if (isAsked) await putPreferences(table, caller.principal, { channels, mutedEvents: [] }, new Date().toISOString());
    const user = { walletId, caller };
    await charge(user);
    return user;
  }

  function transfer({ walletId, caller }: User, to: User, headers = {}) {
    const body = { ...money, toWalletId: to.walletId };
    return post(routes.transfer, '/wallets/{walletId}/transfer', walletId, body, { caller, headers });
  }

  function withdraw({ walletId, caller }: User) {
    const body = { ...money, destination: { account: 'DE89370400440532013000', name: 'Ada Lovelace' } };
    return post(routes.withdraw, '/wallets/{walletId}/withdraw', walletId, body, { caller });
  }

  async function hold({ walletId, caller }: User, to: User) {
    const body = { ...money, toWalletId: to.walletId, expiresAt: new Date(Date.now() + 90_000).toISOString() };
    const { transactionId = '' } = await post(routes.openHold, '/wallets/{walletId}/holds', walletId, body, { caller });
    return transactionId;
  }

  const capture = (transactionId: string, { caller }: User) =>
    post(routes.capture, '/holds/{transactionId}/capture', transactionId, {}, { caller });

  const refund = (transactionId: string, { caller }: User) =>
    post(routes.refund, '/transactions/{transactionId}/refund', transactionId, { reason: 'sent back' }, { caller });

  function split({ walletId, caller }: User, ...payees: readonly User[]) {
    const legs = payees.map((payee) => ({ ...money, amount: 50, fromWalletId: walletId, toWalletId: payee.walletId }));
    return post(routes.split, '/transfers', '', { legs }, { caller });
  }

  /** Makes a transfer for later, and executes it. */
  async function transferLater(payer: User, to: User) {
    const executeAt = new Date(Date.now() + leadMs).toISOString();
    const body = { ...money, toWalletId: to.walletId, executeAt };
    const path = '/wallets/{walletId}/transfer';
    const { transactionId = '' } = await post(routes.transfer, path, payer.walletId, body, { caller: payer.caller });
    await routes.workers.transfers([transactionId], leadMs + 1_000);
  }

  /** Makes a batch with a line for each pair, and its transfers. */
  async function batch(pairs: readonly Pair[]): Promise<void> {
    const lines = pairs.map(([payer, payee], n) => ({
      ...{ ...money, key: `line-${n}`, type: 'transfer' },
      ...{ walletId: payer.walletId, toWalletId: payee.walletId },
    }));
    const headers = { 'Idempotency-Key': randomUUID(), 'Content-Type': 'application/x-ndjson' };
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    sent.length = 0;
    const event = eventOf(request('POST', '/batches', {}, { headers, text }));
    const answer = await routes.createBatch(event, contextOf('bench'));
    if (answer.statusCode !== 202) throw new Error(`/batches answered ${answer.statusCode}: ${answer.body}`);
    await routes.workers.batch(sent.splice(0)[0] ?? '');
    await routes.workers.transfers(sent.splice(0));
  }

  return {
    ...{ open, charge, transfer, withdraw, hold, capture, refund, split, transferLater, batch },
    workers: routes.workers,
  };
}

/** How far ahead a transfer for later is made. */
const leadMs = 120_000;

interface Command {
  /** The most that all consumers may write for one of the commands. */
  readonly budget?: number;
  /** Whether the owners have asked for notifications. */
  readonly isAsked?: boolean;
  /** Whether each command moves money between three wallets. */
  readonly hasThird?: boolean;
  readonly run: (pairs: readonly Pair[]) => Promise<unknown>;
}

function commandsOf(users: ReturnType<typeof openUsers>): Record<string, Command> {
  const { charge, transfer, withdraw, hold, capture, refund, split, transferLater, batch, workers } = users;
  return {
    charge: { run: (pairs) => each(pairs, ([payer]) => charge(payer)) },
    'withdrawal, paid': {
      run: (pairs) =>
        each(pairs, async ([payer]) => {
          const { transactionId = '' } = await withdraw(payer);
          await workers.withdrawal(transactionId, { outcome: 'accepted' });
        }),
    },
    'hold, captured': {
      run: (pairs) => each(pairs, async ([payer, payee]) => capture(await hold(payer, payee), payee)),
    },
    transfer: { budget: 5, run: (pairs) => each(pairs, ([payer, payee]) => transfer(payer, payee)) },
    'transfer, both owners notified': {
      budget: 7,
      isAsked: true,
      run: (pairs) => each(pairs, ([payer, payee]) => transfer(payer, payee)),
    },
    'transfer, refunded': {
      run: (pairs) =>
        each(pairs, async ([payer, payee]) => {
          const { transactionId = '' } = await transfer(payer, payee);
          await refund(transactionId, payee);
        }),
    },
    'transfer, scheduled': { run: (pairs) => each(pairs, ([payer, payee]) => transferLater(payer, payee)) },
    'transfer, in a batch': { run: (pairs) => batch(pairs) },
    'split, 2 legs': {
      hasThird: true,
      run: (pairs) => each(pairs, ([payer, ...payees]) => split(payer, ...payees)),
    },
    'transfer, queued': {
      async run(pairs) {
        const queued = { Prefer: 'respond-async' };
        const accepted = await each(pairs, ([payer, payee]) => transfer(payer, payee, queued));
        await workers.transfers(accepted.map(({ transactionId = '' }) => transactionId));
      },
    },
  };
}

interface User {
  readonly walletId: string;
  readonly caller: BenchCaller;
}

/** The owners that a command moves money between. Some commands use the first only, and some need a third. */
type Pair = readonly [payer: User, payee: User, ...third: User[]];

interface PostOptions {
  readonly caller?: BenchCaller;
  readonly headers?: Readonly<Record<string, string>>;
}

async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** Returns the rows as a table. */
export function followingTable(rows: readonly Following[]): string {
  return tableOf(
    ['what follows (write units for each)', 'batch', ...consumers, 'sum / budget', 'read units', 'calls', ''],
    rows.map(({ command, batch, writeUnits, sum, budget, readUnits, calls, within }) => [
      command,
      figure(batch),
      ...consumers.map((name) => figure(writeUnits[name])),
      budget === undefined ? figure(sum) : `${figure(sum)} / ${figure(budget)}`,
      figure(readUnits),
      figure(calls),
      budget === undefined ? '' : verdict(within),
    ]),
  );
}
