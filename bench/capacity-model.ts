/**
 * The needs of a load on AWS, the quota that it reaches first, and its cost. Prices and quotas are those of us-east-1,
 * read in November 2026. Both are data below, so that they can be changed in one place.
 */

import { listPrices } from '../lib/prices.ts';

/** A steady load; a second. */
export interface Load {
  readonly charges: number;
  /** By end users, each to another wallet. */
  readonly transfers: number;
  readonly withdrawals: number;
  readonly balances: number;
  /** The share of all money commands that meet the busiest wallet, 0 to 1. */
  readonly hottest: number;
}

type Command = 'charge' | 'transfer' | 'withdrawal';

/** The units of one command or read in DynamoDB, as `npm run bench -- --only budgets` measures them. */
export interface Units {
  /** Write units of the command in the wallet table, its worker's included. */
  readonly command: Readonly<Record<Command, number>>;
  /** Write units of all consumers that follow it, in all tables. */
  readonly following: Readonly<Record<Command, number>>;
  /** Read units of a balance. */
  readonly balance: number;
}

/** Times, milliseconds. Those that depend on AWS are assumed: measure them with `npm run load` and pass them. */
export interface Times {
  /** A transactional write, p50 and p99. */
  readonly write: Quantiles;
  /** A read of one item. */
  readonly read: Quantiles;
  /** The gateway, the start of a warm function and the handler around its one call. */
  readonly around: Quantiles;
  /** One call to the bank. */
  readonly bank: Quantiles;
  /** The time of a consumer for a batch of 100 records or messages. */
  readonly batch: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** A quota, and the load's use of it. */
export interface Limit {
  readonly name: string;
  readonly demand: number;
  readonly quota: number;
  readonly unit: string;
  /** The way to raise it. */
  readonly lift: string;
}

export const assumedTimes: Times = {
  write: { p50: 8, p99: 30 },
  read: { p50: 3, p99: 8 },
  around: { p50: 8, p99: 15 },
  bank: { p50: 1_000, p99: 3_000 },
  batch: 300,
};

/** Prices in dollars, for a million of the named units unless the comment has another unit. */
const prices = {
  gatewayRequest: 3.5,
  webAclRequest: 0.6,
  ...listPrices,
  queueRequest: 0.4,
  event: 1,
  /** A recorded trace. */
  trace: 5,
  /** A gigabyte, in dollars. */
  logs: 0.5,
  delivery: 0.029,
};

/** How much of provisioned capacity a steady load uses. */
const utilisation = 0.7;
/** Bank calls for a withdrawal when 30 % fail. */
const callsOfWithdrawal = 1 / 0.7;
/** Events of each command: accepted, executing and completed of a withdrawal. */
const events: Readonly<Record<Command, number>> = { charge: 1, transfer: 1, withdrawal: 3 };
/** Stream records of each command: wallets and transactions that change. */
const records: Readonly<Record<Command, number>> = { charge: 2, transfer: 3, withdrawal: 6 };
/** Rules of the bus that take an event: screening, notifications, the audit. */
const targets = 3;
/** Bytes that a request leaves in logs: a line of the gateway, and for commands one of the function (test/service/logs). */
const logBytes = { command: 1_050, query: 400 };
/** The bytes of an event. */
const eventBytes = 1_500;
/** The share of requests that X-Ray records, without a rule of one's own. */
const traced = 0.05;
const batchSize = 100;
const parallelization = 4;
/** Write units that DynamoDB gives one partition key in a second, and so one stream shard at least. */
const partitionUnits = 1_000;
/** A charge writes its wallet with 2 units, and an item takes 1,000 of them. */
const writesOfWallet = partitionUnits / 2;

/** Commands a second, by kind. */
function commandsOf({ charges, transfers, withdrawals }: Load): [Command, number][] {
  return [
    ['charge', charges],
    ['transfer', transfers],
    ['withdrawal', withdrawals],
  ];
}

/** Returns the sum over the commands, a second. */
function sumOver(load: Load, each: Readonly<Record<Command, number>>): number {
  return commandsOf(load).reduce((sum, [command, perSecond]) => sum + perSecond * each[command], 0);
}

/** Returns the function instances that are busy at a time, by what they do. */
export function concurrencyOf(load: Load, times: Times): Readonly<Record<string, number>> {
  const commands = load.charges + load.transfers + load.withdrawals;
  const published = sumOver(load, events);
  const inBatches = (perSecond: number) => (perSecond / batchSize) * (times.batch / 1000);
  return {
    commands: (commands * (times.write.p50 + times.around.p50)) / 1000,
    balances: (load.balances * (times.read.p50 + times.around.p50)) / 1000,
    // Ten withdrawals share an instance, and the slowest holds it.
    bank: (load.withdrawals * callsOfWithdrawal * times.bank.p99) / 1000 / 10,
    ledger: inBatches(sumOver(load, records)),
    relay: inBatches(sumOver(load, records)),
    screening: inBatches(published),
    notifications: inBatches(published),
  };
}

/** Returns all limits, sorted by the share that the load uses, the largest first. */
export function limitsOf(load: Load, units: Units, times: Times): Limit[] {
  const requests = load.charges + load.transfers + load.withdrawals + load.balances;
  const busy = concurrencyOf(load, times);
  const written = sumOver(load, units.command);
  const published = sumOver(load, events);
  const shards = Math.max(4, Math.ceil(written / partitionUnits));
  const money = load.charges + load.transfers + load.withdrawals;
  const limits: Limit[] = [
    { name: 'requests at the gateway', demand: requests, quota: 10_000, unit: '/s', lift: 'quota of the account' },
    { name: "the API's own throttle", demand: requests, quota: 1_000, unit: '/s', lift: 'prop `throttle`' },
    {
      name: 'functions at a time',
      demand: Object.values(busy).reduce((sum, each) => sum + each, 0),
      quota: 1_000,
      unit: '',
      lift: 'quota of the account',
    },
    { name: 'write units of the wallet table', demand: written, quota: 40_000, unit: '/s', lift: 'quota of the table' },
    {
      name: 'functions that read the stream, of each consumer',
      demand: busy['ledger'] ?? 0,
      quota: shards * parallelization,
      unit: '',
      lift: 'grows with the table',
    },
    { name: 'events put on the bus', demand: published, quota: 10_000, unit: '/s', lift: 'quota of the account' },
    {
      name: 'deliveries by the bus',
      demand: published * targets,
      quota: 18_750,
      unit: '/s',
      lift: 'quota of the account',
    },
    { name: 'workers at the bank', demand: busy['bank'] ?? 0, quota: 50, unit: '', lift: 'prop `bank.concurrency`' },
    {
      name: 'screening workers',
      demand: busy['screening'] ?? 0,
      quota: 5,
      unit: '',
      lift: 'prop `screeningConcurrency`',
    },
    {
      name: 'notification workers',
      demand: busy['notifications'] ?? 0,
      quota: 5,
      unit: '',
      lift: 'prop `notificationConcurrency`',
    },
    {
      name: 'writes of the busiest wallet',
      demand: money * load.hottest,
      quota: writesOfWallet,
      unit: '/s',
      lift: '`Prefer: respond-async` for its payers',
    },
  ];
  return limits.sort((a, b) => b.demand / b.quota - a.demand / a.quota);
}

/** Returns the expected latency of an answer, ms: the gateway, a warm function and one round trip. */
export function latencyOf(times: Times): Readonly<Record<'command' | 'balance', Quantiles>> {
  const sum = (a: Quantiles, b: Quantiles): Quantiles => ({ p50: a.p50 + b.p50, p99: a.p99 + b.p99 });
  return { command: sum(times.around, times.write), balance: sum(times.around, times.read) };
}

export type Billing = 'on demand' | 'provisioned';

/** What a command uses, with its workers and all consumers. */
export interface Use {
  /** Requests at the gateway. */
  readonly requests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Events that it publishes, and records of the stream. */
  readonly events: number;
  readonly records: number;
  /** Messages to workers. */
  readonly messages: number;
  readonly bankCalls: number;
}

/** Returns what a command of a load uses. Reads of its worker are not counted. */
export function useOf(command: Command, units: Units): Use {
  const isWithdrawal = command === 'withdrawal';
  return {
    ...{ requests: 1, readUnits: 0, events: events[command], records: records[command] },
    writeUnits: units.command[command] + units.following[command],
    // The worker's message, which it receives, delays and deletes at each visit to the bank.
    messages: isWithdrawal ? 1 + 3 * callsOfWithdrawal : 0,
    bankCalls: isWithdrawal ? callsOfWithdrawal : 0,
  };
}

/** Returns the cost of a million of a command, by item, in dollars, without storage. */
export function costOfMillion(use: Use, times: Times, billing: Billing): Readonly<Record<string, number>> {
  const [writeUnit, readUnit] =
    billing === 'on demand'
      ? [prices.writeUnit, prices.readUnit]
      : [provisioned(prices.provisionedHour), provisioned(prices.provisionedReadHour)];
  const consumers = (2 * use.records + 2 * use.events) / batchSize;
  const bankSeconds = (use.bankCalls * times.bank.p50) / 1_000 / 10;
  const answering = (use.requests * (times.write.p50 + times.around.p50)) / 1000;
  const seconds = answering + (consumers * times.batch) / 1000 + bankSeconds;
  const queues = 2 * use.events * (1 + 2 / batchSize) + use.messages;
  return {
    gateway: use.requests * (prices.gatewayRequest + prices.webAclRequest),
    functions: prices.lambdaRequest * (use.requests + consumers) + prices.lambdaTime * seconds,
    'write units': writeUnit * use.writeUnits,
    ...(use.readUnits > 0 && { 'read units': readUnit * use.readUnits }),
    events: prices.event * use.events,
    queues: prices.queueRequest * queues,
    audit: (prices.delivery * use.events * 5_000 * 1_000_000) / 1e9,
    logs: (prices.logs * use.requests * logBytes.command * 1_000_000) / 1e9,
    traces: prices.trace * use.requests * traced,
    'replay archive': (0.1 * use.events * eventBytes * 1_000_000) / 1e9,
  };
}

/** Returns the price of a million units of provisioned capacity, in dollars, from that of a unit for an hour. */
function provisioned(hour: number): number {
  return (hour * 1_000_000) / 3_600 / utilisation;
}

/** Returns the cost of a million balances, by item, in dollars. */
export function costOfMillionBalances(units: Units, times: Times): Readonly<Record<string, number>> {
  return {
    gateway: prices.gatewayRequest + prices.webAclRequest,
    functions: prices.lambdaRequest + (prices.lambdaTime * (times.read.p50 + times.around.p50)) / 1000,
    'read units': prices.readUnit * units.balance,
    logs: (prices.logs * logBytes.query * 1_000_000) / 1e9,
    traces: prices.trace * traced,
  };
}
