import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { maxAmount, plus } from '../../lambdas/domain/money.ts';
import { creditRefusal, debitRefusal, openWallet, reaches, statusRefusal } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';

const status = fc.constantFrom('active' as const, 'frozen' as const, 'closed' as const);
const owner = fc.constantFrom('ann', 'bob');
const currency = fc.constantFrom('EUR', 'USD');
/** Amounts near zero and near the limit, where the conditions change. */
const money = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: maxAmount - 4, max: maxAmount }));
const wallet: fc.Arbitrary<Wallet> = fc
  .record({ status, ownerId: owner, currency, total: money, held: fc.nat({ max: 3 }) })
  .map(({ total, held, ...rest }) => ({
    ...openWallet({
      walletId: 'w_1',
      at: '2026-03-01T12:00:00.000Z',
      createdBy: { kind: 'owner', principal: 'ann' },
      ...rest,
    }),
    ...rest,
    total,
    held: Math.min(held, total),
    available: total - Math.min(held, total),
  }));
const image = fc.option(wallet, { nil: undefined, freq: 8 });
const use = fc.record({
  walletId: fc.constant('w_1'),
  ownerId: fc.option(owner, { nil: undefined }),
  currency,
  amount: money.filter((amount) => amount > 0),
  at: fc.constant('2026-03-01T12:00:00.000Z'),
});

/** The reasons of a refusal in their order, as a condition expression would state them. */
type Reasons = readonly (readonly [fails: boolean, code: ErrorCode])[];

function useReasons(wallet: Wallet, use: { ownerId: string | undefined; currency: string }): Reasons {
  return [
    [use.ownerId !== undefined && wallet.ownerId !== use.ownerId, 'wallet_not_found'],
    [wallet.status === 'frozen', 'wallet_frozen'],
    [wallet.status === 'closed', 'wallet_closed'],
    [wallet.currency !== use.currency, 'currency_mismatch'],
  ];
}

function first(reasons: Reasons): ErrorCode | undefined {
  return reasons.find(([fails]) => fails)?.[1];
}

describe('a debit', () => {
  it('is refused for the first condition that fails (owner, status, currency, funds) and for no other reason', () => {
    fc.assert(
      fc.property(image, use, (wallet, use) => {
        const expected =
          wallet === undefined
            ? 'wallet_not_found'
            : first([...useReasons(wallet, use), [wallet.available < use.amount, 'insufficient_funds']]);
        assert.equal(debitRefusal(wallet, use)?.code, expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a credit', () => {
  it('is refused for the first condition that fails (owner, status, currency, limit) and for no other reason', () => {
    fc.assert(
      fc.property(image, use, (wallet, use) => {
        const expected =
          wallet === undefined
            ? 'wallet_not_found'
            : first([
                ...useReasons(wallet, use),
                [BigInt(wallet.total) + BigInt(use.amount) > BigInt(maxAmount), 'balance_limit_exceeded'],
              ]);
        assert.equal(creditRefusal(wallet, use)?.code, expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a status', () => {
  it('is refused for a missing or closed and empty wallet, for closing one with money, and for an unfreeze by the owner', () => {
    fc.assert(
      fc.property(image, status, owner, (wallet, to, principal) => {
        const expected =
          wallet === undefined
            ? 'wallet_not_found'
            : first([
                [to === 'active' && wallet.ownerId === principal, 'forbidden'],
                [
                  wallet.status === 'closed' && (to === 'frozen' || (to === 'active' && wallet.total === 0)),
                  'wallet_closed',
                ],
                [to === 'closed' && plus(wallet.available, wallet.held) !== 0, 'wallet_not_empty'],
              ]);
        assert.equal(statusRefusal(wallet, to, principal)?.code, expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a stranger', () => {
  it('learns nothing about a wallet: every refusal equals that of a missing wallet', () => {
    fc.assert(
      fc.property(wallet, use, (wallet, use) => {
        const stranger = { ...use, ownerId: 'eve' };
        assert.equal(reaches(stranger, wallet), false);
        for (const refuse of [debitRefusal, creditRefusal]) {
          const refusal = refuse(wallet, stranger);
          const unknown = refuse(undefined, stranger);
          assert.deepEqual([refusal?.code, refusal?.message], [unknown?.code, unknown?.message]);
          assert.deepEqual(refusal?.details, { detail: 'there is no wallet w_1' });
          assert.deepEqual(unknown?.details, refusal.details);
        }
      }),
    );
  });

  it('is not an operator, who reaches every wallet', () => {
    fc.assert(fc.property(wallet, (wallet) => reaches({ ownerId: undefined }, wallet)));
  });
});
