/** What a recovery and the check of the books make of commands that two operators made. */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import { approve } from '../../lambdas/api/approve.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { serve } from '../../lambdas/http/http.ts';
import { approvalKey, transactionKey } from '../../lambdas/store/keys.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { operator, send } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newKey } from './commands.ts';
import { itemOf, plant } from './inspect.ts';
import { recover } from './recovering.ts';
import { balanceOf, openWallet } from './wallets.ts';

const engine = useEngine();

it('a charge that was approved, and lost with its end, comes back from its event, and is not executed again', async () => {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const fourEyes = { charge: { above: 100 }, expiresAfterMs: 7 * 86_400_000 };
  const walletId = await openWallet(table, 'ann');
  await books.follow();
  const [askKey, path, body] = [newKey(), { walletId }, { amount: 500 }];
  const ask = () => send('charge', serve(charge, { table, fourEyes }), { as: operator, key: askKey, path, body });
  const asked = await ask();
  const [approvalId, transactionId] = [String(asked.body?.['approvalId']), String(asked.body?.['transactionId'])];
  const decide = () =>
    send('approve', serve(approve, { table }), {
      as: { ...operator, principal: 'operator-2' },
      key: newKey(),
      path: { approvalId },
      body: {},
    });
  const open = await itemOf(table, approvalKey(approvalId));
  const request = await itemOf(table, transactionKey(transactionId));
  assert.equal((await decide()).status, 200);
  const records = await books.takeRecords();
  await books.hand(records);

  // The restored table has the approval as it was asked for, and neither the charge nor its money.
  const { available } = await balanceOf(table, walletId);
  assert.equal(available, 500);
  await plant(table, { ...open }, { ...request });
  const lines = await recover(books, [...eventsIn(records).values()]);
  assert.deepEqual(
    lines.filter((line) => line.includes('DIFFERENCE')),
    [],
  );
  assert.equal((await balanceOf(table, walletId)).available, 500);

  // The recovery ran by the time of today.
  await plant(table, { ...open, expiresAt: new Date(table.now() + 60_000).toISOString() });
  assert.equal((await decide()).status, 200);
  assert.equal((await balanceOf(table, walletId)).available, 500);
  const again = await ask();
  assert.deepEqual([again.status, again.body?.['transactionId']], [201, transactionId]);
});
