import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOf, walletIdOf } from '../../lambdas/domain/ids.ts';
import { ownedWalletKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import type { PendingTransfer } from '../../lambdas/domain/transaction.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { createWallet } from '../../lambdas/store/open-wallet.ts';
import { getWallet, getWallets, listWallets, setWalletStatus } from '../../lambdas/store/wallets.ts';
import { epoch } from '../engine.ts';
import { useEngine, useTable } from '../fixture.ts';
import { charge, newKey, operation, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { allItems, assertRefused, itemOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();
const table = useTable(engine);

const at = new Date(epoch).toISOString();

describe('creating a wallet', () => {
  it('stores the wallet, its item under the owner and the record of the key, and nothing else', async () => {
    const fresh = await engine.newTable();
    const command = operation(fresh, 'request', { owner: 'ann', key: 'one' });
    const { wallet, replayed } = await createWallet(fresh, command, {
      ownerId: 'ann',
      currency: 'EUR',
      rate: undefined,
    });
    const walletId = walletIdOf('ann', 'one', 'EUR');
    const expected = {
      walletId,
      ownerId: 'ann',
      currency: 'EUR',
      status: 'active',
      available: 0,
      held: 0,
      total: 0,
      version: 0,
      createdAt: at,
      updatedAt: at,
      createdBy: { kind: 'owner', principal: 'ann' },
    };
    assert.equal(replayed, false);
    assert.deepEqual(wallet, expected);
    assert.deepEqual(await allItems(fresh), [
      { ...ownedWalletKey('ann', walletId), walletId },
      {
        ...transactionKey(transactionIdOf('ann', 'one')),
        type: 'operation',
        fingerprint: command.fingerprint,
        principal: 'ann',
        createdAt: at,
      },
      { ...walletKey(walletId), v: 1, ...expected },
    ]);
    assert.deepEqual(await allItems(fresh, 'byWallet'), [], 'no history');
  });

  it('returns the wallet as it is now on a repetition, and refuses another request under the key', async () => {
    const key = newKey();
    const create = (request: { ownerId: string; currency: string }) =>
      createWallet(table, operation(table, request, { owner: 'ann', key }), { ...request, rate: undefined });
    const { wallet } = await create({ ownerId: 'ann', currency: 'EUR' });
    await charge(table, wallet.walletId, { amount: 7 });
    const items = await allItems(table);
    const again = await create({ ownerId: 'ann', currency: 'EUR' });
    assert.deepEqual([again.replayed, again.wallet.walletId, again.wallet.total], [true, wallet.walletId, 7]);
    assert.deepEqual(await allItems(table), items);
    await assertRefused(table, 'idempotency_key_reused', () => create({ ownerId: 'ann', currency: 'USD' }));
    await assertRefused(table, 'idempotency_key_reused', () => create({ ownerId: 'bob', currency: 'EUR' }));
  });
});

describe('the status of a wallet', () => {
  it('changes from active to frozen and back, each change a version', async () => {
    const walletId = await openWallet(table, 'ann');
    for (const [version, status] of [
      [1, 'frozen'],
      [2, 'active'],
      [3, 'active'],
      [4, 'closed'],
      [5, 'closed'],
    ] as const) {
      table.clock.now += 1_000;
      const { wallet, replayed } = await setStatus(table, walletId, status);
      assert.deepEqual([wallet.status, wallet.version, replayed], [status, version, false]);
      assert.equal(wallet.updatedAt, timeOf(table));
    }
  });

  it('ends with closed, while the wallet is empty', async () => {
    const walletId = await openWallet(table, 'ann');
    await setStatus(table, walletId, 'closed');
    await assertRefused(table, 'wallet_closed', () => setStatus(table, walletId, 'frozen'));
    await assertRefused(table, 'wallet_closed', () => setStatus(table, walletId, 'active'));
  });

  it('is active again after closed when money was returned, so that it can leave', async () => {
    const from = await fundedWallet(table, 'ann', 5);
    const to = await openWallet(table, 'bob');
    const { transaction } = await queueTransfer(table, from, to, { owner: 'ann', amount: 5 });
    await setStatus(table, from, 'closed');
    const failure = { code: 'wallet_frozen', message: 'The wallet is frozen' };
    assert.equal(await failTransfer(table, transaction as PendingTransfer, failure, at), true);
    await assertRefused(table, 'wallet_closed', () => setStatus(table, from, 'frozen'));
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, from, 'closed'));
    const { wallet } = await setStatus(table, from, 'active');
    assert.deepEqual([wallet.status, wallet.available], ['active', 5]);
    await transfer(table, from, to, { owner: 'ann', amount: 5 });
    assert.equal((await setStatus(table, from, 'closed')).wallet.status, 'closed');
    await assertRefused(table, 'wallet_closed', () => setStatus(table, from, 'active'));
  });

  it('is not made active by the owner of the wallet, who may freeze it', async () => {
    const walletId = await openWallet(table, 'ann');
    const set = (owner: string, status: 'active' | 'frozen') =>
      setWalletStatus(table, operation(table, [status, walletId], { owner }), { walletId, status });
    await set('ann', 'frozen');
    await assertRefused(table, 'forbidden', () => set('ann', 'active'));
    assert.equal((await set('bob', 'active')).wallet.status, 'active');
    await assertRefused(table, 'forbidden', () => set('ann', 'active'));
  });

  it('may not be closed while there is money, available or held', async () => {
    const walletId = await fundedWallet(table, 'ann', 5);
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, walletId, 'closed'));
    await withdraw(table, walletId, { owner: 'ann', amount: 5 });
    assert.deepEqual(await balanceOf(table, walletId), { available: 0, held: 5, total: 5 });
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, walletId, 'closed'));
  });

  it('is refused for a missing wallet, and does not create one', async () => {
    for (const status of ['active', 'frozen', 'closed'] as const) {
      const walletId = walletIdOf('stranger', newKey(), 'EUR');
      await assertRefused(table, 'wallet_not_found', () => setStatus(table, walletId, status));
    }
  });

  it('answers a repetition with the wallet as it is now', async () => {
    const walletId = await openWallet(table, 'ann');
    const key = newKey();
    await setStatus(table, walletId, 'frozen', key);
    await setStatus(table, walletId, 'active');
    const again = await setStatus(table, walletId, 'frozen', key);
    assert.deepEqual([again.replayed, again.wallet.status, again.wallet.version], [true, 'active', 2]);
    await assertRefused(table, 'idempotency_key_reused', () => setStatus(table, walletId, 'closed', key));
  });
});

describe('reading wallets', () => {
  it('finds one, several, and none', async () => {
    const one = await openWallet(table, 'ann');
    const other = await openWallet(table, 'bob');
    const none = walletIdOf('stranger', newKey(), 'EUR');
    assert.equal((await getWallet(table, one))?.ownerId, 'ann');
    assert.equal(await getWallet(table, none), undefined);
    const found = await getWallets(table, [one, none, other]);
    assert.deepEqual(new Set(found.keys()), new Set([one, other]));
    assert.equal(readable(found.get(other))?.ownerId, 'bob');
    assert.ok(!('pk' in found.get(other)!), 'a wallet carries no keys');
    assert.deepEqual(await getWallets(table, []), new Map());
  });

  it("pages through an owner's wallets by id, each once, and shows none of another owner", async () => {
    const mine: string[] = [];
    for (let i = 0; i < 7; i++) mine.push(await openWallet(table, 'cara', i % 2 ? 'EUR' : 'USD'));
    await openWallet(table, 'cara2');
    await openWallet(table, 'car');
    mine.sort();
    for (const limit of [1, 2, 3, 7, 8, 100]) {
      const pages: string[][] = [];
      for (let after: string | undefined; ;) {
        const { items, next } = await listWallets(table, 'cara', { limit, after });
        pages.push(items.map(({ walletId }) => walletId));
        assert.ok(items.length <= limit);
        if (next === undefined) break;
        after = next;
      }
      assert.deepEqual(pages.flat(), mine, `pages of ${limit}`);
    }
    assert.deepEqual(await listWallets(table, 'stranger', { limit: 5, after: undefined }), { items: [] });
  });

  it('shows a listed wallet as it is now', async () => {
    const walletId = await fundedWallet(table, 'dora', 9);
    const { items } = await listWallets(table, 'dora', { limit: 5, after: undefined });
    assert.deepEqual(items, [await getWallet(table, walletId, { consistent: true })]);
    assert.equal((await itemOf(table, walletKey(walletId)))?.['total'], 9);
  });
});
