import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { isStandingOrderId, isTransactionId, transactionIdOf } from '../../lambdas/domain/ids.ts';
import {
  advanceTo,
  aheadMs,
  latestPayments,
  newOrder,
  nextPayment,
  orderCancelRefusal,
  orderedBy,
  paymentTime,
} from '../../lambdas/domain/standing-order.ts';
import type { ActiveOrder, OrderFacts } from '../../lambdas/domain/standing-order.ts';

const at = '2026-01-30T12:00:00.000Z';
const facts: OrderFacts = {
  transactionId: transactionIdOf('ann', 'rent'),
  principal: 'ann',
  issuer: 'n4bQgY',
  ownerId: 'ann',
  walletId: 'w_1',
  amount: 5,
  currency: 'EUR',
  at,
  receiver: { toWalletId: 'w_2' },
  every: 'month',
  firstAt: '2026-01-31T23:30:00.000Z',
  description: 'Rent',
};

/** Returns the times of an order's first payments, at most this many. */
function timesOf(order: ActiveOrder, most: number): string[] {
  return Array.from({ length: most }, (_, n) => paymentTime(order, n)).filter((time) => time !== undefined);
}

describe('the payments of an order', () => {
  it('are a month apart, on the last day of a month that lacks the day, and without drift', () => {
    assert.deepEqual(timesOf(newOrder(facts), 5), [
      '2026-01-31T23:30:00.000Z',
      '2026-02-28T23:30:00.000Z',
      '2026-03-31T23:30:00.000Z',
      '2026-04-30T23:30:00.000Z',
      '2026-05-31T23:30:00.000Z',
    ]);
    const leapYear = newOrder({ ...facts, firstAt: '2027-12-30T06:00:00.000Z' });
    assert.deepEqual(timesOf(leapYear, 3).slice(1), ['2028-01-30T06:00:00.000Z', '2028-02-29T06:00:00.000Z']);
  });

  it('are a week apart to the millisecond, also when clocks change', () => {
    const weekly = newOrder({ ...facts, every: 'week', firstAt: '2026-03-28T02:30:00.000Z' });
    assert.deepEqual(timesOf(weekly, 3), [
      '2026-03-28T02:30:00.000Z',
      '2026-04-04T02:30:00.000Z',
      '2026-04-11T02:30:00.000Z',
    ]);
  });

  it('end with their number, or with the last one at or before a time', () => {
    assert.equal(timesOf(newOrder({ ...facts, count: 2 }), 5).length, 2);
    assert.equal(timesOf(newOrder({ ...facts, until: '2026-03-31T23:30:00.000Z' }), 5).length, 3);
    assert.equal(timesOf(newOrder({ ...facts, until: '2026-03-31T23:29:59.999Z' }), 5).length, 2);
  });

  it('rise, in each month once or seven days apart, whatever the first time', () => {
    const first = fc.date({ min: new Date('2026-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(first, fc.constantFrom('week', 'month'), fc.nat(400), (date, every, n) => {
        const order = newOrder({ ...facts, every, firstAt: date.toISOString() });
        const [time = '', following = ''] = [paymentTime(order, n), paymentTime(order, n + 1)];
        assert.equal(following.slice(10), order.firstAt.slice(10), 'the same time of the day');
        const days = (Date.parse(following) - Date.parse(time)) / 86_400_000;
        if (every === 'week') assert.equal(days, 7);
        else assert.ok(days >= 28 && days <= 31 && following.slice(0, 7) !== time.slice(0, 7), `${time} ${following}`);
        assert.ok(Number(following.slice(8, 10)) <= date.getUTCDate() || every === 'week');
      }),
    );
  });
});

describe('an order', () => {
  it('is opened with its own id, and is due a week before its first payment', () => {
    const { standingOrderId, status, made, nextAt, dueAt, issuer, ...rest } = newOrder(facts);
    assert.ok(isStandingOrderId(standingOrderId));
    assert.deepEqual([status, made, nextAt, issuer], ['active', 0, facts.firstAt, undefined]);
    assert.equal(Date.parse(nextAt) - Date.parse(dueAt), aheadMs);
    assert.deepEqual([rest.toWalletId, rest.destination, rest.description], ['w_2', undefined, 'Rent']);
    assert.deepEqual(orderedBy(newOrder(facts)), { kind: 'owner', principal: 'ann' });
    const { ownerId, ...ofOperator } = facts;
    assert.equal(ownerId, 'ann');
    const byOperator = newOrder({ ...ofOperator, ownerId: undefined, principal: 'olga' });
    assert.deepEqual(orderedBy(byOperator), { kind: 'operator', principal: 'olga', issuer: 'n4bQgY' });
  });

  it('makes each payment under an id of its own, the same for every try', () => {
    const order = newOrder(facts);
    const payment = nextPayment(order, at);
    assert.ok(isTransactionId(payment.transactionId));
    assert.deepEqual(
      [payment.type, payment.status, payment.executeAt, payment.standingOrderId, payment.postings],
      ['transfer', 'scheduled', facts.firstAt, order.standingOrderId, []],
    );
    assert.deepEqual([payment.ownerId, payment.amount, payment.description], ['ann', 5, 'Rent']);
    assert.equal(nextPayment(order, '2026-01-31T00:00:00.000Z').transactionId, payment.transactionId);
    const second = nextPayment({ ...order, made: 1 }, at).transactionId;
    assert.notEqual(second, payment.transactionId);
    assert.deepEqual(latestPayments({ ...order, made: 2 }), [second, payment.transactionId]);
    assert.equal(latestPayments({ ...order, made: 900 }).length, 12);
    assert.deepEqual(latestPayments(order), []);
  });

  it('keeps the fee of its opening, which each payment has', () => {
    const order = newOrder({ ...facts, fee: 2 });
    assert.deepEqual([order.fee, nextPayment(order, at).fee], [2, 2]);
    assert.ok(!('fee' in newOrder({ ...facts, fee: 0 })) && !('fee' in nextPayment(newOrder(facts), at)));
  });

  it('pays an account through the bank', () => {
    const destination = { account: 'DE02120300000000202051' };
    const payment = nextPayment(newOrder({ ...facts, receiver: { destination } }), at);
    assert.deepEqual([payment.type, payment.type === 'withdrawal' && payment.destination], ['withdrawal', destination]);
  });

  it('goes on until its last payment is made', () => {
    const order = newOrder({ ...facts, count: 2 });
    const nextAt = '2026-02-28T23:30:00.000Z';
    assert.deepEqual(advanceTo(order, 1), { status: 'active', nextAt, dueAt: '2026-02-21T23:30:00.000Z' });
    assert.deepEqual(advanceTo(order, 2), { status: 'ended', end: 'completed' });
  });

  it('is cancelled once', () => {
    const order = newOrder(facts);
    assert.equal(orderCancelRefusal(order), undefined);
    assert.equal(orderCancelRefusal(undefined)?.code, 'standing_order_not_found');
    const { nextAt, dueAt, ...rest } = order;
    assert.ok(nextAt > dueAt);
    const refusal = orderCancelRefusal({ ...rest, status: 'ended', end: 'completed', endedAt: at });
    assert.deepEqual([refusal?.code, refusal?.message], ['standing_order_ended', `it ended at ${at}: completed`]);
  });
});
