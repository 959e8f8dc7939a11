/** The threads of one function: as many as its invocations need and the budget allows. */
import { FunctionError } from './function-thread.ts';
import type { FunctionSettings, Thread } from './function-thread.ts';
import type { InvocationKind, ThreadBudget } from './thread-budget.ts';
import { WaitingLine } from './waiting-line.ts';
import type { Job } from './waiting-line.ts';

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

/** The resources that a function has used since the runner started. */
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
  /** Rejects the invocations that wait, and all later ones. */
  stop(): void;
}

/** The part that all pools share. */
export interface PoolSurroundings {
  readonly budget: ThreadBudget;
  /** How long a request waits for a thread at most, ms. */
  readonly longestWaitMs: number;
  /** Starts a thread. Throws FunctionError. */
  readonly startThread: (settings: FunctionSettings) => Promise<Thread>;
}

// An invocation waits this long for each thread of its function before another one starts. A start costs more than most
// invocations, and without a free processor another thread slows all of them. Events can wait for longer.
const patienceMs = { request: 50, event: 250 } as const;
/** The last thread of a function ends when no invocation came for this long. */
const lastIdleMs = 60_000;
/** Any other thread ends when no invocation came for this long. */
const spareIdleMs = 10_000;

export function createFunctionPool(settings: FunctionSettings, surroundings: PoolSurroundings): FunctionPool {
  return new ThreadPool(settings, surroundings);
}

class ThreadPool implements FunctionPool {
  readonly settings: FunctionSettings;
  readonly #budget: ThreadBudget;
  readonly #startThread: PoolSurroundings['startThread'];
  readonly #waiting: WaitingLine;
  /** Threads without work. The thread that was used last comes last. */
  readonly #idle: { readonly thread: Thread; readonly since: number }[] = [];
  readonly #alive = new Set<Thread>();
  /** The kinds under which threads were taken from the budget: one for each thread but one. */
  readonly #taken: InvocationKind[] = [];
  #invocations = 0;
  /** CPU time of threads that ended idle. */
  #spentMs = 0;
  /** Threads, with the one that starts. */
  #size = 0;
  #isStarting = false;
  #isStopped = false;
  #impatience: NodeJS.Timeout | undefined;

  constructor(settings: FunctionSettings, { budget, longestWaitMs, startThread }: PoolSurroundings) {
    this.settings = settings;
    this.#budget = budget;
    this.#startThread = startThread;
    this.#waiting = new WaitingLine(longestWaitMs);
  }

  get concurrency(): number {
    return this.#mostThreads('event');
  }

  invoke(event: unknown, kind: InvocationKind): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#add({ since: performance.now(), kind, payload: JSON.stringify(event), resolve, reject });
    });
  }

  async usage(): Promise<FunctionUsage> {
    const times = await Promise.all([...this.#alive].map((thread) => thread.cpuMs()));
    const cpuMs = times.reduce((sum, ms) => sum + ms, this.#spentMs);
    return { name: this.settings.name, invocations: this.#invocations, threads: times.length, cpuMs };
  }

  endIdle(): void {
    const now = performance.now();
    for (let left = this.#size; left > 0; left--) {
      const [first] = this.#idle;
      if (!first || now - first.since < (left > 1 ? spareIdleMs : lastIdleMs)) return;
      this.#endThread(first.thread);
      this.#idle.shift();
    }
  }

  spareSince(): number | undefined {
    return this.#size > 1 ? this.#idle[0]?.since : undefined;
  }

  endSpare(): void {
    const first = this.#size > 1 ? this.#idle.shift() : undefined;
    if (first) this.#endThread(first.thread);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#impatience);
    this.#waiting.rejectAll(new FunctionError('Stopped', 'the runner is stopping'));
  }

  #mostThreads(kind: InvocationKind): number {
    const reserved = this.settings.reservedConcurrency ?? Infinity;
    return Math.max(1, Math.min(reserved, 1 + this.#budget.most[kind]));
  }

  #add(job: Job): void {
    if (this.#isStopped) {
      job.reject(new FunctionError('Stopped', 'the runner is stopping'));
      return;
    }
    const last = this.#idle.pop();
    if (last || job.kind === 'event') {
      this.#waiting.add(job);
    } else {
      const tooMany = new FunctionError('TooManyRequests', `${this.settings.name} has no thread for another request`);
      if (this.#waiting.addWithLimit(job, tooMany) === 'rejected') return;
    }
    this.#invocations += 1;
    if (last) void this.#serve(last.thread);
    else this.#growForDemand();
  }

  async #serve(thread: Thread): Promise<void> {
    while (thread.alive) {
      const job = this.#waiting.shift();
      if (!job) {
        if (this.#size > 1 && this.#budget.isWanted()) this.#endThread(thread);
        else this.#idle.push({ thread, since: performance.now() });
        return;
      }
      try {
        job.resolve(JSON.parse(await thread.run(job.payload)));
      } catch (error) {
        job.reject(error);
      }
    }
  }

  /** Starts one thread after the other while invocations have to wait. A field, because the budget compares it. */
  readonly #growForDemand = (): void => {
    const { oldest } = this.#waiting;
    if (!oldest || this.#isStarting || this.#isStopped || this.#size >= this.#mostThreads(oldest.kind)) return;
    const patience = oldest.since + patienceMs[oldest.kind] * this.#size - performance.now();
    if (this.#size > 0 && patience > 0) {
      this.#impatience ??= setTimeout(() => {
        this.#impatience = undefined;
        this.#growForDemand();
      }, patience);
      return;
    }
    if (this.#size > 0) {
      if (!this.#budget.take(oldest.kind, this.#growForDemand)) return;
      this.#taken.push(oldest.kind);
    }
    void this.#grow();
  };

  async #grow(): Promise<void> {
    this.#size += 1;
    this.#isStarting = true;
    try {
      const thread = await this.#startThread(this.settings);
      this.#alive.add(thread);
      void thread.ended.then(() => {
        this.#remove(thread);
      });
      void this.#serve(thread);
    } catch (error) {
      this.#shrink();
      this.#waiting.rejectAll(error);
    } finally {
      this.#isStarting = false;
      this.#growForDemand();
    }
  }

  #remove(thread: Thread): void {
    this.#alive.delete(thread);
    const index = this.#idle.findIndex((one) => one.thread === thread);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#shrink();
    this.#growForDemand();
  }

  #shrink(): void {
    this.#size -= 1;
    const kind = this.#taken.pop();
    if (kind !== undefined) this.#budget.giveBack(kind);
  }

  #endThread(thread: Thread): void {
    void thread.cpuMs().then((ms) => {
      this.#alive.delete(thread);
      this.#spentMs += ms;
      return thread.stop();
    });
  }
}
