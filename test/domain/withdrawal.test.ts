import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { redeliveryDelaySeconds } from '../../lambdas/domain/queue.ts';
import { isAtRest, transactionStatuses } from '../../lambdas/domain/transaction.ts';
import type { ExecutingWithdrawal, Withdrawal } from '../../lambdas/domain/transaction.ts';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import {
  afterVisit,
  bankCallMs,
  cancelRefusal,
  isClockRight,
  leaseMs,
  nextThawCheckAt,
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
/** The time since the last submit may have left, in ms; undefined if none has. */
const submitAge = fc.option(fc.integer({ min: -10_000, max: 3_600_000 }), { nil: undefined });

/** Returns the waits after the first visits, each with an outcome, in ms. */
function waits(count: number, patient: boolean, random = 0): number[] {
  const policy = { maxAttempts: 10, notFoundWindowMs: 0 };
  return Array.from({ length: count }, (_, index) =>
    nextVisitAt({ now: 0, visits: index + 1, submitBy: undefined, patient }, policy, random),
  );
}

describe('the next visit to the bank', () => {
  it('is due after 1 s, 2 s, 4 s and then 8 s, and after the tenth visit half a minute later', () => {
    assert.deepEqual(
      waits(12, false),
      [1, 2, 4, 8, 8, 8, 8, 8, 8, 8, 30, 30].map((seconds) => 1_000 * seconds),
    );
  });

  it('is due after up to five minutes only after the tenth visit, to a bank that is down', () => {
    assert.deepEqual(waits(10, true), waits(10, false));
    assert.deepEqual(waits(12, true).slice(10), [300_000, 300_000]);
  });

  it('lets a withdrawal outlast half an hour with the bank down, in twenty visits', () => {
    const total = waits(19, true, 0.999).reduce((sum, wait) => sum + wait, 0);
    assert.ok(total > 30 * 60_000, `${total / 60_000} min`);
  });

  it('ends 999 of 1,000 within 45 s of waiting when three visits in ten fail', () => {
    let failing = 1;
    let waited = 0;
    for (const wait of waits(20, false)) {
      failing *= 0.3;
      if (failing < 0.001) break;
      waited += wait;
    }
    assert.ok(waited <= 45_000, `${waited} ms`);
  });

  it('is spread over the last quarter of its wait, in whole milliseconds', () => {
    fc.assert(
      fc.property(now, visits, policy, random, fc.boolean(), (now, visits, policy, random, patient) => {
        const at = (chance: number) => nextVisitAt({ now, visits, submitBy: undefined, patient }, policy, chance) - now;
        assert.ok(at(random) >= at(0) * 0.75 && at(random) <= at(0), `${at(random)} of ${at(0)} ms`);
        assert.ok(Number.isInteger(at(random)));
      }),
    );
  });

  it('is never earlier after more visits', () => {
    fc.assert(
      fc.property(now, visits, policy, random, submitAge, (now, visits, policy, random, age) => {
        const submitBy = age === undefined ? undefined : new Date(now - age).toISOString();
        const at = (visits: number, patient: boolean) =>
          nextVisitAt({ now, visits, submitBy, patient }, policy, random);
        assert.ok(at(visits + 1, false) >= at(visits, false));
        assert.ok(at(visits, true) >= at(visits, false));
      }),
    );
  });

  it('is never before the bank\'s "not found" is definite', () => {
    fc.assert(
      fc.property(now, visits, policy, random, submitAge, (now, visits, policy, random, age) => {
        const submitBy = age === undefined ? undefined : new Date(now - age).toISOString();
        const next = nextVisitAt({ now, visits, submitBy, patient: false }, policy, random);
        assert.ok(next > now);
        if (submitBy !== undefined) assert.ok(next >= notFoundCountsAt(submitBy, policy));
      }),
    );
  });
});

describe('a visit that did not end the withdrawal', () => {
  const policy = { maxAttempts: 3, notFoundWindowMs: 1_000 };
  const start = Date.parse('2026-03-01T12:00:00.000Z');
  const hourMs = 3_600_000;
  /** Returns the withdrawal after visits with these outcomes, an hour apart. */
  const after = (...outcomes: Attempt['outcome'][]) =>
    ({
      attempts: outcomes.map((outcome, hour) => ({ at: iso(start + hour * hourMs), submitted: true, outcome })),
    }) as unknown as ExecutingWithdrawal;
  const refusedSince = new Date(start).toISOString();
  const iso = (ms: number) => new Date(ms).toISOString();
  const visit = (before: ExecutingWithdrawal, outcome: 'unknown' | 'not_accepted', hours: number) =>
    afterVisit(before, { outcome, at: iso(start + hours * hourMs) }, policy);

  it('is counted while the bank may have paid, and the last one leads to review', () => {
    assert.deepEqual(visit(after('unknown'), 'unknown', 1), { visits: 2, next: 'retry' });
    assert.deepEqual(visit(after('unknown', 'unknown'), 'unknown', 2), { visits: 3, next: 'review' });
    const died = { ...after('unknown'), claimId: 'of another', updatedAt: iso(start) };
    assert.deepEqual(visit(died, 'unknown', 2), { visits: 3, next: 'review' });
  });

  it('is not counted when the bank accepted nothing, and is recorded as often as the others', () => {
    const refused = { ...after('not_accepted', 'not_accepted'), refusedSince };
    assert.deepEqual(visit(refused, 'not_accepted', 2), { visits: 3, next: 'retry', refusedSince });
    assert.deepEqual(visit(refused, 'unknown', 2), { visits: 3, next: 'retry' });
    const full = { ...after('not_accepted', 'not_accepted', 'not_accepted'), refusedSince };
    assert.deepEqual(visit(full, 'not_accepted', 23), { visits: 4, next: 'retry_rarely', refusedSince });
    assert.deepEqual(visit(after('not_accepted', 'unknown', 'unknown'), 'unknown', 3).next, 'review');
  });

  it('leads to review when the bank has accepted nothing for a day', () => {
    const full = { ...after('not_accepted', 'not_accepted', 'not_accepted'), refusedSince };
    assert.deepEqual(visit(full, 'not_accepted', 24), { visits: 4, next: 'review', refusedSince });
  });

  it('leads to review a day after the first refusal since the last wait, also when that refusal was not recorded', () => {
    const event = fc.record({
      kind: fc.constantFrom('refused', 'waits'),
      afterMs: fc.integer({ min: 1, max: 30 * hourMs }),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        let now = start;
        let first: number | undefined;
        let withdrawal = after();
        for (const { kind, afterMs } of events) {
          now += afterMs;
          if (kind === 'waits') {
            first = undefined;
            const { refusedSince: _, ...waiting } = withdrawal;
            withdrawal = waiting;
            continue;
          }
          first ??= now;
          const at = iso(now);
          const { next, refusedSince } = afterVisit(withdrawal, { outcome: 'not_accepted', at }, policy);
          assert.equal(next === 'review', now - first >= 24 * hourMs);
          if (next === 'review') return;
          const attempt: Attempt = { at, submitted: true, outcome: 'not_accepted' };
          const attempts = [...(withdrawal.attempts ?? []), ...(next === 'retry' ? [attempt] : [])];
          withdrawal = { ...withdrawal, attempts, ...(refusedSince !== undefined && { refusedSince }) };
        }
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

  it('is delivered at most 30 times an hour, at the pace of half-open breakers of several workers', () => {
    const createdAt = '2026-03-01T12:00:00.000Z';
    let now = Date.parse(createdAt);
    for (let delivery = 1; delivery < 30; delivery++) now = nextTryAt({ now, createdAt, retryAfterMs: 8_000 });
    assert.ok(now - Date.parse(createdAt) > 60 * 60_000, `${(now - Date.parse(createdAt)) / 60_000} min`);
  });
});

describe('a withdrawal whose wallet is frozen', () => {
  it('is due again after a quarter of its age, 30 s to five minutes', () => {
    const createdAt = '2026-03-01T12:00:00.000Z';
    const wait = (age: number) => {
      const now = Date.parse(createdAt) + age;
      return nextThawCheckAt({ now, createdAt }) - now;
    };
    assert.deepEqual(
      [0, 120_000, 200_000, 1_200_000, 86_400_000].map(wait),
      [30_000, 30_000, 50_000, 300_000, 300_000],
    );
  });
});

describe('a cancel', () => {
  const open = (status: Withdrawal['status'], more: Partial<ExecutingWithdrawal> = {}) =>
    cancelRefusal({ type: 'withdrawal', status, ...more } as Withdrawal);
  const submitBy = '2026-03-01T12:00:00.000Z';
  const refused = { at: submitBy, submitted: true, outcome: 'unknown' } as const;

  it('ends an open withdrawal that no submit has left for', () => {
    assert.deepEqual([open('pending'), open('executing')], [undefined, undefined]);
    for (const refusal of [
      ...(['completed', 'failed', 'review'] as const).map((status) => open(status)),
      open('executing', { submitBy }),
      open('executing', { attempts: [refused] }),
    ]) {
      assert.equal(refusal?.code, 'not_cancellable');
    }
    assert.equal(cancelRefusal(undefined)?.code, 'transaction_not_found');
  });

  it('is refused with the reason', () => {
    assert.equal(open('completed')?.details.detail, 'it is completed');
    assert.equal(open('review')?.details.detail, 'it is in review');
    assert.equal(open('executing', { submitBy })?.details.detail, 'the bank may have it already');
  });
});

describe('"not found"', () => {
  it('is definite five seconds after the end of the window, as clocks differ', () => {
    const policy = { maxAttempts: 1, notFoundWindowMs: 30_000 };
    const submitBy = '2026-03-01T12:00:00.000Z';
    assert.equal(notFoundCountsAt(submitBy, policy), Date.parse('2026-03-01T12:00:35.000Z'));
  });
});

describe('a visit without a report', () => {
  it('belongs to the worker whose claim is still there', () => {
    const before = { updatedAt: '2026-03-01T12:00:00.000Z' } as ExecutingWithdrawal;
    assert.equal(unreportedVisit(before), undefined);
    assert.deepEqual(unreportedVisit({ ...before, claimId: 'of another' }), {
      at: '2026-03-01T12:00:00.000Z',
      submitted: false,
      outcome: 'unknown',
      reason: 'the worker reported no result',
    });
  });
});

describe('a claim', () => {
  it('outlives the submit that it announces, which outlives two calls to the bank', () => {
    const [lease, submits, call]: number[] = [leaseMs, submitBudgetMs, bankCallMs];
    assert.ok(lease! > submits! && submits! > 2 * call!);
  });

  it('is only taken on a pending or executing withdrawal', () => {
    const open = transactionStatuses.filter((status) => !isAtRest({ status } as Withdrawal));
    assert.deepEqual(open, ['pending', 'executing']);
  });
});

describe('a message whose work threw', () => {
  it('is redelivered after 1 s, 2 s, 4 s … and at most five minutes', () => {
    assert.deepEqual([1, 2, 3, 9, 10, 20].map(redeliveryDelaySeconds), [1, 2, 4, 256, 300, 300]);
  });
});

describe("a worker's clock beside the database's whole seconds", () => {
  const databaseAt = Date.parse('2026-03-01T12:00:00.000Z');
  /**
   * Returns the reading of a clock that is ahead by `aheadMs`, for a call of `tookMs`. The database answers halfway,
   * `withinMs` after the second that its answer names.
   */
  const reading = (aheadMs: number, withinMs: number, tookMs: number) => ({
    databaseAt,
    sentAt: databaseAt + withinMs + aheadMs - tookMs / 2,
    receivedAt: databaseAt + withinMs + aheadMs + tookMs / 2,
  });

  it('is right when it agrees, at any point of the second and within the time limit of a call', () => {
    for (const withinMs of [0, 500, 999]) {
      for (const tookMs of [0, 20, 1_500]) {
        assert.ok(isClockRight(reading(0, withinMs, tookMs)), `${withinMs} ms, ${tookMs} ms`);
      }
    }
    for (const aheadMs of [-1_400, 1_400]) assert.ok(isClockRight(reading(aheadMs, 500, 20)), `${aheadMs} ms`);
  });

  it('is never right when it differs by more than 2.5 s', () => {
    for (const withinMs of [0, 500, 999]) {
      for (const tookMs of [0, 100, 1_500, 10_000]) {
        for (const aheadMs of [-180_000, -2_501, 2_501, 180_000]) {
          assert.ok(!isClockRight(reading(aheadMs, withinMs, tookMs)), `${aheadMs} ms, ${tookMs} ms`);
        }
      }
    }
  });

  it('is not proved right by a call that took longer than its time limit', () => {
    assert.ok(!isClockRight(reading(0, 500, 6_000)));
  });
});
