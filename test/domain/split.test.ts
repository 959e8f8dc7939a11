import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { entryNameOf, groupOf, problemOf } from '../../lambdas/domain/bookings.ts';
import { legIdOf, walletIdOf } from '../../lambdas/domain/ids.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { accounts, net } from '../../lambdas/domain/postings.ts';
import { legsRefusal, mostLegs, mostWallets, netChanges, split } from '../../lambdas/domain/split.ts';
import type { SplitLeg } from '../../lambdas/domain/split.ts';

const wallet = (n: number, currency = 'EUR') => walletIdOf('owner', `wallet ${n}`, currency);
const [alice, bob, carol] = [wallet(1), wallet(2), wallet(3)];
const leg = (fromWalletId: string, toWalletId: string, amount = 10): SplitLeg => ({ fromWalletId, toWalletId, amount });

const facts = {
  splitId: 'tx_split',
  principal: 'ann',
  ownerId: 'ann',
  currency: 'EUR',
  at: '2026-03-01T12:00:00.000Z',
};
const madeOf = (...legs: readonly SplitLeg[]) => split({ ...facts, legs });

/** Any legs that one split can have. */
const anyLegs = fc
  .array(
    fc.record({ from: fc.nat(5), step: fc.integer({ min: 1, max: 5 }), amount: fc.integer({ min: 1, max: 100 }) }),
    {
      minLength: 1,
      maxLength: mostLegs,
    },
  )
  .map((all) => all.map(({ from, step, amount }) => leg(wallet(from), wallet((from + step) % 6), amount)));

describe('a split', () => {
  it('is a completed transfer for each leg, with an id of its own, as any other transfer', () => {
    fc.assert(
      fc.property(anyLegs, (legs) => {
        assert.equal(legsRefusal(legs), undefined);
        const { legs: made, amount, splitId } = madeOf(...legs);
        assert.equal(
          amount,
          legs.reduce((sum, one) => sum + one.amount, 0),
        );
        assert.equal(new Set(made.map(({ transactionId }) => transactionId)).size, legs.length);
        for (const [index, one] of made.entries()) {
          const { fromWalletId, toWalletId } = legs[index]!;
          assert.deepEqual(
            [one.transactionId, one.splitId, one.status, one.walletId, one.counterpartyWalletId, one.amount],
            [legIdOf(splitId, index), splitId, 'completed', fromWalletId, toWalletId, legs[index]!.amount],
          );
          assert.equal(problemOf(one), undefined);
        }
      }),
    );
  });

  it('changes each wallet once, by the sum of its postings, under the name of the first leg that touches it', () => {
    fc.assert(
      fc.property(anyLegs, (legs) => {
        const made = madeOf(...legs);
        const changes = netChanges(made);
        const booked = net(made.legs.flatMap(({ postings }) => postings));
        assert.equal(new Set(changes.map(({ walletId }) => walletId)).size, changes.length);
        for (const { walletId, net: change, pays, largest, leg: first, transactionId } of changes) {
          assert.equal(BigInt(change), booked.get(accounts.available(walletId)) ?? 0n);
          const isPart = ({ fromWalletId, toWalletId }: SplitLeg) =>
            walletId === (change < 0 ? fromWalletId : toWalletId);
          assert.equal(largest, Math.max(...legs.filter(isPart).map(({ amount }) => amount)));
          assert.equal(
            pays,
            legs.some(({ fromWalletId }) => fromWalletId === walletId),
          );
          const touches = legs.findIndex((one) => one.fromWalletId === walletId || one.toWalletId === walletId);
          assert.deepEqual([first, transactionId], [touches, made.legs[touches]?.transactionId]);
          const touching = made.legs.filter((one) => [one.walletId, one.counterpartyWalletId].includes(walletId));
          for (const one of touching) {
            assert.equal(entryNameOf(one, 0, walletId), transactionId);
            assert.equal(groupOf(one, 0, walletId), touching.length > 1 ? transactionId : undefined);
          }
        }
        assert.equal(
          changes.reduce((sum, { net: change }) => sum + change, 0),
          0,
        );
        assert.deepEqual(
          changes,
          changes.toSorted((a, b) => Number(b.pays) - Number(a.pays)),
          'payers come first',
        );
      }),
    );
  });

  it('keeps the words of each leg on its own transfer', () => {
    const { legs } = madeOf(
      { ...leg(alice, bob), description: 'goods' },
      { ...leg(alice, carol), metadata: { fee: 'yes' } },
    );
    assert.deepEqual(
      legs.map(({ description, metadata }) => ({ description, metadata })),
      [
        { description: 'goods', metadata: undefined },
        { description: undefined, metadata: { fee: 'yes' } },
      ],
    );
  });
});

describe('legs that are no split', () => {
  const refusalOf = (legs: readonly SplitLeg[], currency?: string) => {
    const refusal = legsRefusal(legs, currency);
    return refusal && { code: refusal.code, ...refusal.details };
  };

  it('name the leg that is refused', () => {
    const yen = wallet(4, 'JPY');
    assert.deepEqual(refusalOf([leg(alice, bob), leg(carol, carol)]), {
      code: 'same_wallet',
      detail: 'legs[1]: Sender and receiver are the same wallet',
      leg: 1,
    });
    assert.deepEqual(refusalOf([leg(alice, bob), leg(alice, yen)]), {
      code: 'currency_mismatch',
      detail: 'legs[1]: the wallet holds JPY, the request is about EUR',
      leg: 1,
    });
    assert.equal(refusalOf([leg(yen, alice)])?.leg, 0);
    assert.deepEqual(
      refusalOf([leg(alice, bob)], 'USD')?.detail,
      'legs[0]: the wallet holds EUR, the request is about USD',
    );
    assert.deepEqual(refusalOf([leg(alice, bob), leg(alice, 'w_x')]), {
      code: 'wallet_not_found',
      detail: 'legs[1]: there is no wallet w_x',
      leg: 1,
    });
  });

  it('are those of too many wallets, or of amounts whose sum is no amount', () => {
    const to = (count: number) => Array.from({ length: count }, (_, n) => leg(alice, wallet(10 + n)));
    assert.equal(refusalOf(to(mostWallets - 1)), undefined);
    assert.deepEqual(refusalOf(to(mostWallets)), {
      code: 'invalid_request',
      errors: [{ path: 'legs', message: 'must have at most 40 wallets' }],
    });
    assert.equal(refusalOf([leg(alice, bob, maxAmount - 1), leg(alice, carol, 1)]), undefined);
    assert.deepEqual(refusalOf([leg(alice, bob, maxAmount), leg(bob, alice, 1)]), {
      code: 'invalid_request',
      errors: [{ path: 'legs', message: 'must have amounts that add up to at most 9007199254740991' }],
    });
  });
});
