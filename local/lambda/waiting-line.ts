/** The line of invocations in front of a function's threads. */
import type { InvocationKind } from './thread-budget.ts';

/** One invocation of a function, until it ends. */
export interface Job {
  /** Time of its arrival, ms of `performance.now()`. */
  readonly since: number;
  readonly kind: InvocationKind;
  readonly payload: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const mostWaiting = 1_000;
/** The part of the longest wait that is the limit in a line that stood for so long: more requests come than end. */
const standingShare = 0.2;

/** Jobs that wait for a thread, the oldest first. */
export class WaitingLine {
  readonly #longestWaitMs: number;
  readonly #jobs: Job[] = [];
  readonly #timers = new Map<Job, NodeJS.Timeout>();
  /** The line has not been empty since then, ms of `performance.now()`. */
  #standingSince = 0;

  /** @param longestWaitMs how long a job with a limit waits at most */
  constructor(longestWaitMs: number) {
    this.#longestWaitMs = longestWaitMs;
  }

  get oldest(): Job | undefined {
    return this.#jobs[0];
  }

  add(job: Job): void {
    this.#jobs.push(job);
  }

  /** Adds a job that is rejected with `tooMany` when it waits for too long. In a full line it is rejected at once. */
  addWithLimit(job: Job, tooMany: Error): 'added' | 'rejected' {
    if (this.#jobs.length >= mostWaiting) {
      job.reject(tooMany);
      return 'rejected';
    }
    if (this.#jobs.length === 0) this.#standingSince = job.since;
    const isStanding = job.since - this.#standingSince > this.#longestWaitMs;
    const limitMs = isStanding ? this.#longestWaitMs * standingShare : this.#longestWaitMs;
    const timer = setTimeout(() => {
      this.#timers.delete(job);
      this.#jobs.splice(this.#jobs.indexOf(job), 1);
      job.reject(tooMany);
    }, limitMs);
    this.#timers.set(job, timer);
    this.#jobs.push(job);
    return 'added';
  }

  /** Takes the oldest job out of the line. */
  shift(): Job | undefined {
    const job = this.#jobs.shift();
    if (job) this.#endLimit(job);
    return job;
  }

  /** Empties the line. */
  rejectAll(error: unknown): void {
    for (const job of this.#jobs.splice(0)) {
      this.#endLimit(job);
      job.reject(error);
    }
  }

  #endLimit(job: Job): void {
    clearTimeout(this.#timers.get(job));
    this.#timers.delete(job);
  }
}
