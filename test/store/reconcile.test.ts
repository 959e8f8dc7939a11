/** Files of a bank against the books: each kind of difference, and what changes nothing. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { csvMappingIn } from '../../lambdas/bank-files/csv.ts';
import { findingCodes } from '../../lambdas/bank-files/findings.ts';
import { UnreadableFile } from '../../lambdas/bank-files/read-files.ts';
import type { BankFile } from '../../lambdas/bank-files/read-files.ts';
import { reconcile } from '../../lambdas/bank-files/reconcile.ts';
import type { ReconcileOptions } from '../../lambdas/bank-files/reconcile.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { getWithdrawal, returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { camt, csv, csvColumns, fileOf, mt940 } from '../bank-files.ts';
import type { WrittenLine } from '../bank-files.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { charge, timeOf, transfer, withdraw } from './commands.ts';
import { release, settle } from './histories.ts';
import { changeItem } from './inspect.ts';
import { bankId } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const dayMs = 86_400_000;
const unknownId = 'tx_aaaaaaaaaaaaaaaaaaaaaaaaaa';

/** Compares files with a table, and asserts that it only reads. */
async function compare(table: TestTable, files: readonly BankFile[], options: Partial<ReconcileOptions> = {}) {
  const defaults = { bankId, days: 5, charges: false, scan: true, segments: 1 };
  const { result, writeUnits } = await measure(table, () => reconcile(table, files, { ...defaults, ...options }));
  assert.equal(writeUnits, 0);
  return result;
}

/** Returns each difference as a line: code, place, transaction. */
function linesOf({ differences }: Awaited<ReturnType<typeof compare>>): string[] {
  return differences.map(
    ({ code, file, line, transactionId = '-' }) => `${code} ${file ?? '-'}:${line ?? '-'} ${transactionId}`,
  );
}

async function newWithdrawal(
  table: TestTable,
  walletId: string,
  amount: number,
  end?: 'paid' | 'failed',
): Promise<string> {
  const { transactionId } = (await withdraw(table, walletId, { owner: 'ann', amount })).transaction;
  if (end === 'paid') await settle(table, transactionId);
  if (end === 'failed') await release(table, transactionId);
  return transactionId;
}

async function bookReturn(table: TestTable, transactionId: string): Promise<void> {
  const original = await getWithdrawal(table, transactionId);
  assert.ok(original);
  await returnWithdrawal(table, original, { at: timeOf(table) });
}

/** Withdrawals and charges of one wallet, and the lines of a bank that agrees with them. */
async function newScene() {
  const table = await engine.newTable();
  const walletId = await fundedWallet(table, 'ann', 100_000);
  const paid = [await newWithdrawal(table, walletId, 100, 'paid'), await newWithdrawal(table, walletId, 250, 'paid')];
  const [first = '', second = ''] = paid;
  await charge(table, walletId, { amount: 500, externalReference: 'invoice 1' });
  const lines: WrittenLine[] = [
    { reference: first, amount: 100, bankReference: 'B1' },
    { reference: second, amount: 250, bankReference: 'B2', date: '2026-03-02' },
    { reference: 'INVOICE 1', amount: 500, bankReference: 'B3', direction: 'in' },
  ];
  return { table, walletId, first, second, lines };
}

describe('a file that agrees', () => {
  it('is the same in each format, and names no difference', async () => {
    const { table, lines } = await newScene();
    const plain = lines.map((line) => ({ ...line, reference: line.reference.toUpperCase() }));
    for (const file of [fileOf('a.xml', camt(plain)), fileOf('a.sta', mt940(plain))]) {
      const report = await compare(table, [file]);
      assert.deepEqual([report.outcome, report.counts.matched, linesOf(report)], ['matched', 3, []]);
    }
    const mapping = csvMappingIn(JSON.stringify(csvColumns));
    // The text of the column has more words than the reference of the charge.
    const report = await compare(table, [fileOf('a.csv', csv(plain.slice(0, 2)))], { csv: mapping });
    assert.deepEqual([report.outcome, report.counts.matched], ['matched', 2]);
  });

  it('may lack the payments of its last days, those of other currencies, and those of another bank', async () => {
    const { table, walletId, lines } = await newScene();
    table.clock.now += 28 * dayMs;
    await newWithdrawal(table, walletId, 70, 'paid');
    const dollars = await fundedWallet(table, 'ann', 1_000, 'USD');
    table.clock.now -= 20 * dayMs;
    await newWithdrawal(table, dollars, 70, 'paid');
    const elsewhere = await newWithdrawal(table, walletId, 80, 'paid');
    await changeItem(table, transactionKey(elsewhere), { bankId: 'other.example' });
    const report = await compare(table, [fileOf('a.xml', camt(lines))]);
    assert.deepEqual([report.outcome, report.counts.awaited], ['matched', 1]);
    assert.deepEqual(report.covered, [{ currency: 'EUR', from: '2026-03-01', to: '2026-03-31' }]);
  });

  it('may have a payment of a day before its first, which is read by its id', async () => {
    const { table, first, second, lines } = await newScene();
    for (const id of [first, second]) {
      await changeItem(table, transactionKey(id), { updatedAt: '2026-02-01T00:00:00.000Z' });
    }
    const report = await compare(table, [fileOf('a.xml', camt(lines))]);
    assert.deepEqual([linesOf(report), report.counts.matched], [[], 3]);
  });
});

describe('differences', () => {
  it('are named, each with its code, its place and the transaction', async () => {
    const { table, walletId, first, second, lines } = await newScene();
    const other = await openWallet(table, 'bob');
    const [amount, currency, open, failed, returned, noReturn, twice, repeated, late, elsewhere, missing] =
      await Promise.all(
        ([...Array<'paid'>(2).fill('paid'), undefined, 'failed', ...Array<'paid'>(7).fill('paid')] as const).map(
          (end) => newWithdrawal(table, walletId, 40, end),
        ),
      );
    await bookReturn(table, noReturn!);
    await changeItem(table, transactionKey(elsewhere!), { bankId: 'other.example' });
    const { transaction } = await transfer(table, walletId, other, { owner: 'ann', amount: 10 });
    await charge(table, walletId, { amount: 60, externalReference: 'invoice-2' });
    await charge(table, walletId, { amount: 60, externalReference: 'invoice-3' });
    await charge(table, walletId, { amount: 60, externalReference: 'invoice-3' });
    const of = (reference: string, more: Partial<WrittenLine> = {}) => ({ reference, amount: 40, ...more });
    const planted: WrittenLine[] = [
      ...lines,
      of(amount!, { amount: 41 }),
      of(currency!, { currency: 'USD' }),
      of(open!),
      of(failed!),
      of(returned!),
      of(returned!, { direction: 'in' }),
      of(noReturn!),
      of(twice!, { bankReference: 'C1' }),
      of(twice!, { bankReference: 'C2' }),
      of(repeated!, { bankReference: 'D1' }),
      of(repeated!, { bankReference: 'D1' }),
      of(late!, { date: '2026-03-10' }),
      of(elsewhere!),
      of(unknownId),
      of('bank charges'),
      of('a gift', { direction: 'in' }),
      of(transaction.transactionId),
      of('invoice-2', { amount: 60 }),
      of('invoice-3', { amount: 60, direction: 'in' }),
    ];
    const report = await compare(table, [fileOf('a.xml', camt(planted))]);
    // Each entry has four lines, and three lines come before the first.
    const at = (index: number, within = 2) => `a.xml:${4 + 4 * (lines.length + index) + within}`;
    assert.deepEqual(
      linesOf(report)
        .filter((line) => !line.startsWith('charged_twice'))
        .toSorted(),
      [
        `amount_differs ${at(0)} ${amount}`,
        `currency_differs ${at(1)} ${currency}`,
        `date_differs ${at(11)} ${late}`,
        `duplicate_line ${at(10)} ${repeated}`,
        `missing_in_file -:- ${missing}`,
        `no_reference ${at(14)} -`,
        `not_a_bank_payment ${at(16)} ${transaction.transactionId}`,
        `other_bank ${at(12)} ${elsewhere}`,
        `paid_but_failed ${at(3)} ${failed}`,
        `paid_but_open ${at(2)} ${open}`,
        `paid_twice ${at(8)} ${twice}`,
        `return_missing_in_file -:- ${report.differences.find(({ code }) => code === 'return_missing_in_file')?.transactionId}`,
        `returned_by_bank ${at(5)} ${returned}`,
        `unknown_credit ${at(15)} -`,
        `unknown_payment ${at(13)} ${unknownId}`,
        `wrong_direction ${at(17)} ${report.differences.find(({ code }) => code === 'wrong_direction')?.transactionId}`,
      ].toSorted(),
    );
    assert.equal(report.counts.byCode.charged_twice, 1);
    // Both lines of the first withdrawals agree, and those of the charges; so do the first of two, and the line of the return.
    assert.equal(report.counts.matched, 8);
    assert.equal(report.counts.matched + report.counts.differences - 3, report.counts.lines);
    const again = await compare(table, [fileOf('a.xml', camt(planted))]);
    assert.deepEqual(again, { ...report, read: again.read });
    assert.ok(first !== second);
  });

  it('of a status column: not paid by the bank, completed here', async () => {
    const { table, first, lines } = await newScene();
    const failed = lines.map((line) => (line.reference === first ? { ...line, status: 'failed' as const } : line));
    const mapping = csvMappingIn(JSON.stringify(csvColumns));
    const report = await compare(table, [fileOf('a.csv', csv(failed.slice(0, 2)))], { csv: mapping });
    assert.deepEqual(linesOf(report), [`failed_but_completed a.csv:2 ${first}`]);
  });

  it('of charges are looked for where the caller asks', async () => {
    const { table, lines } = await newScene();
    const without = camt(lines.slice(0, 2));
    assert.deepEqual(linesOf(await compare(table, [fileOf('a.xml', without)])), []);
    const report = await compare(table, [fileOf('a.xml', without)], { charges: true });
    assert.deepEqual(report.counts.byCode, { missing_in_file: 1 });
  });

  it('inside a file: sums that do not add up', async () => {
    const { table, lines } = await newScene();
    const wrong = mt940(lines).replace(/:62F:.*/, ':62F:C260331EUR1,00');
    assert.deepEqual((await compare(table, [fileOf('a.sta', wrong)])).counts.byCode, { balance_differs: 1 });
  });

  it('of a record that cannot be read', async () => {
    const { table, first, lines } = await newScene();
    await changeItem(table, transactionKey(first), { v: 99 });
    assert.deepEqual(linesOf(await compare(table, [fileOf('a.xml', camt(lines))])), [`unreadable a.xml:6 ${first}`]);
  });

  it('are read again: a withdrawal that ends meanwhile agrees', async () => {
    const { table, walletId, lines } = await newScene();
    const open = await newWithdrawal(table, walletId, 40);
    let pages = 0;
    const report = await compare(table, [fileOf('a.xml', camt([...lines, { reference: open, amount: 40 }]))], {
      segments: 1,
      progress: ({ stage }) => {
        if (stage === 'table') pages++;
      },
      check: () => undefined,
    });
    assert.deepEqual([linesOf(report), pages], [[`paid_but_open a.xml:18 ${open}`], 1]);
    await settle(table, open);
    assert.deepEqual(
      linesOf(await compare(table, [fileOf('a.xml', camt([...lines, { reference: open, amount: 40 }]))])),
      [],
    );
  });

  it('have a heading in the documentation, each', async () => {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync('docs/bank-files.md', 'utf8');
    assert.deepEqual(
      findingCodes.filter((code) => !text.includes(`\n### ${code}\n`)),
      [],
    );
  });
});

describe('files', () => {
  it('that come twice are compared once, and named', async () => {
    const { table, lines } = await newScene();
    const content = camt(lines);
    const once = await compare(table, [fileOf('a.xml', content)]);
    const report = await compare(table, [fileOf('a.xml', content), fileOf('b.xml', content)]);
    assert.deepEqual(linesOf(report), ['file_twice b.xml:1 -']);
    assert.deepEqual({ ...report.counts, differences: 0, byCode: {} }, once.counts);
  });

  it('of a month are compared together', async () => {
    const { table, lines } = await newScene();
    const [head, ...rest] = lines;
    const report = await compare(table, [fileOf('a.xml', camt([head!])), fileOf('b.xml', camt(rest))]);
    assert.deepEqual([report.outcome, report.counts.matched], ['matched', 3]);
  });

  it('that are broken are refused as a whole', async () => {
    const { table, lines } = await newScene();
    const broken = camt(lines).replace('2.50', '2.5x');
    await assert.rejects(compare(table, [fileOf('a.xml', broken)]), (error: unknown) => {
      assert.ok(error instanceof UnreadableFile);
      assert.equal(error.message, 'a.xml:8: bad_amount: "2.5x" is no amount of EUR');
      return true;
    });
  });

  it('can be compared by what their lines name alone', async () => {
    const { table, walletId, lines } = await newScene();
    await newWithdrawal(table, walletId, 40, 'paid');
    const { result, calls } = await measure(table, () =>
      compare(table, [fileOf('a.xml', camt(lines))], { scan: false }),
    );
    assert.deepEqual([result.outcome, result.counts.matched, result.counts.notCompared], ['matched', 2, 1]);
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['BatchGetItem'],
    );
  });
});
