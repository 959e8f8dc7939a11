/** Imports into the real engine: what they write, and that the books are sound afterwards. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { receiptCodeOf, transactionIdOfReceipt } from '../../lambdas/domain/ids.ts';
import { importedTransactionId, importKey } from '../../lambdas/domain/import.ts';
import { listByReference } from '../../lambdas/store/by-reference.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { changeDetails, getDetails } from '../../lambdas/store/wallet-details.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { newBooks } from '../books.ts';
import { measure } from '../engine.ts';
import { afterTest, report, useEngine } from '../fixture.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { checkUnits } from '../units.ts';
import { charge, newKey, transfer, withdraw } from './commands.ts';
import { assertSoundBooks, codesOf, jsonLines, runImport, walletIdFor, year } from './import-scenes.ts';
import { allItems, assertRefused, assertWritesNothing, entriesOf, fieldsOf } from './inspect.ts';
import { recover } from './recovering.ts';
import { refund } from './refund-commands.ts';
import { statementOf } from './statement-scenes.ts';
import { balanceOf, openWallet } from './wallets.ts';

const engine = useEngine();
const [a, b] = [walletIdFor('a'), walletIdFor('b')];
const endUserActor = { kind: 'owner', principal: 'ann' } as const;

async function someBooks() {
  const books = await newBooks(engine);
  afterTest(books.close);
  return books;
}

async function importedBooks() {
  const books = await someBooks();
  assert.deepEqual(codesOf(await runImport(books.table, year)), []);
  return books;
}

describe('an import', () => {
  it('makes sound books, in which everything has its own date', async () => {
    const books = await someBooks();
    const { table, entries } = books;
    const outcome = await runImport(table, year);
    assert.deepEqual(codesOf(outcome), []);
    assert.deepEqual(outcome.wallets, { all: 2, fresh: 2, activated: 2 });
    for (const name of ['EUR opening', 'EUR charge', 'EUR transfer', 'EUR withdrawal']) {
      assert.deepEqual(outcome.stored?.of(name), outcome.files?.of(name));
    }
    assert.deepEqual(outcome.stored?.of('EUR charge'), { count: 2, amount: 550n });
    assert.deepEqual(await balanceOf(table, a), { available: 1_000, held: 0, total: 1_000 });
    assert.deepEqual(await balanceOf(table, b), { available: 350, held: 0, total: 350 });
    const pass = await assertSoundBooks(books);
    assert.deepEqual(pass.sums, { EUR: { wallets: 1_350n, external: -350n, transit: 0n, opening: -1_000n } });
    assert.deepEqual(pass.otherBanks, { imported: 1 });
    const ledger = await entriesOf(entries, a);
    assert.deepEqual(
      ledger.map(({ at, balanceAfter, statusAfter }) => [at.slice(0, 10), balanceAfter.available, statusAfter]),
      [
        ['2025-01-01', 0, 'frozen'],
        ['2025-01-02', 1_000, 'frozen'],
        ['2025-02-01', 1_500, 'frozen'],
        ['2025-03-01', 1_200, 'frozen'],
        ['2025-04-01', 1_000, 'frozen'],
        ['2026-03-01', 1_000, 'active'],
      ],
    );
  });

  it('is found in the history, the statement, by reference and by receipt', async () => {
    const books = await importedBooks();
    const { table } = books;
    await books.follow();
    const { items } = await listTransactions(table, { walletId: a, limit: 10, to: '2025-03-02T00:00:00.000Z' });
    assert.deepEqual(
      items.map(({ type, createdAt, externalReference }) => [type, createdAt, externalReference]),
      [
        ['transfer', '2025-03-01T00:00:00.000Z', 't-1'],
        ['charge', '2025-02-01T09:30:00.123Z', 'c-1'],
        ['charge', '2025-01-02T00:00:00.000Z', undefined],
      ],
    );
    const { items: found } = await listByReference(table, { externalReference: 'payout-7', limit: 10 });
    const [payout] = found;
    assert.ok(payout !== undefined && found.length === 1);
    assert.equal(payout.transactionId, importedTransactionId(importKey('transaction', 'w-1')));
    assert.equal(receiptCodeOf(payout).slice(0, 12), 'RCP-20250401');
    assert.equal(transactionIdOfReceipt(receiptCodeOf(payout)), payout.transactionId);
    const period = { from: '2025-02-01T00:00:00Z', to: '2025-03-02T00:00:00Z' };
    const { opening, lines, closing } = await statementOf(books, a, { query: period });
    assert.deepEqual([opening.total, closing.total], [1_000, 1_200]);
    assert.deepEqual(
      lines.map(({ at, amount }) => [at.slice(0, 10), amount]),
      [
        ['2025-02-01', 500],
        ['2025-03-01', -300],
      ],
    );
    const wallet = await getWallet(table, a);
    assert.ok(wallet);
    assert.equal((await getDetails(table, wallet))?.name, 'Savings');
  });

  it('publishes no event, and refunds of what it wrote do', async () => {
    const books = await importedBooks();
    const records = await books.takeRecords();
    assert.ok(records.length > 10);
    assert.deepEqual([...eventsIn(records).keys()], []);
    const original = await fieldsOf(books.table, importedTransactionId(importKey('transaction', 'c-1')));
    assert.ok(original?.type === 'charge');
    await refund(books.table, original, { amount: 100, operator: 'olga' });
    const events = [...eventsIn(await books.takeRecords()).values()];
    assert.deepEqual(
      events.map(({ type }) => type),
      ['refund.completed'],
    );
  });

  it('leaves wallets that take commands, with sound books', async () => {
    const books = await importedBooks();
    const { table } = books;
    await charge(table, a, { amount: 70 });
    await transfer(table, a, b, { owner: 'ann', amount: 20 });
    await withdraw(table, b, { owner: 'bob', amount: 10 });
    await assertSoundBooks(books);
    assert.deepEqual(await balanceOf(table, b), { available: 360, held: 10, total: 370 });
    // A repetition of the import finds everything, and leaves the wallets alone.
    const before = await allItems(table);
    const again = await runImport(table, year);
    assert.deepEqual([codesOf(again), again.wallets], [[], { all: 2, fresh: 0, activated: 0 }]);
    assert.deepEqual(await allItems(table), before);
  });

  it('is nothing that a recovery has to repair', async () => {
    const books = await importedBooks();
    await books.follow();
    assert.deepEqual(await recover(books), []);
  });

  it('writes nothing as a dry run, and says what it would do', async () => {
    const { table } = await someBooks();
    await assertWritesNothing(table, { all: 2, fresh: 2, activated: 0 }, async () => {
      const { wallets, fresh, findings } = await runImport(table, year, { dryRun: true });
      assert.equal(findings.total, 0);
      assert.deepEqual(fresh?.of('EUR transfer'), { count: 1, amount: 300n });
      return wallets;
    });
  });
});

describe('the owner of a wallet that is being imported', () => {
  it('does not end its import by a change of the name', async () => {
    const { table } = await someBooks();
    const line = (id: string, date: string) => ({ kind: 'charge', id, wallet: 'x', amount: 5, date });
    const wallet = { kind: 'wallet', id: 'x', ownerId: 'ann', currency: 'EUR', date: '2025-01-01' };
    const files = [
      jsonLines(wallet, line('1', '2025-01-02')),
      jsonLines(wallet, line('1', '2025-01-02'), line('2', '2025-01-03')),
    ];
    const [first = '', longer = ''] = files;
    await runImport(table, first, { keepFrozen: true });
    const rename = () => {
      const at = new Date(table.now()).toISOString();
      const operation = { ...endUserActor, idempotencyKey: newKey(), fingerprint: 'f', at };
      const patch = { name: 'Rent' };
      const change = { walletId: walletIdFor('x'), ownerId: 'ann', patch, rate: undefined, refusalOf: () => undefined };
      return changeDetails(table, operation, change);
    };
    await assertRefused(table, 'wallet_frozen', rename);
    assert.deepEqual(codesOf(await runImport(table, longer)), []);
    assert.equal((await rename()).details.name, 'Rent');
  });
});

describe('a longer file', () => {
  const more = jsonLines({ kind: 'charge', id: 'c-9', wallet: 'a', amount: 9, date: '2025-12-01T00:00:00Z' });

  it('goes on where the wallets were left frozen, which take no commands until then', async () => {
    const books = await someBooks();
    const { table } = books;
    await runImport(table, year, { keepFrozen: true });
    await assertRefused(table, 'wallet_frozen', () => charge(table, a, { amount: 1 }));
    const outcome = await runImport(table, year + more);
    assert.deepEqual([codesOf(outcome), outcome.wallets.activated], [[], 2]);
    assert.deepEqual(outcome.fresh?.of('EUR charge'), { count: 1, amount: 9n });
    assert.equal((await balanceOf(table, a)).available, 1_009);
    await assertSoundBooks(books);
  });

  it('is refused where the wallets are in use, or have later transactions', async () => {
    const { table } = await importedBooks();
    const older = jsonLines({ kind: 'charge', id: 'c-8', wallet: 'a', amount: 9, date: '2025-03-02T00:00:00Z' });
    const refusedBy = async (content: string) => {
      let codes: string[] = [];
      await assertWritesNothing(table, undefined, async () => {
        codes = codesOf(await runImport(table, content));
      });
      return codes;
    };
    assert.deepEqual(await refusedBy(year + more), ['wallet_in_use 9']);
    const frozen = await someBooks();
    await runImport(frozen.table, year, { keepFrozen: true });
    assert.deepEqual(codesOf(await runImport(frozen.table, year + older)), ['older_than_imported 9']);
  });

  it('is refused where something was imported before with another content', async () => {
    const { table } = await importedBooks();
    const other = year.replace('"amount":500', '"amount":501').replace('"name":"Savings"', '"name":"Spending"');
    const before = await allItems(table);
    assert.deepEqual(codesOf(await runImport(table, other)).sort(), ['changed_since 2', 'changed_since 6']);
    assert.deepEqual(await allItems(table), before);
  });

  it('is refused where an opening balance was imported before, and is now 0', async () => {
    const { table } = await importedBooks();
    const other = year.replace('"wallet":"a","amount":1000', '"wallet":"a","amount":0');
    assert.notEqual(other, year);
    // The later withdrawals need the balance.
    const enough = other.replace('"amount":500', '"amount":5000');
    assert.deepEqual(codesOf(await runImport(table, enough)).sort(), ['changed_since 4', 'changed_since 6']);
  });

  it('is compared with the balances: a line that it lacks is a difference', async () => {
    const { table } = await someBooks();
    await runImport(table, year + more, { keepFrozen: true });
    const outcome = await runImport(table, year);
    assert.deepEqual([codesOf(outcome), outcome.wallets.activated], [['balance_differs 2'], 0]);
    await assertRefused(table, 'wallet_frozen', () => charge(table, a, { amount: 1 }));
  });
});

it('a wallet that no import has opened is refused', async () => {
  const { table } = await someBooks();
  const walletId = await openWallet(table, 'ann');
  const taken = jsonLines({ kind: 'wallet', id: 'x', ownerId: 'ann', currency: 'EUR', walletId });
  await assertWritesNothing(table, ['wallet_in_use 1'], async () => codesOf(await runImport(table, taken)));
});

it('each write of an import costs as many units as docs/import.md says', async () => {
  const { table } = await someBooks();
  const { calls } = await measure(table, () => runImport(table, year, { atATime: 1 }));
  const units = calls.filter(({ operation }) => /Transact|Update/.test(operation)).map(({ writeUnits }) => writeUnits);
  report(
    `  write units of two wallets, opening, two charges, transfer, withdrawal, and two activations: ${units.join(', ')}`,
  );
  checkUnits(() => {
    assert.deepEqual(units, [8, 8, 5, 6, 9, 6, 6, 1, 1]);
  });
});
