import type { SQSEvent } from 'aws-lambda';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { maxAmount } from '../../lambdas/domain/money.ts';
import type { PendingTransfer, Transaction } from '../../lambdas/domain/transaction.ts';
import { consumeTogether } from '../../lambdas/aws/consumer.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { readBookings } from '../../lambdas/store/books.ts';
import { failTransfer, mostTransfersPerWrite, settleTransfers } from '../../lambdas/store/transfers.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { answer } from '../faults.ts';
import { charge, queueTransfer, timeOf } from './commands.ts';
import { assertWritesNothing, fieldsOf, itemOf, plant } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { checkUnits } from '../units.ts';

const table = useTable();

const failure = { code: 'wallet_frozen', message: 'The wallet is frozen' };
type Group = [PendingTransfer, ...PendingTransfer[]];

/** Queues transfers of these amounts from one new wallet to another. */
async function queued(...amounts: number[]): Promise<{ from: string; to: string; group: Group }> {
  const from = await fundedWallet(table, 'ann', 1_000);
  const to = await openWallet(table, 'bob');
  const group: Transaction[] = [];
  for (const amount of amounts) {
    group.push((await queueTransfer(table, from, to, { owner: 'ann', amount })).transaction);
  }
  return { from, to, group: group as Group };
}

describe('settling a group of transfers', () => {
  it('credits the receiver once and completes each', async () => {
    const { from, to, group } = await queued(1, 2, 3);
    table.clock.now += 1_000;
    assert.deepEqual(await settleTransfers(table, group, timeOf(table)), { settled: true });
    assert.deepEqual(await balanceOf(table, to), { available: 6, held: 0, total: 6 });
    assert.deepEqual(await balanceOf(table, from), { available: 994, held: 0, total: 994 });
    assert.equal((await getWallet(table, to, { consistent: true }))?.version, 1);
    for (const { transactionId, amount } of group) {
      const transaction = await fieldsOf(table, transactionId);
      assert.ok(transaction);
      assert.deepEqual(
        [transaction.status, transaction.completedAt, transaction.dueAt],
        ['completed', timeOf(table), undefined],
      );
      assert.deepEqual(transaction.postings, [
        { account: `wallet:${from}:available`, amount: -amount },
        { account: 'transit:EUR', amount },
        { account: 'transit:EUR', amount: -amount },
        { account: `wallet:${to}:available`, amount },
      ]);
    }
  });

  it('spreads many transfers over the partitions of the history, which is read from all of them', async () => {
    const from = await fundedWallet(table, 'ann', 1_000);
    const to = await openWallet(table, 'bob');
    const sent: string[] = [];
    for (let n = 0; n < 12; n++) {
      const group = [];
      for (const amount of [1, 2]) {
        const { transaction } = await queueTransfer(table, from, to, { owner: 'ann', amount });
        group.unshift(transaction);
        sent.unshift(transaction.transactionId);
        table.clock.now += 1;
      }
      assert.deepEqual(await settleTransfers(table, group as Group, timeOf(table), 2), { settled: true });
    }
    const wallet = await getWallet(table, to, { consistent: true });
    assert.deepEqual([wallet?.isCrowded, wallet?.available, wallet?.version], [true, 36, 12]);
    const seen: string[] = [];
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const { items, next } = await listTransactions(table, { walletId: to, isCrowded: true, limit: 5, after });
      assert.ok(items.every((item) => item.type === 'transfer' && item.counterpartyWalletId === to));
      seen.push(...items.map(({ transactionId }) => transactionId));
      after = next;
    }
    assert.deepEqual(seen, sent, 'newest first, each once');
    const ofOwn = await listTransactions(table, { walletId: to, limit: 100 });
    assert.ok(ofOwn.items.length === 0, 'its own partition takes no write of a crowd');
    const booked: unknown[] = [];
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await readBookings(table, { side: 'receiver', walletId: to, isCrowded: true, after });
      booked.push(...page.items);
      after = page.next;
    }
    assert.equal(booked.length, 24);
  });

  it('adds each to the history of the receiver when it arrives, and not before', async () => {
    const { from, to, group } = await queued(1, 2);
    const [first, second] = group;
    assert.ok(second);
    const seen = async (walletId: string) =>
      (await listTransactions(table, { walletId, limit: 20 })).items
        .filter((item) => item.type === 'transfer')
        .map(({ status, counterpartyWalletId }) => [status, counterpartyWalletId]);
    assert.deepEqual(await seen(to), []);
    assert.deepEqual(await seen(from), [
      ['pending', to],
      ['pending', to],
    ]);
    await settleTransfers(table, [first], timeOf(table));
    await failTransfer(table, second, failure, timeOf(table));
    assert.deepEqual(await seen(to), [['completed', to]]);
    assert.deepEqual((await seen(from)).sort(), [
      ['completed', to],
      ['failed', to],
    ]);
  });

  it('completes transfers that the previous release accepted', async () => {
    const { to, group } = await queued(5);
    const [{ transactionId }] = group;
    const { toWalletId, ...item } = (await itemOf(table, transactionKey(transactionId))) ?? {};
    assert.equal(toWalletId, to);
    await plant(table, { ...item, counterpartyWalletId: to });
    assert.deepEqual(await endTransfers([transactionId], table), new Map());
    assert.equal((await fieldsOf(table, transactionId))?.status, 'completed');
    assert.equal((await listTransactions(table, { walletId: to, limit: 20 })).items.length, 1);
  });

  it('writes nothing when one of them has ended, and names that one', async () => {
    const { group } = await queued(1, 2, 3);
    const [, second] = group;
    assert.ok(second);
    assert.deepEqual(await settleTransfers(table, [second], timeOf(table)), { settled: true });
    const expected = {
      settled: false,
      ended: new Set([second.transactionId]),
      refusal: undefined,
      fitting: [],
    } as const;
    await assertWritesNothing(table, expected, () => settleTransfers(table, group, timeOf(table)));
  });

  it('writes nothing when the receiver refuses, and names the reason and the ended transfers', async () => {
    const { to, group } = await queued(1, 2);
    await failTransfer(table, group[0], failure, timeOf(table));
    await setStatus(table, to, 'frozen');
    const outcome = await settleTransfers(table, group, timeOf(table));
    assert.ok(!outcome.settled);
    assert.equal(outcome.refusal?.code, 'wallet_frozen');
    assert.deepEqual(outcome.ended, new Set([group[0].transactionId]));
    assert.deepEqual(await balanceOf(table, to), { available: 0, held: 0, total: 0 });
  });

  it('is refused when their sum is too much for the wallet', async () => {
    const { to, group } = await queued(1, 2);
    await charge(table, to, { amount: maxAmount - 2 });
    const outcome = await settleTransfers(table, group, timeOf(table));
    assert.ok(!outcome.settled);
    assert.equal(outcome.refusal?.code, 'balance_limit_exceeded');
    assert.deepEqual(await settleTransfers(table, [group[1]!], timeOf(table)), { settled: true });
  });

  it('takes as many as one write can, in one round trip of 2 + 5 n units', async () => {
    const { to, group } = await queued(...Array.from({ length: mostTransfersPerWrite }, () => 1));
    const { result, roundTrips, writeUnits } = await measure(table, () => settleTransfers(table, group, timeOf(table)));
    assert.deepEqual(result, { settled: true });
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 2 + 5 * group.length, `${writeUnits} units for ${group.length}`);
    });
    assert.equal((await balanceOf(table, to)).total, group.length);
  });

  it('by two workers at once moves each once', async () => {
    const { to, group } = await queued(1, 2, 3, 4);
    const outcomes = await Promise.all([1, 2, 3].map(() => settleTransfers(table, group, timeOf(table))));
    assert.equal(outcomes.filter(({ settled }) => settled).length, 1);
    assert.equal((await balanceOf(table, to)).total, 10);
  });
});

describe('a transfer that cannot arrive', () => {
  it('fails, and its money returns to the sender once', async () => {
    const { from, to, group } = await queued(25);
    const [transfer] = group;
    await setStatus(table, from, 'frozen');
    assert.equal(await failTransfer(table, transfer, failure, timeOf(table)), true);
    assert.deepEqual(await balanceOf(table, from), { available: 1_000, held: 0, total: 1_000 });
    assert.deepEqual(await balanceOf(table, to), { available: 0, held: 0, total: 0 });
    const failed = await fieldsOf(table, transfer.transactionId);
    assert.deepEqual([failed?.status, failed?.failure, failed?.dueAt], ['failed', failure, undefined]);
    assert.deepEqual(failed?.postings.slice(2), [
      { account: 'transit:EUR', amount: -25 },
      { account: `wallet:${from}:available`, amount: 25 },
    ]);
    await assertWritesNothing(table, false, () => failTransfer(table, transfer, failure, timeOf(table)));
    const expected = {
      settled: false,
      ended: new Set([transfer.transactionId]),
      refusal: undefined,
      fitting: [],
    } as const;
    await assertWritesNothing(table, expected, () => settleTransfers(table, [transfer], timeOf(table)));
  });
});

describe('ending a batch of transfers', () => {
  const statusesOf = async (group: Group) =>
    Promise.all(group.map(async ({ transactionId }) => (await fieldsOf(table, transactionId))?.status));
  /** Ends the batch, while another worker settles the first transfer between its read and its write. */
  const endRacing = async (group: Group) => {
    table.fault = async (call, send) => {
      if (call.operation !== 'TransactWriteItems') return send();
      table.fault = undefined;
      await settleTransfers(table, [group[0]], timeOf(table));
      return send();
    };
    const ids = group.map(({ transactionId }) => transactionId);
    assert.deepEqual(await endTransfers(ids, table), new Map());
  };

  it('begins no write after 20 s, and leaves the rest to the next delivery', async () => {
    const { from, to, group } = await queued(...Array<number>(150).fill(1));
    await setStatus(table, to, 'frozen');
    table.fault = (call, send) => {
      if (call.operation === 'TransactWriteItems') table.clock.now += 250;
      return send();
    };
    const startedAt = table.now();
    // The receiver refuses two groups; each of their transfers is failed by a write of its own.
    const left = await endTransfers(
      group.map(({ transactionId }) => transactionId),
      table,
    );
    assert.ok(table.now() - startedAt <= 20_250, 'the last write began within 20 s');
    assert.equal(left.size, 150 - (80 - 2));
    table.fault = undefined;
    assert.deepEqual(await endTransfers([...left.keys()], table), new Map());
    assert.equal((await balanceOf(table, from)).total, 1_000);
  });

  it('settles those that fit when not all of them do, and fails the others', async () => {
    const { from, to, group } = await queued(60, 50, 30);
    await charge(table, to, { amount: maxAmount - 100 });
    const ids = group.map(({ transactionId }) => transactionId);
    assert.deepEqual(await endTransfers(ids, table), new Map());
    const statuses = await statusesOf(group);
    const settled = group.filter((_, index) => statuses[index] === 'completed');
    const sum = settled.reduce((total, { amount }) => total + amount, 0);
    assert.ok(settled.length === 2 && statuses.filter((status) => status === 'failed').length === 1, String(statuses));
    assert.equal((await balanceOf(table, to)).total, maxAmount - 100 + sum);
    assert.equal((await balanceOf(table, from)).total, 1_000 - sum);
  });

  it('settles the rest that fits when another worker has settled some meanwhile', async () => {
    const two = await queued(60, 30);
    await charge(table, two.to, { amount: maxAmount - 100 });
    await endRacing(two.group);
    assert.deepEqual(await statusesOf(two.group), ['completed', 'completed']);

    const three = await queued(60, 30, 10);
    await charge(table, three.to, { amount: maxAmount - 100 });
    await endRacing(three.group);
    assert.deepEqual(await statusesOf(three.group), ['completed', 'completed', 'completed']);
  });

  it('fails the rest when it no longer fits', async () => {
    const { to, group } = await queued(60, 50);
    await charge(table, to, { amount: maxAmount - 100 });
    await endRacing(group);
    assert.deepEqual(await statusesOf(group), ['completed', 'failed']);
  });

  it('returns every message to the queue for a moment when the transfers cannot be read', async () => {
    const { group } = await queued(1, 2);
    const delays: [string, number][] = [];
    const work = consumeTogether({
      queue: { delay: (handle, seconds) => Promise.resolve(void delays.push([handle, seconds])) },
      handle: (transactionIds) => endTransfers(transactionIds, table),
    });
    const Records = group.map(({ transactionId }, index) => ({
      messageId: `message ${index}`,
      receiptHandle: `handle ${index}`,
      body: JSON.stringify({ transactionId }),
      attributes: { ApproximateReceiveCount: '1' },
    }));
    table.fault = answer('ThrottlingException');
    const report = await work({ Records } as unknown as SQSEvent);
    table.fault = undefined;
    assert.deepEqual(report, {
      batchItemFailures: [{ itemIdentifier: 'message 0' }, { itemIdentifier: 'message 1' }],
    });
    assert.deepEqual(
      delays.map(([handle]) => handle),
      ['handle 0', 'handle 1'],
    );
    for (const [, seconds] of delays) assert.ok(seconds <= 2, `${seconds} s`);
    assert.deepEqual(await statusesOf(group), ['pending', 'pending']);
  });
});
