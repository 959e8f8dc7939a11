/** What the projector does with changes of a table that was put back to an earlier state. */
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { totalOf } from '../../lambdas/store/totals.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { entriesOf } from './inspect.ts';
import { charge } from './commands.ts';
import { fundedWallet } from './wallets.ts';

const engine = useEngine();

describe('records of the stream', () => {
  it('are set aside when the table was put back to an earlier state, also those whose versions the ledger has', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const walletId = await fundedWallet(table, 'ann', 5);
    const sound = await fundedWallet(table, 'ben', 5);
    const backup = await imagesOf(table, walletId);
    for (const amount of [1, 2, 3]) await charge(table, walletId, { amount });
    await books.follow();

    await putBack(table, backup);
    await books.follow();
    assert.equal(books.aside.length, 1, 'the restore itself, where it was made in place');
    for (const amount of [3, 2, 1]) await charge(table, walletId, { amount });
    // Versions 2 to 4 are others now. Version 5 begins with the balance that entry 4 has left, and does not follow it.
    await charge(table, walletId, { amount: 100 });
    await charge(table, sound, { amount: 1 });
    await books.follow();
    assert.equal(books.aside.length, 1 + 4);
    const entries = await entriesOf(books.entries, walletId);
    assert.deepEqual(
      entries.map(({ balanceAfter }) => balanceAfter.available),
      [0, 5, 6, 8, 11],
    );
    assert.equal((await entriesOf(books.entries, sound)).length, 3);
    books.close();
  });
});

describe('totals of the accounts outside', () => {
  it('take no second content of a transaction that was lost with a restore: it is set aside', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const walletId = await fundedWallet(table, 'ann', 5);
    const key = 'invoice-7';
    const backup = await imagesOf(table, walletId);
    await charge(table, walletId, { amount: 10, key });
    await books.follow();
    await putBack(table, backup);
    await deleteItem(table, transactionKey(transactionIdOf('operator-1', key)));
    await books.follow();
    books.aside.length = 0;
    await charge(table, walletId, { amount: 11, key });
    await books.follow();
    assert.deepEqual(
      books.aside.map(({ dynamodb }) => dynamodb?.Keys?.['sk']?.S).sort(),
      ['TX', 'WALLET'],
      'both the change of the wallet and the booking',
    );
    assert.equal(await totalOf(books.entries, 'external:EUR', undefined), -15n);
    books.close();
  });
});

/** Returns the images of a wallet, as a backup has them. */
async function imagesOf(table: TestTable, walletId: string) {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.name, Key: toItem(walletKey(walletId)), ConsistentRead: true }),
  );
  assert.ok(Item);
  return Item;
}

async function putBack(table: TestTable, item: Awaited<ReturnType<typeof imagesOf>>): Promise<void> {
  await table.client.send(new PutItemCommand({ TableName: table.name, Item: item }));
}

async function deleteItem(table: TestTable, key: object): Promise<void> {
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));
}
