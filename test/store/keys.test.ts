import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { defaultDueShards, mostDueShards } from '../../lambdas/contract.ts';
import { bank, screening, service } from '../../lambdas/domain/actor.ts';
import {
  currencyOfWalletId,
  fingerprintOf,
  isTransactionId,
  receiptCodeOf,
  returnIdOf,
  transactionIdOf,
  transactionIdOfReceipt,
  walletIdOf,
} from '../../lambdas/domain/ids.ts';
import { dueShard, dueShardOf, dueTypes, holdShards } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf, isHistoryKey, transactionIdOfHistoryKey } from '../../lambdas/store/history-keys.ts';

/** Strings of few characters, among them the separators of the formats, so that principals and keys often collide. */
const part = fc.string({ unit: fc.constantFrom('a', '1', ':', '#', '_', 'é', '|'), minLength: 1, maxLength: 5 });
const createdAt = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());

describe('ids', () => {
  it('are the same for the same principal and key, and have their format', () => {
    fc.assert(
      fc.property(part, part, fc.constantFrom('EUR', 'JPY'), (principal, key, currency) => {
        const transactionId = transactionIdOf(principal, key);
        assert.match(transactionId, /^tx_[a-z2-7]{26}$/);
        assert.ok(isTransactionId(transactionId));
        assert.equal(transactionIdOf(principal, key), transactionId);
        const walletId = walletIdOf(principal, key, currency);
        assert.match(walletId, /^w_[a-z]{3}_[a-z2-7]{26}$/);
        assert.equal(currencyOfWalletId(walletId), currency);
      }),
    );
  });

  it('differ for every other pair of principal and key, also when the two strings joined are the same', () => {
    fc.assert(
      fc.property(part, part, part, part, (principal, key, otherPrincipal, otherKey) => {
        fc.pre(principal !== otherPrincipal || key !== otherKey);
        assert.notEqual(transactionIdOf(principal, key), transactionIdOf(otherPrincipal, otherKey));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.string({ minLength: 2, maxLength: 30 }), fc.nat(), fc.nat(), (text, a, b) => {
        const cut = (at: number) => [text.slice(0, at % text.length), text.slice(at % text.length)] as const;
        fc.pre(a % text.length !== b % text.length);
        assert.notEqual(transactionIdOf(...cut(a)), transactionIdOf(...cut(b)));
      }),
    );
  });

  it('do not change: a record is found under its key for ever', () => {
    assert.equal(transactionIdOf('ann', 'key-1'), 'tx_twioinieivkwntaggvo66sbado');
  });

  it('of returns are one for each withdrawal, and no caller can make one', () => {
    const transactionId = transactionIdOf('ann', 'key-1');
    assert.equal(returnIdOf(transactionId), transactionIdOf(bank.principal, transactionId));
    for (const { principal } of [bank, screening, service]) {
      assert.match(principal, / /, 'a principal of a token has no space');
    }
  });

  it('are recognised, and other strings are not', () => {
    for (const no of [
      '',
      'tx_',
      'tx_' + 'a'.repeat(25),
      'tx_' + 'a'.repeat(27),
      'tx_' + 'A'.repeat(26),
      'tx_' + '1'.repeat(26),
    ]) {
      assert.equal(isTransactionId(no), false, no);
    }
    for (const no of ['', 'w_eur_', 'w_EUR_' + 'a'.repeat(26), 'w_euro_' + 'a'.repeat(26), 'x_eur_' + 'a'.repeat(26)]) {
      assert.equal(currencyOfWalletId(no), undefined, no);
    }
  });
});

describe('receipt codes', () => {
  it('carry the day and the transaction, and identify it', () => {
    fc.assert(
      fc.property(part, part, createdAt, (principal, key, createdAt) => {
        const transactionId = transactionIdOf(principal, key);
        const receiptCode = receiptCodeOf({ transactionId, createdAt });
        assert.match(receiptCode, /^RCP-\d{8}-[a-z2-7]{26}$/);
        assert.equal(receiptCode.slice(4, 12), createdAt.slice(0, 10).replaceAll('-', ''));
        assert.equal(transactionIdOfReceipt(receiptCode), transactionId);
      }),
    );
    for (const no of ['', 'RCP-', 'RCP-2026030-' + 'a'.repeat(26), 'rcp-20260301-' + 'a'.repeat(26)]) {
      assert.equal(transactionIdOfReceipt(no), undefined, no);
    }
  });
});

describe('history keys', () => {
  it('sort by time, identify their transaction, and are recognised', () => {
    fc.assert(
      fc.property(part, createdAt, createdAt, (key, one, other) => {
        const transactionId = transactionIdOf('ann', key);
        const historyKey = historyKeyOf({ transactionId, createdAt: one });
        assert.ok(isHistoryKey(historyKey));
        assert.equal(transactionIdOfHistoryKey(historyKey), transactionId);
        if (one !== other) {
          const otherKey = historyKeyOf({ transactionId: transactionIdOf('bob', key), createdAt: other });
          assert.equal(historyKey < otherKey, one < other);
        }
        // `from` and `to` rely on this: a time alone sorts before the keys of that time, and '~' after every key.
        assert.ok(one < historyKey && historyKey < '~');
      }),
    );
  });
});

describe('the shards of open work', () => {
  it('are all used, and evenly', () => {
    for (const type of dueTypes) {
      for (const shards of [8, undefined, mostDueShards]) {
        const counts = new Map<string, number>();
        // A hold without its partition would never end, so the number of theirs does not change.
        const length = type === 'hold' ? holdShards : (shards ?? defaultDueShards);
        const names = Array.from({ length }, (_, shard) => dueShard(type, shard));
        const ids = Array.from({ length: 500 * names.length }, (_, i) => transactionIdOf('ann', String(i)));
        for (const shard of ids.map((id) => dueShardOf(type, id, shards))) {
          counts.set(shard, (counts.get(shard) ?? 0) + 1);
        }
        assert.deepEqual([...counts.keys()].sort(), names.sort());
        for (const count of counts.values()) assert.ok(count > 350 && count < 650, String(count));
      }
    }
  });
});

describe('a fingerprint', () => {
  it('ignores the order of fields, and depends on everything else', () => {
    const request = ['charge', { walletId: 'w_1' }, { amount: 1, metadata: { a: '1', b: '2' } }];
    const reordered = ['charge', { walletId: 'w_1' }, { metadata: { b: '2', a: '1' }, amount: 1 }];
    assert.equal(fingerprintOf(request), fingerprintOf(reordered));
    const others = [
      ['withdraw', { walletId: 'w_1' }, { amount: 1, metadata: { a: '1', b: '2' } }],
      ['charge', { walletId: 'w_2' }, { amount: 1, metadata: { a: '1', b: '2' } }],
      ['charge', { walletId: 'w_1' }, { amount: 2, metadata: { a: '1', b: '2' } }],
      ['charge', { walletId: 'w_1' }, { amount: '1', metadata: { a: '1', b: '2' } }],
      ['charge', { walletId: 'w_1' }, { amount: 1, metadata: { a: '2', b: '1' } }],
      ['charge', { walletId: 'w_1' }, { amount: 1, metadata: { a: '1' } }],
    ];
    assert.equal(new Set([request, ...others].map(fingerprintOf)).size, others.length + 1);
  });

  it('keeps lists in their order', () => {
    assert.notEqual(fingerprintOf([1, 2]), fingerprintOf([2, 1]));
    assert.notEqual(fingerprintOf({ a: [{ b: 1 }, { c: 1 }] }), fingerprintOf({ a: [{ c: 1 }, { b: 1 }] }));
  });
});
