import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { namedSchemas } from '../../lambdas/views/answer-schemas.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import { entryFields, entryView } from '../../lambdas/views/entry-view.ts';
import { publishedWallet, walletFields, walletLimitsView, walletView } from '../../lambdas/views/wallet-view.ts';
import { at, details, entry, wallet } from './view-examples.ts';

describe('the view of a wallet', () => {
  const common = [
    ...['walletId', 'ownerId', 'currency', 'status', 'balance', 'chargedBack', 'createdAt', 'updatedAt'],
    ...['lastStatusChange', 'limits', 'lastLimitsChange'],
  ];
  const now = Date.parse(at);

  it('has a decision for every field and every audience, and shows exactly the fields it allows', () => {
    assert.deepEqual(
      Object.keys(walletFields).sort(),
      [...Object.keys(wallet), ...Object.keys(details), 'balance', 'limitWindows'].sort(),
    );
    const byOperator = walletView(wallet, 'operator', now, details);
    assert.deepEqual(
      Object.keys(byOperator).sort(),
      [...common, 'name', 'alias', 'metadata', 'createdBy', 'limitWindows'].sort(),
    );
    const byOwner = walletView(wallet, 'owner', now, details);
    assert.deepEqual(Object.keys(byOwner).sort(), [...common, 'name', 'alias', 'metadata', 'limitWindows'].sort());
    assert.deepEqual(Object.keys(publishedWallet(wallet)).sort(), [...common].sort());
    for (const shown of [walletView(wallet, 'owner', now), publishedWallet(wallet)]) {
      assert.deepEqual(shown.lastStatusChange, { status: 'frozen', at });
      assert.deepEqual(shown.lastLimitsChange, { version: 4, at, tier: 'basic' });
    }
    assert.deepEqual(byOperator.lastStatusChange, wallet.lastStatusChange);
    assert.deepEqual(byOperator.lastLimitsChange, { version: 4, ...wallet.lastLimitsChange });
  });

  it('may have less than nothing available, and nothing held below zero', () => {
    const charged = walletView({ ...wallet, available: -9, total: -7 }, 'owner', now);
    assert.deepEqual(namedSchemas.Wallet.parse(charged), charged);
    assert.deepEqual(eventSchemas['wallet.closed'].shape.wallet.parse(charged).balance, charged.balance);
    const held = { ...charged, balance: { ...charged.balance, held: -1 } };
    assert.equal(namedSchemas.Wallet.safeParse(held).success, false);
  });

  it('lists its fields in the order of the documented schema', () => {
    const shown = walletView(wallet, 'operator', now, details);
    assert.deepEqual(Object.keys(shown), Object.keys(namedSchemas.Wallet.shape));
    assert.deepEqual(namedSchemas.Wallet.parse(shown), shown);
  });

  it('shows what is used and left of each limited day and month, at the time of the view', () => {
    const { limitWindows } = walletView(wallet, 'owner', now);
    const [month, day] = ['2026-04-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
    assert.deepEqual(limitWindows, [
      { limit: 'out.perMonth', most: 1_000, used: 1_200, left: 0, resetsAt: month },
      { limit: 'out.perDay', most: 100, used: 30, left: 70, resetsAt: day },
    ]);
    const tomorrow = walletView(wallet, 'owner', Date.parse(day)).limitWindows;
    assert.deepEqual(
      tomorrow?.map(({ left }) => left),
      [0, 100],
    );
    const { limits, used, ...unlimited } = wallet;
    assert.equal(walletView(unlimited, 'owner', now).limitWindows, undefined);
  });

  it('of its limits alone has no balance', () => {
    const shown = walletLimitsView(wallet);
    assert.deepEqual(Object.keys(shown), Object.keys(namedSchemas.WalletLimits.shape));
    assert.deepEqual(namedSchemas.WalletLimits.parse(shown), shown);
    const { limits, ...removed } = wallet;
    assert.equal(JSON.stringify(walletLimitsView(removed)), JSON.stringify({ ...shown, limits: {} }));
  });
});

describe('the view of an entry', () => {
  it('has a decision for every field, and shows all of them', () => {
    assert.deepEqual(Object.keys(entryFields), Object.keys(entry));
    for (const audience of ['operator', 'owner'] as const) {
      assert.deepEqual(entryView(entry, audience), entry);
      assert.deepEqual(Object.keys(entryView(entry, audience)), Object.keys(namedSchemas.Entry.shape));
    }
  });
});
