import { describe, logger } from './telemetry.ts';

/** The ages of a kept value, since the start of the reading that returned it. */
export interface Lifetimes {
  /** Age at which a call starts another reading, and goes on with the value that it has. */
  readonly refreshAfterMs: number;
  /** Age from which a call waits for another reading. While readings succeed, a withdrawn key is not used beyond it. */
  readonly staleAfterMs: number;
}

/**
 * Age up to which a value is used while readings fail. A key that is withdrawn in that time is used for this long, too.
 *
 * With a shorter time, an outage of the key's source for some minutes would refuse every caller and every notification.
 * The holder of an old key cannot cause that outage: it takes rights on the secret, or a failure of the issuer. A
 * deployment ends the use of an old key at once: new containers have no last value, and refuse until they can read.
 */
const unusableAfterMs = 3_600_000;
/** Shortest time between a reading that failed, or was requested with `reload`, and the next one. */
const retryAfterMs = 10_000;

/**
 * A function that returns a value from outside this process that seldom changes. `reload` requests another reading,
 * because the last value lacks an item that the caller needs.
 */
export type Kept<T> = (reload?: 'reload') => Promise<T>;

/**
 * Keeps the value that `read` returns, for as long as `lifetimes` say. Concurrent callers share one reading. A reading
 * that fails is logged, and the last value is used for up to an hour. After that, and at first, the call rejects with
 * the error.
 *
 * @param name names the value in the log
 */
export function keep<T>(
  name: string,
  read: () => Promise<T>,
  { refreshAfterMs, staleAfterMs }: Lifetimes,
  now: () => number = Date.now,
): Kept<T> {
  let kept: { readonly value: T; readonly at: number } | undefined;
  let reading: Promise<T> | undefined;
  let failedAt = -Infinity;
  let reloadAt = -Infinity;

  async function readNow(): Promise<T> {
    const at = now();
    try {
      const value = await read();
      kept = { value, at };
      return value;
    } catch (error) {
      failedAt = now();
      logger.warn('reload failed', { value: name, error: describe(error) });
      throw error;
    }
  }

  function share(): Promise<T> {
    reading ??= readNow().finally(() => (reading = undefined));
    return reading;
  }

  return async (reload) => {
    const last = kept;
    const ageMs = last === undefined ? Infinity : now() - last.at;
    if (last === undefined || ageMs >= unusableAfterMs) return share();
    const mayRead = reading !== undefined || now() - failedAt >= retryAfterMs;
    const wantsReload = reload !== undefined && (reading !== undefined || now() - reloadAt >= retryAfterMs);
    if (wantsReload) reloadAt = now();
    if (mayRead && (wantsReload || ageMs >= staleAfterMs)) return share().catch(() => last.value);
    // Not awaited: the present value still counts, and a reading that fails must not delay the call.
    if (mayRead && ageMs >= refreshAfterMs) void share().catch(() => undefined);
    return last.value;
  };
}
