import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  leastLeft,
  limitRefusal,
  limitStateOf,
  raisesLimits,
  unused,
  usedAt,
  windowsOf,
  withoutEmpty,
} from '../../lambdas/domain/limits.ts';
import type { Limited, UsedLimits, WalletLimits } from '../../lambdas/domain/limits.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import {
  captureReceiverRefusal,
  creditRefusal,
  debitRefusal,
  leastAvailable,
  openWallet,
  receiverRefusal,
} from '../../lambdas/domain/wallet.ts';

const used: UsedLimits = { day: '2026-02-27', outDay: 3, outMonth: 30, inDay: 4, inMonth: 40 };
const noon = (day: string) => `${day}T12:00:00.000Z`;

describe('what is used', () => {
  it('stays on its day, loses its day on a later one, and its month in a later month', () => {
    assert.deepEqual(usedAt(used, noon('2026-02-27')), used);
    assert.deepEqual(usedAt(used, noon('2026-02-26')), used, 'an earlier day opens no earlier window');
    assert.deepEqual(usedAt(used, noon('2026-02-28')), { ...used, day: '2026-02-28', outDay: 0, inDay: 0 });
    assert.deepEqual(usedAt(used, noon('2026-03-27')), unused('2026-03-27'));
    assert.deepEqual(usedAt(used, noon('2027-02-27')), unused('2027-02-27'));
  });

  it('is never on an earlier day than before, and never less within a day', () => {
    const day = fc.date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(day, day, (first, second) => {
        const [latest, at] = [first.toISOString().slice(0, 10), second.toISOString()];
        const now = usedAt({ ...used, day: latest }, at);
        assert.equal(now.day, [latest, at.slice(0, 10)].sort()[1]);
        assert.equal(now.outDay, now.day === latest ? 3 : 0);
        assert.equal(now.outMonth, now.day.slice(0, 7) === latest.slice(0, 7) ? 30 : 0);
      }),
    );
  });
});

describe('the limited windows of a wallet', () => {
  it('show what is left, at least 0, and when the next ones begin', () => {
    const limits = { out: { perDay: 2, perMonth: 35 }, in: { perDay: 10, perTransaction: 1 } };
    assert.deepEqual(windowsOf({ limits, used }, noon('2026-02-28')), [
      { limit: 'out.perMonth', most: 35, used: 30, left: 5, resetsAt: '2026-03-01T00:00:00.000Z' },
      { limit: 'out.perDay', most: 2, used: 0, left: 2, resetsAt: '2026-03-01T00:00:00.000Z' },
      { limit: 'in.perDay', most: 10, used: 0, left: 10, resetsAt: '2026-03-01T00:00:00.000Z' },
    ]);
    const [, day] = windowsOf({ limits, used }, noon('2026-02-27'));
    assert.deepEqual([day?.left, day?.resetsAt], [0, '2026-02-28T00:00:00.000Z']);
    const [, last] = windowsOf({ limits, used }, noon('2026-12-31'));
    assert.equal(last?.resetsAt, '2027-01-01T00:00:00.000Z');
    assert.deepEqual(windowsOf({}, noon('2026-02-27')), []);
  });
});

describe('a limit', () => {
  const wallet: Limited = { currency: 'EUR', available: 100, total: 100, used };
  const refusedBy = (limits: Limited['limits'], direction: 'in' | 'out', amount: number, more: object = {}) =>
    limitRefusal({ ...wallet, ...(limits && { limits }), ...more }, direction, { amount, at: noon('2026-02-27') })
      ?.details.walletLimit;

  it('of the other direction refuses nothing', () => {
    const all = { perTransaction: 0, perDay: 0, perMonth: 0 };
    assert.equal(refusedBy({ in: all, maximumBalance: 0 }, 'out', 100), undefined);
    assert.equal(refusedBy({ out: all, minimumBalance: 100 }, 'in', 100), undefined);
  });

  it('that time does not reset is named before one that it does, and a month before a day', () => {
    const out = { perTransaction: 9, perDay: 12, perMonth: 39 };
    assert.equal(refusedBy({ out }, 'out', 10)?.limit, 'out.perTransaction');
    assert.deepEqual(refusedBy({ out: { ...out, perTransaction: 10 } }, 'out', 10), {
      ...{ limit: 'out.perMonth', left: 9, resetsAt: '2026-03-01T00:00:00.000Z' },
    });
    assert.equal(refusedBy({ out: { perDay: 12 }, minimumBalance: 95 }, 'out', 10)?.limit, 'minimumBalance');
    assert.deepEqual(refusedBy({ out: { perDay: 12 } }, 'out', 13), {
      limit: 'out.perDay',
      left: 9,
      resetsAt: undefined,
    });
    // The month will have room again, and the day never.
    const never = { limit: 'out.perDay', left: 9, resetsAt: undefined };
    assert.deepEqual(refusedBy({ out: { perDay: 12, perMonth: 39 } }, 'out', 13), never);
    assert.deepEqual(refusedBy({ out: { perDay: 12, perMonth: 39 }, minimumBalance: 95 }, 'out', 13), never);
  });

  it('is exact where a number is not', () => {
    const most = { maximumBalance: maxAmount, minimumBalance: maxAmount };
    assert.equal(refusedBy(most, 'in', 1, { total: maxAmount - 1 }), undefined);
    assert.equal(refusedBy(most, 'in', 2, { total: maxAmount - 1 })?.left, 1);
    const rich = { available: 2n * BigInt(maxAmount) };
    assert.equal(refusedBy(most, 'out', maxAmount, rich), undefined);
    assert.equal(refusedBy(most, 'out', maxAmount, { available: 2n * BigInt(maxAmount) - 1n })?.left, maxAmount - 1);
    const counted = { used: { ...used, outDay: 2n * BigInt(maxAmount) } };
    assert.equal(refusedBy({ out: { perDay: maxAmount } }, 'out', 1, counted)?.left, 0);
  });

  it('of a receiver is shown to the receiver that captures, and to no payer', () => {
    const opened = openWallet({ walletId: 'w_1', ownerId: 'ann', currency: 'EUR', at: noon('2026-02-27') });
    const credit = { walletId: 'w_1', ownerId: undefined, currency: 'EUR', amount: 2, at: noon('2026-02-27') };
    const limited = { ...opened, limits: { in: { perTransaction: 1 } }, used };
    const codes = [creditRefusal, captureReceiverRefusal, receiverRefusal].map(
      (refuse) => refuse(limited, credit)?.code,
    );
    assert.deepEqual(codes, ['limit_exceeded', 'limit_exceeded', 'receiver_unavailable']);
    assert.equal(captureReceiverRefusal({ ...limited, status: 'frozen' }, credit)?.code, 'receiver_unavailable');
  });
});

describe('limits', () => {
  it('without any limit are none', () => {
    assert.equal(withoutEmpty({}), undefined);
    assert.equal(withoutEmpty({ out: {}, in: { perDay: undefined }, creditLine: undefined }), undefined);
    assert.deepEqual(withoutEmpty({ out: {}, in: { perDay: 0 }, creditLine: 0 }), { in: { perDay: 0 }, creditLine: 0 });
  });

  it('have a state only together with what is used', () => {
    assert.deepEqual(limitStateOf({ limits: { creditLine: 1 }, used }), {
      limits: { creditLine: 1 },
      day: '2026-02-27',
    });
    assert.equal(limitStateOf({}), undefined);
  });
});

describe('the least available', () => {
  it('is below zero by the chargebacks and the largest credit line', () => {
    assert.equal(leastAvailable({}), 0);
    assert.equal(leastAvailable({ mostCredit: 5 }), -5);
    assert.equal(leastAvailable({ mostCredit: 5, chargedBack: 3 }), -8);
  });
});

describe('a change of limits', () => {
  const raised: readonly (readonly [WalletLimits | undefined, WalletLimits | undefined])[] = [
    [{ out: { perDay: 5 } }, { out: { perDay: 6 } }],
    [{ in: { perTransaction: 5 }, maximumBalance: 9 }, { maximumBalance: 9 }],
    [{ in: { perMonth: 5 } }, undefined],
    [{ maximumBalance: 5 }, { maximumBalance: 6 }],
    [{ maximumBalance: 5 }, {}],
    [{ minimumBalance: 5 }, { minimumBalance: 4 }],
    [{ minimumBalance: 5 }, {}],
    [{ creditLine: 5 }, { creditLine: 6 }],
    [undefined, { creditLine: 1 }],
    [{ minimumBalance: 0 }, { creditLine: 1 }],
    // One limit is higher, whatever becomes of the others.
    [{ out: { perDay: 5, perMonth: 50 } }, { out: { perDay: 6, perMonth: 1 }, in: { perDay: 0 } }],
  ];
  const lowered: readonly (readonly [WalletLimits | undefined, WalletLimits | undefined])[] = [
    [undefined, undefined],
    [undefined, { out: { perDay: 5 }, in: { perMonth: 1 }, maximumBalance: 0, minimumBalance: 3 }],
    [{ out: { perDay: 5 } }, { out: { perDay: 5, perTransaction: 9 } }],
    [{ creditLine: 5 }, { creditLine: 5 }],
    [{ creditLine: 5 }, {}],
    [{ creditLine: 5 }, { minimumBalance: 0 }],
    [{ minimumBalance: 0 }, undefined],
  ];

  it('raises them when one is higher or removed, and not when all are as before or lower', () => {
    for (const [before, after] of raised) {
      assert.equal(raisesLimits(before, after), true, JSON.stringify([before, after]));
    }
    for (const [before, after] of lowered) {
      assert.equal(raisesLimits(before, after), false, JSON.stringify([before, after]));
    }
  });

  it('that raises none allows no movement that was refused before', () => {
    const amount = fc.integer({ min: 0, max: 4 });
    const flow = fc.record({ perTransaction: amount, perDay: amount, perMonth: amount }, { requiredKeys: [] });
    const floor = fc.oneof(fc.record({ minimumBalance: amount }), fc.record({ creditLine: amount }), fc.constant({}));
    const bounds = fc.record({ out: flow, in: flow, maximumBalance: amount }, { requiredKeys: [] });
    const limits: fc.Arbitrary<WalletLimits> = fc.tuple(bounds, floor).map(([one, other]) => ({ ...one, ...other }));
    const uses = fc.record({ outDay: amount, outMonth: amount, inDay: amount, inMonth: amount });
    const movements = fc.tuple(uses, fc.integer({ min: -4, max: 8 }), fc.integer({ min: 1, max: 5 }));
    const at = noon(used.day);
    const wallet = openWallet({ walletId: 'w_1', ownerId: 'ann', currency: 'EUR', at });
    fc.assert(
      fc.property(limits, limits, fc.boolean(), movements, (before, other, isLowered, [moved, available, most]) => {
        const after = isLowered ? lowerOf(before, other) : other;
        if (isLowered) assert.equal(raisesLimits(before, after), false);
        if (raisesLimits(before, after)) return;
        const isRefused = (one: WalletLimits, refusalOf: typeof debitRefusal) => {
          const limited = { ...wallet, available, total: available, limits: one, used: { day: used.day, ...moved } };
          const movement = { walletId: 'w_1', ownerId: undefined, currency: 'EUR', amount: most, at };
          return refusalOf(limited, movement) !== undefined;
        };
        for (const refusalOf of [debitRefusal, creditRefusal]) {
          assert.ok(!isRefused(before, refusalOf) || isRefused(after, refusalOf));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Returns limits of which each is the lower one of two. */
function lowerOf(one: WalletLimits, other: WalletLimits): WalletLimits {
  const least = (a = Infinity, b = Infinity) => (a === Infinity && b === Infinity ? undefined : Math.min(a, b));
  const flowOf = (direction: 'out' | 'in') => {
    const [a, b] = [one[direction], other[direction]];
    return {
      perTransaction: least(a?.perTransaction, b?.perTransaction),
      perDay: least(a?.perDay, b?.perDay),
      perMonth: least(a?.perMonth, b?.perMonth),
    };
  };
  const floor = Math.max(leastLeft(one), leastLeft(other));
  return {
    out: flowOf('out'),
    in: flowOf('in'),
    maximumBalance: least(one.maximumBalance, other.maximumBalance),
    ...(floor < 0 ? { creditLine: -floor } : { minimumBalance: floor }),
  };
}
