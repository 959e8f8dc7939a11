/**
 * One release of the service: its real routes, workers and check of the books, connected to a simulated world. In the
 * history of an upgrade several releases run, each imported from a folder of its own. No class crosses from the world to
 * a release but those of packages, because `instanceof` distinguishes two copies of a class.
 */
import type { Context, DynamoDBRecord, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { approve } from '../../lambdas/api/approve.ts';
import { bankNotifications } from '../../lambdas/api/bank-notifications.ts';
import { cancel } from '../../lambdas/api/cancel.ts';
import { capture } from '../../lambdas/api/capture.ts';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { createBatch } from '../../lambdas/api/create-batch.ts';
import { getBatch } from '../../lambdas/api/get-batch.ts';
import { listBatchItems } from '../../lambdas/api/list-batch-items.ts';
import { close } from '../../lambdas/api/close.ts';
import { createWallet } from '../../lambdas/api/create-wallet.ts';
import { freeze } from '../../lambdas/api/freeze.ts';
import { findTransactions } from '../../lambdas/api/find-transactions.ts';
import { getApproval } from '../../lambdas/api/get-approval.ts';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getNotificationPreferences } from '../../lambdas/api/get-notification-preferences.ts';
import { getReceipt, getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { health } from '../../lambdas/api/health.ts';
import { listApprovals } from '../../lambdas/api/list-approvals.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { putNotificationPreferences } from '../../lambdas/api/put-notification-preferences.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { reject } from '../../lambdas/api/reject.ts';
import { release } from '../../lambdas/api/release.ts';
import { resolve } from '../../lambdas/api/resolve.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import { split } from '../../lambdas/api/split.ts';
import {
  cancelStandingOrder,
  getStandingOrder,
  listStandingOrders,
  openStandingOrder,
} from '../../lambdas/api/standing-orders.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { consume, consumeTogether } from '../../lambdas/aws/consumer.ts';
import { openQueue, openQueueDepth } from '../../lambdas/aws/queue.ts';
import type { SetAside } from '../../lambdas/aws/set-aside.ts';
import { logger, metrics } from '../../lambdas/aws/telemetry.ts';
import { openBank } from '../../lambdas/bank/client.ts';
import { NeverConnected } from '../../lambdas/bank/connection.ts';
import { openRequestKeys, openSecret } from '../../lambdas/bank/secret.ts';
import type { RouteName as Route, routes, WorkMessage } from '../../lambdas/contract.ts';
import { bankCallMs } from '../../lambdas/domain/withdrawal.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openHotReceivers } from '../../lambdas/http/hot-receivers.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { watchDepth } from '../../lambdas/http/overload.ts';
import { beginHours, runHours } from '../../lambdas/integrity/hours.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { putBreaker } from '../../lambdas/store/breaker.ts';
import { Heads } from '../../lambdas/store/heads.ts';
import { journalLinesOf } from '../../lambdas/store/journal.ts';
import { openLimitHints } from '../../lambdas/store/limit-hints.ts';
import { documentClient } from '../../lambdas/store/table.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { project } from '../../lambdas/workers/projector.ts';
import { advanceBatch } from '../../lambdas/workers/batches.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { silence } from '../../bench/silence.ts';
import { issuer, send } from '../request.ts';
import type { Handler, Request, Response } from '../request.ts';
import type { BankId, Banks } from './bank.ts';
import { scheduleAt } from './fees.ts';
import type { Clients } from './in-process-clients.ts';
import { notificationOverlapMs } from './keys.ts';
import type { Direction } from './keys.ts';
import type { ServiceSettings } from './service.ts';
import { startWebhooks, webhookHandlers } from './webhook-release.ts';
import type { OutsideOfWebhooks, WebhookWorker } from './webhook-release.ts';
import type { Webhooks } from './webhooks.ts';
import type { World } from './world.ts';

/** Routes that read data from the table's stream, which is not part of this world. */
export const streamRoutes = ['list-entries', 'get-statement', 'get-totals', 'integrity'] as const;
/** Routes that read no data. */
export const referenceRoutes = ['get-description', 'get-reference'] as const;
/** Routes of statement files, which move no money, and whose data is not part of this world. */
type RouteElsewhere = Extract<(typeof routes)[number], { readonly function: 'statement-files' }>['name'];
export type RouteName = Exclude<Route, (typeof streamRoutes | typeof referenceRoutes)[number] | RouteElsewhere>;

export const withdrawalQueue = 'sqs:withdrawals';
export const transferQueue = 'sqs:transfers';
export const batchQueue = 'sqs:batches';

/** A small number, since groups are small here: each queued transfer is a crowd. */
const crowd = 1;
/** So few lines in a part, and payments in a write, that short batches have several. */
const batchSizes = { linesPerPart: 3, paymentsPerWrite: 2 };
/** Fewer than there are wallets, so that a container of the projector forgets some. */
const keptHeads = 2;

/** The world around a release. */
export interface Outside {
  readonly world: World;
  readonly clients: Pick<Clients, 'dynamodb' | 'sqs' | 'secrets'>;
  /** The names of the table, and of the table of entries, where the history has one. */
  readonly tables: { readonly name: string; readonly entriesName: string | undefined };
  readonly banks: Pick<Banks, 'current' | 'sendTo'>;
  readonly settings: ServiceSettings;
  /** Undefined: the history has none. */
  readonly webhooks: Pick<Webhooks, 'tableName' | 'receivers' | 'putEvents'> | undefined;
  /** Receives each error of a worker. */
  readonly report: (error: unknown) => void;
}

export type Consumer = (event: SQSEvent) => Promise<SQSBatchResponse>;
/** Projects records of the stream. Returns the record from which the projector wants them again. */
export type Projector = (
  records: readonly DynamoDBRecord[],
  setAside: (records: readonly DynamoDBRecord[]) => void,
) => Promise<DynamoDBRecord | undefined>;

/** Each `start…` starts a process, and returns the function that Lambda calls in it. */
export interface Release {
  readonly startRoute: (route: RouteName) => (request: Request) => Promise<Response>;
  readonly startWithdrawals: (bankId: BankId) => Consumer;
  readonly startTransfers: () => Consumer;
  readonly startBatches: () => Consumer;
  readonly startProjector: () => Projector;
  readonly startWebhooks: () => WebhookWorker;
  readonly sweep: () => Promise<number>;
  readonly table: Table;
  readonly entries: Table;
}

/** The check of the books, of this release. */
export const integrity = { beginPass, runPass, beginHours, runHours, journalLinesOf };
export type Integrity = typeof integrity;

/** The log and the metrics of this release, which all of its processes share here. `silence` keeps both from the console. */
export const telemetry = { logger, metrics, silence };
export type Telemetry = typeof telemetry;

export function openRelease(outside: Outside): Release {
  const { world, clients } = outside;
  const { name, entriesName = name } = outside.tables;
  // As openTable() in lambdas/store/table.ts, on this world's clock.
  const table: Table = {
    client: documentClient(clients.dynamodb),
    name,
    retry: { budgetMs: 4_000, backoff: { first: 25, longest: 800 } },
    limitHints: openLimitHints(),
    // With few shards, a run of the sweeper has few calls that a fault can strike.
    dueShards: 4,
    ...(outside.settings.caps && { caps: outside.settings.caps }),
    now: world.clock,
    random: world.random,
    sleep: world.sleep,
  };
  const entries = { ...table, name: entriesName };
  const swept = (url: string) => ({
    send: openQueue<WorkMessage>(clients.sqs, url).sendAll,
    depth: openQueueDepth(clients.sqs, url),
  });
  return {
    table,
    entries,
    startRoute(route) {
      const handler = handlersOf(outside, inProcess(table), entries)[route]();
      return (request) => send(route, handler, request);
    },
    startWithdrawals: (bankId) => newWithdrawalWorker(outside, table, bankId),
    startTransfers() {
      const own = inProcess(table);
      return consumeTogether({
        queue: openQueue(clients.sqs, transferQueue),
        handle: (transactionIds) =>
          reported(outside, async () => {
            const failed = await endTransfers(transactionIds, own, crowd);
            for (const error of failed.values()) outside.report(error);
            return failed;
          }),
      });
    },
    startBatches: () => newBatchWorker(outside, inProcess(table)),
    startProjector() {
      const heads = new Heads(keptHeads);
      return (records, setAside) => {
        const aside = {
          send({ Records }: SetAside) {
            setAside(Records);
            return Promise.resolve();
          },
        };
        return project(records, { entries, heads, setAside: aside });
      };
    },
    startWebhooks: () => startWebhooks(...ofWebhooks(outside, table)),
    sweep() {
      const { revenueWallet } = outside.settings.fees ?? {};
      // Fees are collected where the projector totals them.
      const collects = revenueWallet !== undefined && outside.tables.entriesName !== undefined;
      return sweep({
        table,
        withdrawals: swept(withdrawalQueue),
        transfers: swept(transferQueue),
        batches: swept(batchQueue),
        // A service has room for one at least.
        mostQueued: Math.max(1, Math.ceil(outside.settings.queueDepthLimit / 2)),
        ...(collects && { fees: { entries, revenueWallets: { EUR: revenueWallet } } }),
      });
    },
  };
}

/** Returns the world around webhooks, and their table. */
function ofWebhooks({ world, clients, webhooks }: Outside, table: Table): [OutsideOfWebhooks, Table] {
  if (webhooks === undefined) throw new Error('the history has no webhooks');
  const { tableName, ...others } = webhooks;
  return [
    { world, clients, ...others },
    { ...table, name: tableName },
  ];
}

/** Returns the table as a new process has it: without hints. */
function inProcess(table: Table): Table {
  return { ...table, limitHints: openLimitHints() };
}

async function reported<T>({ report }: Outside, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    report(error);
    throw error;
  }
}

/** Starts a process of the withdrawal worker: the bank client with its breaker, and the keys. */
function newWithdrawalWorker(outside: Outside, table: Table, bankId: BankId): Consumer {
  const { world, clients, banks, settings } = outside;
  const client = openBank({
    url: `https://${bankId}.test`,
    keys: openRequestKeys(clients.secrets, 'requests' satisfies Direction, world.clock),
    timeoutMs: bankCallMs,
    breaker: settings.breaker,
    send: banks.sendTo(bankId, NeverConnected),
    onBreaker(state) {
      putBreaker(table, { state, since: new Date(world.clock()).toISOString() }).catch(() => undefined);
    },
  });
  const consumer = consume({
    queue: openQueue(clients.sqs, withdrawalQueue),
    now: world.clock,
    handle: (transactionId) =>
      reported(outside, () =>
        advanceWithdrawal(transactionId, { table, bank: client, bankId, policy: settings.policy }),
      ),
  });
  return (event) => consumer(event, {} as Context);
}

/** Starts a process of the worker of batches. */
function newBatchWorker(outside: Outside, table: Table): Consumer {
  const { world, clients, settings } = outside;
  const fed = (url: string) => ({
    sendAll: openQueue<WorkMessage>(clients.sqs, url).sendAll,
    depth: openQueueDepth(clients.sqs, url),
  });
  const queue = openQueue<WorkMessage>(clients.sqs, batchQueue);
  const services = {
    table,
    queues: { transfer: fed(transferQueue), withdrawal: fed(withdrawalQueue) },
    again: queue,
    mostWaiting: settings.queueDepthLimit / 2,
    paymentsPerWrite: batchSizes.paymentsPerWrite,
  };
  const consumer = consume({
    queue,
    now: world.clock,
    handle: (transactionId) => reported(outside, () => advanceBatch(transactionId, services)),
  });
  return (event) => consumer(event, {} as Context);
}

/** Returns the functions that start a process of each route. */
function handlersOf(outside: Outside, table: Table, entries: Table): Record<RouteName, () => Handler> {
  const { world, clients, banks } = outside;
  const { perHour, readsPerHour, queueDepthLimit, fourEyes, fees } = outside.settings;
  const guarded = { table, ...(fourEyes && { fourEyes }) };
  /** Adds the fees of the deployment that serves a request. */
  const withFees = <Services extends object>(services: Services) => ({
    ...services,
    get fees() {
      return fees && scheduleAt(fees, world.now());
    },
  });
  const notificationKeys = () =>
    openSecret({
      client: clients.secrets,
      secretArn: 'notifications' satisfies Direction,
      overlapMs: notificationOverlapMs,
      now: world.clock,
    });
  const depthOf = (url: string) => openQueueDepth(clients.sqs, url);
  /** Opens new limits: a process loses its knowledge of callers when it crashes. */
  const limited = () => ({ table, limits: openLimits({ readsPerHour, refusalsPerHour: readsPerHour, perHour }) });
  const reading = () => ({ table, limits: openLimits({ readsPerHour }) });
  const queued = (url: string) => ({
    ...limited(),
    queue: openQueue<WorkMessage>(clients.sqs, url),
    isOverloaded: watchDepth(depthOf(url), queueDepthLimit, world.clock),
  });
  const noDeadLetters = () => Promise.resolve(0);
  return {
    ...webhookHandlers(() => ofWebhooks(outside, table)),
    'change-wallet': () => serve(changeWallet, limited()),
    'create-wallet': () => serve(createWallet, limited()),
    'list-wallets': () => serve(listWallets, reading()),
    'get-wallet': () => serve(getWallet, reading()),
    'get-balance': () => serve(getBalance, { ...reading(), entries }),
    charge: () => serve(charge, withFees(guarded)),
    withdraw: () => serve(withdraw, withFees(queued(withdrawalQueue))),
    transfer: () =>
      serve(transfer, withFees({ ...queued(transferQueue), hotReceivers: openHotReceivers(world.clock) })),
    'list-transactions': () => serve(listTransactions, reading()),
    'find-transactions': () => serve(findTransactions, reading()),
    'get-transaction': () => serve(getTransaction, reading()),
    'get-receipt': () => serve(getReceipt, reading()),
    'get-notification-preferences': () => serve(getNotificationPreferences, reading()),
    'put-notification-preferences': () => serve(putNotificationPreferences, reading()),
    freeze: () => serve(freeze, { table }),
    unfreeze: () => serve(unfreeze, guarded),
    close: () => serve(close, { table }),
    'set-limits': () => serve(setLimits, { ...guarded, tiers: {} }),
    resolve: () => serve(resolve, guarded),
    approve: () => serve(approve, withFees({ table, tiers: {} })),
    reject: () => serve(reject, { table }),
    'get-approval': () => serve(getApproval, { table }),
    'list-approvals': () => serve(listApprovals, { table }),
    'create-batch': () =>
      serve(
        createBatch,
        withFees({
          table,
          queue: openQueue<WorkMessage>(clients.sqs, batchQueue),
          linesPerPart: batchSizes.linesPerPart,
        }),
      ),
    'get-batch': () => serve(getBatch, { table }),
    'list-batch-items': () => serve(listBatchItems, { table }),
    cancel: () => serve(cancel, { table, limits: openLimits({ cancellationsPerHour: readsPerHour }) }),
    'open-hold': () => serve(openHold, limited()),
    capture: () => serve(capture, withFees(limited())),
    refund: () => serve(refund, { ...limited(), ...guarded }),
    split: () => serve(split, withFees(limited())),
    'open-standing-order': () => serve(openStandingOrder, withFees(limited())),
    'list-standing-orders': () => serve(listStandingOrders, reading()),
    'get-standing-order': () => serve(getStandingOrder, reading()),
    'cancel-standing-order': () =>
      serve(cancelStandingOrder, { table, limits: openLimits({ cancellationsPerHour: readsPerHour }) }),
    release: () => serve(release, { table, limits: openLimits({ cancellationsPerHour: readsPerHour }) }),
    'bank-notifications': () => serve(bankNotifications, { table, keys: notificationKeys(), bankId: banks.current() }),
    health: () =>
      serve(health, {
        table,
        verify: (token) =>
          Promise.resolve(token === undefined ? undefined : { principal: 'op', scopes: 'operate', issuer }),
        depths: {
          withdrawals: depthOf(withdrawalQueue),
          transfers: depthOf(transferQueue),
          withdrawalsDead: noDeadLetters,
          transfersDead: noDeadLetters,
        },
      }),
  };
}
