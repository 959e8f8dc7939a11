/** Lines of bank files: their amounts and keys, the days that their files cover, and lines that name one payment. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { Coverage } from '../../lambdas/bank-files/coverage.ts';
import { judgeWithdrawal } from '../../lambdas/bank-files/findings.ts';
import { amountIn, BankFileError, isoDay } from '../../lambdas/bank-files/format.ts';
import { KeptLines } from '../../lambdas/bank-files/lines.ts';
import type { KeptLine } from '../../lambdas/bank-files/lines.ts';

describe('lines that name one payment', () => {
  const movement = {
    ...({ transactionId: 'tx_a', type: 'withdrawal', status: 'completed', walletId: 'w' } as const),
    ...{ amount: 100, currency: 'EUR', completedAt: '2026-03-02T10:00:00.000Z' },
  };
  const rules = { bankId: undefined, days: 5, charges: false, covers: () => 'yes' as const };
  const paid = (index: number, bankReferenceHash: number, amount = 100): KeptLine => ({
    ...({ index, line: index + 1, file: 0, direction: 'out', status: 'booked' } as const),
    ...{ amount, currency: 'EUR', day: isoDay('2026-03-02', 1), bankReferenceHash },
  });
  const codesOf = (lines: readonly KeptLine[]) =>
    judgeWithdrawal(movement, lines, rules).findings.map(({ code, line, detail }) => [code, line?.index, detail]);

  it('are compared with all before them: one booking, where references are equal or one has none', () => {
    const line = fc.record({ hash: fc.integer({ min: 0, max: 3 }), amount: fc.constantFrom(100, 100, 101) });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (written) => {
        const lines = written.map(({ hash, amount }, index) => paid(index, hash, amount));
        const expected = lines.slice(1).map((one) => {
          const same = lines.slice(0, one.index).find(({ bankReferenceHash: hash, amount }) => {
            return hash !== 0 && one.bankReferenceHash !== 0 ? hash === one.bankReferenceHash : amount === one.amount;
          });
          return same === undefined
            ? ['paid_twice', one.index, 'the bank has another booking of it, with a reference of its own']
            : ['duplicate_line', one.index, `line ${same.line} of file 1 says the same`];
        });
        const found = codesOf(lines).filter(([code]) => code !== 'amount_differs');
        assert.deepEqual(found, expected);
      }),
    );
  });

  it('may be two hundred thousand', () => {
    const lines = Array.from({ length: 200_000 }, (_, index) => paid(index, index + 1));
    assert.equal(codesOf(lines).length, lines.length - 1);
  });
});

it('amounts have the decimals of their currency', () => {
  const amount = (text: string, currency: string, mark: '.' | ',' = '.') =>
    amountIn(text, { currency, mark, isGrouped: true }, 1);
  assert.deepEqual(
    [amount('1.5', 'EUR'), amount('1', 'JPY'), amount('1.0', 'JPY'), amount('1.234', 'KWD'), amount('1.23450', 'CLF')],
    [150, 1, 1, 1_234, 12_345],
  );
  assert.deepEqual(
    [amount("1'234.50", 'CHF'), amount('1.234,50', 'EUR', ','), amount('12,', 'EUR', ',')],
    [123_450, 123_450, 1_200],
  );
  assert.throws(() => amount('10,50', 'EUR'), BankFileError);
  assert.throws(() => amountIn('1,234.50', { currency: 'EUR', mark: '.' }, 1), BankFileError);
  for (const text of ['', '.5', '1e3', '0x1', '1.1', 'NaN']) assert.throws(() => amount(text, 'JPY'), BankFileError);
});

it('statements in a row are one stretch of days, and the last days may be in the next file', () => {
  const coverage = new Coverage(2, {});
  const day = (text: string) => isoDay(text, 1);
  coverage.add({ line: 1, currency: 'EUR', from: day('2026-03-01'), to: day('2026-03-03') });
  coverage.add({ line: 1, currency: 'EUR', from: day('2026-03-04'), to: day('2026-03-06') });
  assert.deepEqual(coverage.list(), [{ currency: 'EUR', from: '2026-03-01', to: '2026-03-06' }]);
  const covers = (text: string, currency = 'EUR') => coverage.covers(currency, day(text));
  assert.deepEqual(
    [
      covers('2026-02-28'),
      covers('2026-03-04'),
      covers('2026-03-05'),
      covers('2026-03-07'),
      covers('2026-03-04', 'USD'),
    ],
    ['no', 'yes', 'later', 'no', 'no'],
  );
});

it('lines are found by their keys, however many there are', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 6 }), fc.nat({ max: 9 })), { maxLength: 3_000 }), (added) => {
      const kept = new KeptLines();
      const expected = new Map<string, number[]>();
      for (const [text, amount] of added) {
        const line = {
          line: 1,
          direction: 'in',
          status: 'booked',
          bankReference: text,
          currency: 'EUR',
          day: amount,
          amount,
        } as const;
        const index = kept.add(line, amount, [text, `${text}+`]);
        for (const key of [text, `${text}+`]) expected.set(key, [...(expected.get(key) ?? []), index]);
      }
      for (const [key, indexes] of expected) {
        const found = kept.linesOf(kept.find(key));
        assert.deepEqual(
          found.map(({ index }) => index),
          indexes,
        );
        assert.ok(found.every(({ amount, day, file }) => day === amount && file === amount));
        assert.equal(kept.keyText(kept.find(key)), key.toWellFormed());
      }
      assert.equal(kept.find('none of them'), -1);
    }),
    { numRuns: 30 },
  );
});
