/** Payments for later: their records, bookings and ends, by properties. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { bookingsOf, newBooking, problemOf } from '../../lambdas/domain/bookings.ts';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { transactionActor, transactionEvent } from '../../lambdas/domain/events.ts';
import { sum } from '../../lambdas/domain/postings.ts';
import {
  cancelledSchedule,
  executedTransfer,
  executedWithdrawal,
  executionFailure,
  scheduledTransfer,
  scheduledWithdrawal,
} from '../../lambdas/domain/schedule.ts';
import { beganAtOf, isAtRest, isUnexecuted, receiverOf } from '../../lambdas/domain/transaction.ts';
import type { FailedTransfer, Transaction } from '../../lambdas/domain/transaction.ts';
import { arrivalPostings } from '../../lambdas/domain/transfer.ts';
import { nextThawCheckAt, nextTryAt } from '../../lambdas/domain/withdrawal.ts';

const begin = Date.UTC(2026, 2, 1);
const minuteMs = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();
/** The time from a request to its `executeAt`, from there to its execution, and the amount. */
const times = fc.record({
  aheadMs: fc.integer({ min: minuteMs, max: 366 * 24 * 60 * minuteMs }),
  lateMs: fc.integer({ min: 0, max: 60 * minuteMs }),
  amount: fc.integer({ min: 1, max: 2 ** 52 }),
  fee: fc.integer({ min: 0, max: 2 ** 52 - 1 }),
});

function transferOf({ aheadMs, amount, fee = 0 }: { aheadMs: number; amount: number; fee?: number }) {
  const facts = {
    transactionId: 'tx_1',
    principal: 'ann',
    ownerId: 'ann',
    walletId: 'w_1',
    amount,
    fee,
    currency: 'EUR',
  };
  return scheduledTransfer({ ...facts, at: iso(begin), executeAt: iso(begin + aheadMs), toWalletId: 'w_2' });
}

function withdrawalOf({ aheadMs, amount, fee = 0 }: { aheadMs: number; amount: number; fee?: number }) {
  const facts = {
    transactionId: 'tx_1',
    principal: 'ann',
    ownerId: 'ann',
    walletId: 'w_1',
    amount,
    fee,
    currency: 'EUR',
  };
  const destination = { account: 'DE02120300000000202051' };
  return scheduledWithdrawal({ ...facts, at: iso(begin), executeAt: iso(begin + aheadMs), destination });
}

const failed = (transaction: Transaction, failure: { code: string; message: string }, at: string): Transaction =>
  ({ ...transaction, status: 'failed', failure, completedAt: at, updatedAt: at }) as FailedTransfer;

describe('a payment for later', () => {
  it('books nothing, is at rest and hides its receiver before its time, and is sound', () => {
    fc.assert(
      fc.property(times, (given) => {
        for (const payment of [transferOf(given), withdrawalOf(given)]) {
          assert.deepEqual([payment.status, payment.dueAt, payment.postings], ['scheduled', payment.executeAt, []]);
          assert.equal(problemOf(payment), undefined);
          assert.deepEqual(bookingsOf(payment), []);
          assert.equal(newBooking(undefined, payment), undefined);
          assert.ok(isAtRest(payment) && isUnexecuted(payment));
          assert.equal(receiverOf(payment), undefined);
          assert.equal(transactionEvent(undefined, payment), `${payment.type}.scheduled`);
          assert.deepEqual(transactionActor(payment), { kind: 'owner', principal: 'ann' });
        }
      }),
    );
  });

  it('is the same as one of its time when it is executed, and books at that time', () => {
    fc.assert(
      fc.property(times, (given) => {
        const at = iso(begin + given.aheadMs + given.lateMs);
        const [transfer, withdrawal] = [transferOf(given), withdrawalOf(given)];
        for (const [before, after] of [
          [transfer, executedTransfer(transfer, at)],
          [withdrawal, executedWithdrawal(withdrawal, at)],
        ] as const) {
          assert.equal(problemOf(after), undefined);
          assert.equal(sum(after.postings), 0n);
          assert.deepEqual(newBooking(before, after), { at, postings: after.postings, count: 2 });
          assert.ok(!isAtRest(after) && !isUnexecuted(after));
          assert.equal(beganAtOf(after), at);
          assert.equal(transactionEvent(before, after), `${after.type}.accepted`);
        }
        const sent = executedTransfer(transfer, at);
        assert.equal(receiverOf(sent), 'w_2');
        const arrivedAt = iso(begin + given.aheadMs + given.lateMs + 1_000);
        const { dueAt, ...lasting } = sent;
        const arrived: Transaction = {
          ...lasting,
          ...({ status: 'completed', completedAt: arrivedAt, updatedAt: arrivedAt } as const),
          postings: [...sent.postings, ...arrivalPostings(sent)],
        };
        assert.equal(problemOf(arrived), undefined);
        assert.deepEqual(
          bookingsOf(arrived).map((booking) => booking.at),
          [at, arrivedAt],
        );
      }),
    );
  });

  it('that failed before it was executed has moved nothing, and is ended by the service or its canceller', () => {
    fc.assert(
      fc.property(times, (given) => {
        const at = iso(begin + given.aheadMs + given.lateMs);
        for (const payment of [transferOf(given), withdrawalOf(given)]) {
          const refused = failed(payment, executionFailure(new WalletError('insufficient_funds')), at);
          assert.equal(problemOf(refused), undefined);
          assert.deepEqual(bookingsOf(refused), []);
          assert.equal(receiverOf(refused), undefined);
          assert.equal(transactionEvent(payment, refused), `${payment.type}.failed`);
          assert.equal(transactionActor(refused).kind, 'service');
          const actor = { kind: 'owner', principal: 'ann' } as const;
          const cancelled = { ...failed(payment, cancelledSchedule, at), cancellation: { actor, at } } as Transaction;
          assert.deepEqual(transactionActor(cancelled), actor);
        }
      }),
    );
  });

  it('is not sound with the postings or times of another state', () => {
    const given = { aheadMs: minuteMs, lateMs: 0, amount: 5 };
    const payment = transferOf(given);
    const early = executedTransfer(payment, iso(begin));
    assert.match(problemOf(early) ?? '', /it was executed at .*, before /);
    const sent = executedTransfer(payment, payment.executeAt);
    assert.match(problemOf({ ...payment, postings: sent.postings }) ?? '', /its postings are not those of a scheduled/);
    const { executedAt, ...unexecuted } = sent;
    assert.match(problemOf(unexecuted) ?? '', /its postings are not those|was never executed/);
    const { executeAt, ...unscheduled } = sent;
    assert.match(problemOf(unscheduled) ?? '', /it was executed, and never scheduled/);
  });

  it('ages from its execution: a bank that cannot be called is tried as soon as for one of now', () => {
    fc.assert(
      fc.property(times, (given) => {
        const at = begin + given.aheadMs + given.lateMs;
        const scheduled = executedWithdrawal(withdrawalOf(given), iso(at));
        const direct = { createdAt: iso(at) };
        const now = at + 10_000;
        assert.equal(nextTryAt({ ...scheduled, now }), nextTryAt({ ...direct, now }));
        assert.equal(nextThawCheckAt({ ...scheduled, now }), nextThawCheckAt({ ...direct, now }));
      }),
    );
  });
});
