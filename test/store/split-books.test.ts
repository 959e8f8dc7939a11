/** Split payments in the check of the books, on the real engine. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, it } from '@jest/globals';
import { hashOf } from '../../lambdas/store/entries.ts';
import { entryKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { findingsOf, findingsOfHour } from './findings.ts';
import { changeItem, entriesOf, itemOf } from './inspect.ts';
import { refund, refundableOf } from './refund-commands.ts';
import { split } from './split-commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/** Books with a split in which each wallet has another part, one of them none in the end. Some legs have fees. */
async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const ann = await fundedWallet(table, 'ann', 100);
  const [shop, tax, agent] = [
    await openWallet(table, 'shop'),
    await openWallet(table, 'tax'),
    await openWallet(table, 'ag'),
  ];
  table.clock.now += 1_000;
  const { split: made } = await split(table, [
    [ann, shop, 30, 2],
    [ann, tax, 20],
    [tax, shop, 5],
    [ann, agent, 8],
    [agent, shop, 7, 1],
  ]);
  table.clock.now += 1_000;
  await split(table, [[shop, ann, 2]]);
  await refund(table, await refundableOf(table, made.legs[0]!), { amount: 30 });
  await books.follow();
  return { ...books, ann, shop, tax, agent, legs: made.legs };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

/** Changes an entry, and the hashes of it and of all later ones. */
async function forge({ entries }: Scene, walletId: string, version: number, members: object): Promise<void> {
  let hash = '';
  for (const entry of await entriesOf(entries, walletId)) {
    const forged = entry.version === version ? { ...entry, ...members } : entry;
    hash = hashOf(forged, hash);
    await changeItem(entries, entryKey(walletId, entry.version), {
      ...{ ...forged, walletId: undefined, version: undefined, hash },
    });
  }
}

const keyOf = (scene: Scene, leg: number) => transactionKey(scene.legs[leg]!.transactionId);

describe('the check of the books', () => {
  it('finds nothing wrong with splits, and counts each booking once', async () => {
    const scene = await newScene();
    assert.deepEqual(await findingsOf(scene), []);
    const { found, counts } = await findingsOfHour(scene);
    assert.deepEqual(found, []);
    // Bookings: a charge, six legs and a refund. Entries: four openings; four changes of ann, three of the shop, one of the tax.
    assert.deepEqual(counts, { wallets: 4, entries: 12, bookings: 8 });
  });

  const remove = async ({ table }: Scene, key: object) => {
    await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));
  };
  type Tampering = readonly [
    what: string,
    tamper: (scene: Scene) => Promise<unknown>,
    inPass: (scene: Scene) => readonly string[],
    inHour: (scene: Scene) => readonly string[],
  ];
  const tamperings: readonly Tampering[] = [
    [
      'a leg that is missing',
      (scene) => remove(scene, keyOf(scene, 1)),
      ({ ann, tax }) => [`postings_differ ${ann}`, `postings_differ ${tax}`],
      ({ ann, tax }) => [`postings_differ ${ann}`, `postings_differ ${tax}`],
    ],
    [
      'a leg of another amount',
      async (scene) => {
        const [from, to] = scene.legs[1]!.postings;
        const postings = [
          { account: from!.account, amount: -21 },
          { account: to!.account, amount: 21 },
        ];
        await changeItem(scene.table, keyOf(scene, 1), { amount: 21, postings });
      },
      ({ ann, tax }) => [`postings_differ ${ann}`, `postings_differ ${tax}`],
      ({ ann, tax }) => [`postings_differ ${ann}`, `postings_differ ${tax}`],
    ],
    [
      'a leg that names another entry of its sender',
      (scene) => changeItem(scene.table, keyOf(scene, 1), { sentWith: scene.legs[1]!.transactionId }),
      () => [],
      ({ ann }) => [`postings_differ ${ann}`],
    ],
    [
      'a leg that names another entry of its receiver',
      (scene) => changeItem(scene.table, keyOf(scene, 2), { settledWith: scene.legs[2]!.transactionId }),
      () => [],
      ({ shop }) => [`postings_differ ${shop}`],
    ],
    [
      'a leg through a wallet whose legs cancel out, and that is missing',
      (scene) => remove(scene, keyOf(scene, 4)),
      ({ agent, shop }) => [`postings_differ ${agent}`, `postings_differ ${shop}`],
      ({ agent, shop }) => [`postings_differ ${agent}`, `postings_differ ${shop}`],
    ],
    [
      'an entry that has the amount of the first leg only',
      (scene) =>
        forge(scene, scene.ann, 2, {
          changes: [{ account: 'available', amount: -30 }],
          balanceAfter: { available: 70, held: 0 },
        }),
      ({ ann }) => [`chain_broken ${ann}`, `postings_differ ${ann}`],
      ({ ann }) => [`chain_broken ${ann}`, `postings_differ ${ann}`],
    ],
    [
      'an entry that names the second leg',
      (scene) => forge(scene, scene.shop, 1, { transactionId: scene.legs[2]!.transactionId }),
      () => [],
      ({ shop }) => [`postings_differ ${shop}`],
    ],
    [
      'a wallet without the change of the split',
      async (scene) => {
        const { version, available, total } = (await itemOf(scene.table, walletKey(scene.tax)))!;
        await changeItem(scene.table, walletKey(scene.tax), {
          ...{ version: Number(version) - 1, available: Number(available) - 15, total: Number(total) - 15 },
        });
      },
      ({ tax }) => [`balance_differs ${tax}`],
      ({ tax }) => [`balance_differs ${tax}`],
    ],
  ];
  for (const [what, tamper, inPass, inHour] of tamperings) {
    it(`names ${what}`, async () => {
      const scene = await newScene();
      await tamper(scene);
      const ofPass = await findingsOf(scene);
      for (const expected of inPass(scene)) {
        assert.ok(
          ofPass.some((line) => line.startsWith(`${expected}:`)),
          `${expected}, and not only ${ofPass.join()}`,
        );
      }
      if (inPass(scene).length === 0) assert.deepEqual(ofPass, [], 'the sums are right');
      const { found } = await findingsOfHour(scene);
      for (const expected of inHour(scene)) {
        assert.ok(found.includes(expected), `${expected}, and not only ${found.join()}`);
      }
    });
  }
});
