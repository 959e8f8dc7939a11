/**
 * Bounds the threads of all functions together. A function's first thread is not counted: it may always start, so that no
 * function waits for ever on another one that has no thread.
 */

/** The origin of an invocation: a caller, or a queue, stream, rule or schedule, which can wait. */
export type InvocationKind = 'request' | 'event';

export interface ThreadBudget {
  /** Threads beyond its first that a function may have, by the kind of its invocations. */
  readonly most: Readonly<Record<InvocationKind, number>>;
  /** Takes a thread beyond a function's first. Where none is free it returns false, and calls `retry` once one is. */
  take(kind: InvocationKind, retry: () => void): boolean;
  giveBack(kind: InvocationKind): void;
  /** Returns whether a function waits for a thread. */
  isWanted(): boolean;
}

/**
 * Returns a budget of this many threads.
 *
 * @param shortage called when a thread is wanted and all are taken
 */
export function createThreadBudget(threads: number, shortage: () => void): ThreadBudget {
  // Events take at most half, so that callers find some.
  const most = { request: threads, event: Math.floor(threads / 2) };
  const taken = { request: 0, event: 0 };
  const waiting = new Map<() => void, InvocationKind>();

  const isFree = (kind: InvocationKind): boolean =>
    taken.request + taken.event < threads && (kind === 'request' || taken.event < most.event);

  return {
    most,
    take(kind, retry) {
      if (isFree(kind)) {
        waiting.delete(retry);
        taken[kind] += 1;
        return true;
      }
      if (waiting.has(retry)) return false;
      waiting.set(retry, kind);
      if (kind === 'request' || taken.event < most.event) shortage();
      return false;
    },
    isWanted: () => waiting.size > 0,
    giveBack(returned) {
      taken[returned] -= 1;
      // In the order of their asking; one that no longer needs a thread leaves it to the next.
      for (const [retry, kind] of [...waiting]) {
        if (!isFree(kind)) continue;
        waiting.delete(retry);
        retry();
      }
    },
  };
}
