/** Holds in the check of one wallet, on the real engine: pages between which they change, and changed times. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Discrepancy } from '../../lambdas/domain/discrepancy.ts';
import { longestHoldMs } from '../../lambdas/domain/hold.ts';
import type { Hold } from '../../lambdas/domain/transaction.ts';
import { stepWalletCheck } from '../../lambdas/integrity/wallet-check.ts';
import { beginWalletCheck } from '../../lambdas/integrity/wallet-check-state.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { capture, dayMs, holdOf, openHold, release } from './hold-commands.ts';
import { changeItem } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const hourMs = 3_600_000;

/** Opens books with an ended hold and two open ones, each with a capture. Two hours pass. */
async function capturedHolds() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 10_000);
  const shop = await openWallet(table, 'shop');
  const holds: Hold[] = [];
  for (let amount = 100; amount <= 300; amount += 100) {
    table.clock.now += 1_000;
    holds.push(await openHold(table, payer, { amount, to: shop }));
  }
  for (const hold of holds) {
    table.clock.now += 1_000;
    await capture(table, hold, { amount: 30 });
  }
  const [ended, first, second] = holds as [Hold, Hold, Hold];
  await release(table, await holdOf(table, ended));
  await books.follow();
  table.clock.now += 2 * hourMs;
  return { ...books, payer, ended, first, second };
}
type Scene = Awaited<ReturnType<typeof capturedHolds>>;

/**
 * Limits each page of the wallet's check to one transaction. Calls `work` when the check has read the charge and the three
 * holds, and none of their captures.
 */
function afterHolds({ table }: TestBooks, work: () => Promise<unknown>): void {
  let pages = 0;
  table.client.middlewareStack.add(
    (next) => async (args) => {
      const input = args.input as { IndexName?: string };
      if (input.IndexName === undefined) return next(args);
      if (++pages === 5) await work();
      return next({ ...args, input: { ...input, Limit: 1 } });
    },
    { step: 'initialize', name: 'pages' },
  );
  afterTest(() => table.client.middlewareStack.remove('pages'));
}

/** Checks the payer's wallet as of an hour ago. Returns its findings. */
async function findingsOf(scene: Scene, isSecondLook = false): Promise<string[]> {
  const { table, payer } = scene;
  const asOf = new Date(epoch + hourMs).toISOString();
  const wallet = await getWallet(table, payer, { consistent: true });
  assert.ok(wallet);
  const check = beginWalletCheck(wallet, isSecondLook ? wallet : undefined);
  while (check.stage !== 'done') await stepWalletCheck(scene, check, asOf);
  return check.found.map(({ kind, subject, detail }: Discrepancy) => `${kind} ${subject}: ${detail}`);
}

const key = ({ transactionId }: Hold) => transactionKey(transactionId);
const differs = (payer: string, { transactionId }: Hold) =>
  `hold_differs ${payer}: captures add up to another amount than the hold ${transactionId} says`;

describe('the check of a wallet', () => {
  it.each([false, true])('finds nothing when holds are captured between its pages (second look: %s)', async (again) => {
    const scene = await capturedHolds();
    const { table, first, second } = scene;
    let captures = 0;
    afterHolds(scene, async () => {
      for (const hold of [first, second]) await capture(table, await holdOf(table, hold), { amount: ++captures });
      await scene.follow();
    });
    assert.deepEqual(await findingsOf(scene, again), []);
    assert.equal(captures, 2);
  });

  it('names a hold that has ended, while another one is captured', async () => {
    const scene = await capturedHolds();
    const { table, payer, ended, first } = scene;
    await changeItem(table, key(ended), { captured: 40 });
    afterHolds(scene, async () => capture(table, await holdOf(table, first), { amount: 1 }));
    assert.ok((await findingsOf(scene)).includes(differs(payer, ended)));
  });

  it('names an open hold, also when other holds were captured since the moment', async () => {
    const scene = await capturedHolds();
    const { table, payer, first, second } = scene;
    await changeItem(table, key(first), { captured: 40 });
    await capture(table, second, { amount: 1 });
    table.clock.now += 2 * 60_000;
    // The wallet has changed after that, so that its check knows that the capture came before it.
    await openHold(table, payer, { amount: 1 });
    await scene.follow();
    assert.deepEqual(await findingsOf(scene), [differs(payer, first)]);
  });

  const far = new Date(epoch + 3_650 * dayMs).toISOString();
  it.each([
    ['how long an open hold lasts', { expiresAt: far, dueAt: far }, /no hold is that long/],
    ['when an open hold is due', { dueAt: far }, /the sweeper ends it at 2036/],
    ['the expiry of an open hold by a day', { expiresAt: new Date(epoch + 2 * dayMs).toISOString() }, /the sweeper/],
  ])('finds it when someone changed %s', async (_name, members, detail) => {
    const scene = await capturedHolds();
    const { table, first } = scene;
    await changeItem(table, key(first), members);
    const [found, ...others] = await findingsOf(scene);
    assert.match(String(found), detail);
    assert.match(String(found), new RegExp(`^hold_differs ${first.transactionId}: `));
    assert.deepEqual(others, []);
  });

  it('finds it when someone changed the expiry of an ended hold', async () => {
    const scene = await capturedHolds();
    await changeItem(scene.table, key(scene.ended), { expiresAt: far });
    assert.match((await findingsOf(scene)).join('\n'), new RegExp(`hold_differs ${scene.ended.transactionId}: it was`));
  });

  it('finds nothing wrong with the longest hold', async () => {
    const scene = await capturedHolds();
    const { table, payer } = scene;
    await openHold(table, payer, { amount: 1, forMs: longestHoldMs });
    await scene.follow();
    assert.deepEqual(await findingsOf(scene), []);
  });
});
