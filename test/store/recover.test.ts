/** What a recovery makes of its sources: the tables, the archive of events and the bank's statement. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, it } from '@jest/globals';
import { countUnknownWallets, loadArchive, loadEvent } from '../../bin/recover/archive.ts';
import { loadBooks } from '../../bin/recover/load.ts';
import { mendWallets } from '../../bin/recover/mend.ts';
import { loadPayments, namePaidTwice } from '../../bin/recover/payments.ts';
import { recoverBooks } from '../../bin/recover/recover.ts';
import { bookMissingCredits } from '../../bin/recover/missing-credits.ts';
import { advanceRecords, putBackTransactions } from '../../bin/recover/put-back.ts';
import { Recovery } from '../../bin/recover/recovery.ts';
import type { StatementItem } from '../../lambdas/bank/answers.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { getWithdrawal, returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { askBankFirst, linkReturns, nameForgotten } from '../../bin/recover/torn.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { charge, timeOf, withdraw } from './commands.ts';
import { release } from './histories.ts';
import { changeItem, itemOf, plant, withdrawalOf } from './inspect.ts';
import { bankId, claim, claimed, visit } from './visits.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();
const hourMs = 3_600_000;

async function openBooks(): Promise<TestBooks> {
  const books = await newBooks(engine);
  afterTest(books.close);
  return books;
}

interface Sources {
  readonly payments?: readonly StatementItem[];
  readonly events?: readonly ServiceEvent[];
  readonly dryRun?: boolean;
}

/** Returns a recovery that has read nothing, and the lines of its report. */
function open(
  { table, entries }: Pick<TestBooks, 'table' | 'entries'>,
  { payments = [], dryRun = false }: Pick<Sources, 'payments' | 'dryRun'> = {},
) {
  const lines: string[] = [];
  const recovery = new Recovery(
    {
      ...{ table, entries, comparedFrom: epoch - hourMs, dryRun, restartsChecks: false },
      bank: {
        bankId,
        statement: () => Promise.resolve({ outcome: 'page', items: [...payments], next: undefined }),
      },
      report: {
        repairs: (what, subject, detail) => lines.push(`REPAIR ${what} ${subject}: ${detail}`),
        differs: ({ kind, subject, detail }) => lines.push(`DIFFERENCE ${kind} ${subject}: ${detail}`),
      },
    },
    true,
  );
  afterTest(() => {
    recovery.close();
  });
  return { recovery, lines };
}

/** Returns a recovery that has read its sources. */
async function begin(books: TestBooks, { events = [], ...sources }: Sources = {}) {
  const { recovery, lines } = open(books, sources);
  await loadBooks(recovery, recovery.copy, recovery.report);
  for (const event of events) loadEvent(recovery.copy, event);
  await loadPayments(recovery);
  return { recovery, lines };
}

/** Forgets a transaction. */
async function forget(table: Table, transactionId: string): Promise<void> {
  const Key = toItem(transactionKey(transactionId));
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key }));
}

/** Returns a folder with an archive of these events. */
function archiveOf(events: readonly ServiceEvent[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'wallet-recover-'));
  afterTest(() => {
    rmSync(folder, { recursive: true });
  });
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  writeFileSync(join(folder, 'one.gz'), gzipSync(lines));
  return folder;
}

describe('a recovery', () => {
  it('books the payment that fits its hold, and names another payment of the same reference, in any order', async () => {
    for (const order of [
      ['EUR', 'USD'],
      ['USD', 'EUR'],
    ]) {
      const books = await openBooks();
      const { table } = books;
      const ann = await fundedWallet(table, 'ann', 1_000);
      const before = await itemOf(table, walletKey(ann));
      const { transaction } = await withdraw(table, ann, { owner: 'ann', amount: 400 });
      await books.follow();
      await plant(table, before ?? {});
      await forget(table, transaction.transactionId);
      const payments = order.map((currency) => ({
        ...{ reference: transaction.transactionId, amount: 400, currency },
        paidAt: new Date(epoch).toISOString(),
      }));
      const { recovery, lines } = await begin(books, { payments });
      await putBackTransactions(recovery);
      namePaidTwice(recovery);
      assert.equal(lines.length, 2, lines.join('\n'));
      assert.match(lines[0] ?? '', /^REPAIR transaction tx_\w+: put back: a review withdrawal of 400 EUR$/);
      assert.match(lines[1] ?? '', /^DIFFERENCE paid_twice tx_\w+: .*that of 400 USD at \S+ is not booked$/);
    }
  });

  it('credits a wallet once when a later run has the event of a credit that an earlier run stood in for', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await openWallet(table, 'ann');
    const { transaction: credit } = await charge(table, ann, { amount: 5_000 });
    await withdraw(table, ann, { owner: 'ann', amount: 400 });
    const events = [...eventsIn(await books.takeRecords()).values()];
    await forget(table, credit.transactionId);
    const first = await begin(books);
    await bookMissingCredits(first.recovery);
    assert.match(first.lines.join('\n'), /^DIFFERENCE credit_forgotten w_\w+: its records spend 400 EUR more/);

    const { recovery, lines } = await begin(books, { events });
    await putBackTransactions(recovery);
    await bookMissingCredits(recovery);
    nameForgotten(recovery);
    assert.deepEqual(recovery.copy.balanceOf(ann), { available: 0n, held: 400n });
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', /^DIFFERENCE transaction_forgotten tx_\w+: .* in place of a forgotten credit/);
    assert.ok(lines[0]?.includes(credit.transactionId));
  });

  it('does not release a hold into a wallet whose charge may stand in for it: the withdrawal goes to review', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 300);
    const { transaction: failed } = await withdraw(table, ann, { owner: 'ann', amount: 300 });
    const open = await itemOf(table, transactionKey(failed.transactionId));
    await release(table, failed.transactionId);
    await withdraw(table, ann, { owner: 'ann', amount: 300 });
    const events = [...eventsIn(await books.takeRecords()).values()];
    await plant(table, open ?? {});
    const first = await begin(books);
    await bookMissingCredits(first.recovery);
    await askBankFirst(first.recovery);

    const { recovery, lines } = await begin(books, { events });
    await advanceRecords(recovery);
    await askBankFirst(recovery);
    assert.deepEqual(recovery.copy.balanceOf(ann), { available: 0n, held: 600n });
    assert.match(lines.join('\n'), /^DIFFERENCE end_forgotten tx_\w+: \w+ in the table, failed by its event/);
    assert.equal(recovery.copy.record(failed.transactionId)?.status, 'review');
    const again = await begin(books, { events });
    await askBankFirst(again.recovery);
    assert.deepEqual(again.lines, []);
  });

  it('books a payment whose event shows the wallet, without the event of its acceptance', async () => {
    for (const paid of [400, 500]) {
      const books = await openBooks();
      const { table } = books;
      const ann = await fundedWallet(table, 'ann', 1_000);
      const before = await itemOf(table, walletKey(ann));
      const { transaction } = await withdraw(table, ann, { owner: 'ann', amount: 400 });
      await claim(table, transaction.transactionId);
      const events = [...eventsIn(await books.takeRecords()).values()];
      await plant(table, before ?? {});
      await forget(table, transaction.transactionId);
      const payment = { reference: transaction.transactionId, amount: paid, currency: 'EUR', paidAt: timeOf(table) };
      const { recovery, lines } = await begin(books, {
        events: events.filter(({ type }) => type !== 'withdrawal.accepted'),
        payments: [payment],
      });
      await putBackTransactions(recovery);
      nameForgotten(recovery);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(
        lines[0] ?? '',
        paid === 400
          ? /^REPAIR transaction tx_\w+: put back: a review withdrawal of 400 EUR$/
          : /^DIFFERENCE payment_forgotten tx_\w+: .* lacks the event of its acceptance/,
      );
    }
  });

  it('keeps a wallet frozen where only the ledger shows the freeze, and an older event shows it active', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 1_000);
    const restored = await itemOf(table, walletKey(ann));
    await setStatus(table, ann, 'frozen');
    await setStatus(table, ann, 'active');
    const records = await books.takeRecords();
    await books.hand(records);
    await setStatus(table, ann, 'frozen');
    await books.follow();
    await plant(table, restored ?? {});
    const { recovery } = await begin(books, { events: [...eventsIn(records).values()] });
    await mendWallets(recovery);
    const wallet = await getWallet(table, ann, { consistent: true });
    assert.equal(wallet?.status, 'frozen');
    assert.equal(wallet.lastStatusChange?.reason, 'restored from the ledger');
  });

  it('names in a dry run what it does afterwards, also of records that build on others', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 1_000);
    const { transaction } = await withdraw(table, ann, { owner: 'ann', amount: 400 });
    const { transactionId } = transaction;
    const open = await itemOf(table, transactionKey(transactionId));
    const paid = await claimed(table, transactionId);
    await settleWithdrawal(table, paid, visit(table, 'accepted'));
    const settled = await getWithdrawal(table, transactionId);
    assert.ok(settled);
    await returnWithdrawal(table, settled, { at: timeOf(table) });
    const events = [...eventsIn(await books.takeRecords()).values()];
    const returned = events.flatMap((event) =>
      event.type === 'withdrawal.returned' ? [event.transaction.transactionId] : [],
    );
    await plant(table, open ?? {});
    for (const id of returned) await forget(table, id);
    const linesOf = async (dryRun: boolean) => {
      const { recovery, lines } = await begin(books, { events, dryRun });
      await advanceRecords(recovery);
      await putBackTransactions(recovery);
      await linkReturns(recovery);
      await askBankFirst(recovery);
      return lines;
    };
    const planned = await linesOf(true);
    assert.equal(planned.length, 3, planned.join('\n'));
    assert.match(planned[2] ?? '', /^REPAIR transaction tx_\w+: was returned by tx_/);
    assert.deepEqual(await linesOf(false), planned);
  });

  it('keeps the name of a return that cannot be read: the payment is not returned twice', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 1_000);
    const { transaction } = await withdraw(table, ann, { owner: 'ann', amount: 400 });
    const { transactionId } = transaction;
    await settleWithdrawal(table, await claimed(table, transactionId), visit(table, 'accepted'));
    const settled = await getWithdrawal(table, transactionId);
    assert.ok(settled);
    await returnWithdrawal(table, settled, { at: timeOf(table) });
    const { returnTransactionId = '' } = await withdrawalOf(table, transactionId);
    await changeItem(table, transactionKey(returnTransactionId), { v: 2 });
    const { recovery, lines } = await begin(books, {});
    await linkReturns(recovery);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('REPAIR')),
      [],
    );
  });

  it('takes no event of another service: one of a wallet or record from before the restored moment, that it lacks', async () => {
    const [own, other] = [await openBooks(), await openBooks()];
    const minute = 60_000;
    const before = epoch - hourMs - minute;
    for (const { table, owner } of [
      { ...own, owner: 'ann' },
      { ...other, owner: 'eve' },
    ]) {
      table.clock.now = before;
      const walletId = await openWallet(table, owner);
      table.clock.now = epoch;
      await charge(table, walletId, { amount: 5_000_000 });
    }
    const eventsOf = async ({ takeRecords }: TestBooks) => [...eventsIn(await takeRecords()).values()];
    const [owns, others] = [await eventsOf(own), await eventsOf(other)];
    const { recovery, lines } = await begin(own);
    const comparedFrom = epoch - hourMs;
    const load = (...events: readonly ServiceEvent[]) =>
      loadArchive(recovery.copy, archiveOf(events), comparedFrom, recovery.report);
    assert.equal(await load(...owns), owns.length - 1);
    assert.equal(countUnknownWallets(recovery.copy), 0);
    await assert.rejects(
      load(...owns, ...others),
      /CannotRecover: --events has the event wallet\.created of w_.* a folder with the objects that arrived since/,
    );
    assert.deepEqual(lines, []);
    assert.equal(await load(...others.filter(({ type }) => type !== 'wallet.created')), 1);
    assert.equal(countUnknownWallets(recovery.copy), 1);
  });

  it('takes no ledger of another table: one from before the restored moment whose wallet does not exist', async () => {
    const [own, other] = [await openBooks(), await openBooks()];
    for (const { table, owner } of [
      { ...own, owner: 'ann' },
      { ...other, owner: 'eve' },
    ]) {
      table.clock.now = epoch - hourMs - 60_000;
      await fundedWallet(table, owner, 10);
    }
    await own.follow();
    await other.follow();
    own.table.clock.now = Date.now();
    const recover = ({ entries }: TestBooks) =>
      recoverBooks(open({ table: own.table, entries }).recovery, {
        setSettings: () => Promise.resolve(),
      });
    await recover(own);
    await assert.rejects(
      recover(other),
      /CannotRecover: --entries-table has an entry of w_\w+ at \S+, and the restored table has no such wallet/,
    );
  });
});
