import { setTimeout as sleep } from 'node:timers/promises';

/** Delay before a retry of a call to another part of this machine, ms. */
export const afterErrorMs = 1_000;

/** Resolves after `ms`, or once the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).then(
    () => undefined,
    () => undefined,
  );
}
