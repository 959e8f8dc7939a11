import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { covers, endOfWindow, fullUntil, secondsUntil, stepAt, windowsOver } from '../../lambdas/domain/rate.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const noon = Date.parse('2026-03-01T12:00:00Z');

/**
 * Sends requests at these times (epoch ms, ascending) and counts them as the store does. Returns the accepted times.
 */
function accepted(times: readonly number[], limit: number): number[] {
  const windows = new Map<number, number>();
  const counted = (window: number) => windows.get(window) ?? 0;
  return times.filter((time) => {
    if (fullUntil(counted, limit, time) !== undefined) return false;
    for (const window of windowsOver(stepAt(time))) windows.set(window, counted(window) + 1);
    return true;
  });
}

/** Returns the highest number of times in any interval of this length. */
function mostWithin(times: readonly number[], lengthMs: number): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + lengthMs).length));
}

const someTimes = fc
  .array(fc.integer({ min: 0, max: 6 * hourMs }), { maxLength: 120 })
  .map((offsets) => offsets.map((offset) => noon + offset).sort((a, b) => a - b));
const someLimit = fc.integer({ min: 1, max: 12 });

describe('the windows of a rate limit', () => {
  it('let no hour hold more than the limit, wherever the hour begins', () => {
    fc.assert(
      fc.property(someTimes, someLimit, (times, limit) => mostWithin(accepted(times, limit), hourMs) <= limit),
      { numRuns: 500 },
    );
  });

  it('let no hour around the turn of the clock hour hold more than the limit', () => {
    const burst = (at: string) => Array.from({ length: 10 }, () => Date.parse(at));
    const times = accepted([...burst('2026-03-01T12:59:59Z'), ...burst('2026-03-01T13:00:01Z')], 10);
    assert.equal(times.length, 10);
  });

  it('never refuse a caller who stays within the limit in every 80 minutes', () => {
    fc.assert(
      fc.property(someTimes, someLimit, (times, limit) => {
        fc.pre(mostWithin(times, 80 * minuteMs) <= limit);
        return accepted(times, limit).length === times.length;
      }),
    );
  });

  it('never refuse a caller at a steady pace of three quarters of the limit', () => {
    fc.assert(
      fc.property(someLimit, fc.integer({ min: 0, max: hourMs }), (quarter, offset) => {
        const limit = 4 * quarter;
        const times = Array.from({ length: 12 * quarter }, (_, n) => noon + offset + (n * hourMs) / (3 * quarter));
        return accepted(times, limit).length === times.length;
      }),
    );
  });

  it('have room again at the time that a refusal names, and not before', () => {
    fc.assert(
      fc.property(someTimes, someLimit, fc.integer({ min: 0, max: 7 * hourMs }), (times, limit, later) => {
        const counts = new Map<number, number>();
        const counted = (window: number) => counts.get(window) ?? 0;
        const before = times.filter((time) => time <= noon + later);
        for (const time of accepted(before, limit)) {
          for (const window of windowsOver(stepAt(time))) counts.set(window, counted(window) + 1);
        }
        const until = fullUntil(counted, limit, noon + later);
        if (until === undefined) return;
        assert.equal(fullUntil(counted, limit, until), undefined);
        assert.notEqual(fullUntil(counted, limit, until - 1), undefined);
      }),
    );
  });

  it('cover 80 minutes each, in steps of 20', () => {
    const step = stepAt(noon);
    assert.deepEqual(windowsOver(step), [step - 3, step - 2, step - 1, step]);
    assert.equal(endOfWindow(step), noon + 80 * minuteMs);
    assert.equal(stepAt(noon + 20 * minuteMs - 1), step);
    assert.deepEqual(
      [-1, 0, 3, 4].map((later) => covers(step, step + later)),
      [false, true, true, false],
    );
    assert.deepEqual([secondsUntil(1_001, 0), secondsUntil(1, 0), secondsUntil(0, 0)], [2, 1, 1]);
  });
});
