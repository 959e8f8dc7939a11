/** Limited wallets in the check of the books and in the ledger, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { walletKey } from '../../lambdas/store/keys.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { charge, transfer } from './commands.ts';
import { findingsOf } from './findings.ts';
import { openHold } from './hold-commands.ts';
import { changeItem, entriesOf } from './inspect.ts';
import { setLimits } from './limit-commands.ts';
import { openWallet } from './wallets.ts';

const engine = useEngine();

/** Opens books with a wallet that is 300 below zero on a credit line, of which 40 are held. */
async function onCredit(): Promise<TestBooks & { readonly debtor: string; readonly shop: string }> {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const [debtor, shop] = [await openWallet(table, 'ann'), await openWallet(table, 'shop')];
  await charge(table, debtor, { amount: 100 });
  await setLimits(table, debtor, { creditLine: 500, out: { perDay: 1_000 } });
  await transfer(table, debtor, shop, { owner: 'ann', amount: 360 });
  await openHold(table, debtor, { amount: 40, to: shop });
  // A smaller line does not make an earlier debt wrong.
  await setLimits(table, debtor, { creditLine: 50, out: { perDay: 1_000 } });
  await books.follow();
  return { ...books, debtor, shop };
}

describe('the check of the books', () => {
  it('finds nothing wrong in a wallet below zero on credit, and follows its entries', async () => {
    const scene = await onCredit();
    assert.deepEqual(await findingsOf(scene), []);
    const entries = await entriesOf(scene.entries, scene.debtor);
    assert.deepEqual(
      entries.map(({ balanceAfter: { available, held } }) => [available, held]),
      [
        [0, 0],
        [100, 0],
        [100, 0],
        [-260, 0],
        [-300, 40],
        [-300, 40],
      ],
    );
  });

  const tamperings: readonly [name: string, members: Item, found: RegExp][] = [
    ['the largest credit line', { mostCredit: 299 }, /^balance_differs .* -300 available, .* and had 299 of credit$/],
    [
      'that there was credit',
      { mostCredit: undefined },
      /^balance_differs .* -300 available, 40 held and -260 in total$/,
    ],
    ['the largest credit line to nonsense', { mostCredit: 'all' }, /^balance_differs .* had all of credit$/],
    [
      'the credit line',
      { limits: { creditLine: 501 } },
      /^balance_differs .* a credit line of 501, and had 500 at most$/,
    ],
    ['a limit to nonsense', { limits: { creditLine: -1 } }, /^transaction_invalid .* limits\.creditLine is no amount/],
    ['the available money', { available: -301, total: -261 }, /^balance_differs /],
  ];
  it.each(tamperings)('finds it when someone changed %s', async (_name, members, expected) => {
    const scene = await onCredit();
    await changeItem(scene.table, walletKey(scene.debtor), members);
    const found = await findingsOf(scene);
    assert.ok(
      found.some((one) => expected.test(one) && one.includes(scene.debtor)),
      found.join('\n'),
    );
  });

  it('compares the windows of limits with nothing', async () => {
    const scene = await onCredit();
    const used = { day: '2026-03-01', outDay: 1, outMonth: 2, inDay: 3, inMonth: 4 };
    await changeItem(scene.table, walletKey(scene.debtor), { used });
    assert.deepEqual(await findingsOf(scene), []);
  });
});
