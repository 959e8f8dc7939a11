import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { bookingsOf, problemOf } from '../../lambdas/domain/bookings.ts';
import { capture, endPostings, openHold } from '../../lambdas/domain/hold.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { accounts, net } from '../../lambdas/domain/postings.ts';
import {
  commandLike,
  isRefundable,
  leftToRefund,
  mostBeforeOwners,
  mostRefunds,
  notRefundable,
  refund,
  refundRefusal,
} from '../../lambdas/domain/refund.ts';
import type { RefundFacts } from '../../lambdas/domain/refund.ts';
import { requesterOf } from '../../lambdas/domain/transaction.ts';
import { charge } from '../../lambdas/domain/charge.ts';
import type { ArrivedTransfer, Capture, Refund, Refundable, Transaction } from '../../lambdas/domain/transaction.ts';
import { arrivalPostings, failurePostings, queuedTransfer, transfer } from '../../lambdas/domain/transfer.ts';
import { leastAvailable, openWallet, statusRefusal } from '../../lambdas/domain/wallet.ts';
import { releasePostings, withdrawal } from '../../lambdas/domain/withdrawal.ts';

const at = '2026-03-01T12:00:00.000Z';
const [payer, shop] = ['w_eur_payer', 'w_eur_shop'];

const facts = { transactionId: 'tx_original', principal: 'ann', ownerId: 'ann', walletId: payer, currency: 'EUR', at };
const expiresAt = '2026-03-02T12:00:00.000Z';

function captured(amount: number, counterpartyWalletId?: string): Capture {
  const hold = openHold({ ...facts, transactionId: 'tx_hold', amount, expiresAt, counterpartyWalletId });
  const { transactionId, principal } = { ...facts, principal: 'shop' };
  return capture(hold, { transactionId, principal, at, capturedBy: 'owner', isFinal: true });
}

function arrived(amount: number): ArrivedTransfer {
  const { dueAt, ...sent } = queuedTransfer({ ...facts, amount, toWalletId: shop });
  return {
    ...sent,
    status: 'completed',
    completedAt: at,
    postings: [...sent.postings, ...arrivalPostings(sentOf(amount))],
  };
}

function sentOf(amount: number) {
  return queuedTransfer({ ...facts, amount, toWalletId: shop });
}

function asRefundable(transaction: Transaction): Refundable {
  assert.ok(isRefundable(transaction));
  return transaction;
}

const originals: Record<string, (amount: number) => Refundable> = {
  charge: (amount) => charge({ ...facts, ownerId: undefined, amount }),
  transfer: (amount) => asRefundable(transfer({ ...facts, amount, toWalletId: shop })),
  'arrived transfer': (amount) => arrived(amount),
  capture: (amount) => asRefundable(captured(amount, shop)),
};

function wanted(n: number, more: Partial<RefundFacts> = {}): RefundFacts {
  const transactionId = `tx_refund_${n}`;
  return { transactionId, principal: 'shop', ownerId: 'shop', reason: 'sent back', at, ...more };
}

/** Returns the original as a refund leaves it. */
function after(original: Refundable, { transactionId, amount }: Refund): Refundable {
  const { refunded = 0, refunds = [] } = original;
  return { ...original, refunded: refunded + amount, refunds: [...refunds, transactionId] };
}

describe('the refunds of a transaction', () => {
  const amounts = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: maxAmount }));
  const tries = fc.array(fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }), { maxLength: 12 });

  it('never give back more than it moved, and all of them the way that it came', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(originals)), amounts, tries, (kind, amount, some) => {
        let original = originals[kind]?.(amount) ?? assert.fail();
        const first = original;
        const refunds: Refund[] = [];
        for (const [n, one] of some.entries()) {
          const left = leftToRefund(original);
          const refusal = refundRefusal(original, { amount: one, ownerId: undefined });
          assert.equal(refusal?.code, left > 0 && (one ?? left) <= left ? undefined : 'exceeds_refundable');
          if (refusal !== undefined) continue;
          const made = refund(original, wanted(n, { amount: one }));
          refunds.push(made);
          original = after(original, made);
        }
        const sumOfRefunds = refunds.reduce((sum, one) => sum + BigInt(one.amount), 0n);
        assert.equal(BigInt(original.refunded ?? 0), sumOfRefunds);
        assert.ok(sumOfRefunds <= BigInt(amount));
        const changes = net(refunds.flatMap(({ postings }) => postings));
        const [giver, receiver] =
          kind === 'charge' ? [payer, accounts.external('EUR')] : [shop, accounts.available(payer)];
        assert.equal(changes.get(accounts.available(giver)) ?? 0n, -sumOfRefunds);
        assert.equal(changes.get(receiver) ?? 0n, sumOfRefunds);
        assert.deepEqual(original.postings, first.postings);
        for (const one of [...refunds, original]) assert.equal(problemOf(one), undefined, JSON.stringify(one));
        for (const one of refunds) {
          assert.deepEqual(bookingsOf(one), [{ at, postings: one.postings }]);
          assert.equal(one.originalTransactionId, original.transactionId);
        }
      }),
    );
  });

  it('are at most two hundred, of which the last hundred are those of operators', () => {
    let original = originals['transfer']?.(1_000) ?? assert.fail();
    for (let n = 0; n < mostRefunds; n++) {
      const ownerId = n < mostBeforeOwners ? 'shop' : undefined;
      assert.equal(refundRefusal(original, { amount: 1, ownerId }), undefined);
      const byOwner = refundRefusal(original, { amount: 1, ownerId: 'shop' });
      assert.equal(byOwner?.code, n < mostBeforeOwners ? undefined : 'too_many_refunds');
      original = after(original, refund(original, wanted(n, { amount: 1, ownerId })));
      assert.equal(problemOf(original), undefined);
    }
    const most = 'a transaction has at most 200 refunds';
    for (const [ownerId, why] of [
      [undefined, most] as const,
      ['shop', `${most}; after 100, only operators refund it`] as const,
    ]) {
      const refusal = refundRefusal(original, { amount: 1, ownerId });
      assert.deepEqual([refusal?.code, refusal?.details.detail], ['too_many_refunds', why]);
    }
    const more = refundRefusal(original, { amount: 801, ownerId: 'shop' });
    assert.deepEqual(
      [more?.code, more?.details.detail],
      ['exceeds_refundable', 'left 800, requested 801, in minor units of EUR'],
    );
    const nothing = refundRefusal({ ...original, refunded: 1_000 }, { ownerId: 'shop' });
    assert.equal(nothing?.details.detail, 'left 0, requested all of it, in minor units of EUR');
  });

  it('are made by the owner of the receiving wallet or by an operator, and only charges are charged back', () => {
    const original = originals['transfer']?.(10) ?? assert.fail();
    const byOwner = refund(original, wanted(1, { issuer: 'mark' }));
    assert.deepEqual([byOwner.refundedBy, byOwner.walletId, byOwner.counterpartyWalletId], ['owner', shop, payer]);
    assert.deepEqual(requesterOf(byOwner), { kind: 'owner', principal: 'shop' });
    const byOperator = refund(original, wanted(1, { ownerId: undefined, issuer: 'mark' }));
    assert.deepEqual(requesterOf(byOperator), { kind: 'operator', principal: 'shop', issuer: 'mark' });
    const refusal = refundRefusal(original, { chargeback: true, ownerId: undefined });
    assert.deepEqual(
      [refusal?.code, refusal?.details.detail],
      ['not_refundable', 'only a charge can be charged back, and this is a transfer'],
    );
    const charged = originals['charge']?.(10) ?? assert.fail();
    assert.equal(refundRefusal(charged, { chargeback: true, ownerId: undefined }), undefined);
    assert.equal(refund(charged, wanted(1, { ownerId: undefined, chargeback: true })).chargeback, true);
    assert.deepEqual([commandLike(original), commandLike(charged)], ['transfer', 'charge']);
  });

  it('of another transaction are refused, and the refusal says why', () => {
    const sent = sentOf(10);
    const { dueAt, ...transferred } = sent;
    const failed: Transaction = {
      ...transferred,
      ...{ status: 'failed', failure: { code: 'wallet_closed', message: '' }, completedAt: at },
      postings: [...sent.postings, ...failurePostings(sent)],
    };
    const held = openHold({ ...facts, amount: 10, expiresAt });
    const { dueAt: _, ...opened } = held;
    const ended: Transaction = {
      ...{ ...opened, status: 'ended', end: 'released', completedAt: at },
      postings: [...held.postings, ...endPostings(held)],
    };
    const paidOut = withdrawal({ ...facts, amount: 10, destination: { account: 'DE02' } });
    const { dueAt: __, ...asked } = paidOut;
    const refused: Transaction = {
      ...{ ...asked, status: 'failed', failure: { code: 'bank_rejected', message: '' }, completedAt: at },
      postings: [...paidOut.postings, ...releasePostings(paidOut)],
    };
    const others: readonly [Transaction, string][] = [
      [sent, 'this transfer is on its way'],
      [failed, 'this transfer failed, and its sender has the money'],
      [captured(10), 'paid the world outside: charge the wallet of its payer'],
      [held, 'refund its captures, or release it'],
      [ended, 'refund its captures'],
      [paidOut, 'its bank returns it'],
      [refused, 'this withdrawal failed, and its wallet has the money'],
      [
        refund(originals['charge']?.(10) ?? assert.fail(), wanted(1)),
        'a refund cannot be refunded: make a transfer or a charge',
      ],
    ];
    for (const [transaction, why] of others) {
      assert.ok(!isRefundable(transaction), transaction.type);
      const { code, details } = notRefundable(transaction);
      assert.equal(code, 'not_refundable');
      assert.ok(details.detail?.endsWith(why), details.detail);
      const refunded = { ...transaction, refunded: 1, refunds: ['tx_1'] } as Transaction;
      if (transaction.type !== 'refund') assert.ok(problemOf(refunded)?.startsWith('it has refunds'), transaction.type);
    }
  });

  it('that contradict their original, or a chargeback that pays a wallet, are reported', () => {
    const original = originals['transfer']?.(10) ?? assert.fail();
    const wrong: readonly Pick<Refundable, 'refunded' | 'refunds'>[] = [
      { refunded: 11, refunds: ['tx_1'] },
      { refunded: 1 },
      { refunds: ['tx_1'] },
      { refunded: 1, refunds: ['tx_1', 'tx_2'] },
      { refunded: 2, refunds: ['tx_1', 'tx_1'] },
    ];
    for (const members of wrong) {
      const problem = problemOf({ ...original, ...members });
      assert.ok(problem?.endsWith('and its amount is 10'), `${JSON.stringify(members)}: ${String(problem)}`);
    }
    const chargeback: Refund = { ...refund(original, wanted(1)), chargeback: true };
    assert.equal(problemOf(chargeback), 'it is a chargeback, and pays a wallet');
    const [first, ...rest] = chargeback.postings;
    assert.ok(first);
    assert.notEqual(problemOf({ ...chargeback, postings: [...rest, first] }), undefined);
  });
});

describe('a wallet whose charges were charged back', () => {
  const wallet = openWallet({ walletId: payer, ownerId: 'ann', currency: 'EUR', at });

  it('may have less than nothing available, by what was charged back and the largest credit line', () => {
    assert.equal(leastAvailable(wallet), 0);
    assert.equal(leastAvailable({ chargedBack: 70 }), -70);
    assert.equal(leastAvailable({ chargedBack: 70, mostCredit: 5 }), -75);
    assert.equal(leastAvailable({ chargedBack: BigInt(maxAmount) * 2n }), BigInt(maxAmount) * -2n);
  });

  it('is not closed while held money makes up for it, and can be opened again to be charged what it lacks', () => {
    const promised = { ...wallet, available: -5, held: 5, total: 0 };
    assert.equal(statusRefusal(promised, 'closed', 'operator')?.code, 'wallet_not_empty');
    const owes = { ...wallet, status: 'closed' as const, available: -5, total: -5 };
    assert.equal(statusRefusal(owes, 'active', 'operator'), undefined);
    assert.equal(statusRefusal({ ...owes, available: 0, total: 0 }, 'active', 'operator')?.code, 'wallet_closed');
  });
});
