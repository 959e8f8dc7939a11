/** Lambda functions from their bundles: worker threads that take one event at a time, as many as demand asks for. */
import { availableParallelism } from 'node:os';
import { FunctionError, startThread, type FunctionLog, type FunctionSettings, type Thread } from './function-thread.ts';

export interface LocalFunction {
  readonly settings: FunctionSettings;
  /** Events that can run at the same time. */
  readonly concurrency: number;
  /** The answer to `event`; both go through JSON. Waits for a thread. Throws FunctionError. */
  invoke(event: unknown): Promise<unknown>;
}

export interface Functions {
  readonly define: (settings: FunctionSettings) => LocalFunction;
  readonly byName: (name: string) => LocalFunction | undefined;
  /** By ARN, with or without a qualifier. */
  readonly byArn: (arn: string) => LocalFunction | undefined;
  /** Returns what each function has used so far. */
  usage(): Promise<FunctionUsage[]>;
  /** Ends all threads at once. */
  stop(): Promise<void>;
}

/** What a function has used since the runner started. */
export interface FunctionUsage {
  readonly name: string;
  readonly invocations: number;
  /** Threads that are alive. */
  readonly threads: number;
  /** CPU time, loading included, ms; without threads that failed. */
  readonly cpuMs: number;
}

export interface FunctionsOptions {
  /** Threads of one function at most; default 8 for each processor, at least 16. */
  readonly maxThreads?: number | undefined;
  readonly log: FunctionLog;
}

// Events wait this long for a thread that is busy before another is started: a start costs more than most events.
const patienceMs = 50;
/** A thread ends when no event came for this long; each holds some 15 MB. */
const idleMs = 60_000;

interface Job {
  readonly since: number;
  readonly payload: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Pool extends LocalFunction {
  usage(): Promise<FunctionUsage>;
  /** Ends the threads that took no event since then, ms of `performance.now()`. */
  endIdle(since: number): void;
}

export function createFunctions({ maxThreads, log }: FunctionsOptions): Functions {
  const processors = availableParallelism();
  const ceiling = maxThreads ?? Math.max(16, 8 * processors);
  const pools = new Map<string, Pool>();
  const threads = new Set<Thread>();
  const starts = new Set<Promise<Thread>>();
  const boots: (() => void)[] = [];
  let booting = 0;
  let stopped = false;

  // No more than one thread for each processor starts at a time, whichever functions they are for.
  async function bootThread(settings: FunctionSettings): Promise<Thread> {
    if (booting >= processors) await new Promise<void>((resolve) => boots.push(resolve));
    booting += 1;
    try {
      if (stopped) throw new FunctionError('Stopped', 'the runner is stopping');
      const start = startThread(settings, log).then((thread) => {
        threads.add(thread);
        void thread.ended.then(() => threads.delete(thread));
        return thread;
      });
      starts.add(start);
      return await start.finally(() => starts.delete(start));
    } finally {
      booting -= 1;
      boots.shift()?.();
    }
  }

  function createPool(settings: FunctionSettings): Pool {
    const concurrency = Math.max(1, Math.min(settings.reservedConcurrency ?? ceiling, ceiling));
    /** The one that was used last comes last. */
    const idle: { readonly thread: Thread; readonly since: number }[] = [];
    const waiting: Job[] = [];
    const alive = new Set<Thread>();
    let invocations = 0;
    /** CPU time of threads that ended idle. */
    let spentMs = 0;
    let size = 0;
    let starting = false;
    let impatience: NodeJS.Timeout | undefined;

    async function grow(): Promise<void> {
      size += 1;
      starting = true;
      try {
        const thread = await bootThread(settings);
        alive.add(thread);
        void thread.ended.then(() => {
          alive.delete(thread);
          size -= 1;
          const index = idle.findIndex((one) => one.thread === thread);
          if (index >= 0) idle.splice(index, 1);
          growForDemand();
        });
        void serve(thread);
      } catch (error) {
        size -= 1;
        for (const job of waiting.splice(0)) job.reject(error);
      } finally {
        starting = false;
        growForDemand();
      }
    }

    /** Starts one thread after the other for as long as events have to wait. */
    function growForDemand(): void {
      const [oldest] = waiting;
      if (!oldest || starting || size >= concurrency || stopped) return;
      const patience = size === 0 ? 0 : oldest.since + patienceMs - performance.now();
      if (patience <= 0) {
        void grow();
        return;
      }
      impatience ??= setTimeout(() => {
        impatience = undefined;
        growForDemand();
      }, patience);
    }

    async function end(thread: Thread): Promise<void> {
      spentMs += await thread.cpuMs();
      await thread.stop();
    }

    async function serve(thread: Thread): Promise<void> {
      while (thread.alive) {
        const job = waiting.shift();
        if (!job) {
          idle.push({ thread, since: performance.now() });
          return;
        }
        try {
          job.resolve(JSON.parse(await thread.run(job.payload)));
        } catch (error) {
          job.reject(error);
        }
      }
    }

    return {
      settings,
      concurrency,
      invoke: (event) =>
        new Promise((resolve, reject) => {
          if (stopped) {
            reject(new FunctionError('Stopped', 'the runner is stopping'));
            return;
          }
          invocations += 1;
          waiting.push({ since: performance.now(), payload: JSON.stringify(event), resolve, reject });
          const last = idle.pop();
          if (last) void serve(last.thread);
          else growForDemand();
        }),
      async usage() {
        const times = await Promise.all([...alive].map((thread) => thread.cpuMs()));
        return {
          name: settings.name,
          invocations,
          threads: times.length,
          cpuMs: times.reduce((sum, ms) => sum + ms, spentMs),
        };
      },
      endIdle(since) {
        const used = idle.findIndex((one) => one.since > since);
        for (const { thread } of idle.splice(0, used < 0 ? idle.length : used)) void end(thread);
      },
    };
  }

  const cleaning = setInterval(() => {
    for (const pool of pools.values()) pool.endIdle(performance.now() - idleMs);
  }, idleMs / 4).unref();

  return {
    define(settings) {
      const pool = createPool(settings);
      pools.set(settings.arn, pool);
      return pool;
    },
    byName: (name) => [...pools.values()].find((pool) => pool.settings.name === name),
    byArn: (arn) => pools.get(arn.split(':').slice(0, 7).join(':')),
    usage: () => Promise.all([...pools.values()].map((pool) => pool.usage())),
    async stop() {
      stopped = true;
      clearInterval(cleaning);
      await Promise.allSettled(starts);
      await Promise.all([...threads].map((thread) => thread.stop()));
    },
  };
}
