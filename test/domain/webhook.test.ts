import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  afterAttempt,
  failingMs,
  failingSince,
  isHopeless,
  isSubscribed,
  mostAttempts,
} from '../../lambdas/domain/webhook.ts';
import type { AfterAttempt } from '../../lambdas/domain/webhook.ts';

const start = Date.parse('2026-03-01T12:00:00.000Z');
const refused = { status: 503 };

/** Returns the minutes since the event at which attempts of a receiver that never takes it are made. */
function minutesOf(jitter: number): { minutes: number[]; last: AfterAttempt } {
  const minutes: number[] = [];
  let [now, after]: [number, AfterAttempt] = [start, { status: 'waiting', attempts: 0 }];
  while (after.status === 'waiting') {
    minutes.push((now - start) / 60_000);
    after = afterAttempt(after, refused, now, jitter);
    if (after.dueAt !== undefined) now = Date.parse(after.dueAt);
  }
  return { minutes, last: after };
}

describe('a delivery', () => {
  it('is tried eleven times in a day, and then parked', () => {
    const { minutes, last } = minutesOf(0);
    assert.deepEqual(minutes, [0, 1, 3, 8, 23, 53, 113, 233, 473, 953, 1_433]);
    assert.equal(minutes.length, mostAttempts);
    const at = new Date(start + 1_433 * 60_000).toISOString();
    assert.deepEqual(last, { status: 'parked', attempts: 11, lastAttempt: { at, outcome: '503' } });
  });

  it('waits at most a tenth longer', () => {
    const { minutes } = minutesOf(0.999);
    assert.ok(minutes[10]! > 1_433 * 1.09 && minutes[10]! < 1_433 * 1.1);
  });

  it('is taken by a 2xx, and by no other answer', () => {
    const statusAfter = (status: number) => afterAttempt({ attempts: 0 }, { status }, start, 0).status;
    for (const status of [200, 201, 204, 299]) assert.equal(statusAfter(status), 'delivered');
    for (const status of [0, 101, 301, 302, 307, 400, 404, 410, 500]) assert.equal(statusAfter(status), 'waiting');
  });

  it('that is too large is parked at once', () => {
    assert.equal(afterAttempt({ attempts: 0 }, { failure: 'too_large' }, start, 0).status, 'parked');
  });
});

describe('an endpoint', () => {
  it('fails from the first turn in which nothing was taken, until one in which something was', () => {
    const at = (ms: number) => new Date(start + ms).toISOString();
    assert.equal(failingSince(undefined, { delivered: 0, failed: 0 }, start), undefined);
    assert.equal(failingSince(undefined, { delivered: 0, failed: 1 }, start), at(0));
    assert.equal(failingSince(at(0), { delivered: 0, failed: 3 }, start + 5), at(0));
    assert.equal(failingSince(at(0), { delivered: 0, failed: 0 }, start + 5), at(0));
    // One bad event does not make a bad endpoint.
    assert.equal(failingSince(at(0), { delivered: 1, failed: 3 }, start + 5), undefined);
  });

  it('is given up when something fails after a week of failures, and not because time passes', () => {
    const since = new Date(start).toISOString();
    assert.equal(isHopeless(since, { delivered: 0, failed: 1 }, start + failingMs - 1), false);
    assert.equal(isHopeless(since, { delivered: 0, failed: 1 }, start + failingMs), true);
    assert.equal(isHopeless(since, { delivered: 0, failed: 0 }, start + failingMs), false);
    assert.equal(isHopeless(undefined, { delivered: 0, failed: 1 }, start + failingMs), false);
  });

  it('gets the types that it names, also while it is disabled, and nothing once it is deleted', () => {
    const eventTypes = ['wallet.funded'] as const;
    assert.equal(isSubscribed({ eventTypes, status: 'active' }, 'wallet.funded'), true);
    assert.equal(isSubscribed({ eventTypes, status: 'disabled' }, 'wallet.funded'), true);
    assert.equal(isSubscribed({ eventTypes, status: 'active' }, 'wallet.closed'), false);
    assert.equal(isSubscribed({ eventTypes, status: 'deleted' }, 'wallet.funded'), false);
  });
});
