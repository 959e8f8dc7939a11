/** Many lines and many charges with one reference. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { judgeCharge } from '../../lambdas/bank-files/findings.ts';
import { dayText, isoDay } from '../../lambdas/bank-files/format.ts';
import { KeptLines } from '../../lambdas/bank-files/lines.ts';
import { SharedReference } from '../../lambdas/bank-files/shared-reference.ts';
import type { BankMovement } from '../../lambdas/store/bank-movements.ts';

const day = isoDay('2026-03-10', 1);
const rules = { bankId: undefined, days: 1, charges: true, covers: () => 'yes' as const };

interface Written {
  readonly amount: number;
  readonly late: number;
  readonly direction: 'in' | 'out';
  readonly status: 'booked' | 'pending';
}

function kept(written: readonly Written[]) {
  const lines = new KeptLines();
  for (const [index, { amount, late, direction, status }] of written.entries()) {
    const line = { line: index + 1, direction, status, amount, currency: 'EUR', day: day + late };
    lines.add({ ...line, bankReference: undefined }, 0, [':TOPUP']);
  }
  return { lines, shared: new SharedReference(lines, lines.indexesOf(lines.find(':TOPUP'))) };
}

const charge = (amount: number): BankMovement => ({
  ...({ transactionId: 'tx_a', type: 'charge', status: 'completed', walletId: 'w' } as const),
  ...{ amount, currency: 'EUR', completedAt: `${dayText(day)}T10:00:00.000Z` },
});

describe('the lines of a shared reference', () => {
  it('are found as by a look at all of them', () => {
    const line = fc.record({
      ...{ amount: fc.integer({ min: 1, max: 3 }), late: fc.integer({ min: 0, max: 3 }) },
      direction: fc.constantFrom<Written['direction']>('in', 'in', 'in', 'out'),
      status: fc.constantFrom<Written['status']>('booked', 'booked', 'booked', 'pending'),
    });
    const amounts = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), amounts, (written, asked) => {
        const { lines, shared } = kept(written);
        for (const amount of asked) {
          const all = lines.linesOf(lines.find(':TOPUP')).filter(({ status }) => status === 'booked');
          const credits = all.filter(({ direction }) => direction === 'in');
          const free = credits.filter(({ index }) => !lines.isCompared(index));
          const debit = all.find(({ direction, index }) => direction === 'out' && !lines.isCompared(index));
          const agreeing = free.find((one) => judgeCharge(charge(amount), one, rules).length === 0);
          assert.deepEqual(shared.agreeing(charge(amount), rules), agreeing);
          assert.deepEqual([shared.freeCredit(), shared.freeDebit()], [free[0], debit]);
          assert.deepEqual([shared.credits, shared.firstCredit], [credits.length, credits[0]]);
          const taken = agreeing ?? free[0] ?? debit;
          if (taken) lines.markCompared(taken.index);
        }
      }),
    );
  });

  it('may be as many as their charges: a hundred thousand', () => {
    const count = 100_000;
    const line = { amount: 1, late: 0, direction: 'in', status: 'booked' } as const;
    const { lines, shared } = kept(Array.from({ length: count }, () => line));
    for (let n = 0; n < count; n++) {
      const found = shared.agreeing(charge(1), rules);
      assert.equal(found?.index, n);
      lines.markCompared(n);
      // None agrees with this amount.
      assert.equal(shared.agreeing(charge(2), rules), undefined);
    }
    assert.equal(shared.freeCredit(), undefined);
  });
});
