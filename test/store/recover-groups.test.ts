/** The recovery of transactions that one write booked together: they share an entry in the ledger. On the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { newBooks, newEntriesTable } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { arrive, sendTogether, withdrawTogether } from './histories.ts';
import { changeItem, entriesOf, fieldsOf, itemOf } from './inspect.ts';
import { assertSound, eventsOf, forget, recover } from './recovering.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/** Books in which ann has 100 EUR, and has sent 2, 3 and 4 together, and withdrawn 5 and 6 together. */
async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const ann = await fundedWallet(books.table, 'ann', 100);
  const ben = await openWallet(books.table, 'ben');
  books.table.clock.now += 1_000;
  const sent = await sendTogether(books.table, ann, [
    [ben, 2],
    [ben, 3],
    [ben, 4],
  ]);
  books.table.clock.now += 1_000;
  const withdrawn = await withdrawTogether(books.table, ann, [5, 6]);
  return { ...books, ann, ben, sent, withdrawn };
}

const changesOf = async (entries: Parameters<typeof entriesOf>[0], walletId: string) =>
  (await entriesOf(entries, walletId)).map(({ transactionId, changes }) => [
    transactionId,
    ...changes.map((one) => one.amount),
  ]);

describe('a recovery of transactions that were booked together', () => {
  it('puts back those that the restore forgot, and leaves their entry as it is', async () => {
    const scene = await newScene();
    const events = await eventsOf(scene);
    const before = await entriesOf(scene.entries, scene.ann);
    const [, second] = scene.sent;
    const [first] = scene.withdrawn;
    for (const one of [second!, first!]) await forget(scene, one);
    const lines = await recover(scene, events);
    assert.deepEqual(
      lines.filter((line) => /^(wallet|ledger|DIFFERENCE)/.test(line)),
      [],
    );
    assert.deepEqual(await entriesOf(scene.entries, scene.ann), before);
    assert.equal((await fieldsOf(scene.table, second!.transactionId))?.sentWith, scene.sent[0]!.transactionId);
    assert.equal((await fieldsOf(scene.table, first!.transactionId))?.sentWith, first!.transactionId);
    await assertSound(scene, events);
  });

  it('does not take the others of a group for the fee of the one that the bank has paid', async () => {
    const scene = await newScene();
    await scene.follow();
    const [first, second] = scene.withdrawn;
    for (const one of [first!, second!]) await forget(scene, one);
    const { transactionId: reference, amount, currency } = first!;
    // The first recovery takes their entry back, which is no end of the payment for the second one.
    for (const run of ['first', 'second']) {
      const lines = await recover(scene, [], [{ reference, amount, currency, paidAt: first!.createdAt }]);
      assert.match(lines.join('\n'), new RegExp(`DIFFERENCE payment_forgotten ${reference}`), run);
      assert.equal(await itemOf(scene.table, transactionKey(reference)), undefined, run);
    }
  });

  it('gives back what those had taken that no event shows', async () => {
    const scene = await newScene();
    await scene.follow();
    await forget(scene, scene.sent[1]!);
    await recover(scene);
    assert.deepEqual((await changesOf(scene.entries, scene.ann)).at(-2), [scene.sent[0]!.transactionId, 3]);
    const { available, held } = await balanceOf(scene.table, scene.ann);
    assert.deepEqual([available, held], [83, 11]);
    await assertSound(scene);
  });

  it('takes the money of the records that are there from a wallet that was put back to a time before them', async () => {
    const scene = await newScene();
    await scene.follow();
    const wallet = (await itemOf(scene.table, walletKey(scene.ann)))!;
    await changeItem(scene.table, walletKey(scene.ann), { available: 100, held: 0, total: 100, version: 1 });
    await recover(scene);
    const { available, held } = (await itemOf(scene.table, walletKey(scene.ann)))!;
    assert.deepEqual([available, held], [wallet['available'], wallet['held']]);
    await assertSound(scene);
  });

  it('makes one entry for them in a ledger that was lost', async () => {
    const scene = await newScene();
    await arrive(scene.table, ...scene.sent.map(({ transactionId }) => transactionId));
    await scene.follow();
    const entries = await newEntriesTable(engine, `${scene.table.name}-made`);
    await recover({ ...scene, entries });
    const [, , sent, withdrawn] = await changesOf(entries, scene.ann);
    assert.deepEqual(sent, [scene.sent[0]!.transactionId, -9]);
    assert.deepEqual(withdrawn, [scene.withdrawn[0]!.transactionId, -11, 11]);
    assert.deepEqual((await changesOf(entries, scene.ben)).at(-1), [scene.sent[0]!.transactionId, 9]);
    await assertSound({ ...scene, entries });
  });
});
