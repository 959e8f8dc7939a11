import { randomUUID } from 'node:crypto';
import { transfer } from '../lambdas/api/transfer.ts';
import { transactionIdOf, walletIdOf } from '../lambdas/domain/ids.ts';
import { queuedTransfer } from '../lambdas/domain/transfer.ts';
import { forEachOf } from '../lambdas/aws/parallel.ts';
import { openTable } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { acceptTransfer } from '../lambdas/store/transfers.ts';
import { openHotReceivers } from '../lambdas/http/hot-receivers.ts';
import { serve } from '../lambdas/http/http.ts';
import { openLimits } from '../lambdas/http/limits.ts';
import { endTransfers } from '../lambdas/workers/transfers.ts';
import { openClock } from './clock.ts';
import { figure, latencyOf, table as tableOf, verdict } from './report.ts';
import type { Latency } from './report.ts';
import { contextOf, eventOf, request } from './requests.ts';
import { modelTable } from './table-model.ts';
import type { TableModel } from './table-model.ts';

/** Transfers that meet in one wallet, in the model of DynamoDB. */
export interface HotModel {
  /** Queued transfers into one wallet, by how they are settled. */
  readonly credits: readonly Settling[];
  /** Simultaneous callers that pay one wallet, each with its own container. */
  readonly synchronous: Synchronous;
  /** Queued transfers out of one wallet, each accepted by itself. */
  readonly debits: { readonly perSecond: number; readonly within: boolean };
}

export interface Settling {
  readonly way: string;
  readonly perSecond: number;
  readonly units: number;
  readonly conflicts: number;
  readonly throttles: number;
  /** Undefined: no target. */
  readonly within: boolean | undefined;
}

export interface Synchronous {
  readonly clients: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly perSecond: number;
  /** The time until the answer, ms. */
  readonly latency: Latency;
  readonly within: boolean;
}

/** The size of the model. */
export interface HotModelOptions {
  readonly transfers: number;
  readonly seconds: number;
}

export const targets = { creditsPerSecond: 8_000, unitsEach: 5.1, debitsPerSecond: 2_000 };
const times = { write: 10, read: 4 };
const workers = 10;
/** How many messages a worker receives at a time, as in the template. */
const batchSize = 2_000;
/** The window in which the queue collects a batch, ms. */
const windowMs = 1_000;

/** Runs the service's own code in modelled time. */
export async function modelHotWallet({ transfers, seconds }: HotModelOptions): Promise<HotModel> {
  return {
    credits: [
      await settle('batches of 100, one partition of the index', transfers / 4, { batchSize: 100, crowd: Infinity }),
      await settle('as it is, one partition of the index', transfers / 4, { batchSize, crowd: Infinity }),
      await settle('as it is', transfers, { batchSize }, true),
    ],
    synchronous: await paySynchronously(100, seconds),
    debits: await payOut(seconds),
  };
}

const walletIdFor = (name: string) => walletIdOf('bench', name, 'EUR');

interface Scene {
  readonly clock: ReturnType<typeof openClock>;
  readonly model: TableModel;
  readonly table: Table;
}

function newScene(): Scene {
  const clock = openClock();
  const model = modelTable(clock, times);
  const table: Table = { ...openTable(model.client, 'model'), now: clock.now, sleep: clock.sleep };
  return { clock, model, table };
}

function newTransfer(from: string, to: string, now: number) {
  return queuedTransfer({
    transactionId: transactionIdOf('bench', randomUUID()),
    principal: 'bench',
    ownerId: undefined,
    walletId: walletIdFor(from),
    toWalletId: walletIdFor(to),
    amount: 100,
    currency: 'EUR',
    at: new Date(now).toISOString(),
  });
}

/** Runs workers that receive batches while there are any, as Lambda starts them. */
async function settle(
  way: string,
  transfers: number,
  { batchSize: most, crowd }: { batchSize: number; crowd?: number },
  isTarget = false,
): Promise<Settling> {
  const { clock, model, table } = newScene();
  const all = Array.from({ length: transfers }, (_, n) => newTransfer(`sender ${n}`, 'hot', clock.now()));
  await clock.run(
    forEachOf(all, 1_000, async (one) => {
      await acceptTransfer(table, one, 'bench', undefined);
    }),
  );
  // The partitions of the index have filled up again.
  await clock.run(clock.sleep(1_000));
  const before = { ...model.counts };
  const startedAt = clock.now();
  const queue = all.map(({ transactionId }) => transactionId);
  const work = async () => {
    for (let batch = queue.splice(0, most); batch.length > 0; batch = queue.splice(0, most)) {
      queue.push(...(await endTransfers(batch, table, crowd)).keys());
    }
  };
  await clock.run(Promise.all(Array.from({ length: workers }, work)));
  const perSecond = (transfers / (clock.now() - startedAt)) * 1_000;
  const units = (model.counts.units - before.units) / transfers;
  if (model.addedTo(walletIdFor('hot')) !== transfers * 100) throw new Error('the wallet has not what was sent to it');
  return {
    way,
    perSecond,
    units,
    conflicts: model.counts.conflicts - before.conflicts,
    throttles: model.counts.throttles - before.throttles,
    within: isTarget ? perSecond >= targets.creditsPerSecond && units <= targets.unitsEach : undefined,
  };
}

async function paySynchronously(clients: number, seconds: number): Promise<Synchronous> {
  const { clock, model, table } = newScene();
  const queue: string[] = [];
  const answers = new Map<number, number>();
  const latencies: number[] = [];
  const until = clock.now() + seconds * 1_000;
  let paying = clients;
  const pay = async (client: number) => {
    const handler = serve(transfer, {
      table,
      limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
      queue: {
        async send({ transactionId }: { transactionId: string }) {
          await clock.sleep(5);
          queue.push(transactionId);
        },
      },
      isOverloaded: () => Promise.resolve(false),
      hotReceivers: openHotReceivers(table.now),
    });
    while (clock.now() < until) {
      const startedAt = clock.now();
      const benchRequest = request(
        'POST',
        '/wallets/{walletId}/transfer',
        { walletId: walletIdFor(`client ${client}`) },
        { key: randomUUID(), body: { amount: 100, toWalletId: walletIdFor('hot') } },
      );
      const { statusCode } = await handler(eventOf(benchRequest), contextOf('bench'));
      answers.set(statusCode, (answers.get(statusCode) ?? 0) + 1);
      latencies.push(clock.now() - startedAt);
    }
    paying--;
  };
  const work = async () => {
    while (paying > 0 || queue.length > 0) {
      await clock.sleep(windowMs);
      queue.push(...(await endTransfers(queue.splice(0, batchSize), table)).keys());
    }
  };
  await clock.run(
    Promise.all([...Array.from({ length: clients }, (_, n) => pay(n)), ...Array.from({ length: workers }, work)]),
  );
  const taken = [...answers].reduce((sum, [status, count]) => (status < 300 ? sum + count : sum), 0);
  if (model.addedTo(walletIdFor('hot')) !== taken * 100) throw new Error('the wallet has not what was sent to it');
  const latency = latencyOf(latencies);
  return {
    clients,
    answers: Object.fromEntries(answers),
    perSecond: taken / seconds,
    latency,
    within: ![...answers.keys()].some((status) => status >= 500) && latency.p99 <= windowMs,
  };
}

async function payOut(seconds: number): Promise<HotModel['debits']> {
  const { clock, table } = newScene();
  const until = clock.now() + seconds * 1_000;
  let paid = 0;
  const pay = async () => {
    while (clock.now() < until) {
      await acceptTransfer(table, newTransfer('payer', `receiver ${paid}`, clock.now()), 'bench', undefined).then(
        () => paid++,
        () => undefined,
      );
    }
  };
  await clock.run(Promise.all(Array.from({ length: 32 }, pay)));
  const perSecond = paid / seconds;
  return { perSecond, within: perSecond >= targets.debitsPerSecond };
}

/** Returns the model's figures as tables. */
export function hotModelTable({ credits, synchronous, debits }: HotModel): string {
  const { clients, answers, perSecond, latency, within } = synchronous;
  return [
    tableOf(
      ['queued transfers into one wallet', 'a second', 'units each', 'conflicts', 'throttles', ''],
      credits.map((row) => [
        row.way,
        figure(Math.round(row.perSecond)),
        figure(row.units),
        figure(row.conflicts),
        figure(row.throttles),
        row.within === undefined ? '' : verdict(row.within),
      ]),
    ),
    tableOf(
      ['into and out of one wallet, one by one', 'a second', 'answers', 'p50 ms', 'p99 ms', ''],
      [
        [
          `in, ${clients} clients`,
          figure(Math.round(perSecond)),
          Object.entries(answers)
            .map(([status, count]) => `${status}: ${count}`)
            .join(', '),
          figure(latency.p50),
          figure(latency.p99),
          verdict(within),
        ],
        ['out, queued', figure(Math.round(debits.perSecond)), '', '', '', verdict(debits.within)],
      ],
    ),
  ].join('\n\n');
}
