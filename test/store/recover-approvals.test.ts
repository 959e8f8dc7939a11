/** What a recovery and the check of the books make of commands that two operators made. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Actor } from '../../lambdas/domain/actor.ts';
import { approve } from '../../lambdas/api/approve.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { reject } from '../../lambdas/api/reject.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { approvalKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { operator, send } from '../request.ts';
import type { Response } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newKey } from './commands.ts';
import * as commands from './commands.ts';
import { itemOf, plant, removeItem } from './inspect.ts';
import { setLimits as setAlone, walletOf } from './limit-commands.ts';
import { recover, recoverAfterDryRun } from './recovering.ts';
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
    turnDown: ({ body }: Response) =>
      send('reject', serve(reject, services), {
        as: { ...operator, principal: 'operator-2' },
        key: newKey(),
        path: { approvalId: String(body?.['approvalId']) },
        body: { reason: 'no invoice' },
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

/** Returns the events of these records, without those of approvals. */
function withoutApprovals(events: readonly ServiceEvent[]): ServiceEvent[] {
  return events.filter(({ type }) => !type.startsWith('approval'));
}

/** Approves a charge. Then restores the table to the request: the charge and its money are lost, and their events are not. */
async function loseApprovedCharge() {
  const opened = await openBooks();
  const { books, table, ask, decide } = opened;
  const walletId = await openWallet(table, 'ann');
  await books.follow();
  const key = newKey();
  const chargeAgain = () => ask('charge', { walletId }, { amount: 500 }, key);
  const asked = await chargeAgain();
  const request = await requestOf(books, asked);
  assert.equal((await decide(asked)).status, 200);
  const records = await books.takeRecords();
  await books.hand(records);
  assert.equal((await balanceOf(table, walletId)).available, 500);
  await plant(table, ...request);
  return { ...opened, walletId, asked, chargeAgain, events: [...eventsIn(records).values()] };
}

/** Approves a change of limits. Then restores the wallet and the request. */
async function loseApprovedLimits() {
  const opened = await openBooks();
  const { books, table, ask, decide } = opened;
  const walletId = await openWallet(table, 'ann');
  await setAlone(table, walletId, { out: { perDay: 500 } });
  await books.follow();
  const wallet = await itemOf(table, walletKey(walletId));
  const asked = await ask('set-limits', { walletId }, { reason: 'known', limits: { out: { perDay: 900 } } });
  const request = await requestOf(books, asked);
  assert.equal((await decide(asked)).status, 200);
  const records = await books.takeRecords();
  await plant(table, { ...wallet }, ...request);
  return { ...opened, walletId, asked, events: [...eventsIn(records).values()] };
}

describe('a command that was approved, and lost with its end', () => {
  it('comes back from its event as a charge, and is not executed again', async () => {
    const { books, table, decide, walletId, asked, chargeAgain, events } = await loseApprovedCharge();
    const lines = await recover(books, events);
    assert.deepEqual(
      lines.filter((line) => line.includes('DIFFERENCE')),
      [],
    );
    assert.equal((await balanceOf(table, walletId)).available, 500);
    const { principal, approvedBy } =
      (await itemOf(table, transactionKey(String(asked.body?.['transactionId'])))) ?? {};
    assert.deepEqual([principal, (approvedBy as Actor | undefined)?.principal], ['operator-1', 'operator-2']);
    const approval = await itemOf(table, approvalKey(String(asked.body?.['approvalId'])));
    assert.deepEqual(
      [approval?.['status'], approval?.['endedBy'], approval?.['dueAt']],
      ['approved', approvedBy, undefined],
    );

    assert.equal((await decide(asked)).body?.['code'], 'approval_ended');
    assert.equal((await balanceOf(table, walletId)).available, 500);
    const again = await chargeAgain();
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
    const lines = await recoverAfterDryRun(books, [...eventsIn(records).values()]);
    assert.deepEqual(
      lines.filter((line) => line.includes('DIFFERENCE')),
      [],
    );
    assert.equal((await decide(asked)).body?.['code'], 'approval_ended');
    assert.deepEqual([(await balanceOf(table, payer)).available, (await balanceOf(table, shop)).available], [1_000, 0]);
    const again = await give();
    assert.deepEqual([again.status, again.body?.['transactionId']], [201, asked.body?.['transactionId']]);
  });

  it('has ended without the event of its approval, as its charge names who approved it', async () => {
    const { books, table, decide, walletId, asked, chargeAgain, events } = await loseApprovedCharge();
    await recover(books, withoutApprovals(events));
    assert.equal((await decide(asked)).body?.['code'], 'approval_ended');
    assert.equal((await balanceOf(table, walletId)).available, 500);
    const again = await chargeAgain();
    assert.deepEqual([again.status, again.body?.['transactionId']], [201, asked.body?.['transactionId']]);
  });

  it('has ended as a change of limits, and the limits name who approved them', async () => {
    const { books, table, decide, walletId, asked, events } = await loseApprovedLimits();
    await recover(books, events);
    const { status, body } = await decide(asked);
    assert.deepEqual([status, body?.['code']], [409, 'approval_ended']);
    const { limits, lastLimitsChange } = await walletOf(table, walletId);
    assert.deepEqual([limits, lastLimitsChange?.approvedBy?.principal], [{ out: { perDay: 900 } }, 'operator-2']);
  });

  it('is refused as a change of limits without the event of its approval, as those that came back are later ones', async () => {
    const { books, table, decide, walletId, asked, events } = await loseApprovedLimits();
    await recover(books, withoutApprovals(events));
    await reopen(books, asked);
    const { status, body } = await decide(asked);
    assert.deepEqual([status, body?.['code']], [409, 'limits_changed']);
    assert.deepEqual((await walletOf(table, walletId)).limits, { out: { perDay: 900 } });
  });

  it('has ended as an unfreezing, and the wallet names who approved it', async () => {
    const { books, table, ask, decide } = await openBooks();
    const walletId = await fundedWallet(table, 'ann', 1_000);
    await setStatus(table, walletId, 'frozen');
    await books.follow();
    const wallet = await itemOf(table, walletKey(walletId));
    const asked = await ask('unfreeze', { walletId }, { reason: 'cleared' });
    const request = await requestOf(books, asked);
    table.clock.now += 1_000;
    assert.equal((await decide(asked)).status, 200);
    const records = await books.takeRecords();
    await plant(table, { ...wallet }, ...request);
    const events = [...eventsIn(records).values()];
    await recover(books, events);
    assert.equal((await decide(asked)).body?.['code'], 'approval_ended');
    const { status, lastStatusChange } = await walletOf(table, walletId);
    assert.deepEqual([status, lastStatusChange?.approvedBy?.principal], ['active', 'operator-2']);
    assert.deepEqual(await recover(books, events), [], 'a second recovery finds nothing');
  });
});

describe('a decision about an approval, or its request, that was lost', () => {
  it('is made again when it was a rejection', async () => {
    const { books, table, ask, decide, turnDown } = await openBooks();
    const walletId = await openWallet(table, 'ann');
    await books.follow();
    const asked = await ask('charge', { walletId }, { amount: 500 });
    const request = await requestOf(books, asked);
    assert.equal((await turnDown(asked)).status, 200);
    const rejected = await itemOf(table, approvalKey(String(asked.body?.['approvalId'])));
    const events = [...eventsIn(await books.takeRecords()).values()];
    await plant(table, ...request);
    assert.equal((await recoverAfterDryRun(books, events)).length, 1);
    assert.deepEqual(await itemOf(table, approvalKey(String(asked.body?.['approvalId']))), rejected);
    assert.equal((await decide(asked)).body?.['code'], 'approval_ended');
    assert.deepEqual(await recover(books, events), [], 'a second recovery finds nothing');
  });

  it('is named when it was a request that is still open', async () => {
    const { books, table, ask } = await openBooks();
    const walletId = await openWallet(table, 'ann');
    await books.follow();
    table.clock.now = Date.now();
    const asked = await ask('charge', { walletId }, { amount: 500 });
    const events = [...eventsIn(await books.takeRecords()).values()];
    await removeItem(table, approvalKey(String(asked.body?.['approvalId'])));
    await removeItem(table, transactionKey(String(asked.body?.['transactionId'])));
    const lines = await recoverAfterDryRun(books, events);
    const named = `DIFFERENCE approval_forgotten ${String(asked.body?.['approvalId'])}: operator-1 asked for charge`;
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', new RegExp(named));
  });

  it('is named when it was approved, and neither a record nor an event shows its charge', async () => {
    const { books, table, ask, decide } = await openBooks();
    const walletId = await openWallet(table, 'ann');
    await books.follow();
    const wallet = await itemOf(table, walletKey(walletId));
    const asked = await ask('charge', { walletId }, { amount: 500 });
    const [, request] = await requestOf(books, asked);
    assert.equal((await decide(asked)).status, 200);
    // Torn: the approval is from behind the restored moment, and its charge is not.
    await plant(table, { ...wallet }, { ...request });
    await books.takeRecords();
    const lines = await recover(books);
    const named = `DIFFERENCE command_forgotten ${String(asked.body?.['approvalId'])}: its charge, tx_\\w+, was approved`;
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', new RegExp(named));
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
      assert.deepEqual([status, body?.['code']], [409, known === 'the events' ? 'approval_expired' : 'approval_ended']);
      assert.equal((await walletOf(table, walletId)).status, 'frozen');
      assert.deepEqual(await recover(books, events), [], 'a second recovery finds nothing');
    });
  }

  it('is rejected when its ledger may show a second freeze of a frozen wallet', async () => {
    const { books, table, ask, decide } = await openBooks();
    const walletId = await fundedWallet(table, 'ann', 1_000);
    await setStatus(table, walletId, 'frozen');
    await books.follow();
    const restored = await itemOf(table, walletKey(walletId));
    const asked = await ask('unfreeze', { walletId }, { reason: 'cleared' });
    table.clock.now += 60_000;
    await setStatus(table, walletId, 'frozen');
    await books.follow();
    await plant(table, { ...restored });
    const lines = await recover(books);
    assert.match(lines.join('\n'), new RegExp(`approval ${String(asked.body?.['approvalId'])}: rejected`));
    const { status, body } = await decide(asked);
    assert.deepEqual([status, body?.['code']], [409, 'approval_ended']);
    assert.equal((await walletOf(table, walletId)).status, 'frozen');
    assert.deepEqual(await recover(books), [], 'a second recovery finds nothing');
  });

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
