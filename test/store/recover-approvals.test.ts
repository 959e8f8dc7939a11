/** What a recovery and the check of the books make of commands that two operators made. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { approve } from '../../lambdas/api/approve.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { approvalKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { operator, send } from '../request.ts';
import type { Response } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newKey } from './commands.ts';
import * as commands from './commands.ts';
import { itemOf, plant } from './inspect.ts';
import { setLimits as setAlone, walletOf } from './limit-commands.ts';
import { recover } from './recovering.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();
const guard = { above: 100 };
const fourEyes = {
  charge: guard,
  refund: guard,
  unfreeze: true,
  limits: true,
  expiresAfterMs: 7 * 86_400_000,
} as const;

/** Opens books with the routes of two operators. */
async function openBooks() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const services = { table, fourEyes, tiers: {} };
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 });
  const handlers = {
    charge: serve(charge, services),
    refund: serve(refund, { ...services, limits }),
    'set-limits': serve(setLimits, services),
    unfreeze: serve(unfreeze, services),
  };
  return {
    books,
    table,
    ask: (name: keyof typeof handlers, path: Readonly<Record<string, string>>, body: object, key = newKey()) =>
      send(name, handlers[name], { as: operator, key, path, body }),
    decide: ({ body }: Response) =>
      send('approve', serve(approve, services), {
        as: { ...operator, principal: 'operator-2' },
        key: newKey(),
        path: { approvalId: String(body?.['approvalId']) },
        body: {},
      }),
  };
}

/** Returns the items of a request for an approval. */
async function requestOf({ table }: TestBooks, { body }: Response) {
  const approval = await itemOf(table, approvalKey(String(body?.['approvalId'])));
  return [{ ...approval }, { ...(await itemOf(table, transactionKey(String(body?.['transactionId'])))) }];
}

/** Makes open approvals expire a minute from now: a recovery runs by the time of today. */
async function reopen({ table }: TestBooks, { body }: Response): Promise<void> {
  const key = approvalKey(String(body?.['approvalId']));
  const expiresAt = new Date(table.now() + 60_000).toISOString();
  await plant(table, { ...(await itemOf(table, key)), expiresAt, dueAt: expiresAt });
}

describe('a command that was approved, and lost with its end', () => {
  it('comes back from its event as a charge, and is not executed again', async () => {
    const { books, table, ask, decide } = await openBooks();
    const walletId = await openWallet(table, 'ann');
    await books.follow();
    const key = newKey();
    const asked = await ask('charge', { walletId }, { amount: 500 }, key);
    const request = await requestOf(books, asked);
    assert.equal((await decide(asked)).status, 200);
    const records = await books.takeRecords();
    await books.hand(records);

    // The restored table has the approval as it was asked for, and neither the charge nor its money.
    assert.equal((await balanceOf(table, walletId)).available, 500);
    await plant(table, ...request);
    const lines = await recover(books, [...eventsIn(records).values()]);
    assert.deepEqual(
      lines.filter((line) => line.includes('DIFFERENCE')),
      [],
    );
    assert.equal((await balanceOf(table, walletId)).available, 500);
    // The event of the charge names the asker alone, and that of the approval the approver.
    const { principal, approvedBy } =
      (await itemOf(table, transactionKey(String(asked.body?.['transactionId'])))) ?? {};
    assert.deepEqual([principal, approvedBy], ['operator-1', undefined]);
    const approved = [...eventsIn(records).values()].find(({ type }) => type === 'approval.approved');
    assert.equal(approved?.actor?.principal, 'operator-2');

    await reopen(books, asked);
    assert.equal((await decide(asked)).status, 200);
    assert.equal((await balanceOf(table, walletId)).available, 500);
    const again = await ask('charge', { walletId }, { amount: 500 }, key);
    assert.deepEqual([again.status, again.body?.['transactionId']], [201, asked.body?.['transactionId']]);
  });

  it('comes back from its event as a refund of all that was left, and is not executed again', async () => {
    const { books, table, ask, decide } = await openBooks();
    const [payer, shop] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'shop')];
    const { transactionId } = (await commands.transfer(table, payer, shop, { amount: 300, owner: 'ann' })).transaction;
    await books.follow();
    const key = newKey();
    const give = () => ask('refund', { transactionId }, { reason: 'sorry' }, key);
    const asked = await give();
    const lost = [...(await requestOf(books, asked)), { ...(await itemOf(table, transactionKey(transactionId))) }];
    assert.equal((await decide(asked)).status, 200);
    const records = await books.takeRecords();
    await books.hand(records);
    await plant(table, ...lost);
    const lines = await recover(books, [...eventsIn(records).values()]);
    assert.deepEqual(
      lines.filter((line) => line.includes('DIFFERENCE')),
      [],
    );
    await reopen(books, asked);
    assert.equal((await decide(asked)).status, 200);
    assert.deepEqual([(await balanceOf(table, payer)).available, (await balanceOf(table, shop)).available], [1_000, 0]);
    const again = await give();
    assert.deepEqual([again.status, again.body?.['transactionId']], [201, asked.body?.['transactionId']]);
  });

  it('is refused as a change of limits, as the limits that came back are later ones', async () => {
    const { books, table, ask, decide } = await openBooks();
    const walletId = await openWallet(table, 'ann');
    await setAlone(table, walletId, { out: { perDay: 500 } });
    await books.follow();
    const wallet = await itemOf(table, walletKey(walletId));
    const asked = await ask('set-limits', { walletId }, { reason: 'known', limits: { out: { perDay: 900 } } });
    const request = await requestOf(books, asked);
    assert.equal((await decide(asked)).status, 200);
    const records = await books.takeRecords();
    await plant(table, { ...wallet }, ...request);
    await recover(books, [...eventsIn(records).values()]);
    await reopen(books, asked);
    const { status, body } = await decide(asked);
    assert.deepEqual([status, body?.['code']], [409, 'limits_changed']);
    assert.deepEqual((await walletOf(table, walletId)).limits, { out: { perDay: 900 } });
  });
});

describe('an approval to unfreeze a wallet that is open again', () => {
  for (const known of ['the events', 'the ledger'] as const) {
    it(`does not undo a later freeze that ${known} show`, async () => {
      const { books, table, ask, decide } = await openBooks();
      const walletId = await fundedWallet(table, 'ann', 1_000);
      await setStatus(table, walletId, 'frozen');
      await books.follow();
      const restored = await itemOf(table, walletKey(walletId));
      const asked = await ask('unfreeze', { walletId }, { reason: 'cleared' });
      table.clock.now += 60_000;
      await setStatus(table, walletId, 'active');
      await setStatus(table, walletId, 'frozen');
      const records = await books.takeRecords();
      if (known === 'the ledger') await books.hand(records);
      await plant(table, { ...restored });
      const events = known === 'the events' ? [...eventsIn(records).values()] : [];
      await recover(books, events);
      assert.notDeepEqual((await walletOf(table, walletId)).lastStatusChange, restored?.['lastStatusChange']);
      await reopen(books, asked);
      const { status, body } = await decide(asked);
      assert.deepEqual([status, body?.['code']], [409, 'approval_expired']);
      assert.equal((await walletOf(table, walletId)).status, 'frozen');
      assert.deepEqual(await recover(books, events), [], 'a second recovery finds nothing');
    });
  }

  it('executes its command when no other change was lost', async () => {
    const { books, table, ask, decide } = await openBooks();
    const walletId = await fundedWallet(table, 'ann', 1_000);
    await setStatus(table, walletId, 'frozen');
    const records = await books.takeRecords();
    await books.hand(records);
    const asked = await ask('unfreeze', { walletId }, { reason: 'cleared' });
    await recover(books, [...eventsIn(records).values()]);
    await reopen(books, asked);
    assert.equal((await decide(asked)).status, 200);
    assert.equal((await walletOf(table, walletId)).status, 'active');
  });
});
