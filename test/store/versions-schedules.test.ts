/** Work and books of a newer release: what the scheduled functions do with them. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { lastEntry } from '../../lambdas/store/entries.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { newOrder } from '../../lambdas/domain/standing-order.ts';
import { orderKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { openOrder } from '../../lambdas/store/standing-orders.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { newBooks } from '../books.ts';
import { useEngine } from '../fixture.ts';
import { newKey, operation, timeOf } from './commands.ts';
import { changeItem, itemOf } from './inspect.ts';
import { acceptedWithdrawal } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { queueOfDepth } from './work.ts';

const engine = useEngine();

describe('work and books of a newer release', () => {
  it('stay due when the sweeper meets them, which queues all other work and fails', async () => {
    const table = await engine.newTable();
    const { transactionId: unknown } = await acceptedWithdrawal(table);
    const { transactionId: lost } = await acceptedWithdrawal(table);
    const key = transactionKey(unknown);
    await changeItem(table, key, { v: 2 });
    const before = await itemOf(table, key);
    table.clock.now += 600_000;
    const sent: string[] = [];
    const swept = {
      send: (batch: readonly { readonly transactionId: string }[]) => {
        sent.push(...batch.map(({ transactionId }) => transactionId));
        return Promise.resolve([]);
      },
      depth: () => Promise.resolve(0),
    };
    await assert.rejects(sweep({ table, withdrawals: swept, transfers: swept }), UnreadableItem);
    assert.deepEqual(sent, [lost]);
    assert.deepEqual(await itemOf(table, key), before);
  });

  it('keep no other standing order from its payment', async () => {
    const table = await engine.newTable();
    const walletId = await fundedWallet(table, 'ann', 100);
    const toWalletId = await openWallet(table, 'bob');
    const orders = [];
    for (const key of [newKey(), newKey()]) {
      const order = newOrder({
        ...{ transactionId: transactionIdOf('ann', key), principal: 'ann', ownerId: 'ann', walletId, amount: 1 },
        ...{ currency: 'EUR', at: timeOf(table), receiver: { toWalletId }, every: 'week' as const },
        firstAt: timeOf(table, 7_200_000),
      });
      await openOrder(table, operation(table, ['open', key], { owner: 'ann', key }), order, undefined);
      orders.push(orderKey(order.standingOrderId));
    }
    const [newer = orderKey(''), other = orderKey('')] = orders;
    await changeItem(table, newer, { v: 2 });
    const before = await itemOf(table, newer);
    const queue = queueOfDepth(0);
    await assert.rejects(sweep({ table, withdrawals: queue, transfers: queue }), UnreadableItem);
    assert.deepEqual(await itemOf(table, newer), before);
    assert.equal((await itemOf(table, other))?.['made'], 1);
  });

  it('are reported by the check of the books, which comes to its end', async () => {
    const own = await newBooks(engine);
    const { table, entries } = own;
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const { walletId: other } = await acceptedWithdrawal(table);
    await own.follow();
    for (const key of [walletKey(other), transactionKey(transactionId)]) {
      await changeItem(table, key, { v: 2 });
    }
    const found: string[] = [];
    const pass = beginPass({ passId: 'pass', now: table.now(), segments: 2, standStill: true, bankId: undefined });
    for (;;) {
      const outcome = await runPass({ table, entries, statement: undefined }, pass, {
        now: table.now,
        stop: () => false,
        secondLookMs: 60_000,
        report: ({ kind, subject, detail }) => found.push(`${kind} ${subject} ${detail}`),
      });
      if (outcome === 'done') break;
      table.clock.now += 60_000;
    }
    for (const { pk } of [walletKey(other), transactionKey(transactionId)]) {
      assert.ok(
        found.some((one) => one.startsWith(`unreadable ${pk} version 2`)),
        found.join('\n'),
      );
    }
    assert.equal((await lastEntry(entries, walletId))?.version, 2);
    own.close();
  });
});
