import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { totalOf } from '../../lambdas/store/totals.ts';
import { fromItem, toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import { measure } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { charge, withdraw } from './commands.ts';
import { settle } from './histories.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();

describe('totals of the accounts outside', () => {
  it('are exact for each account, and for each hour', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const started = table.now();
    const walletId = await fundedWallet(table, 'ann', 1000);
    table.clock.now = started + 3_600_000;
    const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 300 });
    await settle(table, transaction.transactionId);
    await fundedWallet(table, 'ben', 70, 'JPY');
    await books.follow();
    const total = (account: string, ms?: number) =>
      totalOf(books.entries, account, ms === undefined ? undefined : new Date(started + ms).toISOString());
    assert.equal(await total('external:EUR'), -700n);
    assert.equal(await total('external:EUR', 3_600_000), -1000n);
    assert.equal(await total('external:EUR', 0), 0n);
    assert.equal(await total('external:JPY'), -70n);
    assert.equal(await total('transit:EUR'), 0n);
    books.close();
  });

  it('are the sum of many items, so that no item takes the writes of a whole currency', async () => {
    const books = await newBooks(engine);
    const walletId = await openWallet(books.table, 'ann');
    for (let i = 0; i < 100; i++) await charge(books.table, walletId, { amount: i + 1 });
    const records = await books.takeRecordsOf('TX');
    for (const record of records) await books.hand([record]);
    const { Items = [] } = await books.entries.client.send(new ScanCommand({ TableName: books.entries.name }));
    const written = Items.map(fromItem).filter(({ pk }) => String(pk).startsWith('TOTAL#'));
    const partitions = new Set(written.map(({ pk }) => pk));
    assert.ok(partitions.size > 50, `${partitions.size} partitions`);
    assert.equal(await totalOf(books.entries, 'external:EUR', undefined), -5050n);
    // A total that an earlier release has written.
    const hour = String(written[0]?.['sk']);
    const old = { pk: 'TOTAL#external:EUR', sk: hour, booked: -7 };
    await books.entries.client.send(new PutItemCommand({ TableName: books.entries.name, Item: toItem(old) }));
    assert.equal(await totalOf(books.entries, 'external:EUR', undefined), -5057n);
    assert.equal(await totalOf(books.entries, 'external:EUR', `${hour}:59:59.999Z`), 0n);
    books.close();
  });

  it('take many records in few writes', async () => {
    const books = await newBooks(engine);
    const walletId = await openWallet(books.table, 'ann');
    for (let i = 0; i < 100; i++) await charge(books.table, walletId, { amount: 1 });
    const records = await books.takeRecordsOf('TX');
    const { roundTrips, writeUnits } = await measure(books.entries, () => books.hand(records));
    assert.equal(await totalOf(books.entries, 'external:EUR', undefined), -100n);
    assert.equal(roundTrips, 3);
    checkUnits(() => {
      assert.equal(writeUnits, 206, 'two for each booking, four for the totals and two for the journal');
    });
    books.close();
  });
});
