/** Messages and events that this release does not know, or whose item it does not know. */
import type { Context, SQSEvent } from 'aws-lambda';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { consume, consumeTogether } from '../../lambdas/aws/consumer.ts';
import { notifiedEvents, screenedEvents, workMessage } from '../../lambdas/contract.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { consumeEvents } from '../../lambdas/events/event-consumer.ts';
import { transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { putPreferences } from '../../lambdas/store/preferences.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { notifyOwners } from '../../lambdas/workers/notifier.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { newBooks } from '../books.ts';
import { newSentTable } from '../engine.ts';
import { useEngine, useTable } from '../fixture.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { charge, queueTransfer } from './commands.ts';
import { changeItem, itemOf } from './inspect.ts';
import { acceptedWithdrawal, bankId } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
const table = useTable(engine);
const at = '2026-03-01T12:00:00.000Z';

/** Delivers messages to a consumer. Returns the ids of those that it keeps. */
async function deliver(
  handler: (event: SQSEvent, context: Context) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>,
  ...bodies: readonly object[]
): Promise<string[]> {
  const Records = bodies.map((body, index) => ({
    messageId: String(index),
    receiptHandle: String(index),
    body: JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '1' },
  }));
  const { batchItemFailures } = await handler({ Records } as unknown as SQSEvent, {} as Context);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

const queue = { delay: () => Promise.resolve() };

describe('a message of work', () => {
  const ids = ['one', 'two', 'three'].map((key) => transactionIdOf('ann', key));
  const [first = '', second = '', third = ''] = ids;
  const messages = [workMessage(first), { ...workMessage(second), version: 2 }, { transactionId: third }];

  it('of a newer version is kept by both kinds of consumers; one of an earlier release is handled', async () => {
    const handled: string[] = [];
    const alone = consume({
      queue,
      handle: (id) => {
        handled.push(id);
        return Promise.resolve(undefined);
      },
      now: () => 0,
    });
    const together = consumeTogether({
      queue,
      handle: (some) => {
        handled.push(...some);
        return Promise.resolve(new Map());
      },
    });
    for (const handler of [alone, together]) {
      handled.length = 0;
      assert.deepEqual(await deliver(handler, ...messages), ['1']);
      assert.deepEqual(handled, [first, third]);
    }
  });

  it('for a withdrawal of a newer version is kept, and nothing is written to it', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const key = transactionKey(transactionId);
    await changeItem(table, key, { v: 2 });
    const before = await itemOf(table, key);
    const wrong = () => Promise.reject(new Error('the bank must not be called'));
    const bank = { submit: wrong, find: wrong, isDown: () => false };
    const policy = { maxAttempts: 5, notFoundWindowMs: 60_000 };
    const handler = consume({
      queue,
      handle: (id) => advanceWithdrawal(id, { table, bank, bankId, policy }),
      now: table.now,
    });
    assert.deepEqual(await deliver(handler, workMessage(transactionId)), ['0']);
    assert.deepEqual(await itemOf(table, key), before);
    await changeItem(table, key, { v: undefined });
  });

  it('for a transfer of a newer version is kept, and the others arrive', async () => {
    const [from, to] = [await fundedWallet(table, 'ann', 10), await openWallet(table, 'bob')];
    const sent: string[] = [];
    for (const amount of [1, 2]) {
      sent.push((await queueTransfer(table, from, to, { owner: 'ann', amount })).transaction.transactionId);
    }
    const key = transactionKey(sent[0]!);
    await changeItem(table, key, { v: 2 });
    const handler = consumeTogether({ queue, handle: (some) => endTransfers(some, table) });
    assert.deepEqual(await deliver(handler, ...sent.map(workMessage)), ['0']);
    assert.equal((await getTransaction(table, sent[1]!))?.status, 'completed');
    await changeItem(table, key, { v: undefined });
    assert.deepEqual(await deliver(handler, ...sent.map(workMessage)), []);
    assert.equal((await getTransaction(table, sent[0]!))?.status, 'completed');
  });
});

describe('an event', () => {
  const bodyOf = (event: object, id: string) => ({ id, source: 'wallet', detail: event });

  it('of a newer version or an unknown type is kept by screening and notifications', async () => {
    const { table, takeRecords, close } = await newBooks(engine);
    await charge(table, await openWallet(table, 'ann'), { amount: 5 });
    const [event] = [...eventsIn(await takeRecords()).values()].filter(({ type }) => type === 'wallet.funded');
    close();
    for (const types of [screenedEvents, notifiedEvents]) {
      const seen: string[] = [];
      const handle = (deliveries: readonly { readonly envelopeId: string }[]) => {
        seen.push(...deliveries.map(({ envelopeId }) => envelopeId));
        return Promise.resolve(new Map<string, unknown>());
      };
      const handler = consumeEvents({ queue, types, handle });
      const kept = await deliver(
        handler,
        bodyOf({ ...event, version: 2 }, 'newer'),
        bodyOf({ ...event, type: 'card.captured' }, 'unknown'),
        bodyOf(event!, 'known'),
      );
      assert.deepEqual([kept, seen], [['0', '1'], ['known']]);
    }
  });

  it('about a wallet of a newer version is kept by the notifier, and the others are told', async () => {
    const { table, takeRecords, close } = await newBooks(engine);
    const wallets: string[] = [];
    for (const owner of ['ann', 'bob']) {
      await putPreferences(table, owner, { channels: { email: true, sms: false, push: false }, mutedEvents: [] }, at);
      wallets.push(await fundedWallet(table, owner, 5));
    }
    const events = [...eventsIn(await takeRecords()).values()].filter(({ type }) => type === 'wallet.funded');
    close();
    await changeItem(table, walletKey(wallets[0]!), { v: 2 });
    const told: string[] = [];
    const sent = engine.openTable(await newSentTable(engine));
    const notify = ({ ownerId }: { readonly ownerId: string }) => {
      told.push(ownerId);
      return Promise.resolve();
    };
    const handler = consumeEvents({
      queue,
      types: notifiedEvents,
      handle: (deliveries) => notifyOwners(deliveries, { table, sent, notify }),
    });
    assert.deepEqual(await deliver(handler, ...events.map((event, n) => bodyOf(event, String(n)))), ['0']);
    assert.deepEqual(told, ['bob']);
  });
});
