/**
 * Sliding windows of a rate limit. Time is cut into steps of 20 minutes, and a request counts in each of the four
 * windows of 80 minutes that cover its step. Any hour lies within one of the windows, wherever it begins, so no hour
 * holds more than the limit. A window is named by the number of its first step.
 */

const stepMs = 20 * 60_000;
const windowSteps = 4;

/** Returns the number of the step that a time (epoch ms) belongs to. */
export function stepAt(time: number): number {
  return Math.floor(time / stepMs);
}

/** Returns the windows that cover a step, oldest first. */
export function windowsOver(step: number): number[] {
  return Array.from({ length: windowSteps }, (_, n) => step - windowSteps + 1 + n);
}

/** Returns the time at which a window ends, epoch ms. */
export function endOfWindow(window: number): number {
  return (window + windowSteps) * stepMs;
}

/** Returns whether a window covers a step. */
export function covers(window: number, step: number): boolean {
  return window <= step && step < window + windowSteps;
}

/**
 * Returns when a request has room again (epoch ms), or undefined when it has room now. That is the end of the latest
 * full window: no later window has counted as many.
 *
 * @param counted returns how many requests a window has counted
 */
export function fullUntil(counted: (window: number) => number, limit: number, time: number): number | undefined {
  const full = windowsOver(stepAt(time)).findLast((window) => counted(window) >= limit);
  return full === undefined ? undefined : endOfWindow(full);
}

/** Returns the whole seconds from one time to a later one (epoch ms), at least one. */
export function secondsUntil(later: number, now: number): number {
  return Math.max(1, Math.ceil((later - now) / 1000));
}
