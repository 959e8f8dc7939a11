import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  transactionActor,
  transactionApprover,
  transactionEvent,
  walletActor,
  walletApprover,
  walletEvent,
  walletReason,
} from '../../lambdas/domain/events.ts';
import type { EventType } from '../../lambdas/domain/events.ts';
import { bank, screening, service } from '../../lambdas/domain/actor.ts';
import { charge } from '../../lambdas/domain/charge.ts';
import { queuedTransfer, transfer } from '../../lambdas/domain/transfer.ts';
import { bankReturn, withdrawal } from '../../lambdas/domain/withdrawal.ts';
import type { Transaction, TransactionStatus } from '../../lambdas/domain/transaction.ts';
import { openWallet } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';

const at = '2026-03-01T12:00:00.000Z';
const facts = {
  transactionId: 'tx_1',
  principal: 'ann',
  ownerId: 'ann',
  walletId: 'w_1',
  amount: 5,
  currency: 'EUR',
  at,
};
const wallet = openWallet({
  walletId: 'w_1',
  ownerId: 'ann',
  currency: 'EUR',
  at,
  createdBy: { kind: 'owner', principal: 'ann' },
});
const withdrawn = withdrawal({ ...facts, destination: { account: 'DE02120300000000202051' } });
const queued = queuedTransfer({ ...facts, toWalletId: 'w_2' });

/** Returns the events of a transaction from its creation through these statuses. */
function story(transaction: Transaction, ...statuses: TransactionStatus[]): (EventType | undefined)[] {
  const images = [transaction, ...statuses.map((status) => ({ ...transaction, status }) as Transaction)];
  return images.map((after, index) => transactionEvent(images[index - 1], after));
}

describe('the event of a transaction', () => {
  it('is its creation and each change of its status', () => {
    assert.deepEqual(story(charge(facts)), ['wallet.funded']);
    assert.deepEqual(story(transfer({ ...facts, toWalletId: 'w_2' })), ['transfer.completed']);
    assert.deepEqual(story(queued, 'completed'), ['transfer.accepted', 'transfer.completed']);
    assert.deepEqual(story(queued, 'failed'), ['transfer.accepted', 'transfer.failed']);
    assert.deepEqual(story(withdrawn, 'executing', 'review', 'completed'), [
      'withdrawal.accepted',
      'withdrawal.executing',
      'withdrawal.review',
      'withdrawal.completed',
    ]);
    assert.deepEqual(story(withdrawn, 'failed'), ['withdrawal.accepted', 'withdrawal.failed']);
    assert.deepEqual(story(bankReturn(withdrawn, { ...facts, transactionId: 'tx_2' })), ['withdrawal.returned']);
  });

  it('is absent when the status stays: a second claim, a postponed visit, a link to a return', () => {
    assert.deepEqual(story(withdrawn, 'executing', 'executing').at(-1), undefined);
    assert.deepEqual(story(withdrawn, 'completed', 'completed').at(-1), undefined);
  });
});

describe('the event of a wallet', () => {
  it('is its opening and each change of its status or limits, but no change of its balance', () => {
    assert.equal(walletEvent(undefined, wallet), 'wallet.created');
    assert.equal(walletEvent(wallet, { ...wallet, available: 5, total: 5, version: 1 }), undefined);
    assert.equal(walletEvent(wallet, { ...wallet, status: 'frozen' }), 'wallet.frozen');
    assert.equal(walletEvent({ ...wallet, status: 'frozen' }, { ...wallet, status: 'frozen', version: 2 }), undefined);
    assert.equal(walletEvent({ ...wallet, status: 'frozen' }, wallet), 'wallet.unfrozen');
    assert.equal(walletEvent(wallet, { ...wallet, status: 'closed' }), 'wallet.closed');
    assert.equal(walletEvent({ ...wallet, status: 'frozen' }, { ...wallet, status: 'closed' }), 'wallet.closed');
    assert.equal(walletEvent({ ...wallet, status: 'closed' }, wallet), 'wallet.unfrozen');
    const limited = { ...wallet, limits: { maximumBalance: 5 }, limitsVersion: 1 };
    assert.equal(walletEvent(wallet, limited), 'wallet.limits_changed');
    assert.equal(walletEvent(limited, { ...limited, available: 5, total: 5, version: 2 }), undefined);
    // Also when they are removed, or set to the same.
    assert.equal(walletEvent(limited, { ...wallet, limitsVersion: 2 }), 'wallet.limits_changed');
    assert.equal(walletEvent(limited, { ...limited, limitsVersion: 2 }), 'wallet.limits_changed');
  });
});

describe('the actor of an event', () => {
  const issuer = 'https://issuer.example';
  const owner = { kind: 'owner', principal: 'ann' };
  const operator = { kind: 'operator', principal: 'olga', issuer } as const;
  const asked = { ...facts, issuer };
  const byOperator = { ...asked, principal: 'olga', ownerId: undefined };
  const held = withdrawal({ ...asked, destination: { account: 'DE02120300000000202051' } });
  const failure = { code: 'wallet_frozen', message: 'The wallet is frozen' };
  const completed = { ...held, status: 'completed', completedAt: at } as const;
  const failed = { ...held, status: 'failed', failure, completedAt: at } as const;

  it('is the party behind the command while it is accepted or booked at once', () => {
    assert.deepEqual(transactionActor(charge(byOperator)), operator);
    assert.deepEqual(transactionActor(held), owner);
    assert.deepEqual(transactionActor(transfer({ ...asked, toWalletId: 'w_2' })), owner);
    assert.deepEqual(transactionActor(queuedTransfer({ ...byOperator, toWalletId: 'w_2' })), operator);
  });

  it('is the service for an act of a worker, and the bank for a decision of the bank', () => {
    assert.deepEqual(transactionActor({ ...held, status: 'executing' }), service);
    assert.deepEqual(transactionActor({ ...held, status: 'review' }), service);
    assert.deepEqual(transactionActor(completed), bank);
    assert.deepEqual(transactionActor(failed), bank);
    const returned = bankReturn(held, { transactionId: 'tx_2', principal: bank.principal, at, description: undefined });
    assert.deepEqual(transactionActor(returned), bank);
    const queuedOne = queuedTransfer({ ...asked, toWalletId: 'w_2' });
    assert.deepEqual(transactionActor({ ...queuedOne, status: 'completed', completedAt: at }), service);
    assert.deepEqual(transactionActor({ ...queuedOne, status: 'failed', failure, completedAt: at }), service);
  });

  it('has the second operator beside it, where the command had to be approved', () => {
    const approvedBy = { ...operator, principal: 'omar' };
    assert.deepEqual(transactionApprover(charge({ ...byOperator, approvedBy })), approvedBy);
    assert.equal(transactionApprover(charge(byOperator)), undefined);
    const resolution = { outcome: 'failed', evidence: 'a letter', principal: 'olga', at, approvedBy } as const;
    assert.deepEqual(transactionApprover({ ...failed, resolution }), approvedBy);
    assert.equal(transactionApprover(completed), undefined);
    const lastStatusChange = { status: 'active', at, actor: operator, approvedBy } as const;
    assert.deepEqual(walletApprover('wallet.unfrozen', { ...wallet, lastStatusChange }), approvedBy);
    assert.equal(walletApprover('wallet.created', { ...wallet, lastStatusChange }), undefined);
  });

  it('is the person who ended it, also on records that an earlier release resolved', () => {
    assert.deepEqual(transactionActor({ ...completed, endedBy: operator }), operator);
    assert.deepEqual(transactionActor({ ...failed, cancellation: { actor: operator, at } }), operator);
    const resolution = { outcome: 'failed', evidence: 'a letter', principal: 'olga', at } as const;
    const { kind, principal } = operator;
    assert.deepEqual(transactionActor({ ...failed, resolution }), { kind, principal });
  });

  it('of a wallet is the person who opened it, set its status or set its limits, with the reason', () => {
    const opened = openWallet({ walletId: 'w_1', ownerId: 'ann', currency: 'EUR', at, createdBy: operator });
    assert.deepEqual(walletActor('wallet.created', opened), operator);
    const lastStatusChange = { status: 'frozen', at, actor: screening } as const;
    const lastLimitsChange = { at, actor: { ...operator, principal: 'otto' }, reason: 'new customer' } as const;
    const changed: Wallet = { ...opened, status: 'frozen', lastStatusChange, limitsVersion: 1, lastLimitsChange };
    assert.deepEqual(walletActor('wallet.frozen', changed), screening);
    assert.equal(walletReason('wallet.frozen', changed), undefined);
    assert.deepEqual(walletActor('wallet.limits_changed', changed), lastLimitsChange.actor);
    assert.equal(walletReason('wallet.limits_changed', changed), 'new customer');
  });
});
