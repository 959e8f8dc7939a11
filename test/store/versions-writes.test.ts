/** Writes to items of a newer version: they read nothing first, so their conditions must refuse. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { freeze } from '../../lambdas/api/freeze.ts';
import { serve } from '../../lambdas/http/http.ts';
import { preferencesKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { putPreferences } from '../../lambdas/store/preferences.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { releaseWithdrawal, settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { useTable } from '../fixture.ts';
import { operator, send } from '../request.ts';
import { charge, newKey, queueTransfer, transfer, withdraw } from './commands.ts';
import { allItems, changeItem, itemOf } from './inspect.ts';
import { acceptedWithdrawal, claimed, visit } from './visits.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();

/** Asserts that `work` fails, as an item cannot be read, and that it writes nothing. */
async function assertUnreadable(work: () => Promise<unknown>): Promise<void> {
  const before = await allItems(table);
  await assert.rejects(work(), UnreadableItem);
  assert.deepEqual(await allItems(table), before);
}

/** Opens a wallet with 100, as a newer release stores it. */
async function newerWallet(): Promise<string> {
  const walletId = await fundedWallet(table, 'ann', 100);
  await changeItem(table, walletKey(walletId), { v: 2 });
  return walletId;
}

describe('a wallet of a newer version', () => {
  for (const status of ['active', 'frozen', 'closed'] as const) {
    it(`is not made ${status}`, async () => {
      const walletId = await newerWallet();
      if (status === 'closed') await changeItem(table, walletKey(walletId), { available: 0, total: 0 });
      await assertUnreadable(() => setStatus(table, walletId, status));
    });
  }

  it('is not frozen by an operator, whose request is answered with 500', async () => {
    const walletId = await newerWallet();
    const before = await allItems(table);
    const answer = await send('freeze', serve(freeze, { table }), {
      as: operator,
      key: newKey(),
      path: { walletId },
      body: { reason: 'lost card' },
    });
    assert.deepEqual([answer.status, answer.body?.['code']], [500, 'internal_error']);
    assert.deepEqual(await allItems(table), before);
  });

  it('takes part in no command', async () => {
    const [newer, other] = [await newerWallet(), await fundedWallet(table, 'ann', 100)];
    const byOwner = { owner: 'ann', amount: 5 };
    await assertUnreadable(() => charge(table, newer, { amount: 5 }));
    await assertUnreadable(() => withdraw(table, newer, byOwner));
    await assertUnreadable(() => transfer(table, newer, other, byOwner));
    await assertUnreadable(() => transfer(table, other, newer, byOwner));
    await assertUnreadable(() => queueTransfer(table, newer, other, byOwner));
  });

  it('does not change the answer to a repetition of a command that was accepted before', async () => {
    const walletId = await openWallet(table, 'ann');
    const command = { amount: 5, key: newKey() };
    await charge(table, walletId, command);
    await changeItem(table, walletKey(walletId), { v: 2 });
    assert.equal((await charge(table, walletId, command)).replayed, true);
  });

  it('lets a queued transfer wait, which arrives in a release that reads it', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'bob')];
    const { transactionId } = (await queueTransfer(table, from, to, { owner: 'ann', amount: 4 })).transaction;
    await changeItem(table, walletKey(to), { v: 2 });
    const before = await allItems(table);
    const failed = await endTransfers([transactionId], table);
    assert.ok(failed.get(transactionId) instanceof UnreadableItem);
    assert.deepEqual(await allItems(table), before);
    await changeItem(table, walletKey(to), { v: 1 });
    assert.equal((await endTransfers([transactionId], table)).size, 0);
    assert.equal((await getTransaction(table, transactionId))?.status, 'completed');
  });
});

describe('money that was promised', () => {
  const sumsOf = async (walletId: string) => {
    const { available, held, total } = (await itemOf(table, walletKey(walletId)))!;
    return { available, held, total };
  };

  it('moves in a wallet of a newer version when a withdrawal ends or comes back', async () => {
    const [paid, rejected] = [await acceptedWithdrawal(table), await acceptedWithdrawal(table)];
    for (const { walletId } of [paid, rejected]) await changeItem(table, walletKey(walletId), { v: 2 });
    const settled = await claimed(table, paid.transactionId);
    await settleWithdrawal(table, settled, visit(table, 'accepted'));
    assert.deepEqual(await sumsOf(paid.walletId), { available: 70, held: 0, total: 70 });
    await returnWithdrawal(table, settled.withdrawal, { at: settled.at });
    assert.deepEqual(await sumsOf(paid.walletId), { available: 100, held: 0, total: 100 });
    const failure = { code: 'rejected', message: 'Rejected' };
    await releaseWithdrawal(
      table,
      await claimed(table, rejected.transactionId),
      visit(table, 'rejected', 'closed'),
      failure,
    );
    assert.deepEqual(await sumsOf(rejected.walletId), { available: 100, held: 0, total: 100 });
    assert.equal((await itemOf(table, transactionKey(rejected.transactionId)))?.['status'], 'failed');
  });

  it('returns to a wallet of a newer version when a transfer cannot arrive', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'bob')];
    const { transaction } = await queueTransfer(table, from, to, { owner: 'ann', amount: 4 });
    await changeItem(table, walletKey(from), { v: 2 });
    assert.ok(transaction.status === 'pending');
    await failTransfer(table, transaction, { code: 'wallet_closed', message: 'Closed' }, transaction.createdAt);
    assert.deepEqual(await sumsOf(from), { available: 10, held: 0, total: 10 });
  });
});

describe('preferences of a newer version', () => {
  const preferences = { channels: { email: true, sms: false, push: false }, mutedEvents: [] };
  const at = '2026-03-01T12:00:00.000Z';

  it('are not replaced', async () => {
    await putPreferences(table, 'ann', preferences, at);
    await changeItem(table, preferencesKey('ann'), { v: 2 });
    await assertUnreadable(() => putPreferences(table, 'ann', preferences, at));
  });

  it('are no obstacle for those of an earlier release, which have no version', async () => {
    await putPreferences(table, 'bob', preferences, at);
    await changeItem(table, preferencesKey('bob'), { v: undefined });
    await putPreferences(table, 'bob', { ...preferences, mutedEvents: ['wallet.funded'] }, at);
    assert.deepEqual((await itemOf(table, preferencesKey('bob')))?.['mutedEvents'], ['wallet.funded']);
  });
});
