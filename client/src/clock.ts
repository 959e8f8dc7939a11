/** The time that retries and waits use. A test has its own. */
export interface Clock {
  /** Epoch ms. */
  readonly now: () => number;
  /** Waits. Rejects with the signal's reason as soon as that is aborted. */
  readonly sleep: (delayMs: number, signal?: AbortSignal | null) => Promise<void>;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, delayMs);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    }),
  random: () => Math.random(),
};

/** Returns a delay that doubles with each attempt from `firstMs` to `mostMs`, and of which up to a half is left to chance. */
export function backoffMs(attempt: number, firstMs: number, mostMs: number, random: number): number {
  return Math.min(mostMs, firstMs * 2 ** (attempt - 1)) * (1 - random / 2);
}
