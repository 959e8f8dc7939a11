import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { isSum, jsonOf, maxAmount, minus, plus } from '../../lambdas/domain/money.ts';
import type { Sum } from '../../lambdas/domain/money.ts';

/** Sums as the store reads them: numbers up to 2^53-1 and bigints above, with values on either side of the border. */
const sum: fc.Arbitrary<Sum> = fc
  .oneof(fc.bigInt(-5n, 5n), fc.bigInt(BigInt(maxAmount) - 5n, BigInt(maxAmount) + 5n), fc.bigInt(2n ** 60n, 2n ** 61n))
  .map((exact) => (exact > BigInt(maxAmount) ? exact : Number(exact)));

describe('sums', () => {
  it('are exact, and are bigints only where a number would not be exact', () => {
    fc.assert(
      fc.property(sum, sum, (a, b) => {
        for (const [result, exact] of [
          [plus(a, b), BigInt(a) + BigInt(b)],
          [minus(a, b), BigInt(a) - BigInt(b)],
        ] as const) {
          assert.equal(BigInt(result), exact);
          assert.equal(typeof result === 'number', exact <= BigInt(maxAmount) && exact >= -BigInt(maxAmount));
          assert.ok(isSum(result));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('leave values that are not whole to their callers', () => {
    assert.equal(plus(1.5, 1), 2.5);
    for (const value of [1.5, 2 ** 53, NaN, '1', undefined]) assert.equal(isSum(value), false, String(value));
  });

  it('are integers in JSON, however large, and leave other values unchanged', () => {
    fc.assert(fc.property(sum, (value) => jsonOf([value]) === `[${String(value)}]`));
    fc.assert(fc.property(fc.json(), (text) => jsonOf(JSON.parse(text)) === JSON.stringify(JSON.parse(text))));
  });
});
