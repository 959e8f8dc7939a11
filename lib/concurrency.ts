import { checkWhole } from './check-values.ts';

/** The part of the account's Lambda concurrency that is kept for functions that must not wait behind a flooded API. */
export interface ReservedConcurrency {
  /**
   * For each of relay and projector: four for each shard of the table's stream. A table has at least four shards, and one
   * for about 1,000 write units a second.
   *
   * @default 40
   */
  readonly streams?: number;

  /**
   * For each of `withdraw` and `transfer`, and the most that each takes: with `Prefer: wait` a call lasts up to 29 s.
   *
   * @default 200
   */
  readonly waitingRoutes?: number;
}

/** The reserved concurrency of each function that has one; all are undefined where nothing is reserved. */
export interface Shares {
  /** Returns the concurrency of a worker: as much as its queue's event source starts. */
  readonly worker: (maximumConcurrency: number) => number | undefined;
  readonly streams: number | undefined;
  readonly waitingRoutes: number | undefined;
  /** Sweeper and check of the books: one run, and another that begins before the first has ended. */
  readonly scheduled: number | undefined;
}

/** Returns the shares; `false` reserves nothing, for accounts with a low quota. */
export function sharesOf(reserved: ReservedConcurrency | false): Shares {
  if (reserved === false) {
    return { worker: () => undefined, streams: undefined, waitingRoutes: undefined, scheduled: undefined };
  }
  const { streams = 40, waitingRoutes = 200 } = reserved;
  for (const [name, value] of Object.entries({ streams, waitingRoutes })) {
    checkWhole(`reservedConcurrency.${name}`, value, 1);
  }
  return { worker: (maximumConcurrency) => maximumConcurrency, streams, waitingRoutes, scheduled: 2 };
}
