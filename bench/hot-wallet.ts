import type { SQSEvent } from 'aws-lambda';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WalletError } from '../lambdas/domain/errors.ts';
import { transactionIdOf } from '../lambdas/domain/ids.ts';
import { queuedTransfer, transfer } from '../lambdas/domain/transfer.ts';
import { forEachOf } from '../lambdas/aws/parallel.ts';
import { mostTransfersPerWrite, acceptTransfer, commitTransfer } from '../lambdas/store/transfers.ts';
import { documentClient } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { endTransfers, open as openTransfers } from '../lambdas/workers/transfers.ts';
import { bundleFile } from '../lib/bundle-files.ts';
import { bundleOf } from '../lib/bundle.ts';
import { startEventSource } from '../local/event-sources/event-source.ts';
import { refuseOverlaps } from './conflicts.ts';
import { startDriver } from './driver.ts';
import { meter } from './meter.ts';
import { figure, latencyOf, median, table as tableOf, verdict } from './report.ts';
import type { Latency } from './report.ts';
import { request } from './requests.ts';
import type { BenchRequest } from './requests.ts';
import { openWalletsInProcess } from './service.ts';
import type { Service } from './service.ts';

/** One way of moving many transfers into one wallet. */
export interface Way {
  readonly way: string;
  /** Whether transactions on one item refuse each other, as on AWS, or wait for each other, as in the engine. */
  readonly conflicts: boolean;
  /** Transfers a second: median, slowest and fastest round. */
  readonly perSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  /** Write units for each transfer. */
  readonly writeUnits: number;
  /** Median over the rounds of this way's speed by that of one write for each transfer, in the same round and mode. */
  readonly timesOneByOne: number;
}

/** Latencies of queued transfers at a fixed rate of arrivals; milliseconds from the intended arrival. */
export interface OpenLoop {
  readonly perSecond: number;
  readonly transfers: number;
  readonly accepted: Latency;
  readonly settled: Latency;
  /** Mean number of transfers that one run of the worker settled. */
  readonly perBatch: number;
}

export interface HotWallet {
  readonly ways: readonly Way[];
  readonly openLoop: OpenLoop;
}

export interface HotWalletOptions {
  readonly rounds: number;
  /** Full batches that are settled in one round. */
  readonly batches: number;
  /** Callers at a time; there are 32 senders. */
  readonly concurrency: number;
  readonly openLoop: { readonly perSecond: number; readonly seconds: number };
}

/**
 * How many times as fast as single writes batches should be. The local engine cannot show it: an update takes 0.2 ms on
 * a table without indexes and stream, and 0.5 ms on this one. One write for each transfer takes 2 ms.
 */
export const speedTarget = 10;
export const unitsTarget = 5.1;

/** Measures transfers from many wallets into one. The clients of this process must find the service in its environment. */
export async function measureHotWallet(
  service: Service,
  options: HotWalletOptions,
  progress: (line: string) => void,
): Promise<HotWallet> {
  const { table } = service;
  const [hot = '', ...senders] = await openWalletsInProcess(service, 33);
  const client = service.newClient();
  const contended = { ...table, client: documentClient(client) };
  refuseOverlaps(client);
  const runs = [
    ...waysInto(hot, senders, table, options).map((way) => ({ ...way, table, conflicts: false })),
    ...waysInto(hot, senders, contended, options).map((way) => ({ ...way, table: contended, conflicts: true })),
  ].map((run) => ({ ...run, speeds: [] as number[] }));
  const count = options.batches * mostTransfersPerWrite;
  for (let round = 0; round <= options.rounds; round++) {
    progress(round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`);
    for (const { prepare, speeds } of runs) {
      const run = await prepare();
      const startedAt = performance.now();
      await run();
      if (round > 0) speeds.push((count / (performance.now() - startedAt)) * 1000);
    }
  }
  progress('write units');
  const ways: Way[] = [];
  for (const { way, conflicts, table: metered, speeds, prepare } of runs) {
    const run = await prepare();
    const { writeUnits } = await meter(metered.client, run);
    const oneByOne = runs.find((other) => other.conflicts === conflicts && other.way === oneWriteEach);
    ways.push({
      way,
      conflicts,
      perSecond: median(speeds),
      slowest: Math.min(...speeds),
      fastest: Math.max(...speeds),
      writeUnits: writeUnits / count,
      timesOneByOne: median(speeds.map((speed, round) => speed / (oneByOne?.speeds[round] ?? NaN))),
    });
  }
  const openLoop = await measureOpenLoop(service, hot, senders, options, progress);
  client.destroy();
  return { ways, openLoop };
}

const oneWriteEach = 'one write for each transfer';
const settledByBatches = `queued: settled by batches of ${mostTransfersPerWrite}`;

/**
 * Returns the ways of moving a round of transfers. Each prepares its work, and returns the part that is measured. All
 * write by the store's own functions; settling includes the worker's read.
 */
function waysInto(
  hot: string,
  senders: readonly string[],
  table: Table,
  { batches, concurrency }: HotWalletOptions,
): { way: string; prepare: () => Promise<() => Promise<unknown>> }[] {
  const transfersOfRound = () => newTransfers(hot, senders, batches * mostTransfersPerWrite);
  const commit = (facts: Facts) =>
    untilServed(() => commitTransfer(table, { ...transfer(facts), counterpartyWalletId: hot }, 'bench', undefined));
  const accept = (facts: Facts) => untilServed(() => acceptTransfer(table, queuedTransfer(facts), 'bench', undefined));
  const accepted = async () => {
    const transfers = transfersOfRound();
    await forEachOf(transfers, concurrency, accept);
    return transfers.map(({ transactionId }) => transactionId);
  };
  return [
    {
      way: oneWriteEach,
      prepare() {
        const transfers = transfersOfRound();
        return Promise.resolve(() => forEachOf(transfers, concurrency, commit));
      },
    },
    {
      way: 'queued: accepted',
      prepare() {
        const transfers = transfersOfRound();
        return Promise.resolve(() => forEachOf(transfers, concurrency, accept));
      },
    },
    {
      way: 'queued: settled one by one',
      async prepare() {
        const ids = await accepted();
        return () => forEachOf(ids, concurrency, (id) => settle([id], table));
      },
    },
    {
      way: settledByBatches,
      async prepare() {
        const ids = await accepted();
        const full = Array.from({ length: batches }, (_, n) =>
          ids.slice(n * mostTransfersPerWrite, (n + 1) * mostTransfersPerWrite),
        );
        return () => forEachOf(full, 1, (batch) => settle(batch, table));
      },
    },
  ];
}

type Facts = ReturnType<typeof newTransfers>[number];

function newTransfers(hot: string, senders: readonly string[], count: number) {
  return Array.from({ length: count }, (_, n) => ({
    transactionId: transactionIdOf('bench', randomUUID()),
    principal: 'bench',
    ownerId: undefined,
    walletId: senders[n % senders.length] ?? '',
    toWalletId: hot,
    amount: 100,
    currency: 'EUR',
    description: 'Invoice 2026-001',
    metadata: { invoice: 'INV-2026-001' },
    at: new Date().toISOString(),
  }));
}

/** Runs the worker until it has settled these transfers. */
async function settle(ids: readonly string[], table: Table): Promise<void> {
  let open = ids;
  while (open.length > 0) {
    const failed = await endTransfers(open, table);
    for (const error of failed.values()) if (!isBusy(error)) throw error;
    open = [...failed.keys()];
  }
}

/** Repeats work while it is refused as `busy`, as a client does. */
async function untilServed(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }
}

const isBusy = (error: unknown) => error instanceof WalletError && error.code === 'busy';

/** The settings of the template: batches of up to 100, collected for up to a second, two of them at a time. */
const eventSource = { batchSize: 100, batchingWindowSeconds: 1, maxConcurrency: 2, reportsItemFailures: true };
const openLoopLanes = 16;
const settleLimitMs = 30_000;

/**
 * Queues transfers at a fixed rate, whether or not earlier ones have ended. Latency counts from the intended arrival,
 * so that a stall of the service shows.
 */
async function measureOpenLoop(
  service: Service,
  hot: string,
  senders: readonly string[],
  { openLoop: { perSecond, seconds } }: HotWalletOptions,
  progress: (line: string) => void,
): Promise<OpenLoop> {
  progress(`open loop: ${perSecond} a second for ${seconds} s`);
  const worker = startTransferWorker(service);
  const bundle = join(bundleOf('transfer'), bundleFile);
  const bundles = { transfer: bundle, charge: bundle, withdraw: bundle, 'get-balance': bundle };
  const driver = await startDriver({ level: 'handler', bundles }, service.environment);
  try {
    const requests = (count: number) => Array.from({ length: count }, (_, n) => queuedRequest(hot, senders, n));
    await driver.prepare('transfer', requests(openLoopLanes * 4), openLoopLanes);
    await driver.closedLoop();
    const total = perSecond * seconds;
    await driver.prepare('transfer', requests(total), openLoopLanes);
    worker.forget();
    const sent = (await driver.openLoop(perSecond)).map(({ answer, ...times }) => ({
      ...times,
      transactionId: (JSON.parse(answer ?? '{}') as { transactionId: string }).transactionId,
    }));
    await worker.waitFor(sent.map(({ transactionId }) => transactionId));
    const settled = sent.flatMap(({ transactionId, intendedAt }) => {
      const at = worker.settledAt.get(transactionId);
      return at === undefined ? [] : [at - intendedAt];
    });
    if (settled.length < total) throw new Error(`${total - settled.length} transfers were not settled in time`);
    return {
      perSecond,
      transfers: total,
      accepted: latencyOf(sent.map(({ intendedAt, answeredAt }) => answeredAt - intendedAt)),
      settled: latencyOf(settled),
      perBatch: worker.perBatch(),
    };
  } finally {
    await driver.stop();
    await worker.stop();
  }
}

function queuedRequest(hot: string, senders: readonly string[], n: number): BenchRequest {
  return request(
    'POST',
    '/wallets/{walletId}/transfer',
    { walletId: senders[n % senders.length] ?? '' },
    { key: randomUUID(), headers: { Prefer: 'respond-async' }, body: { amount: 100, toWalletId: hot } },
  );
}

/** Starts the worker behind the empty queue of transfers, and notes when each transfer was settled. */
function startTransferWorker({ queues, environment }: Service) {
  const queue = queues.list().find(({ settings }) => settings.name === 'transfers');
  if (queue === undefined) throw new Error('there is no queue of transfers');
  queue.purge();
  const handler = openTransfers(environment);
  const settledAt = new Map<string, number>();
  let batches = 0;
  const source = startEventSource(
    queue,
    {
      concurrency: eventSource.maxConcurrency,
      async invoke(event) {
        const answer = await handler(event as SQSEvent);
        batches += 1;
        const now = performance.timeOrigin + performance.now();
        const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        for (const { body, messageId } of (event as SQSEvent).Records) {
          if (!failed.has(messageId)) settledAt.set((JSON.parse(body) as { transactionId: string }).transactionId, now);
        }
        return answer;
      },
    },
    { ...eventSource, region: 'us-east-1' },
  );
  return {
    /** Epoch ms by transaction. */
    settledAt: settledAt as ReadonlyMap<string, number>,
    perBatch: () => settledAt.size / batches,
    forget() {
      batches = 0;
      settledAt.clear();
    },
    /** Waits until these transfers are settled, for a limited time. */
    async waitFor(transactionIds: readonly string[]) {
      const deadline = Date.now() + settleLimitMs;
      while (transactionIds.some((id) => !settledAt.has(id)) && Date.now() < deadline) await sleep(20);
    },
    stop: () => source.stop(),
  };
}

/** Returns the hot wallet's figures as two tables. */
export function hotWalletTable({ ways, openLoop }: HotWallet): string {
  const { accepted, settled } = openLoop;
  return [
    tableOf(
      ['into one wallet', 'transfers/s', 'slowest – fastest', 'write units each', '× one by one', ''],
      ways.map(({ way, conflicts, perSecond, slowest, fastest, writeUnits, timesOneByOne }) => [
        conflicts ? `with conflicts: ${way}` : way,
        figure(Math.round(perSecond)),
        `${figure(Math.round(slowest))} – ${figure(Math.round(fastest))}`,
        figure(writeUnits),
        figure(timesOneByOne),
        way === settledByBatches
          ? `speed ${verdict(timesOneByOne >= speedTarget)}, units ${verdict(writeUnits <= unitsTarget)}`
          : '',
      ]),
    ),
    tableOf(
      [
        `open loop, ${openLoop.perSecond} a second, ${figure(openLoop.perBatch)} in a batch`,
        'p50 ms',
        'p95 ms',
        'p99 ms',
      ],
      [
        ['accepted', figure(accepted.p50), figure(accepted.p95), figure(accepted.p99)],
        ['settled', figure(settled.p50), figure(settled.p95), figure(settled.p99)],
      ],
    ),
  ].join('\n\n');
}
