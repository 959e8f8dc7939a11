import type { DynamoDBRecord } from 'aws-lambda';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { hourAfter, hourMs, hourOfMs, startOf } from '../../lambdas/domain/hours.ts';
import { readJournal } from '../../lambdas/store/journal.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { measure } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { answer } from '../faults.ts';
import { charge, timeOf, transfer, withdraw } from './commands.ts';
import { busyHistory } from './histories.ts';
import { allItems, plant } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();

/** Returns the changes that the journal lists in an hour, each once. */
async function listed({ entries }: TestBooks, hour: string, booked?: string): Promise<string[]> {
  const names = new Set<string>();
  for await (const { lines } of readJournal(entries, hour, booked)) {
    for (const { walletId, versions, bookings } of lines) {
      for (const version of versions) names.add(`${walletId} ${version}`);
      for (const { transactionId, count } of bookings) names.add(`${transactionId} ${count}`);
    }
  }
  return [...names].sort();
}

/** Returns every version of a wallet, and every state of a transaction's postings, in these records. */
function changesIn(records: readonly DynamoDBRecord[]): string[] {
  const names = records.flatMap(({ dynamodb }) => {
    const { NewImage: image, OldImage: old } = dynamodb ?? {};
    if (image?.['sk']?.S === 'WALLET') {
      return image['walletId'] ? [`${image['walletId'].S} ${image['version']?.N}`] : [];
    }
    if (image?.['sk']?.S !== 'TX' || image['type']?.S === 'operation') return [];
    const count = image['postings']?.L?.length ?? 0;
    return [`${image['transactionId']?.S} ${count === (old?.['postings']?.L?.length ?? 0) ? 0 : count}`];
  });
  return [...new Set(names)].filter((name) => !name.startsWith('undefined')).sort();
}

const now = (books: TestBooks) => hourOfMs(books.table.now());
const setClock = (books: TestBooks, at: number) => {
  books.table.clock.now = at;
  books.entries.clock.now = at;
};

describe('the journal of changes', () => {
  it('lists each version of a wallet and each booking of a transaction in the hour in which it was booked', async () => {
    const books = await newBooks(engine);
    setClock(books, startOf('2026-03-01T10') + 60_000);
    await busyHistory(books.table);
    const records = await books.takeRecords();
    assert.equal(await books.hand(records), undefined);
    assert.deepEqual(await listed(books, now(books)), changesIn(records));
    books.close();
  });

  it('lists the same once, however often batches repeat and overlap', async () => {
    const books = await newBooks(engine);
    await busyHistory(books.table);
    const records = await books.takeRecords();
    const hour = now(books);
    await books.hand(records);
    const once = (await allItems(books.entries)).filter(({ pk }) => String(pk).startsWith('CHANGED#'));
    await books.hand(records);
    assert.deepEqual(
      (await allItems(books.entries)).filter(({ pk }) => String(pk).startsWith('CHANGED#')),
      once,
    );
    await books.hand(records.slice(0, 7));
    await books.hand(records.slice(3, 15));
    assert.deepEqual(await listed(books, hour), changesIn(records));
    books.close();
  });

  it('lists what was booked before the end of an hour in it until five minutes later, and then in the hour of the writing', async () => {
    const books = await newBooks(engine);
    const hour = '2026-03-01T10';
    const end = startOf(hour) + hourMs;
    setClock(books, end - 1);
    const first = await openWallet(books.table, 'ann');
    const records = await books.takeRecords();
    setClock(books, end + 299_999);
    await books.hand(records);
    assert.deepEqual(await listed(books, hour), [`${first} 0`]);

    setClock(books, end - 1);
    const second = await openWallet(books.table, 'ben');
    const late = await books.takeRecords();
    setClock(books, end + 300_000);
    await books.hand(late);
    assert.deepEqual(await listed(books, hour), [`${first} 0`], 'the hour gets no more');
    assert.deepEqual(await listed(books, hourAfter(hour)), [`${second} 0`]);
    assert.deepEqual(await listed(books, hourAfter(hour), hour), [`${second} 0`], 'and is found by its hour');
    assert.deepEqual(await listed(books, hourAfter(hour), hourAfter(hour)), []);
    books.close();
  });

  it('lists what a wrong clock has booked ahead at once, and in its hour too', async () => {
    const books = await newBooks(engine);
    const [hour, ahead, farAhead] = ['2026-03-01T10', '2026-03-01T13', '2026-03-05T10'] as const;
    const listedAs = async (booked: string) => {
      setClock(books, startOf(booked) + 60_000);
      const walletId = await openWallet(books.table, 'ann');
      setClock(books, startOf(hour) + 60_000);
      await books.follow();
      return `${walletId} 0`;
    };
    const first = await listedAs(ahead);
    const second = await listedAs(farAhead);
    assert.deepEqual(await listed(books, hour), [first, second].sort());
    assert.deepEqual(await listed(books, ahead), [first]);
    assert.deepEqual(await listed(books, farAhead), []);
    books.close();
  });

  it('has no line of what is delivered again, and repeats a batch whose line was not written', async () => {
    const books = await newBooks(engine);
    const ann = await openWallet(books.table, 'ann');
    const ben = await openWallet(books.table, 'ben');
    const records = await books.takeRecords();
    const refused = answer('AccessDeniedException');
    books.entries.fault = (call, send) => (call.operation === 'PutItem' ? refused(call, send) : send());
    assert.equal(await books.hand(records), records[0]?.dynamodb?.SequenceNumber);
    assert.deepEqual(await listed(books, now(books)), []);
    books.entries.fault = undefined;
    assert.equal(await books.hand(records), undefined);
    assert.deepEqual(await listed(books, now(books)), [`${ann} 0`, `${ben} 0`].sort());
    books.close();
  });

  it('lists an item that cannot be read by its key, and one without postings', async () => {
    const books = await newBooks(engine);
    const { transaction } = await charge(books.table, await openWallet(books.table, 'ann'), { amount: 5 });
    const { transactionId } = transaction;
    await books.takeRecords();
    const at = timeOf(books.table);
    await plant(books.table, { ...transactionKey(transactionId), transactionId, type: 'charge', updatedAt: at });
    await books.follow();
    assert.deepEqual(await listed(books, now(books)), [`${transactionId} 0`]);
    books.close();
  });

  it('takes at most four write units for a batch of a hundred changes', async () => {
    const books = await newBooks(engine);
    const payers = await Promise.all(Array.from({ length: 34 }, (_, i) => fundedWallet(books.table, `a${i}`, 1_000)));
    const payees = await Promise.all(Array.from({ length: 34 }, (_, i) => openWallet(books.table, `b${i}`)));
    await books.takeRecords();
    const batches: Record<string, () => Promise<unknown>> = {
      transfers: () =>
        Promise.all(payers.map((payer, i) => transfer(books.table, payer, payees[i]!, { owner: `a${i}`, amount: 1 }))),
      charges: () => Promise.all([...payers, ...payees].map((wallet) => charge(books.table, wallet, { amount: 1 }))),
      withdrawals: () =>
        Promise.all(
          [...payers, ...payers].map((payer, i) => withdraw(books.table, payer, { owner: `a${i % 34}`, amount: 1 })),
        ),
      openings: () => Promise.all(Array.from({ length: 100 }, (_, i) => openWallet(books.table, `c${i}`))),
    };
    for (const [name, make] of Object.entries(batches)) {
      await make();
      const records = (await books.takeRecords()).slice(0, 100);
      assert.equal(records.length, 100);
      const { calls } = await measure(books.entries, () => books.hand(records));
      const puts = calls.filter(({ operation }) => operation === 'PutItem');
      assert.equal(puts.length, 1, name);
      checkUnits(() => {
        assert.ok(puts[0]!.writeUnits > 0 && puts[0]!.writeUnits <= 4, `${name}: ${puts[0]!.writeUnits} units`);
      });
    }
    books.close();
  });
});
