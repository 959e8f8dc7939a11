import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { countMovement, noActivity } from '../../lambdas/domain/fraud.ts';
import type { Activity, FraudLimits, FraudRule, Movement, Signal } from '../../lambdas/domain/fraud.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';

const unlimited = { count: maxAmount, amount: maxAmount };
/** Limits that no test exceeds. */
const generous: FraudLimits = {
  outgoingPerMinute: unlimited,
  outgoingPerHour: unlimited,
  outgoingPerDay: unlimited,
  inAndOut: { minutes: 10, amount: maxAmount },
  newDestination: { amount: maxAmount },
};
const noon = Date.parse('2026-03-01T12:00:00.000Z') / 1000;

let transactions = 0;
function moved(direction: 'in' | 'out', amount: number, seconds: number, destination?: string): Movement {
  return { transactionId: `tx_${String(++transactions)}`, direction, amount, at: noon + seconds, destination };
}

/** Counts movements in turn. Returns the signals of each. */
function count(limits: FraudLimits, movements: readonly Movement[]): { activity: Activity; signals: Signal[][] } {
  let activity = noActivity;
  const signals = movements.map((movement) => {
    const result = countMovement(activity, movement, limits);
    activity = result.activity;
    return result.signals;
  });
  return { activity, signals };
}

function rules(limits: FraudLimits, movements: readonly Movement[]): FraudRule[][] {
  return count(limits, movements).signals.map((signals) => signals.map(({ rule }) => rule));
}

describe('money out', () => {
  const windows = [
    ['outgoing-per-minute', 'outgoingPerMinute', 60, 10],
    ['outgoing-per-hour', 'outgoingPerHour', 3_600, 300],
    ['outgoing-per-day', 'outgoingPerDay', 86_400, 3_600],
  ] as const;

  for (const [rule, name, span, step] of windows) {
    it(`signals the movement that exceeds a limit of ${rule}, once`, () => {
      const byCount = { ...generous, [name]: { ...unlimited, count: 2 } };
      const burst = [0, 1, 2, 3].map((seconds) => moved('out', 1, seconds));
      assert.deepEqual(rules(byCount, burst), [[], [], [rule], []]);
      const byAmount = { ...generous, [name]: { ...unlimited, amount: 10 } };
      const large = [moved('out', 10, 0), moved('out', 1, 1), moved('out', 50, 2)];
      assert.deepEqual(rules(byAmount, large), [[], [rule], []]);
      const [signal] = count(byAmount, large).signals[1]!;
      assert.deepEqual([signal?.figures, signal?.limits], [{ count: 2, amount: 11 }, byAmount[name]]);
    });

    it(`is forgotten at most a step after a window of ${rule}`, () => {
      const limits = { ...generous, [name]: { ...unlimited, count: 1 } };
      assert.deepEqual(rules(limits, [moved('out', 1, 0), moved('out', 1, span - 1)]), [[], [rule]]);
      assert.deepEqual(rules(limits, [moved('out', 1, 0), moved('out', 1, span + step)]), [[], []]);
    });
  }

  it('is counted as a list of all movements would count it, within one step', () => {
    const limits = { ...generous, outgoingPerMinute: { count: 0, amount: 0 } };
    const movement = fc.record({ amount: fc.integer({ min: 1, max: 100 }), pause: fc.integer({ min: 0, max: 40 }) });
    fc.assert(
      fc.property(fc.array(movement, { minLength: 1, maxLength: 30 }), (moves) => {
        let seconds = 0;
        const movements = moves.map(({ amount, pause }) => moved('out', amount, (seconds += pause)));
        const { activity } = count(limits, movements);
        const last = movements.at(-1)!;
        const within = (span: number) => movements.filter(({ at }) => at > last.at - span);
        const counted = activity.outMinute
          .filter(([start]) => start + 10 > last.at - 60)
          .reduce((sum, [, n]) => sum + n, 0);
        assert.ok(counted >= within(60).length, 'a movement of the window is missing');
        assert.ok(counted <= within(70).length, 'a movement from before the window is counted');
      }),
    );
  });

  it('uses bounded memory and keeps its sums exact', () => {
    const movements = Array.from({ length: 3_000 }, (_, index) => moved('out', maxAmount, index * 37, `d${index}`));
    const { activity } = count(generous, movements);
    const { destinations, ...series } = activity;
    assert.equal(destinations.length, 20);
    for (const buckets of Object.values(series)) {
      assert.ok(buckets.length <= 27, String(buckets.length));
      for (const [, , amount] of buckets) assert.ok(Number.isSafeInteger(amount));
    }
  });

  it('that arrives late is counted at its own time, or not at all when that time is forgotten', () => {
    const limits = { ...generous, outgoingPerMinute: { ...unlimited, count: 1 } };
    assert.deepEqual(rules(limits, [moved('out', 1, 20), moved('out', 1, 0), moved('out', 1, 25)]), [
      [],
      ['outgoing-per-minute'],
      [],
    ]);
    assert.deepEqual(rules(limits, [moved('out', 1, 500), moved('out', 1, 0), moved('out', 1, 1)]), [[], [], []]);
  });
});

describe('money in and out again', () => {
  const limits = { ...generous, inAndOut: { minutes: 10, amount: 100 } };

  it('is signalled when more than the limit has come and gone within the minutes', () => {
    assert.deepEqual(rules(limits, [moved('in', 500, 0), moved('out', 100, 60), moved('out', 1, 120)]), [
      [],
      [],
      ['in-and-out'],
    ]);
    const [signal] = count(limits, [moved('in', 500, 0), moved('out', 300, 60)]).signals[1]!;
    assert.deepEqual(signal?.figures, { amount: 300, minutes: 10 });
  });

  it('is not signalled when the money had been there longer, or when little came in', () => {
    assert.deepEqual(rules(limits, [moved('in', 500, 0), moved('out', 500, 661)]), [[], []]);
    assert.deepEqual(rules(limits, [moved('in', 100, 0), moved('out', 500, 60)]), [[], []]);
  });
});

describe('a new destination', () => {
  const limits = { ...generous, newDestination: { amount: 100 } };

  it('is signalled the first time, above the limit', () => {
    assert.deepEqual(
      rules(limits, [
        moved('out', 101, 0, 'a'),
        moved('out', 101, 1, 'a'),
        moved('out', 100, 2, 'b'),
        moved('out', 101, 3, 'b'),
      ]),
      [['new-destination'], [], [], []],
    );
  });

  it('is new again after payments to twenty others', () => {
    const others = Array.from({ length: 20 }, (_, index) => moved('out', 1, index, `other ${index}`));
    const all = rules(limits, [moved('out', 1, 0, 'a'), ...others, moved('out', 101, 30, 'a')]);
    assert.deepEqual(all.at(-1), ['new-destination']);
  });
});
