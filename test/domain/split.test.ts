import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { entryNameOf, groupOf, problemOf } from '../../lambdas/domain/bookings.ts';
import { feeOf } from '../../lambdas/domain/fee.ts';
import { legIdOf, walletIdOf } from '../../lambdas/domain/ids.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { accounts, net } from '../../lambdas/domain/postings.ts';
import { legsRefusal, mostLegs, mostWallets, netChanges, split, splitPrice } from '../../lambdas/domain/split.ts';
import type { ReceivedLeg, SplitLeg } from '../../lambdas/domain/split.ts';

const wallet = (n: number, currency = 'EUR') => walletIdOf('owner', `wallet ${n}`, currency);
const [alice, bob, carol] = [wallet(1), wallet(2), wallet(3)];
const leg = (fromWalletId: string, toWalletId: string, amount = 10, fee = 0): ReceivedLeg => ({
  ...{ fromWalletId, toWalletId, amount, fee },
});

const facts = {
  splitId: 'tx_split',
  principal: 'ann',
  ownerId: 'ann',
  currency: 'EUR',
  at: '2026-03-01T12:00:00.000Z',
};
const madeOf = (...legs: readonly ReceivedLeg[]) => split({ ...facts, legs });

/** Any legs that one split can have, some of them with fees. */
const anyLegs = fc
  .array(
    fc.record({
      ...{ from: fc.nat(5), step: fc.integer({ min: 1, max: 5 }) },
      ...{ amount: fc.integer({ min: 1, max: 100 }), fee: fc.nat(3) },
    }),
    {
      minLength: 1,
      maxLength: mostLegs,
    },
  )
  .map((all) => all.map(({ from, step, amount, fee }) => leg(wallet(from), wallet((from + step) % 6), amount, fee)));

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
            [
              one.transactionId,
              one.splitId,
              one.status,
              one.walletId,
              one.counterpartyWalletId,
              one.amount,
              one.fee ?? 0,
            ],
            [
              legIdOf(splitId, index),
              splitId,
              'completed',
              fromWalletId,
              toWalletId,
              legs[index]!.amount,
              legs[index]!.fee,
            ],
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
          const sizes = legs.filter(isPart).map(({ amount, fee }) => (change < 0 ? amount + fee : amount));
          // In the direction of the net change, or of what it gets when there is none.
          assert.equal(largest, Math.max(...sizes));
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
          legs.reduce((sum, { fee }) => sum - fee, 0),
          'fees leave the wallets',
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

describe('the price of a split', () => {
  const fees = { transfer: { flat: 2, basisPoints: 150, byCurrency: { JPY: {} } } };

  it('has the fee of a transfer for each leg', () => {
    fc.assert(
      fc.property(anyLegs, (legs) => {
        const { price, refusal } = splitPrice(fees, legs, 'EUR');
        assert.equal(refusal, undefined);
        assert.deepEqual(
          price.legs,
          legs.map((one) => ({ ...one, fee: feeOf(fees, 'transfer', { amount: one.amount, currency: 'EUR' }) })),
        );
        const [amount, fee] = [0, 1].map((n) =>
          price.legs.reduce((sum, one) => sum + (n === 0 ? one.amount : one.fee), 0),
        );
        assert.deepEqual([price.amount, price.fee, price.paid], [amount, fee, amount! + fee!]);
        // What the wallets pay and get differs by the fees.
        const out = netChanges(madeOf(...price.legs)).reduce((sum, { net: change }) => sum - change, 0);
        assert.equal(out, price.fee);
      }),
    );
  });

  it('has no fees without a schedule, or in a currency without them', () => {
    const priceOf = (...[schedule, currency]: [typeof fees | undefined, string]) =>
      splitPrice(schedule, [leg(alice, bob, 100)], currency).price.fee;
    assert.deepEqual([priceOf(undefined, 'EUR'), priceOf(fees, 'JPY'), priceOf(fees, 'EUR')], [0, 0, 4]);
  });

  it('is refused, and has no fees, where amounts and fees together are no amount', () => {
    const flat = { transfer: { flat: 2 } };
    const most = [leg(alice, bob, maxAmount - 5), leg(alice, carol, 1)];
    const allowed = splitPrice(flat, most, 'EUR');
    assert.deepEqual([allowed.refusal, allowed.price.paid], [undefined, maxAmount]);
    const { price, refusal } = splitPrice(flat, [leg(alice, bob, maxAmount - 4), leg(alice, carol, 1)], 'EUR');
    assert.deepEqual([refusal?.code, price.fee, price.paid], ['invalid_request', 0, maxAmount - 3]);
    assert.deepEqual(refusal?.details.errors, [
      {
        path: 'legs',
        message: 'must have amounts that add up to at most 9007199254740991 together with their fees',
      },
    ]);
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
