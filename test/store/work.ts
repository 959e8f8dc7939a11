/** Open work, which the sweeper queues when it is overdue. */
import { transactionKey } from '../../lambdas/store/keys.ts';
import type { TestTable } from '../engine.ts';
import { queueTransfer, timeOf, withdraw } from './commands.ts';
import { plant } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

/** Accepts twenty withdrawals and one queued transfer, a second apart. */
export async function openWork(table: TestTable) {
  const walletId = await fundedWallet(table, 'ann', 1_000);
  const to = await openWallet(table, 'bob');
  const work = [];
  for (let i = 0; i < 20; i++) {
    work.push((await withdraw(table, walletId, { owner: 'ann', amount: 1 })).transaction);
    table.clock.now += 1_000;
  }
  work.push((await queueTransfer(table, walletId, to, { owner: 'ann', amount: 1 })).transaction);
  return work;
}

let planted = 0;

/** Plants withdrawals that are due now in this partition of the index. Returns their ids. */
export async function plantDue(table: TestTable, shard: string, count: number, members: object = {}) {
  const ids = Array.from({ length: count }, () => `tx_${++planted}aa`);
  const due = { type: 'withdrawal', dueShard: shard, dueAt: timeOf(table), ...members };
  await plant(table, ...ids.map((transactionId) => ({ ...transactionKey(transactionId), transactionId, ...due })));
  return ids;
}

/** Returns a queue of this depth that accepts every message, and the ids that were sent to it. */
export function queueOfDepth(messages: number) {
  const sent: string[] = [];
  const send = (batch: readonly { transactionId: string }[]) => {
    sent.push(...batch.map(({ transactionId }) => transactionId));
    return Promise.resolve([]);
  };
  return { sent, send, depth: () => Promise.resolve(messages) };
}
