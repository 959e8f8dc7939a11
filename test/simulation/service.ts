/** The service under test: its real routes and workers, connected to a simulated world. */
import type { Context } from 'aws-lambda';
import { bankNotifications } from '../../lambdas/api/bank-notifications.ts';
import { cancel } from '../../lambdas/api/cancel.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { close } from '../../lambdas/api/close.ts';
import { createWallet } from '../../lambdas/api/create-wallet.ts';
import { freeze } from '../../lambdas/api/freeze.ts';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getNotificationPreferences } from '../../lambdas/api/get-notification-preferences.ts';
import { getReceipt } from '../../lambdas/api/get-receipt.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { health } from '../../lambdas/api/health.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import { putNotificationPreferences } from '../../lambdas/api/put-notification-preferences.ts';
import { resolve } from '../../lambdas/api/resolve.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { defaultBreaker } from '../../lambdas/bank/breaker.ts';
import type { BreakerSettings } from '../../lambdas/bank/breaker.ts';
import { openBank } from '../../lambdas/bank/client.ts';
import { openRequestKeys, openSecret } from '../../lambdas/bank/secret.ts';
import type { routes, WorkMessage } from '../../lambdas/contract.ts';
import { bankCallMs } from '../../lambdas/domain/withdrawal.ts';
import type { WithdrawalPolicy } from '../../lambdas/domain/withdrawal.ts';
import { consume, consumeTogether } from '../../lambdas/aws/consumer.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openHotReceivers } from '../../lambdas/http/hot-receivers.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { watchDepth } from '../../lambdas/http/overload.ts';
import { openQueue, openQueueDepth } from '../../lambdas/aws/queue.ts';
import { putBreaker } from '../../lambdas/store/breaker.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { issuer, send } from '../request.ts';
import type { Handler, Request, Response } from '../request.ts';
import type { BankId, Banks } from './bank.ts';
import { chance } from './chance.ts';
import { injected, noAnswer } from './in-process-clients.ts';
import type { Clients, Model } from './in-process-clients.ts';
import { notificationOverlapMs } from './keys.ts';
import type { Direction, SharedKeys } from './keys.ts';
import type { Queues, QueueSettings } from './queues.ts';
import type { Ending, Task, World } from './world.ts';

/** Routes that read data from the table's stream, which is not part of this world. */
export const streamRoutes = ['list-entries', 'integrity'] as const;
export type RouteName = Exclude<(typeof routes)[number]['function'], (typeof streamRoutes)[number]>;

export const withdrawalQueue = 'sqs:withdrawals';
export const transferQueue = 'sqs:transfers';

/** Opens after a few calls, since a history has few. */
export const quickBreaker: BreakerSettings = { ...defaultBreaker, inARow: 2 };

export interface ServiceSettings {
  readonly policy: WithdrawalPolicy;
  /** Accepted commands of each kind of one end user in one hour. */
  readonly perHour: number;
  /** Requests of one end user in one hour that move no money; also the limit of refused commands. */
  readonly readsPerHour: number;
  /** Messages that may wait in a queue. */
  readonly queueDepthLimit: number;
  readonly withdrawals: QueueSettings;
  readonly transfers: QueueSettings;
  /** The greatest difference between the clocks of two processes, ms. */
  readonly clocksDifferMs: number;
  /** The further error of the clocks of some workers and sweepers, ahead or behind, ms. AWS refuses five minutes. */
  readonly wrongByMs: number;
  readonly breaker: BreakerSettings;
}

export interface Service {
  /** Sends a request as a task of this name. */
  readonly request: (label: string, route: RouteName, request: Request) => Promise<Ending<Response>>;
  /** Runs the sweeper once. */
  readonly sweep: (label: string) => Promise<Ending<number>>;
  /** Returns the start times of requests that the process of a request had queued before, epoch ms. */
  readonly queuedBefore: (task: Task) => readonly number[];
}

/** Time limits of the functions, as the stack sets them; ms. */
const workerLimitMs = 30_000;
const sweeperLimitMs = 50_000;
const limitMs = (route: RouteName) => (route === 'withdraw' || route === 'transfer' ? 29_000 : 10_000);

/** A small number, since groups are small here: each queued transfer is a crowd. */
const crowd = 1;

/** The clock errors of five processes, when clocks are wrong: one is ahead, one is behind, and the first is right. */
const wrongClocks = [0, 1, 0, -1, 0];

/**
 * Processes of one function. Each does one thing at a time, and one that died is not used again. Each has its own
 * clock, which is ahead by `aheadMs`.
 */
type Pool<P> = <T>(use: (process: P, aheadMs: number) => Promise<Ending<T>>) => Promise<Ending<T>>;

function newPool<P>(start: () => P, aheadMsOf: (nth: number) => number, mostUses = Infinity): Pool<P> {
  const idle: { readonly made: P; readonly aheadMs: number; uses: number }[] = [];
  let started = 0;
  return async (use) => {
    const process = idle.pop() ?? { made: start(), aheadMs: aheadMsOf(started++), uses: 0 };
    process.uses++;
    const ending = await use(process.made, process.aheadMs);
    if (ending.how !== 'died' && process.uses < mostUses) idle.push(process);
    return ending;
  };
}

/** Returns the model behind the client of Secrets Manager. The secrets are named after their direction. */
function secretsManager(world: World, keys: SharedKeys): Model {
  return async ({ operation, input }) => {
    try {
      return await world.external({
        service: 'secrets',
        operation,
        kinds: ['secret-refused'],
        legMs: [1, 20],
        timeoutMs: 2_000,
        lost: noAnswer,
        perform: ({ kind }) => {
          if (kind === 'secret-refused') keys.onFailure();
          const isPrevious = input['VersionStage'] === 'AWSPREVIOUS';
          return Promise.resolve(
            kind === 'secret-refused' ? injected : keys.read(input['SecretId'] as Direction, isPrevious),
          );
        },
      });
    } catch (error) {
      keys.onFailure();
      throw error;
    }
  };
}

/**
 * Opens the service in a world.
 *
 * @param onError called with each error of a worker, and its task
 */
export function openService(
  world: World,
  parts: {
    readonly clients: Clients;
    readonly table: Table;
    readonly entries: Table | undefined;
    readonly queues: Queues;
    readonly banks: Banks;
    readonly keys: SharedKeys;
  },
  settings: ServiceSettings,
  onError: (error: unknown, task: Task) => void,
): Service {
  const { clients, table, entries = table, queues, banks, keys } = parts;
  const { perHour, readsPerHour, policy } = settings;
  clients.connect('secrets', secretsManager(world, keys));
  const notificationKeys = () =>
    openSecret({
      client: clients.secrets,
      secretArn: 'notifications' satisfies Direction,
      overlapMs: notificationOverlapMs,
      now: world.clock,
    });
  const requestKeys = () => openRequestKeys(clients.secrets, 'requests' satisfies Direction, world.clock);
  /** Returns the clock error of each process of a function. */
  const clocksOf = (name: string) => (nth: number) =>
    Math.round((chance(world.seed, 'clock', name, nth) - 0.5) * settings.clocksDifferMs);
  const workerClocksOf = (name: string) => (nth: number) =>
    clocksOf(name)(nth) + settings.wrongByMs * (wrongClocks[nth % wrongClocks.length] ?? 0);
  /**
   * Uses of a worker's process. There are few if its clock may keep it from the bank, so that workers with right clocks
   * follow.
   */
  const usesOfWorker = settings.wrongByMs > 0 || settings.clocksDifferMs > 1_000 ? 3 : Infinity;
  const depthOf = (url: string) => openQueueDepth(clients.sqs, url);
  /** Opens new limits: a process loses its knowledge of callers when it crashes. */
  const limited = () => ({ table, limits: openLimits({ readsPerHour, refusalsPerHour: readsPerHour, perHour }) });
  const reading = () => ({ table, limits: openLimits({ readsPerHour }) });
  const queued = (url: string) => ({
    ...limited(),
    queue: openQueue<WorkMessage>(clients.sqs, url),
    isOverloaded: watchDepth(depthOf(url), settings.queueDepthLimit, world.clock),
  });
  const noDeadLetters = () => Promise.resolve(0);

  const newHandlers: Record<RouteName, () => Handler> = {
    'create-wallet': () => serve(createWallet, limited()),
    'list-wallets': () => serve(listWallets, reading()),
    'get-wallet': () => serve(getWallet, reading()),
    'get-balance': () => serve(getBalance, { ...reading(), entries }),
    charge: () => serve(charge, { table }),
    withdraw: () => serve(withdraw, queued(withdrawalQueue)),
    transfer: () => serve(transfer, { ...queued(transferQueue), hotReceivers: openHotReceivers(world.clock) }),
    'list-transactions': () => serve(listTransactions, reading()),
    'get-transaction': () => serve(getTransaction, reading()),
    'get-receipt': () => serve(getReceipt, reading()),
    'get-notification-preferences': () => serve(getNotificationPreferences, reading()),
    'put-notification-preferences': () => serve(putNotificationPreferences, reading()),
    freeze: () => serve(freeze, { table }),
    unfreeze: () => serve(unfreeze, { table }),
    close: () => serve(close, { table }),
    resolve: () => serve(resolve, { table }),
    cancel: () => serve(cancel, { table, limits: openLimits({ cancellationsPerHour: readsPerHour }) }),
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
  /** By process, and by request. */
  const queuedBy = new WeakMap<Handler, readonly number[]>();
  const queuedBefore = new WeakMap<Task, readonly number[]>();
  /**
   * The processes of the deployment with each bank. A new deployment starts new processes, and the old ones finish
   * their work.
   */
  const pools = new Map<string, Pool<Handler>>();

  const report = (error: unknown) => {
    const task = world.current();
    if (task !== undefined) onError(error, task);
  };

  /** Creates the state of one process of the withdrawal worker: the bank client with its breaker, and the keys. */
  const newContainer = (bankId: BankId) => {
    const client = openBank({
      url: `https://${bankId}.test`,
      keys: requestKeys(),
      timeoutMs: bankCallMs,
      breaker: settings.breaker,
      send: banks.sendTo(bankId),
      onBreaker(state) {
        putBreaker(table, { state, since: new Date(world.clock()).toISOString() }).catch(() => undefined);
      },
    });
    return consume({
      queue: openQueue(clients.sqs, withdrawalQueue),
      now: world.clock,
      async handle(transactionId) {
        try {
          return await advanceWithdrawal(transactionId, { table, bank: client, bankId, policy });
        } catch (error) {
          report(error);
          throw error;
        }
      },
    });
  };
  const workers = {
    'bank-1': newPool(() => newContainer('bank-1'), workerClocksOf('withdrawals'), usesOfWorker),
    'bank-2': newPool(() => newContainer('bank-2'), workerClocksOf('withdrawals'), usesOfWorker),
  };
  queues.add(withdrawalQueue, settings.withdrawals, async (label, event) => {
    const work = (worker: ReturnType<typeof newContainer>) => worker(event, {} as Context);
    const ending = await workers[banks.current()]((worker, aheadMs) =>
      world.task(`worker ${label}`, workerLimitMs, () => work(worker), aheadMs),
    );
    if (ending.how === 'threw') onError(ending.error, ending.task);
    return ending.how === 'returned' ? ending.value : undefined;
  });

  const newSettler = () =>
    consumeTogether({
      queue: openQueue(clients.sqs, transferQueue),
      async handle(transactionIds) {
        try {
          const failed = await endTransfers(transactionIds, table, crowd);
          for (const error of failed.values()) report(error);
          return failed;
        } catch (error) {
          report(error);
          throw error;
        }
      },
    });
  const settlers = newPool(newSettler, workerClocksOf('transfers'), usesOfWorker);
  queues.add(transferQueue, settings.transfers, async (label, event) => {
    const ending = await settlers((settler, aheadMs) =>
      world.task(`worker ${label}`, workerLimitMs, () => settler(event), aheadMs),
    );
    if (ending.how === 'threw') onError(ending.error, ending.task);
    return ending.how === 'returned' ? ending.value : undefined;
  });

  const swept = (url: string) => ({
    send: openQueue<WorkMessage>(clients.sqs, url).sendAll,
    depth: depthOf(url),
  });
  const sweepers = newPool(() => undefined, workerClocksOf('sweeper'), usesOfWorker);
  const sweeperServices = { table, withdrawals: swept(withdrawalQueue), transfers: swept(transferQueue) };

  return {
    queuedBefore: (task) => queuedBefore.get(task) ?? [],
    request(label, route, request) {
      const name = `${route} with ${banks.current()}`;
      const pool = pools.get(name) ?? newPool(newHandlers[route], clocksOf(route));
      pools.set(name, pool);
      return pool(async (handler, aheadMs) => {
        const earlier = queuedBy.get(handler) ?? [];
        const startedAt = world.now();
        const ending = await world.task(label, limitMs(route), () => send(route, handler, request), aheadMs);
        queuedBefore.set(ending.task, earlier);
        const isQueued = route === 'withdraw' || request.headers?.['Prefer']?.includes('respond-async') === true;
        if (isQueued && ending.how === 'returned' && ending.value.status < 300) {
          queuedBy.set(handler, [...earlier, startedAt]);
        }
        return ending;
      });
    },
    async sweep(label) {
      const ending = await sweepers((_sweeper, aheadMs) =>
        world.task(label, sweeperLimitMs, () => sweep(sweeperServices), aheadMs),
      );
      if (ending.how === 'threw') onError(ending.error, ending.task);
      return ending;
    },
  };
}
