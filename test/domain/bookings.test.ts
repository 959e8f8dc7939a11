import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { bookingsOf, entryNameOf, newBooking, positionOfCount, problemOf } from '../../lambdas/domain/bookings.ts';
import { collection } from '../../lambdas/domain/collection.ts';
import { capture, openHold } from '../../lambdas/domain/hold.ts';
import { accounts, move, net, sum } from '../../lambdas/domain/postings.ts';
import { charge } from '../../lambdas/domain/charge.ts';
import { arrivalPostings, queuedTransfer, failurePostings, transfer } from '../../lambdas/domain/transfer.ts';
import { bankReturn, releasePostings, settlePostings, withdrawal } from '../../lambdas/domain/withdrawal.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';

const at = '2026-03-01T12:00:00.000Z';
const later = '2026-03-01T12:00:09.000Z';
const facts = {
  transactionId: 'tx_1',
  principal: 'ann',
  ownerId: 'ann',
  walletId: 'w_1',
  amount: 7,
  currency: 'EUR',
  at,
};
const toWalletId = 'w_2';
const held = withdrawal({ ...facts, destination: { account: 'DE02' } });
const queued = queuedTransfer({ ...facts, toWalletId });

function ended(of: Transaction, status: 'completed' | 'failed', postings: Transaction['postings']): Transaction {
  const failure = { code: 'some_reason', message: 'A reason' };
  const end = { status, updatedAt: later, completedAt: later, ...(status === 'failed' && { failure }) };
  return { ...of, ...end, postings: [...of.postings, ...postings] } as Transaction;
}

const paid = { ...facts, fee: 2 };
const heldWithFee = withdrawal({ ...paid, destination: { account: 'DE02' } });
const queuedWithFee = queuedTransfer({ ...paid, toWalletId });
const hold = openHold({ ...facts, counterpartyWalletId: toWalletId, expiresAt: later });
const captured = { transactionId: 'tx_3', principal: 'shop', capturedBy: 'owner', at, feeOf: () => 2 } as const;

const withFee: readonly Transaction[] = [
  charge(paid),
  transfer({ ...paid, toWalletId }),
  capture(hold, { ...captured, isFinal: false }),
  capture({ ...hold, amount: 9 }, { ...captured, amount: 7, isFinal: true }),
  heldWithFee,
  ended(heldWithFee, 'completed', settlePostings(heldWithFee)),
  ended(heldWithFee, 'failed', releasePostings(heldWithFee)),
  queuedWithFee,
  ended(queuedWithFee, 'completed', arrivalPostings(queuedWithFee)),
  ended(queuedWithFee, 'failed', failurePostings(queuedWithFee)),
];

const sound: readonly Transaction[] = [
  ...withFee,
  collection({ sequence: 3, collected: 9 }, facts),
  charge(facts),
  transfer({ ...facts, toWalletId }),
  bankReturn(held, { transactionId: 'tx_2', principal: 'the bank', at }),
  held,
  { ...held, status: 'executing' },
  { ...held, status: 'review' },
  ended(held, 'completed', settlePostings(held)),
  ended(held, 'failed', releasePostings(held)),
  queued,
  ended(queued, 'completed', arrivalPostings(queued)),
  ended(queued, 'failed', failurePostings(queued)),
];

describe('the bookings of a transaction', () => {
  it('are sound for each type and status that the service writes', () => {
    for (const transaction of sound) assert.equal(problemOf(transaction), undefined);
  });

  it('are not sound with another amount, status, account or sum, or without postings or end', () => {
    for (const transaction of sound) {
      const [first, ...others] = transaction.postings;
      assert.ok(first);
      const broken: Transaction[] = [
        { ...transaction, amount: 8 },
        { ...transaction, amount: 0.5 },
        { ...transaction, postings: [] },
        { ...transaction, postings: others },
        { ...transaction, postings: [{ ...first, amount: first.amount - 1 }, ...others] },
        { ...transaction, postings: [{ ...first, account: 'wallet:w_3:available' }, ...others] },
        { ...transaction, postings: [...transaction.postings, ...move(7, accounts.held('w_1'), accounts.held('w_2'))] },
        { ...transaction, postings: [{ ...first, amount: Number.NaN }, ...others] },
        { ...transaction, status: transaction.status === 'completed' ? 'pending' : 'completed' } as Transaction,
      ];
      for (const one of broken) assert.notEqual(problemOf(one), undefined, JSON.stringify(one));
      const { completedAt, ...open }: Transaction & { completedAt?: string } = transaction;
      const other = completedAt === undefined ? { ...open, completedAt: at } : open;
      assert.notEqual(problemOf(other as Transaction), undefined);
    }
  });

  it('are not sound with another fee, or without it', () => {
    for (const transaction of withFee) {
      const { fee, ...without } = transaction as Transaction & { readonly fee?: number };
      assert.equal(fee, 2);
      for (const other of [without, { ...transaction, fee: 1 }, { ...transaction, fee: 3 }]) {
        assert.notEqual(problemOf(other), undefined, JSON.stringify(other));
      }
    }
  });

  it('move the fee to the account of fees at the end, and give it back where the money comes back', () => {
    for (const transaction of withFee) {
      const isEarned = transaction.status === 'completed';
      const sums = net(transaction.postings);
      assert.equal(sums.get('fees:EUR'), isEarned ? 2n : undefined, JSON.stringify(transaction));
      if (transaction.status === 'failed') assert.equal(sums.size, 0);
    }
  });

  it('are made at once, or at its acceptance and at its end, also with a fee', () => {
    for (const transaction of withFee) {
      const bookings = bookingsOf(transaction);
      const isLater = transaction.type === 'withdrawal' || (transaction.type === 'transfer' && transaction.queued);
      assert.equal(bookings.length, isLater && transaction.postings.length > 2 ? 2 : 1);
      for (const { postings } of bookings) assert.equal(sum(postings), 0n);
    }
  });

  it('are made at its acceptance and at its end', () => {
    assert.deepEqual(bookingsOf(held), [{ at, postings: held.postings }]);
    const settled = ended(held, 'completed', settlePostings(held));
    assert.deepEqual(bookingsOf(settled), [
      { at, postings: held.postings },
      { at: later, postings: settlePostings(held) },
    ]);
    assert.deepEqual(newBooking(undefined, held), { at, postings: held.postings, count: 2 });
    assert.deepEqual(newBooking(held, settled), { at: later, postings: settlePostings(held), count: 4 });
    assert.equal(newBooking(held, { ...held, status: 'executing' }), undefined);
    assert.deepEqual(
      [2, 4].map((count) => positionOfCount(settled, count)),
      [0, 1],
    );
  });
});

describe('the entry of a booking', () => {
  const together = { sentWith: 'tx_s', settledWith: 'tx_r' };
  const sent = { ...queued, sentWith: 'tx_s' };
  const arrived = { ...ended(sent, 'completed', arrivalPostings(sent)), settledWith: 'tx_r' } as Transaction;
  const failed = ended(sent, 'failed', failurePostings(sent));
  const withdrawn = ended({ ...held, sentWith: 'tx_s' }, 'completed', settlePostings(held));
  const names = (transaction: Transaction, walletId: string) =>
    bookingsOf(transaction).map((_, position) => entryNameOf(transaction, position, walletId));

  it('has the name of its transaction where it is alone in the wallet', () => {
    for (const transaction of sound) {
      for (const walletId of ['w_1', 'w_2']) {
        assert.deepEqual(new Set(names(transaction, walletId)), new Set([transaction.transactionId]));
      }
    }
  });

  it('has the name of the first of the transactions that were booked together in the wallet', () => {
    const leg: Transaction = { ...transfer({ ...facts, toWalletId }), ...together };
    assert.deepEqual([names(leg, 'w_1'), names(leg, 'w_2')], [['tx_s'], ['tx_r']]);
    assert.deepEqual([names(sent, 'w_1'), names(arrived, 'w_1')], [['tx_s'], ['tx_s', 'tx_1']]);
    assert.equal(names(arrived, 'w_2')[1], 'tx_r');
    assert.deepEqual(names(withdrawn, 'w_1'), ['tx_s', 'tx_1'], 'a withdrawal ends alone');
    assert.deepEqual(names(failed, 'w_1'), ['tx_s', 'tx_1'], 'what comes back, comes back alone');
  });
});
