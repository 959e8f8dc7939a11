import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { countMovement, noActivity } from '../../lambdas/domain/fraud.ts';
import type { FraudLimits, Movement } from '../../lambdas/domain/fraud.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { countOnce, forgetMarks, noMemory } from '../../lambdas/domain/screening.ts';
import type { Mark, Memory } from '../../lambdas/domain/screening.ts';

const noon = Date.parse('2026-03-01T12:00:00.000Z') / 1000;
const unlimited = { count: maxAmount, amount: maxAmount };
const limits: FraudLimits = {
  outgoingPerMinute: { count: 3, amount: 100 },
  outgoingPerHour: unlimited,
  outgoingPerDay: unlimited,
  inAndOut: { minutes: 10, amount: maxAmount },
  newDestination: { amount: 40 },
};

type Marked = Movement & Mark;

function movement(number: number, at: number, amount = 1): Marked {
  const destination = `d${number % 5}`;
  return {
    transactionId: `tx_${number}`,
    mark: `m${number}`,
    direction: 'out',
    amount,
    at: noon + at,
    atMs: (noon + at) * 1000,
    destination,
  };
}

const count = (memory: Memory, movements: readonly Marked[]) => countOnce(memory, movements, () => limits);
const countedIn = ({ activity }: Memory) => activity.outDay.reduce((sum, [, moved]) => sum + moved, 0);

/** Movements of one hour and deliveries of them in batches. Each movement arrives at least once, in any order. */
const deliveries = fc
  .array(fc.record({ at: fc.integer({ min: 0, max: 3_000 }), amount: fc.integer({ min: 1, max: 60 }) }), {
    minLength: 1,
    maxLength: 25,
  })
  .chain((moves) => {
    const movements = moves.map(({ at, amount }, number) => movement(number, at, amount));
    const again = fc.array(fc.nat(movements.length - 1), { maxLength: 25 });
    return again.chain((repeated) =>
      fc.record({
        movements: fc.constant(movements),
        order: fc.shuffledSubarray([...movements.keys(), ...repeated], {
          minLength: movements.length + repeated.length,
        }),
        batch: fc.integer({ min: 1, max: 9 }),
      }),
    );
  });

describe('a movement', () => {
  it('is counted once, and gives the same signals at each delivery', () => {
    fc.assert(
      fc.property(deliveries, ({ movements, order, batch }) => {
        let memory = noMemory;
        const given = new Map<string, string>();
        for (let start = 0; start < order.length; start += batch) {
          const part = order.slice(start, start + batch).map((number) => movements[number]!);
          const result = count(memory, part);
          memory = result.memory;
          for (const { transactionId } of part) {
            const signals = JSON.stringify(
              result.signals.filter(({ signal }) => signal.transactionId === transactionId),
            );
            assert.equal(signals, given.get(transactionId) ?? signals);
            given.set(transactionId, signals);
          }
        }
        // Counts a list without repetitions, in the order of the first deliveries.
        let activity = noActivity;
        const signals = [...new Set(order)].flatMap((number) => {
          const result = countMovement(activity, movements[number]!, limits);
          activity = result.activity;
          return result.signals;
        });
        assert.deepEqual(memory.activity, activity);
        assert.equal(
          [...given.values()].reduce((sum, text) => sum + (JSON.parse(text) as unknown[]).length, 0),
          signals.length,
        );
      }),
    );
  });

  it('is never counted twice, even when marks are forgotten', () => {
    fc.assert(
      fc.property(deliveries, fc.nat(6), fc.nat(6), ({ movements, order }, few, more) => {
        let memory = noMemory;
        const counted = new Set<number>();
        for (const number of order) {
          const { memory: next, isNew } = count(memory, [movements[number]!]);
          if (isNew) {
            assert.ok(!counted.has(number), `movement ${number} is counted twice`);
            counted.add(number);
          }
          memory = forgetMarks(next, few, few + more);
          assert.ok(memory.marks.length <= few + more);
        }
        assert.equal(countedIn(memory), counted.size);
      }),
    );
  });

  it('is counted when it is late, unless a mark of its time or later is forgotten', () => {
    const { memory } = count(
      noMemory,
      [0, 10, 2_000, 2_010].map((at, number) => movement(number, at)),
    );
    const forgetful = forgetMarks(memory, 2, 2);
    assert.equal(forgetful.forgottenUntilMs, (noon + 10) * 1000);
    assert.equal(countedIn(count(forgetful, [movement(7, 11)]).memory), 5);
    for (const at of [5, 10]) assert.equal(count(forgetful, [movement(8, at)]).isNew, false);
  });
});

describe('marks', () => {
  const at = (seconds: readonly number[]) =>
    count(
      noMemory,
      seconds.map((each, number) => movement(number, each)),
    ).memory;

  it('are kept up to the larger bound while they are younger than a quarter of an hour', () => {
    assert.equal(forgetMarks(at([0, 1, 2, 3]), 2, 3).marks.length, 3);
    assert.equal(forgetMarks(at([0, 1, 901, 902]), 1, 3).marks.length, 2);
    assert.equal(forgetMarks(at([0, 1, 901, 902]), 3, 3).marks.length, 3);
  });

  it('of the oldest movements are forgotten first, in any order of delivery', () => {
    const { marks, forgottenUntilMs } = forgetMarks(at([30, 10, 20]), 2, 2);
    assert.deepEqual(
      marks.map(({ mark }) => mark),
      ['m2', 'm0'],
    );
    assert.equal(forgottenUntilMs, (noon + 10) * 1000);
  });
});

describe('signals', () => {
  it('are kept when marks are forgotten, and returned again', () => {
    const first = count(noMemory, [movement(0, 0, 50)]);
    assert.equal(first.signals.length, 1);
    const forgetful = forgetMarks(first.memory, 0, 0);
    const again = count(forgetful, [movement(0, 0, 50)]);
    assert.deepEqual([again.isNew, again.signals], [false, first.signals]);
  });

  it('are kept for 30 days, at most 20, and never dropped by the call that returns them', () => {
    const burst = Array.from({ length: 60 }, (_, number) => ({
      ...movement(number, number, 50),
      destination: `other ${number}`,
    }));
    const { memory, signals } = count(noMemory, burst);
    assert.ok(signals.length > 50);
    assert.equal(memory.signals.length, signals.length);
    const later = count(memory, [movement(100, 1_000)]).memory;
    assert.equal(later.signals.length, 20);
    assert.equal(count(later, [movement(101, 31 * 86_400)]).memory.signals.length, 0);
  });
});
