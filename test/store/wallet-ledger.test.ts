import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { entryKey } from '../../lambdas/store/keys.ts';
import { heldAt } from '../../lambdas/domain/entries.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import { findHeld, hashOf, insertEntries, listEntries, mostInserts, readEntries } from '../../lambdas/store/entries.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { measure } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { charge, withdraw } from './commands.ts';
import { settle } from './histories.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();

async function entriesOf({ entries }: TestBooks, walletId: string) {
  return (await readEntries(entries, { walletId, after: undefined, consistent: true })).items;
}

const ledgerOfTimes = 'w_eur_aaaaaaaaaaaaaaaaaaaaaaaaaa';

/** Returns an entry of a version with a time, epoch ms, and no change. */
function entryAt(time: number, version: number): ChainedEntry {
  const at = isoOf(time);
  const balanceAfter = { available: version, held: 0 };
  const rest = { changes: [], balanceAfter, statusAfter: 'active', hash: 'hash' } as const;
  return { walletId: ledgerOfTimes, version, at, bookedAt: at, ...rest };
}

describe("a wallet's ledger", () => {
  it('has an entry for each version: what it changed, and the balance after it', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const walletId = await fundedWallet(table, 'ann', 1000);
    table.clock.now += 1000;
    const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 300 });
    await settle(table, transaction.transactionId);
    await setStatus(table, walletId, 'frozen');
    await books.follow();
    const entries = await entriesOf(books, walletId);
    assert.deepEqual(
      entries.map(({ version, changes, balanceAfter, statusAfter }) => [
        version,
        changes.map(({ account, amount }) => `${account} ${amount}`).join(', '),
        balanceAfter.available,
        balanceAfter.held,
        statusAfter,
      ]),
      [
        [0, '', 0, 0, 'active'],
        [1, 'available 1000', 1000, 0, 'active'],
        [2, 'available -300, held 300', 700, 300, 'active'],
        [3, 'held -300', 700, 0, 'active'],
        [4, '', 700, 0, 'frozen'],
      ],
    );
    assert.equal(entries[2]?.transactionId, transaction.transactionId);
    assert.equal(entries[3]?.transactionId, transaction.transactionId);
    assert.equal(entries[4]?.transactionId, undefined);
    let previous = '';
    for (const entry of entries) {
      assert.equal(entry.hash, hashOf(entry, previous));
      previous = entry.hash;
    }
    books.close();
  });

  it('is read newest first, page by page', async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 1);
    for (let i = 0; i < 4; i++) await charge(books.table, walletId, { amount: 1 });
    await books.follow();
    const seen: number[] = [];
    let before: number | undefined;
    do {
      const page = await listEntries(books.entries, { walletId, limit: 2, before });
      seen.push(...page.items.map(({ version }) => version));
      before = page.next;
    } while (before !== undefined);
    assert.deepEqual(seen, [5, 4, 3, 2, 1, 0]);
    books.close();
  });

  it('says what held at any moment with two calls, whatever the order in which the times of its changes come', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const walletId = await openWallet(table, 'ann');
    const opened = table.now();
    // The second command began before the first, on a machine whose clock is behind, and was written after it.
    for (const seconds of [3, 1, 2, 5]) {
      table.clock.now = opened + seconds * 1000;
      await charge(table, walletId, { amount: 10 });
    }
    await books.follow();
    const at = async (seconds: number) => {
      const { result, roundTrips, readUnits } = await measure(books.entries, () =>
        findHeld(books.entries, walletId, isoOf(opened + seconds * 1000)),
      );
      assert.equal(roundTrips, 2);
      checkUnits(() => {
        assert.ok(readUnits <= 2, String(readUnits));
      });
      return [result.entry?.balanceAfter.available, result.isOver];
    };
    assert.deepEqual(await at(-1), [undefined, true]);
    assert.deepEqual(await at(0), [0, true]);
    assert.deepEqual(await at(2), [0, true]);
    assert.deepEqual(await at(3), [30, true]);
    assert.deepEqual(await at(4), [30, true]);
    assert.deepEqual(await at(5), [40, false]);
    books.close();
  });

  it('says what held also among entries of the first releases, whose times run backwards', async () => {
    const books = await newBooks(engine);
    const walletId = ledgerOfTimes;
    const seconds = [0, 1, 30, 2, 29, 3, 31];
    for (const [version, second] of seconds.entries()) {
      const at = isoOf(books.table.now() + second * 1000);
      await books.entries.client.send(
        new PutItemCommand({
          TableName: books.entries.name,
          Item: toItem({
            ...entryKey(walletId, version),
            moment: `${at}#${String(version).padStart(16, '0')}`,
            changes: [],
            balanceAfter: { available: version, held: 0 },
            statusAfter: 'active',
            hash: 'hash',
          }),
        }),
      );
    }
    const versions = [0, 1, 2, 3, 29, 30, 31, 40].map(async (second) => {
      const { entry } = await findHeld(books.entries, walletId, isoOf(books.table.now() + second * 1000));
      return entry?.version;
    });
    assert.deepEqual(await Promise.all(versions), [0, 1, 1, 1, 1, 5, 6, 6]);
    books.close();
  });

  for (const [title, isStored, mostCalls] of [
    ['among a thousand entries, in four calls', () => true, 4],
    ['where entries are missing', (version: number) => version < 600 || version > 900, 7],
  ] as const) {
    it(`says what held ${title}`, async () => {
      const books = await newBooks(engine);
      const opened = books.table.now();
      // Some changes come together, and days lie between others.
      const times = Array.from({ length: 1_000 }, (_, version) => opened + Math.floor(version / 3) ** 2 * 1_000);
      const stored = times.map(entryAt).filter(({ version }) => isStored(version));
      for (let i = 0; i < stored.length; i += mostInserts) {
        await insertEntries(books.entries, stored.slice(i, i + mostInserts));
      }
      for (const version of [0, 1, 2, 3, 20, 333, 598, 599, 901, 950, 998, 999]) {
        for (const offset of [-1, 0, 1]) {
          const moment = isoOf((times[version] ?? 0) + offset);
          const { result, roundTrips, readUnits } = await measure(books.entries, () =>
            findHeld(books.entries, ledgerOfTimes, moment),
          );
          const { entry, isOver } = result;
          assert.deepEqual({ entry, isOver }, heldAt(stored, moment), `${version}, ${offset}`);
          assert.ok(roundTrips <= mostCalls, `${roundTrips} calls`);
          checkUnits(() => {
            assert.ok(readUnits <= 9 * mostCalls, `${readUnits} units`);
          });
        }
      }
      books.close();
    });
  }

  it('costs one write unit an entry', async () => {
    const books = await newBooks(engine);
    await fundedWallet(books.table, 'ann', 100);
    const records = (await books.takeRecords()).filter(({ dynamodb }) => dynamodb?.Keys?.['sk']?.S === 'WALLET');
    const { writeUnits } = await measure(books.entries, () => books.hand(records));
    assert.equal(records.length, 2);
    checkUnits(() => {
      assert.equal(writeUnits, 3, 'and one for the line of the journal, which a whole batch shares');
    });
    books.close();
  });
});

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
