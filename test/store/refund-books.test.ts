/** Refunds in the check of the books, on the real engine. */
import assert from 'node:assert/strict';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, it } from '@jest/globals';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { charge, transfer } from './commands.ts';
import { findingsOf, findingsOfHour } from './findings.ts';
import { changeItem } from './inspect.ts';
import { chargedWallet, payment, refund, refundableOf } from './refund-commands.ts';
import { balanceOf } from './wallets.ts';

const engine = useEngine();
const hourMs = 3_600_000;

/** Opens books with refunds of each kind of transaction, and a wallet that chargebacks have left below zero. */
async function busyRefunds() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const sent = await payment(table);
  const taken = await payment(table, 'capture');
  const { walletId: debtor, original: charged } = await chargedWallet(table, 500);
  table.clock.now += 1_000;
  const first = (await refund(table, sent.original, { amount: 30 })).transaction;
  table.clock.now += 1_000;
  await refund(table, sent.original);
  const ofCapture = (await refund(table, taken.original, { amount: 40, operator: 'operator-2' })).transaction;
  await transfer(table, debtor, sent.payer, { owner: 'ann', amount: 400 });
  const ofCharge = (await refund(table, charged, { amount: 50, operator: 'operator-2' })).transaction;
  const chargeback = { amount: 200, chargeback: true, operator: 'operator-2' } as const;
  const back = (await refund(table, charged, chargeback)).transaction;
  table.clock.now += 120_000;
  // The wallet has changed after that, so its check knows that the chargeback came before.
  await charge(table, debtor, { amount: 1 });
  assert.equal((await balanceOf(table, debtor)).available, -149);
  await books.follow();
  return { ...books, sent: sent.original, taken: taken.original, charged, debtor, first, ofCapture, ofCharge, back };
}
type Scene = Awaited<ReturnType<typeof busyRefunds>>;

const keyOf = ({ transactionId }: { readonly transactionId: string }) => transactionKey(transactionId);

describe('the check of the books', () => {
  it('finds nothing wrong with refunds, at rest and after an hour, while more are made', async () => {
    const scene = await busyRefunds();
    const { table, taken, charged } = scene;
    assert.deepEqual(await findingsOf(scene), []);
    table.clock.now += 2 * hourMs;
    await refund(table, await refundableOf(table, taken), { amount: 1 });
    await refund(table, charged, { amount: 10, chargeback: true, operator: 'operator-2' });
    await scene.follow();
    assert.deepEqual(await findingsOf(scene, false), []);
  });

  it('finds nothing wrong in the closed hour of refunds, and names one that its original forgot', async () => {
    const scene = await busyRefunds();
    assert.deepEqual((await findingsOfHour(scene)).found, []);
    await changeItem(scene.table, keyOf(scene.taken), { refunded: undefined, refunds: undefined });
    assert.ok((await findingsOfHour(scene)).found.includes(`refund_differs ${scene.ofCapture.transactionId}`));
  });

  type Change = readonly [{ readonly pk: string; readonly sk: string }, object];
  const tamperings: [string, (scene: Scene) => Change, (scene: Scene) => string][] = [
    [
      'what an original says of its refunds',
      ({ sent }) => [keyOf(sent), { refunded: 60 }],
      ({ sent }) => `refund_differs ${sent.transactionId}: its refunds add up to 100, and it says 60`,
    ],
    [
      'all that an original says of its refunds',
      ({ taken }) => [keyOf(taken), { refunded: undefined, refunds: undefined }],
      ({ taken, ofCapture }) =>
        `refund_differs ${ofCapture.transactionId}: its original ${taken.transactionId} does not name it`,
    ],
    [
      'the list of refunds to one that does not exist',
      ({ taken, ofCapture }) => [keyOf(taken), { refunds: [ofCapture.transactionId, 'tx_none'] }],
      ({ taken }) => `refund_differs ${taken.transactionId}: its refund tx_none does not exist, or cannot be read`,
    ],
    [
      'the list of refunds to one of another transaction',
      ({ taken, first }) => [keyOf(taken), { refunds: [first.transactionId] }],
      ({ taken, first }) =>
        `refund_differs ${taken.transactionId}: its refund ${first.transactionId} is of another transaction`,
    ],
    [
      'the original of a refund',
      ({ ofCapture, charged }) => [keyOf(ofCapture), { originalTransactionId: charged.transactionId }],
      ({ ofCapture, charged }) =>
        `refund_differs ${ofCapture.transactionId}: its wallets or its currency are not those of its original ${charged.transactionId}`,
    ],
    [
      'the original of a refund to one that does not exist',
      ({ ofCharge }) => [keyOf(ofCharge), { originalTransactionId: 'tx_none' }],
      ({ ofCharge }) =>
        `refund_differs ${ofCharge.transactionId}: its original tx_none does not exist, or cannot be read`,
    ],
    [
      'the wallet that a refund pays',
      ({ first, debtor }) => [keyOf(first), { counterpartyWalletId: debtor }],
      ({ first }) =>
        `transaction_invalid ${first.transactionId}: its postings are not those of a completed refund of 30`,
    ],
    [
      'a refund that pays a wallet to a chargeback',
      ({ first }) => [keyOf(first), { chargeback: true }],
      ({ first }) => `transaction_invalid ${first.transactionId}: it is a chargeback, and pays a wallet`,
    ],
    [
      'the amount that a chargeback has made a debt',
      ({ debtor }) => [walletKey(debtor), { chargedBack: 150 }],
      ({ debtor }) => `balance_differs ${debtor}: its chargebacks add up to 200, and it says 150`,
    ],
    [
      'a debt to one that no chargeback explains',
      ({ debtor }) => [walletKey(debtor), { chargedBack: undefined }],
      ({ debtor }) => `balance_differs ${debtor}: it has -149 available, 0 held and -149 in total`,
    ],
    [
      'a chargeback to a refund',
      ({ back }) => [keyOf(back), { chargeback: undefined }],
      ({ debtor }) => `balance_differs ${debtor}: its chargebacks add up to 0, and it says 200`,
    ],
    [
      'the sum of an original to more than it moved',
      ({ charged }) => [keyOf(charged), { refunded: 501 }],
      ({ charged }) => `transaction_invalid ${charged.transactionId}: what was refunded of it is not known`,
    ],
    [
      'the list of refunds to one that has the same refund twice',
      ({ taken, ofCapture }) => [
        keyOf(taken),
        { refunds: [ofCapture.transactionId, ofCapture.transactionId], refunded: 80 },
      ],
      ({ taken }) => `transaction_invalid ${taken.transactionId}: it has 2 refunds of 80 in all, and its amount is 100`,
    ],
  ];

  it.each(tamperings)('names a change of %s', async (_name, change, finding) => {
    const scene = await busyRefunds();
    const [key, members] = change(scene);
    await changeItem(scene.table, key, members);
    const found = await findingsOf(scene);
    assert.ok(found.includes(finding(scene)), `${finding(scene)}\nin\n${found.join('\n')}`);
  });

  it('names an original whose refund was deleted', async () => {
    const scene = await busyRefunds();
    const { table, taken, ofCapture } = scene;
    await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(keyOf(ofCapture)) }));
    const detail = `its refund ${ofCapture.transactionId} does not exist, or cannot be read`;
    assert.ok((await findingsOf(scene)).includes(`refund_differs ${taken.transactionId}: ${detail}`));
  });

  it('names a debt that is larger than the chargebacks of a wallet, also while money moves', async () => {
    const scene = await busyRefunds();
    const { table, debtor } = scene;
    await changeItem(table, walletKey(debtor), { chargedBack: 100 });
    table.clock.now += 2 * hourMs;
    const found = await findingsOf(scene, false);
    assert.ok(found.includes(`balance_differs ${debtor}: its chargebacks add up to 200, and it says 100`));
    const debt = 'it has -149 available, 0 held and -149 in total, and 100 was charged back';
    assert.ok(found.includes(`balance_differs ${debtor}: ${debt}`), found.join('\n'));
  });
});
