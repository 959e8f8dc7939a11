import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { stepAt, windowsOver } from '../../lambdas/domain/rate.ts';
import { rateWindowKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { dueShardOf } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { getTransaction, getTransactions } from '../../lambdas/store/transactions.ts';
import { epoch } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { charge, destination, newKey, queueTransfer, transfer, withdraw } from './commands.ts';
import { allItems, asStored, itemOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const table = useTable();

const at = new Date(epoch).toISOString();
const rate = { principal: 'ann', operation: 'withdraw', perHour: 10 };
const indexesWith = async (transactionId: string) => {
  const found = await Promise.all(
    ['byWallet', 'byCounterparty', 'due'].map(async (index) => ({ index, items: await allItems(table, index) })),
  );
  return found
    .filter(({ items }) => items.some((item) => item['transactionId'] === transactionId))
    .map(({ index }) => index);
};

describe('a charge', () => {
  it('stores its transaction and changes the wallet', async () => {
    const walletId = await fundedWallet(table, 'ann', 10);
    const annotations = { externalReference: 'psp-1', description: 'Top-up', metadata: { shop: '7' } };
    const { transaction, replayed } = await charge(table, walletId, { key: 'charge', amount: 32, ...annotations });
    const transactionId = transactionIdOf('operator-1', 'charge');
    const expected = {
      transactionId,
      type: 'charge',
      status: 'completed',
      amount: 32,
      currency: 'EUR',
      walletId,
      principal: 'operator-1',
      ...annotations,
      postings: [
        { account: 'external:EUR', amount: -32 },
        { account: `wallet:${walletId}:available`, amount: 32 },
      ],
      createdAt: at,
      updatedAt: at,
      completedAt: at,
    };
    assert.equal(replayed, false);
    assert.deepEqual(asStored(transaction), expected);
    assert.deepEqual(await itemOf(table, transactionKey(transactionId)), {
      ...transactionKey(transactionId),
      ...expected,
      historyKey: historyKeyOf(expected),
      fingerprint: fingerprintOf(['charge', walletId, undefined, { amount: 32, ...annotations }]),
    });
    const wallet = await itemOf(table, walletKey(walletId));
    const { available, held, total, version, lastTransactionId } = wallet!;
    assert.deepEqual([available, held, total, version, lastTransactionId], [42, 0, 42, 2, transactionId]);
    assert.deepEqual(await indexesWith(transactionId), ['byWallet']);
  });
});

describe('a withdrawal, accepted', () => {
  it('holds the money, is due at once, and is counted in the rate window', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 30, rate });
    const { transactionId } = transaction;
    const item = await itemOf(table, transactionKey(transactionId));
    assert.deepEqual(
      [item?.['type'], item?.['status'], item?.['destination'], item?.['ownerId'], item?.['completedAt']],
      ['withdrawal', 'pending', destination, 'ann', undefined],
    );
    assert.deepEqual(item?.['postings'], [
      { account: `wallet:${walletId}:available`, amount: -30 },
      { account: `wallet:${walletId}:held`, amount: 30 },
    ]);
    assert.deepEqual([item['dueShard'], item['dueAt']], [dueShardOf('withdrawal', transactionId), at]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    assert.deepEqual(await indexesWith(transactionId), ['byWallet', 'due']);
    const { pk, sk, ttl, ...windows } = (await itemOf(table, rateWindowKey('ann', 'withdraw')))!;
    const step = stepAt(table.now());
    assert.deepEqual(windows, Object.fromEntries(windowsOver(step).map((window) => [`w${window}`, 1])));
    // Expires 20 minutes after the end of the last window that counts, in epoch seconds.
    assert.equal(ttl, Date.parse('2026-03-01T13:40:00Z') / 1000);
  });
});

describe('a transfer', () => {
  it('moves the money at once, and is in the history of both', async () => {
    const from = await fundedWallet(table, 'ann', 100);
    const to = await fundedWallet(table, 'bob', 1);
    const { transaction } = await transfer(table, from, to, { owner: 'ann', amount: 25 });
    assert.equal(transaction.status, 'completed');
    assert.equal(transaction.completedAt, at);
    assert.deepEqual(await balanceOf(table, from), { available: 75, held: 0, total: 75 });
    assert.deepEqual(await balanceOf(table, to), { available: 26, held: 0, total: 26 });
    for (const walletId of [from, to]) {
      const wallet = await itemOf(table, walletKey(walletId));
      assert.deepEqual([wallet?.['version'], wallet?.['lastTransactionId']], [2, transaction.transactionId]);
    }
    assert.deepEqual(await indexesWith(transaction.transactionId), ['byWallet', 'byCounterparty']);
  });

  it('that is queued debits the sender, is due, and does not touch the receiver', async () => {
    const from = await fundedWallet(table, 'ann', 100);
    const to = await openWallet(table, 'bob');
    const { transaction } = await queueTransfer(table, from, to, { owner: 'ann', amount: 25 });
    assert.deepEqual([transaction.status, transaction.queued], ['pending', true]);
    assert.deepEqual(await balanceOf(table, from), { available: 75, held: 0, total: 75 });
    assert.deepEqual(await balanceOf(table, to), { available: 0, held: 0, total: 0 });
    assert.deepEqual(await indexesWith(transaction.transactionId), ['byWallet', 'due']);
  });
});

describe('reading transactions', () => {
  it('finds one, several, and none, without the fields of the store', async () => {
    const walletId = await openWallet(table, 'ann');
    const one = await charge(table, walletId, { amount: 1 });
    const other = await charge(table, walletId, { amount: 2, description: 'two' });
    const none = transactionIdOf('stranger', newKey());
    assert.deepEqual(await getTransaction(table, other.transaction.transactionId), asStored(other.transaction));
    assert.equal(await getTransaction(table, none), undefined);
    const found = await getTransactions(table, [one.transaction.transactionId, none, other.transaction.transactionId]);
    assert.deepEqual([...found.keys()].sort(), [one, other].map(({ transaction }) => transaction.transactionId).sort());
  });

  it('does not return the record of another operation', async () => {
    await openWallet(table, 'emil');
    const records = (await allItems(table)).filter(({ type }) => type === 'operation');
    const ids = records.map(({ pk }) => String(pk).slice('TX#'.length));
    assert.ok(ids.length > 0);
    assert.equal(await getTransaction(table, ids[0]!), undefined);
    assert.deepEqual(await getTransactions(table, ids.slice(0, 100)), new Map());
  });
});
