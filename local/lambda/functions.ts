/** Lambda functions from their bundles: worker threads that take one event at a time, no more than the processors bear. */
import { availableParallelism } from 'node:os';
import type { FunctionLimits } from '../machine/machine.ts';
import { createFunctionPool } from './function-pool.ts';
import type { FunctionPool, FunctionUsage, LocalFunction } from './function-pool.ts';
import { FunctionError, startThread } from './function-thread.ts';
import type { FunctionSettings, Thread } from './function-thread.ts';
import { createThreadBudget } from './thread-budget.ts';

export interface Functions {
  readonly define: (settings: FunctionSettings) => LocalFunction;
  readonly byName: (name: string) => LocalFunction | undefined;
  /** Returns a function by its ARN, with or without a qualifier. */
  readonly byArn: (arn: string) => LocalFunction | undefined;
  /** Returns what each function has used so far. */
  usage(): Promise<FunctionUsage[]>;
  /** Ends all threads at once. */
  stop(): Promise<void>;
}

const cleaningMs = 5_000;

export function createFunctions({ spareThreads, longestWaitMs = 10_000, log }: FunctionLimits): Functions {
  const processors = availableParallelism();
  const pools = new Map<string, FunctionPool>();
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

  /** Ends the idle thread that its function needs least, so that another function may have one. */
  function endOneSpare(): void {
    let oldest: { readonly pool: FunctionPool; readonly since: number } | undefined;
    for (const pool of pools.values()) {
      const since = pool.spareSince();
      if (since !== undefined && (!oldest || since < oldest.since)) oldest = { pool, since };
    }
    oldest?.pool.endSpare();
  }
  const budget = createThreadBudget(spareThreads ?? 4 * processors, endOneSpare);

  const cleaning = setInterval(() => {
    for (const pool of pools.values()) pool.endIdle();
  }, cleaningMs).unref();

  return {
    define(settings) {
      const pool = createFunctionPool(settings, { budget, longestWaitMs, startThread: bootThread });
      pools.set(settings.arn, pool);
      return pool;
    },
    byName: (name) => [...pools.values()].find((pool) => pool.settings.name === name),
    byArn: (arn) => pools.get(arn.split(':').slice(0, 7).join(':')),
    usage: () => Promise.all([...pools.values()].map((pool) => pool.usage())),
    async stop() {
      stopped = true;
      clearInterval(cleaning);
      for (const pool of pools.values()) pool.stop();
      await Promise.allSettled(starts);
      await Promise.all([...threads].map((thread) => thread.stop()));
    },
  };
}
