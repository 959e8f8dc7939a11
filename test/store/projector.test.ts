import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { fingerprintOf } from '../../lambdas/domain/ids.ts';
import { entryKey } from '../../lambdas/store/keys.ts';
import { insertEntries } from '../../lambdas/store/entries.ts';
import { Heads } from '../../lambdas/store/heads.ts';
import { fromItem, toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { measure } from '../engine.ts';
import type { Fault } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { entriesOf } from './inspect.ts';
import { answeredInPart, inTurn, lostAnswer, lostRequest, misreported, twice } from '../faults.ts';
import { charge, transfer } from './commands.ts';
import { busyHistory } from './histories.ts';
import { fundedWallet } from './wallets.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();

/**
 * Returns the items of the entries table that do not expire. Returns totals as sums, as their parts depend on the cuts
 * of batches.
 */
async function contentOf({ entries }: TestBooks) {
  const { Items = [] } = await entries.client.send(new ScanCommand({ TableName: entries.name }));
  const content: string[] = [];
  const totals = new Map<string, number>();
  for (const item of Items.map(fromItem)) {
    const [type, account = ''] = String(item['pk']).split('#');
    const name = `${account} ${String(item['sk'])}`;
    if (type === 'TOTAL') totals.set(name, (totals.get(name) ?? 0) + Number(item['booked']));
    // The order of an object's members does not count.
    else if (item['ttl'] === undefined) content.push(`${name} ${fingerprintOf(item)}`);
  }
  return [...content, ...[...totals].map(([name, booked]) => `${name} ${booked}`)].sort();
}

describe('records of the stream', () => {
  it('make the same ledger and totals however they are repeated, split and overlapped', async () => {
    const books = await newBooks(engine);
    await busyHistory(books.table);
    const records = await books.takeRecords();
    assert.equal(await books.hand(records.slice(0, 100)), undefined);
    for (let start = 100; start < records.length; start += 100) {
      await books.hand(records.slice(start, start + 100));
    }
    const content = await contentOf(books);
    assert.ok(content.length > 20);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(records.length - 1), fc.integer({ min: 1, max: 100 })), {
          minLength: 1,
          maxLength: 8,
        }),
        async (batches) => {
          for (const [start, length] of batches) {
            assert.equal(await books.hand(records.slice(start, start + length)), undefined);
          }
          assert.deepEqual(await contentOf(books), content);
        },
      ),
      { numRuns: 15 },
    );
    assert.deepEqual(books.aside, []);
    books.close();
  });

  it('make the same ledger and totals whatever happens to the calls on the way', async () => {
    const reference = await newBooks(engine);
    await busyHistory(reference.table);
    const records = await reference.takeRecords();
    const inOrder = async (books: TestBooks, heads?: Heads) => {
      for (let start = 0; start < records.length;) {
        const again = await books.hand(records.slice(start, start + 25), heads);
        const { fault } = books.entries;
        books.entries.fault = undefined;
        await assertNoGaps(books);
        books.entries.fault = fault;
        const failed = records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === again);
        start = again === undefined ? start + 25 : failed;
      }
    };
    await inOrder(reference);
    const expected = await contentOf(reference);
    const crash: Fault = () => Promise.reject(new Error('the function was killed'));
    const crashAfter: Fault = async (call, send) => {
      await send();
      return crash(call, send);
    };
    const ofStatements = ['ThrottlingError', 'ValidationError', 'DuplicateItem'].map(misreported);
    const faults = [lostRequest, lostAnswer, twice, crash, crashAfter, ...ofStatements];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.nat(faults.length - 1), { freq: 3 }), { maxLength: 60 }),
        fc.boolean(),
        async (plan, isOneContainer) => {
          const books = await newBooks(engine);
          books.entries.fault = inTurn(
            ...plan.map((index): Fault => (index === null ? (_call, send) => send() : (faults[index] as Fault))),
          );
          await inOrder(books, isOneContainer ? new Heads(3) : undefined);
          books.entries.fault = undefined;
          assert.deepEqual(await contentOf(books), expected);
          assert.deepEqual(books.aside, []);
          books.close();
        },
      ),
      { numRuns: 16 },
    );
    reference.close();
  });

  it('of many wallets take one read and one write, and the write alone where a container has seen the wallets', async () => {
    const books = await newBooks(engine);
    const heads = new Heads();
    const walletIds = await Promise.all(
      Array.from({ length: 24 }, (_, n) => fundedWallet(books.table, `owner-${n}`, 5)),
    );
    await books.follow();
    const callsOf = async (handedTo: Heads) => {
      await Promise.all(walletIds.map((walletId) => charge(books.table, walletId, { amount: 1 })));
      const records = await books.takeRecordsOf('WALLET');
      const { calls, writeUnits } = await measure(books.entries, () => books.hand(records, handedTo));
      const [journal, ...others] = calls.filter(({ operation }) => operation === 'PutItem');
      assert.deepEqual(others, [], 'one write lists them all in the journal');
      checkUnits(() => {
        assert.equal(writeUnits - (journal?.writeUnits ?? 0), walletIds.length);
      });
      return calls.filter((call) => call !== journal).map(({ operation }) => operation);
    };
    assert.deepEqual(await callsOf(heads), ['BatchGetItem', 'BatchExecuteStatement']);
    assert.deepEqual(await callsOf(heads), ['BatchExecuteStatement']);
    assert.deepEqual(await callsOf(new Heads()), ['BatchGetItem', 'BatchExecuteStatement'], 'another container');
    assert.deepEqual(await callsOf(heads), ['BatchGetItem', 'BatchExecuteStatement'], 'what it knew is not the last');
    books.close();
  });

  it('of new wallets take no read at all', async () => {
    const books = await newBooks(engine);
    await Promise.all(Array.from({ length: 10 }, (_, n) => fundedWallet(books.table, `owner-${n}`, 5)));
    const records = await books.takeRecordsOf('WALLET');
    const { calls } = await measure(books.entries, () => books.hand(records));
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['BatchExecuteStatement', 'BatchExecuteStatement', 'PutItem'],
      'each wallet has two versions, one after the other; the journal lists all of them',
    );
    books.close();
  });

  it('are set aside, or are not, the same in a container that knows the wallets and in a new one', async () => {
    for (const heads of [new Heads(), undefined]) {
      const books = await newBooks(engine);
      const walletId = await fundedWallet(books.table, 'ann', 5);
      for (const amount of [1, 2, 3, 4, 5]) await charge(books.table, walletId, { amount });
      const records = await books.takeRecordsOf('WALLET');
      // Two of them, one of old, one twice, and one behind a gap of two.
      for (const batch of [[0, 1], [0, 1, 2], [2, 2, 1], [6], [3, 4], [6], [6, 5]]) {
        assert.equal(
          await books.hand(
            batch.map((n) => records[n]!),
            heads,
          ),
          undefined,
        );
      }
      const entries = await entriesOf(books.entries, walletId);
      assert.deepEqual(
        entries.map(({ version, balanceAfter }) => [version, balanceAfter.available]),
        [
          [0, 0],
          [1, 5],
          [2, 6],
          [3, 8],
          [4, 11],
          [5, 15],
          [6, 20],
        ],
      );
      assert.deepEqual(books.aside, [records[6]!]);
      books.close();
    }
  });

  it('of one wallet come again when a statement fails, and those of the others are not held up', async () => {
    const books = await newBooks(engine);
    const first = await fundedWallet(books.table, 'ann', 5);
    const second = await fundedWallet(books.table, 'ben', 5);
    await books.follow();
    await charge(books.table, first, { amount: 1 });
    await charge(books.table, second, { amount: 1 });
    const records = await books.takeRecordsOf('WALLET');
    books.entries.fault = (call, send) =>
      call.operation === 'BatchExecuteStatement' ? misreported('ValidationError')(call, send) : send();
    const again = await books.hand(records);
    assert.equal(again, records[1]?.dynamodb?.SequenceNumber);
    assert.deepEqual(books.aside, []);
    assert.equal((await entriesOf(books.entries, first)).length, 3);
    books.close();
  });

  it('of one wallet come again when its insert is not answered, and find its entry then', async () => {
    const books = await newBooks(engine);
    const walletIds = [await fundedWallet(books.table, 'ann', 5), await fundedWallet(books.table, 'ben', 5)];
    await books.follow();
    for (const walletId of walletIds) await charge(books.table, walletId, { amount: 1 });
    const records = await books.takeRecordsOf('WALLET');
    books.entries.fault = (call, send) =>
      call.operation === 'BatchExecuteStatement' ? answeredInPart(call, send) : send();
    assert.equal(await books.hand(records), records[1]?.dynamodb?.SequenceNumber);
    books.entries.fault = undefined;
    assert.equal(await books.hand(records.slice(1)), undefined);
    for (const walletId of walletIds) assert.equal((await entriesOf(books.entries, walletId)).length, 3);
    assert.deepEqual(books.aside, []);
    books.close();
  });

  it('that are missing once are made up for from the image before the next change', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 5);
    await charge(books.table, walletId, { amount: 7 });
    await charge(books.table, walletId, { amount: 11 });
    const records = await books.takeRecordsOf('WALLET');
    await books.hand([records[0]!, records[1]!, records[3]!]);
    const entries = await entriesOf(books.entries, walletId);
    assert.deepEqual(
      entries.map(({ version, changes: [change] }) => [version, change?.amount]),
      [
        [0, undefined],
        [1, 5],
        [2, 7],
        [3, 11],
      ],
    );
    books.close();
  });

  it('that leave a gap are set aside with all that follow, and the other wallets go on', async () => {
    const books = await newBooks(engine);
    const broken = await fundedWallet(books.table, 'ann', 1);
    const sound = await fundedWallet(books.table, 'ben', 1);
    await charge(books.table, broken, { amount: 1 });
    await charge(books.table, broken, { amount: 1 });
    await transfer(books.table, broken, sound, { owner: 'ann', amount: 1 });
    const records = await books.takeRecordsOf('WALLET');
    const ofBroken = records.filter(({ dynamodb }) => dynamodb?.Keys?.['pk']?.S === `WALLET#${broken}`);
    const handed = records.filter((record) => record !== ofBroken[1] && record !== ofBroken[2]);
    assert.equal(await books.hand(handed), undefined);
    assert.deepEqual(books.aside, ofBroken.slice(3));
    assert.equal((await entriesOf(books.entries, broken)).length, 1);
    assert.equal((await entriesOf(books.entries, sound)).length, 3);

    // Handed back in order, with what was missing, they fit.
    await books.hand(ofBroken);
    assert.equal((await entriesOf(books.entries, broken)).length, 5);
    books.close();
  });

  it('never replace an entry that is there already', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 5);
    await books.follow();
    const before = await entriesOf(books.entries, walletId);
    const [opening, last] = before;
    assert.ok(opening && last);
    const other = { ...last, changes: [{ account: 'available' as const, amount: 6 }] };
    assert.deepEqual(await insertEntries(books.entries, [other]), ['known']);
    assert.deepEqual(await entriesOf(books.entries, walletId), before);
    books.close();
  });

  it('make an entry that was lost again as it was, from the image before the next change', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 5);
    await books.follow();
    const [opening, ...others] = await entriesOf(books.entries, walletId);
    const records = await books.takeRecordsOf('WALLET');
    assert.equal(records.length, 0);
    assert.equal(others.length, 1);
    await books.entries.client.send(
      new DeleteItemCommand({ TableName: books.entries.name, Key: toItem(entryKey(walletId, 1)) }),
    );
    assert.equal((await entriesOf(books.entries, walletId)).length, 1);
    assert.ok(opening);
    await charge(books.table, walletId, { amount: 6 });
    await books.follow();
    assert.deepEqual((await entriesOf(books.entries, walletId)).slice(1, 2), others);
    books.close();
  });

  it('of old repeat in silence, with one read for all of a wallet', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 5);
    for (let i = 0; i < 30; i++) await charge(books.table, walletId, { amount: 1 });
    const records = await books.takeRecordsOf('WALLET');
    await books.hand(records);
    const { calls, writeUnits } = await measure(books.entries, () => books.hand(records.slice(0, 20)));
    // The first entry turns out to be there already. The engine charges nothing for that, and DynamoDB one unit.
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['BatchExecuteStatement', 'Query', 'Query', 'PutItem'],
    );
    checkUnits(() => {
      assert.equal(writeUnits, 1, 'the line of the journal');
    });
    assert.deepEqual(books.aside, []);
    books.close();
  });

  it('that cannot be set aside are wanted again', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 5);
    await charge(books.table, walletId, { amount: 6 });
    const records = await books.takeRecordsOf('WALLET');
    const { project } = await import('../../lambdas/workers/projector.ts');
    const again = await project([records[2]!], {
      entries: books.entries,
      setAside: { send: () => Promise.reject(new Error('the queue is away')) },
      heads: new Heads(),
    });
    assert.equal(again, records[2]);
    books.close();
  });
});

async function assertNoGaps({ entries }: TestBooks): Promise<void> {
  const { Items = [] } = await entries.client.send(new ScanCommand({ TableName: entries.name }));
  const ledgers = Map.groupBy(
    Items.map(fromItem).filter(({ pk }) => String(pk).startsWith('LEDGER#')),
    ({ pk }) => pk,
  );
  for (const ledger of ledgers.values()) {
    const versions = ledger.map(({ sk }) => Number(sk)).sort((a, b) => a - b);
    assert.deepEqual(versions, [...versions.keys()]);
  }
}
