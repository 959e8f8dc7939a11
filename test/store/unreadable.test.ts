/** Items that no release writes. Each is the only one that fails, and none holds up a shard of the stream. */
import type { DynamoDBRecord } from 'aws-lambda';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { lastEntry } from '../../lambdas/store/entries.ts';
import { getActivities } from '../../lambdas/store/activity.ts';
import { listDue, listReviews } from '../../lambdas/store/due.ts';
import { activityKey, entryKey, preferencesKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { dueShardOf, reviewShard } from '../../lambdas/store/due-keys.ts';
import { getPreferencesOf } from '../../lambdas/store/preferences.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransactions } from '../../lambdas/store/transactions.ts';
import { InvalidItem, UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { getWallets } from '../../lambdas/store/wallets.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import { useEngine, useTable } from '../fixture.ts';
import { charge } from './commands.ts';
import { changeItem, plant } from './inspect.ts';
import { acceptedWithdrawal } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const table = useTable(engine);

type Key = { readonly pk: string; readonly sk: string };
/** A number of DynamoDB that is beyond 2^53 and no integer. */
const tooLarge = '9007199254740993.5';

/** Gives a stored item a number that no JavaScript value holds. */
async function addTooLarge({ client, name }: Table, key: Key): Promise<void> {
  const change = {
    UpdateExpression: 'SET strange = :number',
    ExpressionAttributeValues: { ':number': { N: tooLarge } },
  };
  await client.send(new UpdateItemCommand({ TableName: name, Key: toItem(key), ...change }));
}

describe('an item under the key of another', () => {
  it('is an error of its reader: a wallet, a transaction, and due work', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const [wallet, withdrawal] = [walletKey(walletId), transactionKey(transactionId)];
    const other = await acceptedWithdrawal(table);
    await changeItem(table, wallet, { walletId: other.walletId });
    await changeItem(table, withdrawal, { transactionId: other.transactionId });
    const problem = /cannot be read: its id is/;
    const [foundWallet] = (await getWallets(table, [walletId])).values();
    const [foundTransaction] = (await getTransactions(table, [transactionId])).values();
    const shard = Number(dueShardOf('withdrawal', transactionId).slice('DUE#w'.length));
    const { work } = await listDue(table, { type: 'withdrawal', shard, before: '9', limit: 100 });
    for (const found of [foundWallet, foundTransaction, work.find((one) => one instanceof InvalidItem)]) {
      assert.ok(found instanceof InvalidItem);
      assert.match(found.message, problem);
    }
  });
});

describe('a change that makes no sense', () => {
  const withMembers = (record: DynamoDBRecord, image: 'OldImage' | 'NewImage', members: object) => {
    const changed = structuredClone(record);
    Object.assign(changed.dynamodb![image]!, toItem(members));
    return changed;
  };

  for (const image of ['OldImage', 'NewImage'] as const) {
    it(`is set aside when the ${image} of a wallet has the id of another wallet`, async () => {
      const own = await newBooks(engine);
      const [ann, bob] = [await fundedWallet(own.table, 'ann', 3), await openWallet(own.table, 'bob')];
      await own.follow();
      // Its image before the change looks like bob's next version.
      await charge(own.table, ann, { amount: 5 });
      await charge(own.table, bob, { amount: 7 });
      const records = (await own.takeRecords()).map((record) =>
        record.dynamodb?.Keys?.['pk']?.S === walletKey(ann).pk ? withMembers(record, image, { walletId: bob }) : record,
      );
      assert.equal(await own.hand(records), undefined);
      assert.deepEqual(
        own.aside.map(({ dynamodb }) => dynamodb?.Keys?.['pk']?.S),
        [walletKey(ann).pk],
      );
      assert.equal((await lastEntry(own.entries, bob))?.balanceAfter.available, 7);
      own.close();
    });
  }

  for (const members of [{ completedAt: '' }, { completedAt: 'yesterday' }, { createdAt: '' }]) {
    it(`is set aside when a transaction has ${JSON.stringify(members)}`, async () => {
      const own = await newBooks(engine);
      const ann = await fundedWallet(own.table, 'ann', 5);
      const records = (await own.takeRecords()).map((record) =>
        record.dynamodb?.NewImage?.['type']?.S === 'charge' ? withMembers(record, 'NewImage', members) : record,
      );
      assert.equal(await own.hand(records), undefined);
      assert.equal(own.aside.length, 1);
      assert.equal((await lastEntry(own.entries, ann))?.version, 1);
      own.close();
    });
  }
});

describe('an item with a number that no JavaScript value holds', () => {
  it('is the only one of its batch that cannot be read', async () => {
    const wallets = [await openWallet(table, 'ann'), await openWallet(table, 'bob')] as const;
    const transactions = [await acceptedWithdrawal(table), await acceptedWithdrawal(table)].map(
      ({ transactionId }) => transactionId,
    );
    for (const key of [walletKey(wallets[0]), transactionKey(transactions[0]!), preferencesKey('ann')]) {
      await addTooLarge(table, key);
    }
    const readers: Record<string, ReadonlyMap<string, unknown>> = {
      wallets: await getWallets(table, wallets),
      transactions: await getTransactions(table, transactions),
      preferences: await getPreferencesOf(table, ['ann', 'bob']),
    };
    for (const [name, found] of Object.entries(readers)) {
      const [bad, good] = [...found.values()];
      assert.ok(bad instanceof UnreadableItem, name);
      assert.ok(good !== undefined && !(good instanceof UnreadableItem), name);
    }
  });

  it('is the only memory of the screening that cannot be read', async () => {
    await addTooLarge(table, activityKey('wallet-1'));
    const memoryOf = await getActivities(table, ['wallet-1', 'wallet-2']);
    assert.throws(() => memoryOf('wallet-1'), UnreadableItem);
    assert.equal(memoryOf('wallet-2').version, 0);
  });

  it('is the only work of its shard that the sweeper cannot read, and is listed while it is in review', async () => {
    const own = await engine.newTable();
    const [bad, good] = ['tx_1', 'tx_2'].map((transactionId) => ({
      transactionId,
      type: 'withdrawal',
      walletId: 'w_1',
      dueAt: '2026',
    }));
    const dueShard = 'DUE#w0';
    await plant(
      own,
      { ...transactionKey('tx_1'), ...bad, dueShard },
      { ...transactionKey('tx_2'), ...good, dueShard },
      { ...transactionKey('tx_3'), ...bad, transactionId: 'tx_3', dueShard: reviewShard },
    );
    for (const id of ['tx_1', 'tx_3']) await addTooLarge(own, transactionKey(id));
    const { work: listed } = await listDue(own, { type: 'withdrawal', shard: 0, before: '9', limit: 10 });
    assert.ok(listed[0] instanceof UnreadableItem);
    assert.deepEqual(listed[1], { ...good, isScheduled: false });
    assert.deepEqual(await listReviews(own), [{ transactionId: 'tx_3', since: '2026' }]);
  });

  it('sets aside the changes of its wallet only, when it is an entry of the ledger', async () => {
    const own = await newBooks(engine);
    const [ann, bob] = [await openWallet(own.table, 'ann'), await openWallet(own.table, 'bob')];
    await own.follow();
    await addTooLarge(own.entries, entryKey(ann, 0));
    for (const wallet of [ann, bob]) await charge(own.table, wallet, { amount: 5 });
    assert.equal(await own.hand(await own.takeRecords()), undefined);
    assert.deepEqual(
      own.aside.map(({ dynamodb }) => dynamodb?.Keys?.['pk']?.S),
      [walletKey(ann).pk],
    );
    assert.equal((await lastEntry(own.entries, bob))?.version, 1);
    own.close();
  });
});
