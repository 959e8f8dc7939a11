import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { noticeOf } from '../../lambdas/views/notice.ts';
import { publishedTransaction, transactionView } from '../../lambdas/views/transaction-view.ts';
import { publishedWallet, walletView } from '../../lambdas/views/wallet-view.ts';
import { at, operator, transaction, wallet } from './view-examples.ts';

describe('a notification', () => {
  const base = { eventId: `ev_${'a'.repeat(26)}`, version: 1, occurredAt: at, walletIds: ['w_1', 'w_2'] } as const;
  const about = { ...base, ownerId: 'ann', actor: operator };

  it('contains only the fields that its owner may see', () => {
    const event: ServiceEvent = eventSchemas['transfer.completed'].parse({
      ...about,
      type: 'transfer.completed',
      transaction: publishedTransaction(transaction, 'print'),
    });
    for (const audience of ['owner', 'counterparty'] as const) {
      const notice = noticeOf(event, audience);
      const { destination, refunded, refunds, importedAt, opening, ...shown } = transactionView(transaction, audience);
      const { destination: noticed, ...rest } = notice.transaction as typeof shown & { destination?: object };
      assert.deepEqual(rest, shown, audience);
      assert.deepEqual(noticed, destination && { account: '****2051' }, audience);
      const text = JSON.stringify(notice);
      for (const secret of ['olga', 'issuer', 'print', 'evidence', 'ownerId']) {
        assert.ok(!text.includes(secret), secret);
      }
    }
  });

  it('names the wallet behind an alias to its owner only', () => {
    const event: ServiceEvent = eventSchemas['transfer.completed'].parse({
      ...about,
      type: 'transfer.completed',
      transaction: publishedTransaction(transaction, 'print'),
    });
    assert.ok(!JSON.stringify(noticeOf(event, 'owner')).includes('w_2'));
    assert.deepEqual(noticeOf(event, 'counterparty').walletIds, ['w_1', 'w_2']);
    const { to: _to, ...known } = event.transaction;
    assert.deepEqual(noticeOf({ ...event, transaction: known }, 'owner').walletIds, ['w_1', 'w_2']);
  });

  it('has the reason for a release where an owner gave it', () => {
    for (const kind of ['owner', 'operator'] as const) {
      const released = { ...transaction, type: 'hold', endedBy: { kind, principal: 'shop' } } as Transaction;
      const event: ServiceEvent = eventSchemas['hold.ended'].parse({
        ...about,
        type: 'hold.ended',
        transaction: publishedTransaction(released, 'print'),
      });
      for (const audience of ['owner', 'counterparty'] as const) {
        const { releaseReason } = noticeOf(event, audience).transaction as { releaseReason?: string };
        assert.equal(releaseReason, kind === 'owner' ? 'sold out' : undefined, audience);
      }
    }
  });

  it('names neither the actor nor the reason of a frozen wallet, nor the limits of the screening', () => {
    const frozen: ServiceEvent = eventSchemas['wallet.frozen'].parse({
      ...about,
      type: 'wallet.frozen',
      reason: 'suspected theft',
      wallet: publishedWallet(wallet),
    });
    const { wallet: noticed, ...envelope } = noticeOf(frozen, 'owner');
    assert.deepEqual(envelope, { ...base, type: 'wallet.frozen' });
    const { limitWindows, ...seen } = walletView(wallet, 'owner', Date.parse(at));
    assert.deepEqual(noticed, seen);
    const activity = { rule: 'outgoing_minute', walletId: 'w_1', transactionId: 'tx_1', currency: 'EUR' } as const;
    const suspicious = { ...about, type: 'activity.suspicious', activity: { ...activity, figures: {}, limits: {} } };
    const event = suspicious as unknown as Extract<ServiceEvent, { type: 'activity.suspicious' }>;
    assert.deepEqual(noticeOf(event, 'owner').activity, activity);
  });
});
