/** The threads of one function, and the line of invocations in front of them. */
import { FunctionError, type FunctionSettings, type Thread } from './function-thread.ts';
import type { InvocationKind, ThreadBudget } from './thread-budget.ts';

export interface LocalFunction {
  readonly settings: FunctionSettings;
  /** Events of queues, streams and rules that can run at the same time. */
  readonly concurrency: number;
  /**
   * Returns the answer to `event`; both go through JSON. Waits for a thread; a `request` only for a limited time.
   *
   * @throws FunctionError, of the type `TooManyRequests` when the function has not begun
   */
  invoke(event: unknown, kind: InvocationKind): Promise<unknown>;
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

export interface FunctionPool extends LocalFunction {
  usage(): Promise<FunctionUsage>;
  /** Ends the threads that have been idle for too long. */
  endIdle(): void;
  /** Returns since when the function has had a thread to spare, ms of `performance.now()`; undefined for never. */
  spareSince(): number | undefined;
  /** Ends the thread that has been idle for the longest. */
  endSpare(): void;
  /** Refuses what waits, and what comes later. */
  stop(): void;
}

/** What a pool shares with those of the other functions. */
export interface PoolSurroundings {
  readonly budget: ThreadBudget;
  /** How long a request waits for a thread at most, ms. */
  readonly longestWaitMs: number;
  /** Starts a thread. Throws FunctionError. */
  readonly startThread: (settings: FunctionSettings) => Promise<Thread>;
}

// An invocation waits this long for each thread that is busy before another is started: a start costs more than most
// invocations, and without a free processor another thread makes all of them slower. Events can wait for longer.
const patienceMs = { request: 50, event: 250 } as const;
/** The last thread of a function ends when no event came for this long. */
const lastIdleMs = 60_000;
/** Any other thread ends when no event came for this long. */
const spareIdleMs = 10_000;
/** This part of the longest wait is the limit once the line has stood for the longest wait: more requests come than end. */
const standingShare = 0.2;
const mostWaiting = 1_000;

interface Job {
  readonly since: number;
  readonly kind: InvocationKind;
  readonly payload: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Ends the wait. */
  timer?: NodeJS.Timeout;
}

export function createFunctionPool(
  settings: FunctionSettings,
  { budget, longestWaitMs, startThread }: PoolSurroundings,
): FunctionPool {
  const reserved = settings.reservedConcurrency ?? Infinity;
  const most = (kind: InvocationKind): number => Math.max(1, Math.min(reserved, 1 + budget.most[kind]));
  /** The one that was used last comes last. */
  const idle: { readonly thread: Thread; readonly since: number }[] = [];
  const waiting: Job[] = [];
  /** Since when there has always been a request that waits, ms of `performance.now()`. */
  let standingSince = 0;
  const alive = new Set<Thread>();
  /** What was taken from the budget: one for each thread but one. */
  const taken: InvocationKind[] = [];
  let invocations = 0;
  /** CPU time of threads that ended idle. */
  let spentMs = 0;
  let size = 0;
  let starting = false;
  let stopped = false;
  let impatience: NodeJS.Timeout | undefined;

  function shrink(): void {
    size -= 1;
    const kind = taken.pop();
    if (kind !== undefined) budget.giveBack(kind);
  }

  async function grow(): Promise<void> {
    size += 1;
    starting = true;
    try {
      const thread = await startThread(settings);
      alive.add(thread);
      void thread.ended.then(() => {
        alive.delete(thread);
        const index = idle.findIndex((one) => one.thread === thread);
        if (index >= 0) idle.splice(index, 1);
        shrink();
        growForDemand();
      });
      void serve(thread);
    } catch (error) {
      shrink();
      for (const job of waiting.splice(0)) refuse(job, error);
    } finally {
      starting = false;
      growForDemand();
    }
  }

  /** Starts one thread after the other for as long as events have to wait. */
  function growForDemand(): void {
    const [oldest] = waiting;
    if (!oldest || starting || stopped || size >= most(oldest.kind)) return;
    const patience = oldest.since + patienceMs[oldest.kind] * size - performance.now();
    if (size > 0 && patience > 0) {
      impatience ??= setTimeout(() => {
        impatience = undefined;
        growForDemand();
      }, patience);
      return;
    }
    if (size > 0) {
      if (!budget.take(oldest.kind, growForDemand)) return;
      taken.push(oldest.kind);
    }
    void grow();
  }

  async function serve(thread: Thread): Promise<void> {
    while (thread.alive) {
      const job = waiting.shift();
      if (!job) {
        idle.push({ thread, since: performance.now() });
        return;
      }
      clearTimeout(job.timer);
      try {
        job.resolve(JSON.parse(await thread.run(job.payload)));
      } catch (error) {
        job.reject(error);
      }
    }
  }

  function refuse(job: Job, error: unknown): void {
    clearTimeout(job.timer);
    job.reject(error);
  }

  function add(job: Job): void {
    if (stopped) {
      refuse(job, new FunctionError('Stopped', 'the runner is stopping'));
      return;
    }
    const last = idle.pop();
    if (!last && job.kind === 'request') {
      const tooMany = new FunctionError('TooManyRequests', `${settings.name} has no thread for another request`);
      if (waiting.length >= mostWaiting) {
        refuse(job, tooMany);
        return;
      }
      if (waiting.length === 0) standingSince = job.since;
      const limitMs = job.since - standingSince > longestWaitMs ? longestWaitMs * standingShare : longestWaitMs;
      job.timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(job), 1);
        job.reject(tooMany);
      }, limitMs);
    }
    invocations += 1;
    waiting.push(job);
    if (last) void serve(last.thread);
    else growForDemand();
  }

  function end({ thread }: { readonly thread: Thread }): void {
    void thread.cpuMs().then((ms) => {
      alive.delete(thread);
      spentMs += ms;
      return thread.stop();
    });
  }

  return {
    settings,
    concurrency: most('event'),
    invoke: (event, kind) =>
      new Promise((resolve, reject) => {
        add({ since: performance.now(), kind, payload: JSON.stringify(event), resolve, reject });
      }),
    async usage() {
      const times = await Promise.all([...alive].map((thread) => thread.cpuMs()));
      const cpuMs = times.reduce((sum, ms) => sum + ms, spentMs);
      return { name: settings.name, invocations, threads: times.length, cpuMs };
    },
    endIdle() {
      const now = performance.now();
      for (let left = size; left > 0; left--) {
        const [first] = idle;
        if (!first || now - first.since < (left > 1 ? spareIdleMs : lastIdleMs)) return;
        end(first);
        idle.shift();
      }
    },
    spareSince: () => (size > 1 ? idle[0]?.since : undefined),
    endSpare() {
      const first = size > 1 ? idle.shift() : undefined;
      if (first) end(first);
    },
    stop() {
      stopped = true;
      clearTimeout(impatience);
      for (const job of waiting.splice(0)) refuse(job, new FunctionError('Stopped', 'the runner is stopping'));
    },
  };
}
