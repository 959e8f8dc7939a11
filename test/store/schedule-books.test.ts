/** Scheduled payments in the check of the books, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { newOrder } from '../../lambdas/domain/standing-order.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { openOrder } from '../../lambdas/store/standing-orders.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { advanceOnce } from './bank-says.ts';
import { newKey, operation, timeOf } from './commands.ts';
import { findingsOf, findingsOfHour } from './findings.ts';
import { changeItem, entriesOf, fieldsOf } from './inspect.ts';
import { cancel, runTransfers, scheduleTransfer, scheduleWithdrawal } from './schedule-commands.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();
const hourMs = 3_600_000;
const quarterMs = hourMs / 4;

/** Opens books with scheduled payments in each state. Those that were executed are, within the first hour. */
async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  const closed = await openWallet(table, 'shop');
  await setStatus(table, closed, 'closed');
  const later = async (amount: number, to = shop) => {
    table.clock.now += 1_000;
    return scheduleTransfer(table, payer, to, { amount, inMs: quarterMs });
  };
  const paid = await later(100);
  const refused = await later(5_000);
  const returned = await later(50, closed);
  const cancelled = await later(60);
  const payout = await scheduleWithdrawal(table, payer, { amount: 70, inMs: quarterMs });
  const open = await scheduleTransfer(table, payer, shop, { amount: 80, inMs: 24 * hourMs });
  await cancel(table, cancelled);
  table.clock.now += quarterMs + 2_000;
  await runTransfers(table);
  await advanceOnce(table, payout.transactionId, { submit: () => ({ outcome: 'accepted' }) });
  await books.follow();
  return { ...books, payer, shop, paid, refused, returned, cancelled, payout, open };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

describe('the check of the books', () => {
  it('finds nothing wrong with scheduled payments in any state, at rest and by the hour', async () => {
    const scene = await newScene();
    const { table, paid, refused, returned, payout } = scene;
    const ends = await Promise.all(
      [paid, refused, returned, payout].map(
        async ({ transactionId }) => (await fieldsOf(table, transactionId))?.status,
      ),
    );
    assert.deepEqual(ends, ['completed', 'failed', 'failed', 'completed']);
    assert.deepEqual(scene.aside, []);
    assert.deepEqual(await findingsOf(scene), []);
    const { found, counts } = await findingsOfHour(scene);
    assert.deepEqual([found, counts?.wallets], [[], 3]);
  });

  it('has an entry of each change of a wallet, without a change of money where a payment was scheduled', async () => {
    const { entries, payer, paid } = await newScene();
    const ledger = await entriesOf(entries, payer);
    assert.deepEqual(
      ledger.map(({ version }) => version),
      ledger.map((_, version) => version),
    );
    const ofPaid = ledger.filter(({ transactionId }) => transactionId === paid.transactionId);
    assert.deepEqual(
      ofPaid.map(({ changes }) => changes),
      [[{ account: 'available', amount: -100 }]],
    );
    assert.ok((ofPaid[0]?.at ?? '') >= paid.executeAt);
  });

  const tampered: readonly {
    readonly title: string;
    readonly of: (scene: Scene) => { readonly transactionId: string };
    readonly members: (scene: Scene) => object;
    readonly finding: RegExp;
  }[] = [
    {
      title: 'a scheduled payment that has moved money',
      of: ({ open }) => open,
      members: ({ payer }) => ({
        postings: [
          { account: `wallet:${payer}:available`, amount: -80 },
          { account: 'transit:EUR', amount: 80 },
        ],
      }),
      finding: /transaction_invalid .*its postings are not those of a scheduled transfer of 80/,
    },
    {
      title: 'a payment that was executed before its time',
      of: ({ paid }) => paid,
      members: ({ table }) => ({ executeAt: timeOf(table, 1) }),
      finding: /transaction_invalid .*it was executed at .*, before /,
    },
    {
      title: 'a payment that is completed, and was never executed',
      of: ({ paid }) => paid,
      members: () => ({ executedAt: undefined }),
      finding: /transaction_invalid .*/,
    },
    {
      title: 'a payment that was executed, and never scheduled',
      of: ({ payout }) => payout,
      members: () => ({ executeAt: undefined }),
      finding: /transaction_invalid .*it was executed, and never scheduled/,
    },
    {
      title: 'a payment whose time is no time',
      of: ({ open }) => open,
      members: () => ({ executeAt: 'soon' }),
      finding: /transaction_invalid .*it is scheduled, and has no time/,
    },
  ];
  for (const { title, of, members, finding } of tampered) {
    it(`names ${title}`, async () => {
      const scene = await newScene();
      await changeItem(scene.table, transactionKey(of(scene).transactionId), members(scene));
      const found = await findingsOf(scene);
      assert.ok(
        found.some((line) => finding.test(line) && line.includes(of(scene).transactionId)),
        found.join('\n'),
      );
    });
  }

  it('names a wallet that counts other scheduled payments than it has', async () => {
    const scene = await newScene();
    await changeItem(scene.table, walletKey(scene.payer), { scheduled: 0 });
    assert.deepEqual(await findingsOf(scene), [
      `balance_differs ${scene.payer}: it counts 0 scheduled payments, and has 1`,
    ]);
  });

  it('names a wallet that counts other standing orders than it has', async () => {
    const scene = await newScene();
    const { table, payer, shop } = scene;
    const key = newKey();
    const order = newOrder({
      ...{ transactionId: transactionIdOf('ann', key), principal: 'ann', ownerId: 'ann', walletId: payer, amount: 30 },
      ...{ currency: 'EUR', at: timeOf(table), receiver: { toWalletId: shop }, every: 'week' },
      firstAt: timeOf(table, 24 * hourMs),
    });
    await openOrder(table, operation(table, ['open', key], { owner: 'ann', key }), order, undefined);
    await scene.follow();
    assert.deepEqual(await findingsOf(scene), []);
    await changeItem(table, walletKey(payer), { orders: 3 });
    assert.deepEqual(await findingsOf(scene), [`balance_differs ${payer}: it counts 3 standing orders, and has 1`]);
  });

  it('does not judge the count of a wallet that schedules meanwhile', async () => {
    const scene = await newScene();
    const { table, payer, shop } = scene;
    let scheduled = 0;
    table.fault = async (call, pass) => {
      const text = JSON.stringify(call.input);
      const isOwnPage = call.operation === 'Query' && text.includes('byWallet') && text.includes(payer);
      if (isOwnPage && scheduled < 2) {
        scheduled++;
        table.fault = undefined;
        await scheduleTransfer(table, payer, shop, { amount: 1 });
      }
      return pass();
    };
    assert.deepEqual(
      (await findingsOf(scene, false)).filter((line) => line.includes('scheduled payments')),
      [],
    );
    assert.equal(scheduled, 1);
  });
});
