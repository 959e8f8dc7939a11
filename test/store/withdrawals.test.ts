import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import {
  putBackWithdrawal,
  releaseWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../../lambdas/store/withdrawal-claims.ts';
import type { Claimed } from '../../lambdas/store/withdrawal-claims.ts';
import { charge, newKey, queueTransfer, timeOf } from './commands.ts';
import { allItems, assertWritesNothing, fieldsOf, isDue, itemOf, plant, withdrawalOf } from './inspect.ts';
import { acceptedWithdrawal, accountClosed, bankId, claim, claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet, setStatus } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();

describe('a claim', () => {
  it('is taken once, returns the record before it, and excludes other workers until its lease ends', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const before = await withdrawalOf(table, transactionId);
    const at = table.now();
    const first = await claim(table, transactionId, 'first');
    assert.deepEqual(first, { claimed: true, before, clock: undefined });
    const current = {
      ...before,
      status: 'executing',
      claimId: 'first',
      dueAt: timeOf(table, 40_000),
      submitBy: timeOf(table, 10_000),
      bankId,
      updatedAt: timeOf(table),
    };
    assert.deepEqual(await claim(table, transactionId, 'second'), { claimed: false, current, clock: undefined });
    table.clock.now = at + 39_999;
    assert.deepEqual(await claim(table, transactionId, 'second'), { claimed: false, current, clock: undefined });
    table.clock.now = at + 40_000;
    assert.deepEqual(await claim(table, transactionId, 'second'), { claimed: true, before: current, clock: undefined });
  });

  it('is refused for a missing or ended transaction, and for one that is no withdrawal', async () => {
    assert.deepEqual(await claim(table, transactionIdOf('stranger', newKey())), {
      claimed: false,
      current: undefined,
      clock: undefined,
    });
    const { transactionId, walletId } = await acceptedWithdrawal(table);
    await settleWithdrawal(table, await claimed(table, transactionId), visit(table, 'accepted'));
    const { transaction: charged } = await charge(table, walletId, { amount: 1 });
    const other = await fundedWallet(table, 'bob', 1);
    const { transaction: queued } = await queueTransfer(table, walletId, other, { owner: 'ann', amount: 1 });
    for (const id of [transactionId, charged.transactionId, queued.transactionId]) {
      const current = await fieldsOf(table, id);
      await assertWritesNothing(table, { claimed: false, current, clock: undefined }, () => claim(table, id));
    }
  });

  it('requested by many workers at once is given to one', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const results = await Promise.all(Array.from({ length: 10 }, () => claim(table, transactionId)));
    assert.equal(results.filter(({ claimed }) => claimed).length, 1);
  });
});

describe('settling', () => {
  it('completes the withdrawal, consumes the held money, and ends the work', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const claim = await claimed(table, transactionId);
    table.clock.now += 1_000;
    const end = { ...claim, at: timeOf(table) };
    assert.equal(await settleWithdrawal(table, end, visit(table, 'accepted')), true);
    const { claimId, dueAt, submitBy, ...rest } = await withdrawalOf(table, transactionId);
    assert.deepEqual([claimId, dueAt, submitBy, rest.bankId], [undefined, undefined, undefined, bankId]);
    assert.deepEqual(rest.postings, [
      { account: `wallet:${walletId}:available`, amount: -30 },
      { account: `wallet:${walletId}:held`, amount: 30 },
      { account: `wallet:${walletId}:held`, amount: -30 },
      { account: 'external:EUR', amount: 30 },
    ]);
    assert.deepEqual([rest.status, rest.completedAt, rest.updatedAt], ['completed', end.at, end.at]);
    assert.deepEqual(rest.attempts, [visit(table, 'accepted')]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
    assert.equal(await isDue(table, transactionId), false);
  });
});

describe('releasing', () => {
  it('fails the withdrawal with the reason and returns the money', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    assert.equal(
      await releaseWithdrawal(
        table,
        await claimed(table, transactionId),
        visit(table, 'rejected', 'closed'),
        accountClosed,
      ),
      true,
    );
    const transaction = await withdrawalOf(table, transactionId);
    assert.deepEqual(
      [transaction.status, transaction.failure, transaction.completedAt],
      ['failed', accountClosed, timeOf(table)],
    );
    assert.equal(transaction.bankId, undefined, 'no bank has the payment');
    assert.deepEqual(transaction.postings.slice(2), [
      { account: `wallet:${walletId}:held`, amount: -30 },
      { account: `wallet:${walletId}:available`, amount: 30 },
    ]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    assert.equal(await isDue(table, transactionId), false);
  });
});

describe('putting back', () => {
  it('ends the lease, keeps the hold, and records the attempt and that a submit may have left', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const dueAt = timeOf(table, 2_000);
    const submitBy = timeOf(table, 100);
    const first = visit(table, 'unknown', 'timed out');
    assert.equal(
      await putBackWithdrawal(table, await claimed(table, transactionId), { dueAt, submitBy, attempt: first }),
      true,
    );
    const transaction = await withdrawalOf(table, transactionId);
    assert.deepEqual(
      [transaction.status, transaction.claimId, transaction.dueAt, transaction.submitBy, transaction.attempts],
      ['executing', undefined, dueAt, submitBy, [first]],
    );
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    assert.ok(await isDue(table, transactionId));
    assert.equal((await claim(table, transactionId)).claimed, false, 'not before it is due');
    table.clock.now += 2_000;
    const again = await claimed(table, transactionId);
    assert.equal(again.withdrawal.submitBy, submitBy);
    const second = visit(table, 'unknown');
    await putBackWithdrawal(table, again, { dueAt: timeOf(table), submitBy, attempt: second });
    assert.deepEqual((await withdrawalOf(table, transactionId)).attempts, [first, second]);
  });

  it('removes the announcement of a submit that never left, and the bank', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    await putBackWithdrawal(table, await claimed(table, transactionId), { dueAt: timeOf(table), submitBy: undefined });
    const transaction = await withdrawalOf(table, transactionId);
    const { submitBy, attempts, bankId: named } = transaction;
    assert.deepEqual([submitBy, attempts, named], [undefined, undefined, undefined]);
    assert.equal((await claimed(table, transactionId)).withdrawal.submitBy, undefined);
  });
});

describe('a lost claim', () => {
  it('ends nothing: the worker with the claim, or the end that was written, decides', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const lost = await claimed(table, transactionId);
    table.clock.now += 40_000;
    const taken = await claimed(table, transactionId);
    const ends = (claim: Claimed) => [
      () => settleWithdrawal(table, claim, visit(table, 'accepted')),
      () => releaseWithdrawal(table, claim, visit(table, 'rejected'), accountClosed),
      () => putBackWithdrawal(table, claim, { dueAt: timeOf(table), submitBy: undefined }),
      () => reviewWithdrawal(table, claim, visit(table, 'unknown')),
    ];
    for (const end of ends(lost)) await assertWritesNothing(table, false, end);
    assert.equal(await settleWithdrawal(table, taken, visit(table, 'accepted')), true);
    for (const end of [...ends(lost), ...ends(taken)]) await assertWritesNothing(table, false, end);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
  });
});

describe('a wallet that was frozen after the acceptance', () => {
  for (const [name, end, balance] of [
    [
      'settled',
      (claim: Claimed) => settleWithdrawal(table, claim, visit(table, 'accepted')),
      { available: 70, total: 70 },
    ],
    [
      'released',
      (claim: Claimed) => releaseWithdrawal(table, claim, visit(table, 'rejected'), accountClosed),
      { available: 100, total: 100 },
    ],
  ] as const) {
    it(`does not prevent its withdrawal from being ${name}`, async () => {
      const { walletId, transactionId } = await acceptedWithdrawal(table);
      await setStatus(table, walletId, 'frozen');
      assert.equal(await end(await claimed(table, transactionId)), true);
      assert.deepEqual(await balanceOf(table, walletId), { ...balance, held: 0 });
    });
  }
});

describe('a missing hold', () => {
  it('is a fault: nothing is settled, nothing is released', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const claim = await claimed(table, transactionId);
    const wallet = await itemOf(table, { pk: `WALLET#${walletId}`, sk: 'WALLET' });
    await plant(table, { ...wallet, held: 29 });
    const items = await allItems(table);
    await assert.rejects(settleWithdrawal(table, claim, visit(table, 'accepted')), {
      name: 'Error',
      message: /consume hold/,
    });
    await assert.rejects(releaseWithdrawal(table, claim, visit(table, 'rejected'), accountClosed), /consume hold/);
    assert.deepEqual(await allItems(table), items);
    assert.ok(await itemOf(table, transactionKey(transactionId)));
  });
});
