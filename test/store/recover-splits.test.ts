/** The recovery of split payments, of which a restore may have any part. On the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { newBooks, newEntriesTable } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { newKey } from './commands.ts';
import { changeItem, entriesOf, fieldsOf, itemOf, plant } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { refund, refundableOf } from './refund-commands.ts';
import { split } from './split-commands.ts';
import type { Payment } from './split-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/**
 * Ann pays the shop 30 and the tax 20, which pays the shop 5: what each wallet has, its legs, and its earlier state. Two legs
 * have fees.
 */
async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const ann = await fundedWallet(table, 'ann', 100);
  const shop = await openWallet(table, 'shop');
  const tax = await fundedWallet(table, 'tax', 10);
  const wallets = [ann, shop, tax];
  const before = await Promise.all(wallets.map((walletId) => itemOf(table, walletKey(walletId))));
  table.clock.now += 1_000;
  const payments: Payment[] = [
    [ann, shop, 30, 3],
    [ann, tax, 20],
    [tax, shop, 5, 1],
  ];
  const key = newKey();
  const { split: made } = await split(table, payments, { key });
  const record = await itemOf(table, transactionKey(made.splitId));
  return { ...books, wallets, before, payments, key, made, record: record! };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

/** Returns what the legs with records leave in each wallet. */
async function expectedIn({ table, wallets, made }: Scene): Promise<number[]> {
  const found = await Promise.all(
    made.legs.map(async (leg) => ((await fieldsOf(table, leg.transactionId)) ? [leg] : [])),
  );
  return wallets.map((walletId, n) =>
    found
      .flat()
      .reduce(
        (sum, leg) =>
          sum +
          (leg.counterpartyWalletId === walletId ? leg.amount : 0) -
          (leg.walletId === walletId ? leg.amount + (leg.fee ?? 0) : 0),
        [100, 0, 10][n]!,
      ),
  );
}

const availableIn = ({ table, wallets }: Scene) =>
  Promise.all(wallets.map(async (walletId) => Number((await balanceOf(table, walletId)).available)));

describe('the recovery of a split', () => {
  // Every part of it may be lost: bit 0 is the record of its key, bits 1 to 3 are its legs. Each wallet may be earlier.
  for (let lost = 0; lost < 16; lost++) {
    const parts = ['its record', 'leg 0', 'leg 1', 'leg 2'].filter((_, bit) => lost & (1 << bit));
    const earlier = (lost * 5) % 8;
    it(`leaves sound books, and nothing is booked twice, without ${parts.join(', ') || 'loss'}`, async () => {
      for (const hasEvents of [1, 6, 14, 15].includes(lost) ? [true, false] : [false]) {
        const scene = await newScene();
        const all = await eventsOf(scene);
        const events = hasEvents ? all : [];
        const { table, made, payments, key } = scene;
        if (lost & 1) await forget(scene, { transactionId: made.splitId });
        for (const [n, leg] of made.legs.entries()) if (lost & (2 << n)) await forget(scene, leg);
        for (const [n, item] of scene.before.entries()) if (earlier & (1 << n)) await plant(table, item!);
        const lines = await recover(scene, events);
        await assertSound(scene, events);
        assert.deepEqual(await availableIn(scene), await expectedIn(scene));
        const forgotten = made.legs.filter((_, n) => lost & (2 << n));
        for (const { transactionId } of hasEvents ? [] : forgotten) {
          const isShown =
            (lost & 1) === 0 ||
            transactionId === made.legs[0]!.transactionId ||
            transactionId === made.legs[1]!.transactionId;
          const isNamed = lines.some((line) => line.startsWith(`DIFFERENCE transaction_forgotten ${transactionId}`));
          assert.equal(isNamed, isShown, transactionId);
        }
        // The stream of a restored table begins here. The caller repeats its request.
        await scene.takeRecords();
        const outcome = await split(table, payments, { key }).catch((error: unknown) => error);
        const isWhole = hasEvents || forgotten.length === 0;
        if (outcome instanceof WalletError) assert.equal(outcome.code, 'idempotency_key_reused');
        else assert.equal((outcome as Awaited<ReturnType<typeof split>>).replayed, isWhole);
        const isAllLost = forgotten.length === 3 && (lost & 1) === 1;
        assert.equal(outcome instanceof WalletError, !isWhole && !isAllLost);
        assert.deepEqual(await availableIn(scene), await expectedIn(scene));
        if (!isAllLost) continue;
        await scene.follow();
        await assertSound(scene, events);
      }
    });
  }

  it('puts a leg back with its split and the name of its entry, and leaves the ledger as it is', async () => {
    const scene = await newScene();
    const events = await eventsOf(scene);
    const before = await Promise.all(scene.wallets.map((walletId) => entriesOf(scene.entries, walletId)));
    const [, , leg] = scene.made.legs;
    await forget(scene, leg!);
    await recover(scene, events);
    const { splitId, fee, sentWith, settledWith, createdAt } = (await fieldsOf(scene.table, leg!.transactionId))!;
    const expected = { splitId: leg!.splitId, sentWith: leg!.sentWith, settledWith: leg!.settledWith };
    assert.deepEqual(
      { splitId, fee, sentWith, settledWith, createdAt },
      { ...expected, fee: 1, createdAt: leg!.createdAt },
    );
    const after = await Promise.all(scene.wallets.map((walletId) => entriesOf(scene.entries, walletId)));
    assert.deepEqual(after, before);
    await assertSound(scene, events);
  });

  describe('with legs that only together had the money', () => {
    /** Ann pays ben 10, ben pays cid 10, and cid pays ann 8. Ann had 5, and the others nothing. */
    async function inCircle() {
      const books = await newBooks(engine);
      afterTest(books.close);
      const { table } = books;
      const ann = await fundedWallet(table, 'ann', 5);
      const [ben, cid] = [await openWallet(table, 'ben'), await openWallet(table, 'cid')];
      const wallets = [ann, ben, cid];
      const before = await Promise.all(wallets.map((walletId) => itemOf(table, walletKey(walletId))));
      table.clock.now += 1_000;
      const { split: made } = await split(table, [
        [ann, ben, 10],
        [ben, cid, 10],
        [cid, ann, 8],
      ]);
      const events = await eventsOf(books);
      for (const leg of [{ transactionId: made.splitId }, ...made.legs]) await forget(books, leg);
      await plant(table, ...before.map((item) => item!));
      const balances = () => Promise.all(wallets.map(async (walletId) => (await balanceOf(table, walletId)).available));
      return { ...books, made, events, balances };
    }

    it('puts them back together', async () => {
      const scene = await inCircle();
      const lines = await recover(scene, scene.events);
      assert.deepEqual(await scene.balances(), [3, 0, 2]);
      assert.deepEqual(
        lines.filter((line) => line.startsWith('DIFFERENCE')),
        [],
      );
      await assertSound(scene, scene.events);
    });

    it('names them where one is missing', async () => {
      const scene = await inCircle();
      const [, second] = scene.made.legs;
      const events = scene.events.filter((event) => event.transaction.transactionId !== second!.transactionId);
      const lines = await recover(scene, events);
      assert.deepEqual(await scene.balances(), [5, 0, 0]);
      for (const leg of [scene.made.legs[0]!, scene.made.legs[2]!]) {
        assert.match(lines.join('\n'), new RegExp(`transaction_forgotten ${leg.transactionId}: .* has only`));
      }
      await assertSound(scene, events);
    });
  });

  it('makes the same ledgers again from the records', async () => {
    const scene = await newScene();
    await scene.follow();
    const entries = await newEntriesTable(engine, `${scene.table.name}-made`);
    await recover({ ...scene, entries });
    for (const walletId of scene.wallets) {
      const [made, seen] = await Promise.all([entries, scene.entries].map((one) => entriesOf(one, walletId)));
      const linesOf = (ledger: typeof made) =>
        ledger!.map(({ transactionId, changes }) => ({ transactionId, changes }));
      assert.deepEqual(linesOf(made), linesOf(seen));
    }
    await assertSound({ ...scene, entries });
  });

  it('does not take the entry of a wallet for that of one leg, when only a refund shows that leg', async () => {
    const scene = await newScene();
    const { table, made } = scene;
    await refund(table, await refundableOf(table, made.legs[0]!), { amount: 30 });
    await scene.follow();
    await forget(scene, made.legs[0]!);
    await forget(scene, { transactionId: made.splitId });
    await recover(scene);
    const { amount } = (await fieldsOf(table, made.legs[0]!.transactionId))!;
    assert.equal(amount, 30);
    await assertSound(scene);
  });

  it('does not take the other legs of a payer for the fee of one that only a refund shows', async () => {
    const scene = await newScene();
    const { table, wallets } = scene;
    const [ann, shop, tax] = wallets as [string, string, string];
    table.clock.now += 1_000;
    const { split: made } = await split(table, [
      [ann, shop, 10],
      [ann, tax, 20],
    ]);
    const [leg] = made.legs;
    await refund(table, await refundableOf(table, leg!), { amount: 10 });
    await scene.follow();
    const before = await availableIn(scene);
    await forget(scene, leg!);
    await recover(scene);
    const { amount, fee } = (await fieldsOf(table, leg!.transactionId))!;
    assert.deepEqual({ amount, fee }, { amount: 10, fee: undefined });
    assert.deepEqual(await availableIn(scene), before);
    await assertSound(scene);
  });

  it('reads a record whose number of legs is no number as one without legs', async () => {
    const scene = await newScene();
    await changeItem(scene.table, transactionKey(scene.made.splitId), { legs: 'three' });
    await scene.follow();
    assert.deepEqual(
      (await recover(scene)).filter((line) => line.startsWith('DIFFERENCE')),
      [],
    );
    await assertSound(scene);
  });
});
