/** What each audience sees of a standing order, and its events. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { newOrder } from '../../lambdas/domain/standing-order.ts';
import type { EndedOrder, StandingOrder } from '../../lambdas/domain/standing-order.ts';
import { eventOf } from '../../lambdas/events/events.ts';
import { readEvent } from '../../lambdas/views/event-schemas.ts';
import { namedSchemas } from '../../lambdas/views/answer-schemas.ts';
import { orderView } from '../../lambdas/views/standing-order-view.ts';

const at = '2026-03-01T12:00:00.000Z';
const account = 'DE02120300000000202051';
const active = newOrder({
  ...{ transactionId: transactionIdOf('ann', 'rent'), principal: 'ann', ownerId: 'ann', walletId: 'w_1', amount: 5 },
  ...{ currency: 'EUR', at, every: 'month', firstAt: '2026-04-01T06:00:00.000Z', metadata: { b: '1', a: '2' } },
  receiver: { destination: { account, name: 'Ann Example' } },
});
const { nextAt, dueAt, ...lasting } = active;
const ended = (by: 'owner' | 'operator'): EndedOrder => ({
  ...lasting,
  ...{ status: 'ended', end: 'cancelled', endedAt: at, updatedAt: at, reason: 'moved out' },
  endedBy: { kind: by, principal: by === 'owner' ? 'ann' : 'olga' },
});
const facts = { fingerprintKey: 'key', issuer: 'https://issuer.example' };
const eventsOf = (before: StandingOrder | undefined, after: StandingOrder) =>
  eventOf({ kind: 'order', before, after }, facts);

describe('a standing order', () => {
  it('is shown to its owner with a masked account, and without what is for the service and operators', () => {
    const view = orderView(active, 'owner');
    assert.deepEqual(view.destination, { account: '****2051', name: 'Ann Example' });
    assert.deepEqual([view.nextAt, view.made, view.metadata], [nextAt, 0, { a: '2', b: '1' }]);
    for (const hidden of ['principal', 'ownerId', 'dueAt', 'requestedBy', 'issuer']) {
      assert.ok(!(hidden in view), hidden);
    }
    assert.ok(dueAt < nextAt);
    namedSchemas.StandingOrder.parse(view);
    assert.equal(orderView({ ...active, fee: 2 }, 'owner').fee, 2);
  });

  it('shows operators who asked for it and who ended it', () => {
    const view = orderView(ended('operator'), 'operator');
    assert.deepEqual(view.requestedBy, { kind: 'owner', principal: 'ann' });
    assert.deepEqual(view.endedBy, { kind: 'operator', principal: 'olga' });
    assert.equal(view.reason, 'moved out');
    assert.ok(!JSON.stringify(view).includes(account));
  });

  it("shows an owner its own reason, and no operator's", () => {
    assert.equal(orderView(ended('owner'), 'owner').reason, 'moved out');
    assert.equal(orderView(ended('operator'), 'owner').reason, undefined);
  });
});

describe('the events of a standing order', () => {
  it('are its opening and its end, of its wallet alone, without the account and its holder', () => {
    const types = ['standing_order.opened', 'standing_order.ended'] as const;
    const opened = eventsOf(undefined, active);
    const closed = eventsOf(active, ended('operator'));
    assert.deepEqual([opened?.type, closed?.type], types);
    assert.deepEqual([opened?.walletIds, opened?.ownerId], [['w_1'], 'ann']);
    assert.deepEqual([opened?.actor?.principal, closed?.actor?.principal], ['ann', 'olga']);
    assert.notEqual(opened?.eventId, closed?.eventId);
    for (const event of [opened, closed]) {
      const { standingOrder } = readEvent(event, types);
      assert.equal(standingOrder.destination?.account, '****2051');
      assert.ok(standingOrder.destination.fingerprint.length > 10);
      assert.ok(!/Ann Example|DE0212/.test(JSON.stringify(event)));
    }
    assert.ok(!JSON.stringify(closed).includes('moved out'), "an operator's reason");
  });

  it('are none for a payment that it schedules, and name the service for an end that nobody asked for', () => {
    assert.equal(eventsOf(active, { ...active, made: 1, updatedAt: '2026-03-02T00:00:00.000Z' }), undefined);
    const last: EndedOrder = { ...lasting, status: 'ended', end: 'completed', endedAt: at };
    assert.equal(eventsOf(active, last)?.actor?.kind, 'service');
  });
});
