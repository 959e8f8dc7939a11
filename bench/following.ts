import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { FraudPolicy } from '../lambdas/contract.ts';
import type { EventType } from '../lambdas/domain/events.ts';
import type { ServiceEvent } from '../lambdas/views/event-schemas.ts';
import type { Publisher } from '../lambdas/events/bus.ts';
import { Heads } from '../lambdas/store/heads.ts';
import { openTable } from '../lambdas/store/table.ts';
import { ensureTable } from '../local/dynamodb/dynamodb.ts';
import { openRoutes } from './budgets.ts';
import type { Body, Handler } from './budgets.ts';
import { meter } from './meter.ts';
import type { Usage } from './meter.ts';
import { openRecords } from './records.ts';
import { figure, table as tableOf, verdict } from './report.ts';
import { contextOf, eventOf, operator, request } from './requests.ts';
import type { BenchCaller } from './requests.ts';
import type { Service } from './service.ts';

/** The consumers that use DynamoDB. The relay does not; all but the ledger come after it. */
const consumers = ['ledger', 'screening', 'notifications'] as const;
type Consumer = (typeof consumers)[number];

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
/** Records or events that one invocation gets. */
const mostInBatch = 100;

/**
 * Runs commands of end users and passes the stream's records to every consumer. Returns their use of DynamoDB, from its
 * consumed capacity. Sets the environment of this process, as the functions read it while they load.
 */
export async function measureFollowing(service: Service): Promise<Following[]> {
  Object.assign(process.env, service.environment);
  const routes = await openRoutes(service.table);
  const { putPreferences } = await import('../lambdas/store/preferences.ts');
  const consume = await openConsumers(service);
  const records = await openRecords(service.endpoint, service.table.name);

  async function post(handler: Handler, path: string, walletId: string, body: object, more: PostOptions = {}) {
    const { caller = operator, headers = {} } = more;
    const wanted = request('POST', path, { walletId }, { key: randomUUID(), body, headers });
    const answer = await handler(eventOf(wanted, caller), contextOf('bench'));
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${answer.body}`);
    return JSON.parse(answer.body) as Body;
  }
  const money = { amount: 100, description: 'Invoice 2026-001', externalReference: 'INV-2026-001' };
  const charge = ({ walletId }: User) => post(routes.charge, '/wallets/{walletId}/charge', walletId, money);
  const transfer = ({ walletId, caller }: User, to: User, headers = {}) =>
    post(
      routes.transfer,
      '/wallets/{walletId}/transfer',
      walletId,
      { ...money, toWalletId: to.walletId },
      { caller, headers },
    );
  const commands: Record<
    string,
    { budget?: number; isAsked?: boolean; run: (pairs: readonly Pair[]) => Promise<unknown> }
  > = {
    charge: { run: (pairs) => each(pairs, ([payer]) => charge(payer)) },
    'withdrawal, paid': {
      run: (pairs) =>
        each(pairs, async ([{ walletId, caller }]) => {
          const destination = { account: 'DE89370400440532013000', name: 'Ada Lovelace' };
          const path = '/wallets/{walletId}/withdraw';
          const { transactionId = '' } = await post(
            routes.withdraw,
            path,
            walletId,
            { ...money, destination },
            { caller },
          );
          await routes.workers.withdrawal(transactionId, { outcome: 'accepted' });
        }),
    },
    transfer: { budget: 5, run: (pairs) => each(pairs, ([payer, payee]) => transfer(payer, payee)) },
    'transfer, both owners notified': {
      budget: 7,
      isAsked: true,
      run: (pairs) => each(pairs, ([payer, payee]) => transfer(payer, payee)),
    },
    'transfer, queued': {
      run: async (pairs) => {
        const queued = { Prefer: 'respond-async' };
        const accepted = await each(pairs, ([payer, payee]) => transfer(payer, payee, queued));
        await routes.workers.transfers(accepted.map(({ transactionId = '' }) => transactionId));
      },
    },
  };

  async function newUser(isAsked: boolean): Promise<User> {
    const caller = { principal: `user-${randomUUID()}`, scopes: 'read write' };
    const { walletId = '' } = await post(routes.createWallet, '/wallets', '', { currency: 'EUR' }, { caller });
    const channels = { email: true, sms: false, push: false };
    if (isAsked) {
      await putPreferences(service.table, caller.principal, { channels, mutedEvents: [] }, new Date().toISOString());
    }
    const user = { walletId, caller };
    await charge(user);
    return user;
  }

  const rows: Following[] = [];
  try {
    for (const [command, { budget, isAsked = false, run }] of Object.entries(commands)) {
      for (const batch of batches) {
        const pairs = await each(Array.from({ length: batch }), async (): Promise<Pair> => [
          await newUser(isAsked),
          await newUser(isAsked),
        ]);
        await consume(await records.take());
        await run(pairs);
        const usage = await consume(await records.take());
        const of = (kind: keyof Usage) => consumers.map((name) => usage[name][kind] / batch);
        const sumOf = (kind: keyof Usage) => of(kind).reduce((sum, value) => sum + value, 0);
        const sum = sumOf('writeUnits');
        const [ledger = NaN, screening = NaN, notifications = NaN] = of('writeUnits');
        rows.push({
          ...{ command, batch, sum, budget, within: budget === undefined || sum <= budget },
          writeUnits: { ledger, screening, notifications },
          ...{ readUnits: sumOf('readUnits'), calls: sumOf('calls') },
        });
      }
    }
    return rows;
  } finally {
    records.close();
  }
}

interface User {
  readonly walletId: string;
  readonly caller: BenchCaller;
}

/** The owners that a command moves money between; some commands use the first only. */
type Pair = readonly [payer: User, payee: User];

interface PostOptions {
  readonly caller?: BenchCaller;
  readonly headers?: Readonly<Record<string, string>>;
}

async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

const window = { count: 1_000_000, amount: 1_000_000_000 };
/** Limits that no movement here exceeds. */
const policy: FraudPolicy = {
  ...{ outgoingPerMinute: window, outgoingPerHour: window, outgoingPerDay: window },
  inAndOut: { minutes: 10, amount: window.amount },
  newDestination: { amount: window.amount },
};

/** Returns a function that passes records to all consumers, as the service is wired, and measures each of them. */
async function openConsumers(service: Service) {
  const { project } = await import('../lambdas/workers/projector.ts');
  const { relay } = await import('../lambdas/workers/relay.ts');
  const { screen } = await import('../lambdas/workers/fraud.ts');
  const { notifyOwners } = await import('../lambdas/workers/notifier.ts');
  const { notifiedEvents, screenedEvents } = await import('../lambdas/contract.ts');
  const { readEvent } = await import('../lambdas/views/event-schemas.ts');
  const names = { activity: `bench-activity-${randomUUID()}`, sent: `bench-sent-${randomUUID()}` };
  const key = (name: string, KeyType: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType });
  const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  for (const create of [
    {
      TableName: names.activity,
      KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
      AttributeDefinitions: [text('pk'), text('sk')],
    },
    { TableName: names.sent, KeySchema: [key('id', 'HASH')], AttributeDefinitions: [text('id')] },
  ]) {
    await ensureTable(service.endpoint, 'us-east-1', { create: { ...create, BillingMode: 'PAY_PER_REQUEST' } });
  }
  const setAside = { send: () => Promise.reject(new Error('a record was set aside')) };
  const entriesName = service.environment['ENTRIES_TABLE_NAME'] ?? '';
  const heads = new Heads();

  return async (records: readonly DynamoDBRecord[]): Promise<Record<Consumer, Usage>> => {
    const events: { envelopeId: string; event: ServiceEvent }[] = [];
    const publisher: Publisher = {
      put(entries) {
        for (const { Detail = '' } of entries) {
          events.push({ envelopeId: randomUUID(), event: JSON.parse(Detail) as ServiceEvent });
        }
        return Promise.resolve(entries.map(() => undefined));
      },
      ...{ busName: 'bench', now: Date.now, random: Math.random, sleep: () => Promise.resolve() },
    };
    const deliveriesOf = <T extends EventType>(types: readonly T[]) =>
      events
        .filter(({ event: { type } }) => (types as readonly EventType[]).includes(type))
        .map(({ envelopeId, event }) => ({ envelopeId, event: readEvent(event, types) }));
    const metered = async (work: (client: DynamoDBClient) => Promise<void>) => {
      const client = service.newClient();
      const usage = await meter(client, () => work(client));
      client.destroy();
      return usage;
    };

    const ledger = await metered(async (client) => {
      for (const batch of inBatches(records)) {
        const again = await project(batch, { entries: openTable(client, entriesName), setAside, heads });
        if (again !== undefined) throw new Error('a record was not projected');
      }
    });
    const facts = { publisher, setAside, fingerprintKey: () => Promise.resolve(['key'] as const), issuer: 'bench' };
    const again = await relay(records, facts, Date.now() + 60_000);
    if (again !== undefined) throw new Error('a record was not published');
    const screening = await metered(async (client) => {
      const [table, activity] = [openTable(client, service.table.name), openTable(client, names.activity)];
      for (const batch of inBatches(deliveriesOf(screenedEvents))) {
        throwFirst(await screen(batch, { table, activity, publisher, policy, freezeOnSuspicion: false }, Infinity));
      }
    });
    const notifications = await metered(async (client) => {
      const [table, sent] = [openTable(client, service.table.name), openTable(client, names.sent)];
      for (const batch of inBatches(deliveriesOf(notifiedEvents))) {
        throwFirst(await notifyOwners(batch, { table, sent, notify: () => Promise.resolve() }));
      }
    });
    return { ledger, screening, notifications };
  };
}

function inBatches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / mostInBatch) }, (_, index) =>
    items.slice(index * mostInBatch, (index + 1) * mostInBatch),
  );
}

function throwFirst(failed: ReadonlyMap<string, unknown>): void {
  const [error] = failed.values();
  if (error !== undefined) throw new Error('a consumer failed', { cause: error });
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
