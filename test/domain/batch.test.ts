import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  fittingPayments,
  groupByPayer,
  paymentOf,
  paymentRefusal,
  problemsOfLine,
  takenBy,
} from '../../lambdas/domain/batch.ts';
import type { ReceivedLine, WithdrawalLine } from '../../lambdas/domain/batch.ts';
import { problemOf } from '../../lambdas/domain/bookings.ts';
import type { WalletLimits } from '../../lambdas/domain/limits.ts';
import { unused } from '../../lambdas/domain/limits.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { openWallet } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';

const at = '2026-03-01T12:00:00.000Z';
const batch = { batchId: `bt_${'a'.repeat(26)}`, principal: 'payroll', issuer: 'n4bQgY' };
const idOf = (letter: string, currency = 'eur') => `w_${currency}_${letter.repeat(26)}`;
const receiver = idOf('z');

const anyAmount = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: maxAmount }));
const anyLines = fc
  .array(
    fc.record({
      isWithdrawal: fc.boolean(),
      walletId: fc.constantFrom(idOf('b'), idOf('c'), idOf('d')),
      amount: anyAmount,
    }),
    { maxLength: 50 },
  )
  .map((all) =>
    all.map(({ isWithdrawal, ...members }, n): ReceivedLine | WithdrawalLine =>
      isWithdrawal
        ? { ...members, key: `${n}`, type: 'withdrawal', destination: { account: 'DE02120300000000202051' } }
        : { ...members, key: `${n}`, type: 'transfer', toWalletId: receiver },
    ),
  );
const paymentsOf = (lines: readonly (ReceivedLine | WithdrawalLine)[]) =>
  lines.map((line) => paymentOf(batch, line, at));

/** Returns the payer of all lines that `outOf` returns. */
function payer(available: number, limits?: WalletLimits): Wallet {
  const opened = openWallet({ walletId: idOf('b'), ownerId: 'ann', currency: 'EUR', at });
  return { ...opened, available, total: available, ...(limits && { limits, used: unused(at) }) };
}

const outOf = (...amounts: number[]) =>
  paymentsOf(
    amounts.map((amount, n) => ({
      key: `${n}`,
      type: 'transfer',
      walletId: idOf('b'),
      toWalletId: receiver,
      amount,
    })),
  );

describe('the payment of a line', () => {
  it('is the transaction that a single command would make, of the operator and its batch', () => {
    fc.assert(
      fc.property(anyLines, (lines) => {
        for (const [index, payment] of paymentsOf(lines).entries()) {
          const line = lines[index];
          assert.equal(problemOf(payment), undefined);
          assert.equal(takenBy(payment), line?.amount);
          assert.deepEqual(
            [payment.principal, payment.ownerId, payment.batchId, payment.status],
            ['payroll', undefined, batch.batchId, 'pending'],
          );
        }
        const ids = paymentsOf(lines).map(({ transactionId }) => transactionId);
        assert.equal(new Set(ids).size, lines.length);
        assert.deepEqual(
          ids,
          paymentsOf(lines).map(({ transactionId }) => transactionId),
        );
      }),
    );
  });
});

describe('groups of payments', () => {
  it('hold every payment once, have one payer and type each, and fit into one write and one amount', () => {
    fc.assert(
      fc.property(anyLines, fc.integer({ min: 1, max: 10 }), (lines, most) => {
        const payments = paymentsOf(lines);
        const groups = groupByPayer(payments, most);
        assert.deepEqual(new Set(groups.flat()), new Set(payments));
        assert.equal(groups.flat().length, payments.length);
        for (const group of groups) {
          assert.equal(new Set(group.map(({ type, walletId }) => `${type} ${walletId}`)).size, 1);
          assert.ok(group.length <= most);
          assert.ok(group.reduce((sum, payment) => sum + BigInt(takenBy(payment)), 0n) <= BigInt(maxAmount));
          const places = group.map((payment) => payments.indexOf(payment));
          assert.deepEqual(
            places,
            places.toSorted((a, b) => a - b),
            'in the order of the file',
          );
        }
      }),
    );
  });

  it('are as few as possible when amounts are small', () => {
    const groups = groupByPayer(outOf(...Array.from({ length: 250 }, () => 1)));
    assert.deepEqual(
      groups.map(({ length }) => length),
      [99, 99, 52],
    );
  });
});

describe('payments that fit', () => {
  it('are those that the payer would take one after the other', () => {
    const anyLimits = fc.record(
      {
        out: fc.record(
          { perTransaction: fc.integer({ min: 0, max: 100 }), perDay: fc.integer({ min: 0, max: 300 }) },
          { requiredKeys: [] },
        ),
        minimumBalance: fc.integer({ min: 0, max: 50 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 20 }),
        fc.integer({ min: 0, max: 500 }),
        fc.option(anyLimits, { nil: undefined }),
        (amounts, available, limits) => {
          const payments = outOf(...amounts);
          const one = payer(available, limits);
          let left = one;
          const taken = payments.filter((payment) => {
            if (paymentRefusal(left, payment, at) !== undefined) return false;
            const amount = takenBy(payment);
            const { used } = left;
            left = {
              ...left,
              available: Number(left.available) - amount,
              total: Number(left.total) - amount,
              ...(used && {
                used: { ...used, outDay: Number(used.outDay) + amount, outMonth: Number(used.outMonth) + amount },
              }),
            };
            return true;
          });
          assert.deepEqual(fittingPayments(one, payments, at), taken);
        },
      ),
    );
  });

  it('are none out of a wallet that is frozen or missing', () => {
    const payments = outOf(1, 2);
    assert.deepEqual(fittingPayments({ ...payer(100), status: 'frozen' }, payments, at), []);
    assert.deepEqual(fittingPayments(undefined, payments, at), []);
    assert.equal(payments[0] && paymentRefusal(undefined, payments[0], at)?.code, 'wallet_not_found');
  });

  it('never add up to more than an amount can be', () => {
    const payments = outOf(maxAmount, 1, 2);
    assert.deepEqual(fittingPayments({ ...payer(0), available: 2n ** 60n, total: 2n ** 60n }, payments, at), [
      payments[0],
    ]);
  });
});

describe('a line', () => {
  const line = { key: 'a', type: 'transfer', walletId: idOf('b'), toWalletId: receiver, amount: 1 } as const;
  it.each([
    ['wallets of one currency', line, undefined],
    ['a text that is no id of a wallet', { ...line, walletId: 'w_1' }, 'walletId'],
    ['a receiver that is no wallet', { ...line, toWalletId: 'tx_1' }, 'toWalletId'],
    ['one wallet on both sides', { ...line, toWalletId: line.walletId }, 'toWalletId'],
    ['a receiver of another currency', { ...line, toWalletId: idOf('z', 'usd') }, 'toWalletId'],
  ] as const)('with %s', (_name, given, path) => {
    assert.deepEqual(
      problemsOfLine(given).map((problem) => problem.path),
      path === undefined ? [] : [path],
    );
  });
});
