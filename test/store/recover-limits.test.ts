/** What a recovery makes of the limits of wallets. */
import assert from 'node:assert/strict';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { describe, it } from '@jest/globals';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { charge, transfer } from './commands.ts';
import { setLimits } from './limit-commands.ts';
import { itemOf, plant } from './inspect.ts';
import { recover } from './recovering.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();

async function openBooks(): Promise<TestBooks> {
  const books = await newBooks(engine);
  afterTest(books.close);
  return books;
}

const eventsOf = async ({ takeRecords }: TestBooks) => [...eventsIn(await takeRecords()).values()];

describe('a recovery', () => {
  it('gives a wallet its last limits again, its largest credit line, and by whom and why they were set', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 1_000);
    const restored = await itemOf(table, walletKey(ann));
    await setLimits(table, ann, { creditLine: 500 });
    await setLimits(table, ann, { out: { perDay: 100 }, creditLine: 200 });
    const lost = await getWallet(table, ann, { consistent: true });
    const events = await eventsOf(books);
    await plant(table, restored ?? {});
    const lines = await recover(books, events);
    assert.deepEqual(
      lines.filter((line) => line.includes('limits')),
      [`wallet ${ann}: has its limits of version 2 again`],
    );
    const { limits, limitsVersion, lastLimitsChange, mostCredit, used } =
      (await getWallet(table, ann, { consistent: true })) ?? {};
    assert.deepEqual(
      { limits, limitsVersion, mostCredit },
      {
        limits: { out: { perDay: 100 }, creditLine: 200 },
        limitsVersion: 2,
        mostCredit: 500,
      },
    );
    assert.deepEqual([lastLimitsChange, used], [lost?.lastLimitsChange, lost?.used]);
    assert.deepEqual(await recover(books, events), [], 'a second recovery finds nothing');
  });

  it('takes no limits away that were set later than its events, and keeps limits that were removed away', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 1_000);
    const ben = await fundedWallet(table, 'ben', 1_000);
    for (const walletId of [ann, ben]) await setLimits(table, walletId, { maximumBalance: 2_000 });
    const limitedBen = await itemOf(table, walletKey(ben));
    await setLimits(table, ben, {});
    const events = await eventsOf(books);
    await setLimits(table, ann, { maximumBalance: 3_000 });
    await plant(table, limitedBen ?? {});
    await recover(books, events);
    assert.deepEqual((await getWallet(table, ann, { consistent: true }))?.limits, { maximumBalance: 3_000 });
    const { limits, used, limitsVersion } = (await getWallet(table, ben, { consistent: true })) ?? {};
    assert.deepEqual([limits, used, limitsVersion], [undefined, undefined, 2]);
  });

  it('does not take the event of limits for that of a status', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await fundedWallet(table, 'ann', 1_000);
    const restored = await itemOf(table, walletKey(ann));
    await setStatus(table, ann, 'frozen');
    const frozen = await getWallet(table, ann, { consistent: true });
    await setLimits(table, ann, { maximumBalance: 2_000 });
    const events = await eventsOf(books);
    await plant(table, restored ?? {});
    await recover(books, events);
    const wallet = await getWallet(table, ann, { consistent: true });
    assert.equal(wallet?.status, 'frozen');
    assert.deepEqual(wallet.lastStatusChange, frozen?.lastStatusChange);
  });

  it('puts back what a credit line paid, and stands in only for what is missing beyond it', async () => {
    for (const [line, missing] of [
      [300, undefined],
      [100, 200],
    ] as const) {
      const books = await openBooks();
      const { table } = books;
      const ann = await openWallet(table, 'ann');
      const ben = await openWallet(table, 'ben');
      const restored = [await itemOf(table, walletKey(ann)), await itemOf(table, walletKey(ben))];
      await setLimits(table, ann, { creditLine: 300 });
      const { transaction } = await transfer(table, ann, ben, { owner: 'ann', amount: 300 });
      const record = await itemOf(table, transactionKey(transaction.transactionId));
      const events = (await eventsOf(books)).map((event) =>
        event.type === 'wallet.limits_changed'
          ? { ...event, wallet: { ...event.wallet, limits: { creditLine: line } } }
          : event,
      );
      await plant(table, ...restored.map((item) => item ?? {}), record ?? {});
      const lines = await recover(books, events);
      const standIns = lines.filter((one) => one.startsWith('DIFFERENCE credit_forgotten'));
      assert.equal(standIns.length, missing === undefined ? 0 : 1, lines.join('\n'));
      const { available } = (await getWallet(table, ann, { consistent: true })) ?? {};
      assert.equal(available, -300 + (missing ?? 0));
    }
  });

  /**
   * Returns the findings and the available money of a wallet whose credit of 300 a restore forgot, and which has spent it.
   *
   * @param line its credit line at the restored moment
   * @param former the credit line that it had before
   */
  async function withForgottenCredit({ line, former }: { line: number; former: number }) {
    const books = await openBooks();
    const { table } = books;
    const [ann, ben] = [await openWallet(table, 'ann'), await openWallet(table, 'ben')];
    await setLimits(table, ann, { creditLine: former });
    await setLimits(table, ann, { creditLine: line });
    const restored = [await itemOf(table, walletKey(ann)), await itemOf(table, walletKey(ben))];
    const forgotten = await charge(table, ann, { amount: 300 });
    const { transaction } = await transfer(table, ann, ben, { owner: 'ann', amount: 300 });
    const record = await itemOf(table, transactionKey(transaction.transactionId));
    const events = (await eventsOf(books)).filter(({ type }) => type !== 'wallet.funded');
    await plant(table, ...restored.map((item) => item ?? {}), record ?? {});
    await table.client.send(
      new DeleteCommand({ TableName: table.name, Key: transactionKey(forgotten.transaction.transactionId) }),
    );
    const lines = await recover(books, events);
    assert.deepEqual(
      (await recover(books, events)).filter((one) => one.startsWith('DIFFERENCE credit')),
      [],
      'a second recovery names nothing again',
    );
    const found = lines.filter((one) => one.startsWith('DIFFERENCE credit')).map((one) => one.replace(ann, 'ann'));
    return { found, available: (await getWallet(table, ann, { consistent: true }))?.available };
  }

  it('books a forgotten credit of a wallet whose credit line was removed before', async () => {
    const { found, available } = await withForgottenCredit({ line: 0, former: 300 });
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', /^DIFFERENCE credit_forgotten ann: its records spend 300 EUR more/);
    assert.equal(available, 0);
  });

  it('names a wallet whose credit line may hide a forgotten credit', async () => {
    const { found, available } = await withForgottenCredit({ line: 300, former: 300 });
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', /^DIFFERENCE credit_used ann: .* leave -300 EUR, on credit; at the restored .* had 0/);
    assert.equal(available, -300);
  });

  it('leaves a debt of the restored moment, whose credit line was removed before', async () => {
    const books = await openBooks();
    const { table } = books;
    const ann = await openWallet(table, 'ann');
    await setLimits(table, ann, { creditLine: 300 });
    await transfer(table, ann, await openWallet(table, 'ben'), { owner: 'ann', amount: 250 });
    await setLimits(table, ann, {});
    assert.deepEqual(
      (await recover(books, await eventsOf(books))).filter((line) => line.startsWith('DIFFERENCE')),
      [],
    );
    assert.equal((await getWallet(table, ann, { consistent: true }))?.available, -250);
  });

  it('counts a credit line that was used and removed after the restored moment', async () => {
    const books = await openBooks();
    const { table } = books;
    const [ann, ben] = [await openWallet(table, 'ann'), await openWallet(table, 'ben')];
    const restored = [await itemOf(table, walletKey(ann)), await itemOf(table, walletKey(ben))];
    await setLimits(table, ann, { creditLine: 300 });
    const { transaction } = await transfer(table, ann, ben, { owner: 'ann', amount: 250 });
    await setLimits(table, ann, {});
    const events = await eventsOf(books);
    await plant(table, ...restored.map((item) => item ?? {}));
    await table.client.send(
      new DeleteCommand({ TableName: table.name, Key: transactionKey(transaction.transactionId) }),
    );
    const found = (await recover(books, events)).filter((line) => line.startsWith('DIFFERENCE'));
    assert.deepEqual(
      found.map((line) => line.split(':')[0]),
      [`DIFFERENCE credit_used ${ann}`],
    );
    const { available, limits, mostCredit } = (await getWallet(table, ann, { consistent: true })) ?? {};
    assert.deepEqual([available, limits, mostCredit], [-250, undefined, 300]);
  });
});
