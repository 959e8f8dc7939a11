import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { isAmount, maxAmount } from '../../lambdas/domain/money.ts';
import { accounts, net, sum } from '../../lambdas/domain/postings.ts';
import type { Posting } from '../../lambdas/domain/postings.ts';
import { charge } from '../../lambdas/domain/charge.ts';
import { arrivalPostings, queuedTransfer, failurePostings, transfer } from '../../lambdas/domain/transfer.ts';
import { bankReturn, releasePostings, settlePostings, withdrawal } from '../../lambdas/domain/withdrawal.ts';

const amount = fc.oneof(fc.integer({ min: 1, max: maxAmount }), fc.constantFrom(1, maxAmount));
const facts = fc.record({
  transactionId: fc.constant('tx_1'),
  principal: fc.constant('owner'),
  ownerId: fc.constantFrom('owner', undefined),
  walletId: fc.constant('w_1'),
  amount,
  currency: fc.constantFrom('EUR', 'JPY'),
  at: fc.constant('2026-03-01T12:00:00.000Z'),
});
const toWalletId = 'w_2';
const destination = { account: 'DE02120300000000202051' };

/**
 * Each way in which money moves: its bookings from beginning to end, and the change of each account for an amount of 1.
 */
const stories: Record<string, { book: (facts: Facts) => readonly Posting[]; leaves: Record<string, bigint> }> = {
  charge: {
    book: (facts) => charge(facts).postings,
    leaves: { 'external:EUR': -1n, 'wallet:w_1:available': 1n },
  },
  'withdrawal, accepted': {
    book: (facts) => withdrawal({ ...facts, destination }).postings,
    leaves: { 'wallet:w_1:available': -1n, 'wallet:w_1:held': 1n },
  },
  'withdrawal, settled': {
    book(facts) {
      const accepted = withdrawal({ ...facts, destination });
      return [...accepted.postings, ...settlePostings(accepted)];
    },
    leaves: { 'wallet:w_1:available': -1n, 'external:EUR': 1n },
  },
  'withdrawal, released': {
    book(facts) {
      const accepted = withdrawal({ ...facts, destination });
      return [...accepted.postings, ...releasePostings(accepted)];
    },
    leaves: {},
  },
  'withdrawal, settled and returned': {
    book(facts) {
      const accepted = withdrawal({ ...facts, destination });
      return [...accepted.postings, ...settlePostings(accepted), ...bankReturn(accepted, facts).postings];
    },
    leaves: {},
  },
  transfer: {
    book: (facts) => transfer({ ...facts, toWalletId }).postings,
    leaves: { 'wallet:w_1:available': -1n, 'wallet:w_2:available': 1n },
  },
  'queued transfer, accepted': {
    book: (facts) => queuedTransfer({ ...facts, toWalletId }).postings,
    leaves: { 'wallet:w_1:available': -1n, 'transit:EUR': 1n },
  },
  'queued transfer, arrived': {
    book(facts) {
      const accepted = { ...queuedTransfer({ ...facts, toWalletId }), counterpartyWalletId: toWalletId };
      return [...accepted.postings, ...arrivalPostings(accepted)];
    },
    leaves: { 'wallet:w_1:available': -1n, 'wallet:w_2:available': 1n },
  },
  'queued transfer, failed': {
    book(facts) {
      const accepted = queuedTransfer({ ...facts, toWalletId });
      return [...accepted.postings, ...failurePostings(accepted)];
    },
    leaves: {},
  },
};
type Facts = Parameters<typeof charge>[0];

describe('postings', () => {
  for (const [name, { book, leaves }] of Object.entries(stories)) {
    it(`of a ${name}: sum to zero and move the whole amount`, () => {
      fc.assert(
        fc.property(facts, (facts) => {
          const postings = book(facts);
          assert.equal(sum(postings), 0n);
          for (const posting of postings) assert.ok(isAmount(Math.abs(posting.amount)), String(posting.amount));
          const expected = Object.entries(leaves).map(([account, sign]) => [
            account.replace('EUR', facts.currency),
            sign * BigInt(facts.amount),
          ]);
          assert.deepEqual(Object.fromEntries(net(postings)), Object.fromEntries(expected));
        }),
      );
    });
  }

  it('net out exactly in any order, and agree with their sum', () => {
    const account = fc.constantFrom(accounts.available('w'), accounts.held('w'), accounts.external('EUR'));
    const postings = fc.array(fc.record({ account, amount: fc.integer({ min: -maxAmount, max: maxAmount }) }));
    const shuffledPairs = postings.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffledPairs, ([postings, shuffled]) => {
        const nets = net(postings);
        const total = [...nets.values()].reduce((a, b) => a + b, 0n);
        assert.equal(total, sum(postings));
        assert.ok(![...nets.values()].includes(0n));
        for (const [account, value] of nets) {
          assert.equal(value, sum(postings.filter((posting) => posting.account === account)));
        }
        assert.deepEqual(new Map([...net(shuffled)].sort()), new Map([...nets].sort()));
      }),
    );
  });
});

describe('an amount', () => {
  it('is an integer from 1 to 2^53-1, and nothing else', () => {
    fc.assert(fc.property(amount, (amount) => isAmount(amount)));
    for (const no of [0, -1, 0.5, 1.5, NaN, Infinity, 2 ** 53, -(2 ** 53)]) {
      assert.equal(isAmount(no), false, String(no));
    }
  });
});
