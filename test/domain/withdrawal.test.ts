import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redeliveryDelaySeconds } from '../../lambdas/domain/queue.ts';
import { transactionStatuses } from '../../lambdas/domain/transaction.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import {
  bankCallMs,
  isAtRest,
  leaseMs,
  nextTryAt,
  nextVisitAt,
  notFoundCountsAt,
  submitBudgetMs,
  unreportedVisit,
} from '../../lambdas/domain/withdrawal.ts';

const now = fc.integer({ min: 0, max: Date.parse('2100-01-01') });
const visits = fc.integer({ min: 1, max: 40 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const policy = fc.record({
  maxAttempts: fc.constant(10),
  notFoundWindowMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 600_000 })),
});
/** When the last submit may have left, relative to now; undefined: none ever did. */
const submitAge = fc.option(fc.integer({ min: -10_000, max: 3_600_000 }), { nil: undefined });

describe('the next visit to the bank', () => {
  it('is due 1 s, 2 s, 4 s … up to five minutes from now, less up to a quarter', () => {
    fc.assert(
      fc.property(now, visits, policy, random, (now, visits, policy, random) => {
        const full = visits > 9 ? 300_000 : 1_000 * 2 ** (visits - 1);
        const wait = nextVisitAt({ now, visits, submitBy: undefined }, policy, random) - now;
        assert.ok(wait >= full * 0.75 && wait <= full + 1, `${wait} ms after visit ${visits}`);
        assert.ok(Number.isInteger(wait));
      }),
    );
    const exact = [1, 2, 3, 8, 9, 10, 11].map((visits) =>
      nextVisitAt({ now: 0, visits, submitBy: undefined }, { maxAttempts: 10, notFoundWindowMs: 0 }, 0),
    );
    assert.deepEqual(exact, [1_000, 2_000, 4_000, 128_000, 256_000, 300_000, 300_000]);
  });

  it('is never sooner after more visits, nor spread by less than chance says', () => {
    fc.assert(
      fc.property(now, visits, policy, random, submitAge, (now, visits, policy, random, age) => {
        const submitBy = age === undefined ? undefined : new Date(now - age).toISOString();
        const at = (visits: number, chance: number) => nextVisitAt({ now, visits, submitBy }, policy, chance);
        assert.ok(at(visits + 1, random) >= at(visits, random));
        assert.ok(at(visits, random) <= at(visits, 0));
      }),
    );
  });

  it('is never before the bank\'s "not found" is definite', () => {
    fc.assert(
      fc.property(now, visits, policy, random, submitAge, (now, visits, policy, random, age) => {
        const submitBy = age === undefined ? undefined : new Date(now - age).toISOString();
        const next = nextVisitAt({ now, visits, submitBy }, policy, random);
        assert.ok(next > now);
        if (submitBy !== undefined) assert.ok(next >= notFoundCountsAt(submitBy, policy));
      }),
    );
  });
});

describe('a withdrawal that the breaker kept from the bank', () => {
  it('waits for the breaker, and for a quarter of its age up to five minutes', () => {
    const createdAt = '2026-03-01T12:00:00.000Z';
    const wait = (age: number, retryAfterMs: number) => {
      const now = Date.parse(createdAt) + age;
      return nextTryAt({ now, createdAt, retryAfterMs }) - now;
    };
    assert.deepEqual([wait(0, 30_000), wait(119_999, 30_000), wait(400_000, 30_000)], [30_000, 30_000, 100_000]);
    assert.deepEqual([wait(0, 1), wait(4_000, 1)], [1, 1_000]);
    assert.deepEqual([wait(36_000_000, 1), wait(36_000_000, 400_000)], [300_000, 400_000]);
  });

  it('is delivered no more than 30 times in an hour, at the pace of half-open breakers of several workers', () => {
    const createdAt = '2026-03-01T12:00:00.000Z';
    let now = Date.parse(createdAt);
    for (let delivery = 1; delivery < 30; delivery++) now = nextTryAt({ now, createdAt, retryAfterMs: 16_000 });
    assert.ok(now - Date.parse(createdAt) > 60 * 60_000, `${(now - Date.parse(createdAt)) / 60_000} min`);
  });
});

describe('"not found"', () => {
  it('is definite five seconds after the end of the window, as clocks differ', () => {
    const policy = { maxAttempts: 1, notFoundWindowMs: 30_000 };
    const submitBy = '2026-03-01T12:00:00.000Z';
    assert.equal(notFoundCountsAt(submitBy, policy), Date.parse('2026-03-01T12:00:35.000Z'));
  });
});

describe('a visit that nobody reported', () => {
  it('is that of the worker whose claim is still there', () => {
    const before = { updatedAt: '2026-03-01T12:00:00.000Z' } as Transaction;
    assert.equal(unreportedVisit(before), undefined);
    assert.deepEqual(unreportedVisit({ ...before, claimId: 'of another' }), {
      at: '2026-03-01T12:00:00.000Z',
      submitted: false,
      outcome: 'unknown',
      reason: 'the worker did not come back',
    });
  });
});

describe('a claim', () => {
  it('outlives the submit that it announces, which outlives two calls to the bank', () => {
    const [lease, submits, call]: number[] = [leaseMs, submitBudgetMs, bankCallMs];
    assert.ok(lease! > submits! && submits! > 2 * call!);
  });

  it('is only taken on what is pending or executing', () => {
    const open = transactionStatuses.filter((status) => !isAtRest({ status } as Transaction));
    assert.deepEqual(open, ['pending', 'executing']);
  });
});

describe('a message whose work threw', () => {
  it('comes back after 1 s, 2 s, 4 s … and at most five minutes', () => {
    assert.deepEqual([1, 2, 3, 9, 10, 20].map(redeliveryDelaySeconds), [1, 2, 4, 256, 300, 300]);
  });
});
