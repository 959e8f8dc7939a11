/** Reading something again and again until it is as it should be. */
import { backoffMs } from './clock.ts';
import type { Clock } from './clock.ts';

/** Settings of every wait. */
export interface Patience {
  /** Ends the wait and its reads. */
  readonly signal?: AbortSignal | undefined;
  /** @default 60,000 */
  readonly timeoutMs?: number | undefined;
}

const defaultTimeoutMs = 60_000;
const firstPollMs = 250;
const longestPollMs = 5_000;

/**
 * Reads less and less often, until `isOver`.
 *
 * @param late makes the error of a wait that is too long, from what was last read and the time in ms
 */
export async function poll<T>(
  clock: Clock,
  { signal, timeoutMs = defaultTimeoutMs }: Patience,
  read: (options: { readonly signal?: AbortSignal | undefined }) => Promise<T>,
  isOver: (seen: T) => boolean,
  late: (seen: T, timeoutMs: number) => Error,
): Promise<T> {
  const until = clock.now() + timeoutMs;
  for (let count = 1; ; count += 1) {
    const seen = await read({ signal });
    if (isOver(seen)) return seen;
    const leftMs = until - clock.now();
    if (leftMs <= 0) throw late(seen, timeoutMs);
    await clock.sleep(Math.min(leftMs, backoffMs(count, firstPollMs, longestPollMs, clock.random())), signal);
  }
}
