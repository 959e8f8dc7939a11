import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { balanceHeld, BrokenChain, entriesAfter, heldAt } from '../../lambdas/domain/entries.ts';
import type { Entry, WalletChange } from '../../lambdas/domain/entries.ts';
import { openWallet } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';

const started = Date.parse('2026-03-01T12:00:00.000Z');
const iso = (ms: number) => new Date(started + ms).toISOString();

/** Returns the changes of a wallet that opens at the first time and receives charges of 1, 2, 3, … at the others. */
function changesAt([opening = 0, ...times]: readonly number[], name = 'tx'): [WalletChange, ...WalletChange[]] {
  let before = openWallet({
    walletId: 'w_eur_1',
    ownerId: 'ann',
    currency: 'EUR',
    at: iso(opening),
    createdBy: { kind: 'owner', principal: 'ann' },
  });
  const changes: [WalletChange, ...WalletChange[]] = [{ before: undefined, after: before }];
  for (const [index, ms] of times.entries()) {
    const after = charged(before, index + 1, ms, `${name}_${index}`);
    changes.push({ before, after });
    before = after;
  }
  return changes;
}

function charged(wallet: Wallet, amount: number, ms: number, lastTransactionId: string): Wallet {
  const available = Number(wallet.available) + amount;
  const version = wallet.version + 1;
  return { ...wallet, available, total: available, version, lastTransactionId, updatedAt: iso(ms) };
}

function ledgerOf(changes: readonly WalletChange[]): Entry[] {
  const ledger: Entry[] = [];
  for (const change of changes) ledger.push(...entriesAfter(ledger.at(-1), change));
  return ledger;
}

/** Returns entries as early releases wrote them: each has its own time, which may precede that of the entry before. */
function withoutOrder(ledger: readonly Entry[]): Entry[] {
  return ledger.map(({ bookedAt, ...entry }) => ({ ...entry, at: bookedAt ?? entry.at }));
}

const times = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 });

describe('the time at which a version holds', () => {
  it('never runs backwards, even when the clocks of the commands do', () => {
    fc.assert(
      fc.property(times, (at) => {
        const ledger = ledgerOf(changesAt(at));
        assert.deepEqual(
          ledger.map((entry) => entry.at),
          at.map((_, index) => iso(Math.max(...at.slice(0, index + 1)))),
        );
        assert.deepEqual(
          ledger.map(({ bookedAt }) => bookedAt),
          at.map(iso),
        );
      }),
    );
  });

  it('selects for each moment the last version whose commands had all been requested by then', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: -1, max: 41 }), (at, moment) => {
        const changes = changesAt(at);
        const ledger = ledgerOf(changes);
        const first = at.findIndex((ms) => ms > moment);
        const expected = (first < 0 ? at.length : first) - 1;
        const wallet = changes.at(-1)?.after;
        assert.ok(wallet);
        for (const entries of [ledger, withoutOrder(ledger)]) {
          const balance = balanceHeld(heldAt(entries, iso(moment)), wallet, iso(moment));
          assert.equal(typeof balance === 'string' ? balance : balance.version, expected < 0 ? 'none' : expected);
        }
      }),
    );
  });

  it('is never guessed while the ledger is behind: the balance is right or absent', () => {
    fc.assert(
      fc.property(times, fc.nat(12), fc.integer({ min: 0, max: 41 }), (at, behind, moment) => {
        const changes = changesAt(at);
        const ledger = ledgerOf(changes);
        const wallet = changes.at(-1)?.after;
        assert.ok(wallet);
        const right = balanceHeld(heldAt(ledger, iso(moment)), wallet, iso(moment));
        const lagging = ledger.slice(0, Math.max(0, ledger.length - behind));
        const answer = balanceHeld(heldAt(lagging, iso(moment)), wallet, iso(moment));
        if (answer !== 'behind') assert.deepEqual(answer, right);
        else assert.ok(behind > 1, 'one version that is missing is the wallet itself');
      }),
    );
  });
});

describe('a change that the ledger already has', () => {
  const changes = changesAt([0, 30, 10, 20]);
  const ledger = ledgerOf(changes);
  const last = ledger.at(-1);

  it('adds nothing', () => {
    for (const [version, change] of changes.entries()) {
      assert.deepEqual(entriesAfter(last, change, ledger[version]), []);
      assert.deepEqual(entriesAfter(last, change, withoutOrder(ledger)[version]), []);
    }
  });

  it('means a broken chain when the ledger has another change of that version: the wallet was set back to an earlier state', () => {
    const [opening, one, two] = changes;
    assert.ok(one && two);
    const before = one.after;
    const other: readonly (readonly [string, WalletChange])[] = [
      ['amount', { before, after: charged(before, 500, 10, 'tx_1') }],
      ['transaction', { before, after: charged(before, 2, 10, 'tx_other') }],
      ['time', { before, after: charged(before, 2, 11, 'tx_1') }],
      ['status', { before, after: { ...two.after, status: 'frozen' } }],
      ['balance before', { before: { ...before, available: 7 }, after: two.after }],
    ];
    for (const [what, change] of other) {
      assert.throws(() => entriesAfter(last, change, ledger[2]), BrokenChain, what);
      assert.throws(() => entriesAfter(ledger[2], change), BrokenChain, `${what}, of the last version`);
    }
    assert.throws(() => entriesAfter(last, opening), BrokenChain, 'the entry of the version is missing');
  });

  it('must also be the one that the next change follows, even when the balances are equal', () => {
    const [, other] = changesAt([0, 31], 'other');
    assert.ok(other);
    const next = { before: other.after, after: charged(other.after, 9, 40, 'tx_9') };
    assert.equal(ledger[1]?.balanceAfter.available, other.after.available);
    assert.throws(() => entriesAfter(ledger[1], next), /begins with another wallet than entry 1/);
  });
});

describe('the balance of a wallet that does not fit its ledger', () => {
  it('is absent for moments that its entries do not prove', () => {
    const [opening, one] = changesAt([0, 10]);
    const [, other] = changesAt([0, 10], 'other');
    assert.ok(one && other);
    const ledger = ledgerOf([opening, one]);
    assert.equal(balanceHeld(heldAt(ledger, iso(20)), other.after, iso(20)), 'behind');
    assert.equal(balanceHeld(heldAt(ledger, iso(20)), opening.after, iso(20)), 'behind');
    assert.deepEqual(balanceHeld(heldAt(ledger, iso(5)), other.after, iso(5)), { available: 0, held: 0, version: 0 });
  });
});
