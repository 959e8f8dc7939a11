import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { groupByReceiver } from '../../lambdas/domain/transfer.ts';

const amount = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: maxAmount }));
const transfers = fc
  .array(fc.record({ counterpartyWalletId: fc.constantFrom('w_1', 'w_2', 'w_3'), amount }), { maxLength: 50 })
  .map((all) => all.map((transfer, id) => ({ ...transfer, id })));

describe('groups of transfers', () => {
  it('hold every transfer once, have one receiver each, and fit into one write and one wallet', () => {
    fc.assert(
      fc.property(transfers, fc.integer({ min: 1, max: 10 }), (transfers, most) => {
        const groups = groupByReceiver(transfers, most);
        assert.deepEqual(
          groups.flat().sort((a, b) => a.id - b.id),
          transfers,
        );
        for (const group of groups) {
          assert.equal(new Set(group.map(({ counterpartyWalletId }) => counterpartyWalletId)).size, 1);
          assert.ok(group.length >= 1 && group.length <= most);
          assert.ok(group.reduce((sum, { amount }) => sum + BigInt(amount), 0n) <= BigInt(maxAmount));
        }
      }),
    );
  });

  it('keep the order of the transfers to one receiver', () => {
    fc.assert(
      fc.property(transfers, fc.integer({ min: 1, max: 10 }), (transfers, most) => {
        for (const walletId of ['w_1', 'w_2', 'w_3']) {
          const ofWallet = (all: typeof transfers) =>
            all.filter(({ counterpartyWalletId }) => counterpartyWalletId === walletId).map(({ id }) => id);
          assert.deepEqual(ofWallet(groupByReceiver(transfers, most).flat()), ofWallet(transfers));
        }
      }),
    );
  });

  it('are as few as possible when amounts are small', () => {
    const many = Array.from({ length: 250 }, () => ({ counterpartyWalletId: 'w_1', amount: 1 }));
    assert.deepEqual(
      groupByReceiver(many, 99).map((group) => group.length),
      [99, 99, 52],
    );
  });
});
