import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { bookingsOf, positionOfCount, problemOf } from '../../lambdas/domain/bookings.ts';
import { transactionActor, transactionEvent } from '../../lambdas/domain/events.ts';
import {
  capture,
  captureRefusal,
  endPostings,
  endsHold,
  leftOf,
  openHold,
  releaseRefusal,
} from '../../lambdas/domain/hold.ts';
import type { CaptureFacts } from '../../lambdas/domain/hold.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { accounts, net, sum } from '../../lambdas/domain/postings.ts';
import { requesterOf } from '../../lambdas/domain/transaction.ts';
import type { Capture, EndedHold, Hold, OpenHold } from '../../lambdas/domain/transaction.ts';

const at = '2026-03-01T12:00:00.000Z';
const expiresAt = '2026-03-02T12:00:00.000Z';
const [payer, shop] = ['w_eur_payer', 'w_eur_shop'];

function held(amount: number, counterpartyWalletId?: string): OpenHold {
  const facts = { transactionId: 'tx_hold', principal: 'ann', ownerId: 'ann', walletId: payer, currency: 'EUR', at };
  return openHold({ ...facts, amount, expiresAt, counterpartyWalletId });
}

function factsOf(amount: number | undefined, isFinal: boolean, more: Partial<CaptureFacts> = {}): CaptureFacts {
  return { transactionId: 'tx_capture', principal: 'shop', capturedBy: 'owner', at, amount, isFinal, ...more };
}

/** Returns the hold as a capture leaves it. */
function after(hold: Hold, facts: CaptureFacts): Hold {
  const captured = hold.captured + (facts.amount ?? leftOf(hold));
  if (!endsHold(hold, facts)) return { ...hold, captured };
  const { dueAt, ...lasting } = hold as OpenHold;
  return { ...lasting, captured, status: 'ended', end: 'captured', completedAt: facts.at };
}

const amounts = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: maxAmount }));
const tries = fc.array(
  fc.record({ amount: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }), isFinal: fc.boolean() }),
  { maxLength: 12 },
);

describe('a hold', () => {
  it('gives out what it holds, once, whatever is captured and however it ends', () => {
    fc.assert(
      fc.property(amounts, tries, fc.boolean(), (amount, wanted, hasReceiver) => {
        let hold: Hold = held(amount, hasReceiver ? shop : undefined);
        const captures: Capture[] = [];
        for (const { amount: some, isFinal } of wanted) {
          const facts = factsOf(some, isFinal);
          const refusal = captureRefusal(hold, facts);
          const isPossible: boolean = hold.status === 'open' && (some ?? leftOf(hold)) <= leftOf(hold);
          assert.equal(refusal === undefined, isPossible);
          if (refusal !== undefined) continue;
          captures.push(capture(hold, facts));
          hold = after(hold, facts);
          assert.ok(leftOf(hold) > 0 || hold.status === 'ended', 'nothing is left in an open hold');
        }
        const rest = hold.status === 'open' ? endPostings(hold) : [];
        const postings = [...hold.postings, ...rest, ...captures.flatMap((one) => one.postings)];
        assert.equal(sum(postings), 0n);
        const changes = net(postings);
        assert.equal(changes.get(accounts.held(payer)), undefined, 'nothing stays held');
        const paid = captures.reduce((total, one) => total + BigInt(one.amount), 0n);
        assert.ok(paid <= BigInt(amount));
        assert.equal(changes.get(accounts.available(payer)) ?? 0n, -paid);
        assert.equal(changes.get(hasReceiver ? accounts.available(shop) : accounts.external('EUR')) ?? 0n, paid);
        for (const one of [...captures, hold]) assert.equal(problemOf(one), undefined, JSON.stringify(one));
      }),
    );
  });

  it('is captured before its expiry only, by the time of the request', () => {
    const hold = held(100, shop);
    assert.equal(captureRefusal(hold, { amount: 1, at: '2026-03-02T11:59:59.999Z' }), undefined);
    assert.equal(captureRefusal(hold, { amount: 1, at: expiresAt })?.code, 'hold_expired');
    assert.equal(releaseRefusal(hold), undefined, 'a release is possible after it');
  });

  it('names what is left in a refusal, and how it has ended', () => {
    const hold = { ...held(100, shop), captured: 70 };
    const exceeds = captureRefusal(hold, { amount: 31, at });
    assert.deepEqual(
      [exceeds?.code, exceeds?.details.detail],
      ['exceeds_hold', 'left 30, requested 31, in minor units of EUR'],
    );
    const { dueAt, ...lasting } = hold;
    const ended: EndedHold = { ...lasting, status: 'ended', end: 'released', completedAt: at };
    for (const refusal of [captureRefusal(ended, { amount: 1, at: expiresAt }), releaseRefusal(ended)]) {
      assert.deepEqual([refusal?.code, refusal?.details.detail], ['hold_ended', `it ended at ${at}: released`]);
    }
    assert.equal(releaseRefusal(undefined)?.code, 'transaction_not_found');
  });
});

describe('a final capture', () => {
  it('is one booking, also with what it gives back', () => {
    const final = capture(held(100, shop), factsOf(60, true));
    assert.deepEqual(bookingsOf(final), [{ at, postings: final.postings }]);
    assert.equal(positionOfCount(final, 4), 0);
    assert.equal(final.postings.length, 4);
    assert.equal(capture(held(100, shop), factsOf(100, true)).postings.length, 2, 'nothing was left');
  });

  it('with postings that do not fit is reported', () => {
    const final = capture(held(100, shop), factsOf(60, true));
    const [taken, paid, ...rest] = final.postings;
    assert.ok(taken && paid);
    for (const postings of [rest, [taken, paid, { ...rest[0], account: accounts.available(shop) }, rest[1]]]) {
      assert.notEqual(problemOf({ ...final, postings } as Capture), undefined);
    }
  });
});

describe('the actor', () => {
  it("of a capture is the receiver's owner or an operator, though the record belongs to the payer", () => {
    const byOwner = capture(held(100, shop), factsOf(1, false, { issuer: 'mark' }));
    assert.deepEqual(requesterOf(byOwner), { kind: 'owner', principal: 'shop' });
    assert.equal(byOwner.ownerId, 'ann');
    const byOperator = capture(held(100), factsOf(1, false, { capturedBy: 'operator', issuer: 'mark' }));
    assert.deepEqual(requesterOf(byOperator), { kind: 'operator', principal: 'shop', issuer: 'mark' });
  });

  it('of an end is the one that made it, and the service when the hold has expired', () => {
    const open = held(100, shop);
    const { dueAt, ...lasting } = open;
    const expired: EndedHold = { ...lasting, status: 'ended', end: 'expired', completedAt: expiresAt };
    const released: EndedHold = { ...expired, end: 'released', endedBy: { kind: 'owner', principal: 'shop' } };
    assert.deepEqual(
      [open, released, expired].map((hold) => transactionActor(hold).kind),
      ['owner', 'owner', 'service'],
    );
    assert.deepEqual(
      [
        transactionEvent(undefined, open),
        transactionEvent(open, { ...open, captured: 1 }),
        transactionEvent(open, expired),
      ],
      ['hold.opened', undefined, 'hold.ended'],
    );
  });
});
