import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { feeCommands, feeOf, feeRefusal, isPaidByReceiver } from '../../lambdas/domain/fee.ts';
import type { FeeRule } from '../../lambdas/domain/fee.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';

const money = fc.integer({ min: 0, max: maxAmount });
const amount = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: maxAmount }));
const rule = fc
  .record(
    { flat: money, basisPoints: fc.integer({ min: 0, max: 10_000 }), bounds: fc.tuple(money, money) },
    { requiredKeys: [] },
  )
  .map(({ bounds, ...others }): FeeRule => {
    if (bounds === undefined) return others;
    return { ...others, minimum: Math.min(...bounds), maximum: Math.max(...bounds) };
  });
const feeBy = (given: FeeRule, of: number) => feeOf({ transfer: given }, 'transfer', { amount: of, currency: 'EUR' });

describe('a fee', () => {
  it('is the flat fee and the share, with a half of a minor unit rounded up', () => {
    const cases: readonly [FeeRule, number, number][] = [
      [{}, 1_000, 0],
      [{ flat: 25 }, 1, 25],
      [{ basisPoints: 250 }, 1_000, 25],
      [{ basisPoints: 50 }, 100, 1],
      [{ basisPoints: 50 }, 99, 0],
      [{ basisPoints: 150 }, 300, 5],
      [{ flat: 30, basisPoints: 290 }, 10_000, 320],
      [{ basisPoints: 100, minimum: 50 }, 1_000, 50],
      [{ basisPoints: 100, maximum: 50 }, 100_000, 50],
      [{ basisPoints: 10_000 }, maxAmount, maxAmount],
    ];
    for (const [given, of, fee] of cases) assert.equal(feeBy(given, of), fee, JSON.stringify([given, of]));
  });

  it('is exact: the share is never off by a half of a minor unit or more', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 0, max: 10_000 }), (of, basisPoints) => {
        const difference = BigInt(feeBy({ basisPoints }, of)) * 10_000n - BigInt(of) * BigInt(basisPoints);
        assert.ok(-5_000n < difference && difference <= 5_000n);
      }),
    );
  });

  it('is within its minimum and maximum, whole, and never less for a larger amount', () => {
    fc.assert(
      fc.property(rule, amount, amount, (given, one, other) => {
        const [less, more] = [feeBy(given, Math.min(one, other)), feeBy(given, Math.max(one, other))];
        const { minimum = 0, maximum = maxAmount } = given;
        for (const fee of [less, more]) assert.ok(Number.isSafeInteger(fee) && fee >= minimum && fee <= maximum);
        assert.ok(less <= more);
      }),
    );
  });

  it('of a currency with a rule of its own follows that rule alone', () => {
    const fees = { charge: { flat: 10, basisPoints: 100, byCurrency: { JPY: { basisPoints: 200 } } } };
    assert.equal(feeOf(fees, 'charge', { amount: 1_000, currency: 'EUR' }), 20);
    assert.equal(feeOf(fees, 'charge', { amount: 1_000, currency: 'JPY' }), 20);
    assert.equal(feeOf(fees, 'charge', { amount: 100, currency: 'JPY' }), 2);
    assert.equal(feeOf(fees, 'transfer', { amount: 100, currency: 'JPY' }), 0);
    assert.equal(feeOf(undefined, 'charge', { amount: 100, currency: 'JPY' }), 0);
  });

  it('is refused where it leaves the receiver nothing, or takes more than an amount out of the sender', () => {
    fc.assert(
      fc.property(fc.constantFrom(...feeCommands), amount, money, (command, of, fee) => {
        const refusal = feeRefusal(command, { amount: of, fee, currency: 'EUR' });
        const isRefused = fee > 0 && (isPaidByReceiver(command) ? fee >= of : of > maxAmount - fee);
        assert.equal(
          refusal?.code,
          isRefused ? (isPaidByReceiver(command) ? 'fee_exceeds_amount' : 'invalid_request') : undefined,
        );
      }),
    );
  });
});
