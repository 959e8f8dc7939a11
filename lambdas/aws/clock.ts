import { setTimeout as sleep } from 'node:timers/promises';

/** Time and chance. They are passed in, so that tests control them. */
export interface Clock {
  /** Returns epoch milliseconds. */
  readonly now: () => number;
  /** Returns a number in [0, 1), for jitter. */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The clock of this machine. */
export const systemClock: Clock = { now: Date.now, random: Math.random, sleep: (ms) => sleep(ms) };
