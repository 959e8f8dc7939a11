/** The service under test: the processes of its functions, which begin, serve one invocation after the other, and die. */
import type { SQSEvent } from 'aws-lambda';
import { defaultBreaker } from '../../lambdas/bank/breaker.ts';
import type { BreakerSettings } from '../../lambdas/bank/breaker.ts';
import type { Caps } from '../../lambdas/domain/wallet.ts';
import type { WithdrawalPolicy } from '../../lambdas/domain/withdrawal.ts';
import type { FourEyesPolicy } from '../../lambdas/http/four-eyes.ts';
import type { Request, Response } from '../request.ts';
import type { Banks } from './bank.ts';
import { chance } from './chance.ts';
import type { Deployed, Deployment } from './deployment.ts';
import type { FeeSettings } from './fees.ts';
import { injected, noAnswer } from './in-process-clients.ts';
import type { Clients, Model } from './in-process-clients.ts';
import type { Direction, SharedKeys } from './keys.ts';
import type { Queues, QueueSettings } from './queues.ts';
import { batchQueue, transferQueue, withdrawalQueue } from './release.ts';
import type { Consumer, RouteName } from './release.ts';
import { webhookQueue } from './webhook-release.ts';
import type { WebhookWorker } from './webhook-release.ts';
import type { Ending, Task, World } from './world.ts';

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
  /** The most that a wallet can have of what pays later; absent: as in every stack. */
  readonly caps?: Caps;
  /** The commands that need two operators; absent: none. */
  readonly fourEyes?: FourEyesPolicy;
  /** Absent: there are none. */
  readonly fees?: FeeSettings;
}

type RouteProcess = (request: Request) => Promise<Response>;

export interface Service {
  /** Returns whether the gateway has a route now. */
  readonly hasRoute: (route: RouteName) => boolean;
  /** Sends a request as a task of this name. */
  readonly request: (label: string, route: RouteName, request: Request) => Promise<Ending<Response>>;
  /** Runs the sweeper once. */
  readonly sweep: (label: string) => Promise<Ending<number>>;
  /** Runs the worker of webhooks once, as its schedule does. */
  readonly scheduleWebhooks: (label: string) => Promise<void>;
  /** Returns the start times of requests that the process of a request had queued before, epoch ms. */
  readonly queuedBefore: (task: Task) => readonly number[];
}

/** Time limits of the functions, as the stack sets them; ms. */
const workerLimitMs = 30_000;
const sweeperLimitMs = 50_000;
const limitMs = (route: RouteName) => (['withdraw', 'transfer', 'create-batch'].includes(route) ? 29_000 : 10_000);

/** The clock errors of five processes, when clocks are wrong: one is ahead, one is behind, and the first is right. */
const wrongClocks = [0, 1, 0, -1, 0];

/**
 * Processes of one function. Each does one thing at a time, and one that died is not used again. Each has its own
 * clock, which is ahead by `aheadMs`.
 */
type Pool<P> = <T>(use: (process: P, aheadMs: number) => Promise<Ending<T>>) => Promise<Ending<T>>;

/** Pools by name; the first use opens one. */
function poolsOf<P>() {
  const pools = new Map<string, Pool<P>>();
  return (name: string, start: () => P, aheadMsOf: (nth: number) => number, mostUses?: number): Pool<P> => {
    const pool = pools.get(name) ?? newPool(start, aheadMsOf, mostUses);
    pools.set(name, pool);
    return pool;
  };
}

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

/** Opens the service in a world. `onError`: called with each error of a worker, and its task. */
export function openService(
  world: World,
  parts: {
    readonly clients: Clients;
    readonly deployment: Deployment;
    readonly queues: Queues;
    readonly banks: Pick<Banks, 'current'>;
    readonly keys: SharedKeys;
  },
  settings: ServiceSettings,
  onError: (error: unknown, task: Task) => void,
): Service {
  const { clients, deployment, queues, banks, keys } = parts;
  clients.connect('secrets', secretsManager(world, keys));
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
  /** The requests that each process of a route has queued, by their start times; and those before a task. */
  const queuedBy = new WeakMap<RouteProcess, readonly number[]>();
  const queuedBefore = new WeakMap<Task, readonly number[]>();
  // A new deployment, with another bank or of another release, starts new processes. The old ones finish their work.
  const routes = poolsOf<RouteProcess>();
  const consumers = poolsOf<Consumer>();
  const sweepers = poolsOf<() => Promise<number>>();
  const webhookWorkers = poolsOf<WebhookWorker>();

  /** Runs work as a task on a release. */
  function run<T>(
    name: string,
    release: Deployed,
    label: string,
    limit: number,
    work: () => Promise<T>,
    ahead: number,
  ) {
    const noted = () => {
      const task = world.current();
      if (task !== undefined) deployment.note(task, name, release);
      return work();
    };
    return world.task(label, limit, noted, ahead);
  }

  async function consume(name: string, pool: Pool<Consumer>, release: Deployed, label: string, event: SQSEvent) {
    const ending = await pool((consumer, aheadMs) =>
      run(name, release, `worker ${label}`, workerLimitMs, () => consumer(event), aheadMs),
    );
    if (ending.how === 'threw') onError(ending.error, ending.task);
    return ending.how === 'returned' ? ending.value : undefined;
  }

  queues.add(withdrawalQueue, settings.withdrawals, (label, event) => {
    const release = deployment.releaseFor('withdrawals', label);
    const bankId = banks.current();
    const start = () => release.startWithdrawals(bankId);
    const pool = consumers(
      `withdrawals with ${bankId} of ${release.name}`,
      start,
      workerClocksOf('withdrawals'),
      usesOfWorker,
    );
    return consume('withdrawals', pool, release, label, event);
  });
  queues.add(transferQueue, settings.transfers, (label, event) => {
    const release = deployment.releaseFor('transfers', label);
    const name = `transfers of ${release.name}`;
    const pool = consumers(name, release.startTransfers, workerClocksOf('transfers'), usesOfWorker);
    return consume('transfers', pool, release, label, event);
  });

  queues.add(batchQueue, { ...settings.withdrawals, batchSize: 1 }, (label, event) => {
    const release = deployment.releaseFor('batches', label);
    const name = `batches of ${release.name}`;
    const pool = consumers(name, release.startBatches, workerClocksOf('batches'), usesOfWorker);
    return consume('batches', pool, release, label, event);
  });

  async function runWebhooks(label: string, event: Parameters<WebhookWorker>[0]) {
    const release = deployment.releaseFor('webhooks', label);
    const name = `webhooks of ${release.name}`;
    const pool = webhookWorkers(name, release.startWebhooks, workerClocksOf('webhooks'), usesOfWorker);
    const ending = await pool((worker, aheadMs) =>
      run('webhooks', release, `webhooks ${label}`, workerLimitMs, () => worker(event), aheadMs),
    );
    if (ending.how === 'threw') onError(ending.error, ending.task);
    return ending.how === 'returned' ? ending.value : undefined;
  }

  queues.add(webhookQueue, { ...settings.withdrawals, maxReceives: 30, batchSize: 10 }, runWebhooks);

  return {
    async scheduleWebhooks(label) {
      await runWebhooks(label, { source: 'aws.events' });
    },
    queuedBefore: (task) => queuedBefore.get(task) ?? [],
    hasRoute: deployment.hasRoute,
    request(label, route, request) {
      const release = deployment.releaseFor(route, label);
      const name = `${route} with ${banks.current()} of ${release.name}`;
      return routes(
        name,
        () => release.startRoute(route),
        clocksOf(route),
      )(async (process, aheadMs) => {
        const earlier = queuedBy.get(process) ?? [];
        const startedAt = world.now();
        const ending = await run(route, release, label, limitMs(route), () => process(request), aheadMs);
        queuedBefore.set(ending.task, earlier);
        const isQueued = route === 'withdraw' || request.headers?.['Prefer']?.includes('respond-async') === true;
        if (isQueued && ending.how === 'returned' && ending.value.status < 300) {
          queuedBy.set(process, [...earlier, startedAt]);
        }
        return ending;
      });
    },
    async sweep(label) {
      const release = deployment.releaseFor('sweeper', label);
      const name = `sweeper of ${release.name}`;
      const pool = sweepers(name, () => release.sweep, workerClocksOf('sweeper'), usesOfWorker);
      const ending = await pool((sweep, aheadMs) => run('sweeper', release, label, sweeperLimitMs, sweep, aheadMs));
      if (ending.how === 'threw') onError(ending.error, ending.task);
      return ending;
    },
  };
}
