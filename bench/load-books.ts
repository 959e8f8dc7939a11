import { createHistogram } from 'node:perf_hooks';
import type { RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { forEachOf } from '../lambdas/aws/parallel.ts';

/** The members of a transaction that the check reads; amounts in minor units, times ISO 8601. */
export interface LoadedTransaction {
  readonly transactionId: string;
  readonly type: string;
  readonly status: string;
  readonly createdAt: string;
  readonly completedAt?: string;
  readonly postings: readonly { readonly account: string; readonly amount: number }[];
}

interface Figures {
  available: number;
  held: number;
}

const ended = new Set(['completed', 'failed', 'review']);
const readsAtATime = 16;

/**
 * Waits at most `patienceMs` until all transactions have ended, and compares each wallet with the sum of their
 * postings.
 *
 * @returns sentences about the differences; and the ages of withdrawals at their end, in milliseconds
 */
export async function checkBooks(load: {
  readonly walletIds: readonly string[];
  /** The balance of each wallet before the load, minor units. */
  readonly opening: number;
  readonly transactionIds: readonly string[];
  readonly patienceMs: number;
  readonly transaction: (transactionId: string) => Promise<LoadedTransaction>;
  readonly balance: (walletId: string) => Promise<Figures>;
}): Promise<{ differences: string[]; settled: RecordableHistogram }> {
  const differences: string[] = [];
  const settled = createHistogram();
  const expected = new Map(
    load.walletIds.map((walletId): [string, Figures] => [walletId, { available: load.opening, held: 0 }]),
  );
  const deadline = performance.now() + load.patienceMs;
  for (let open = [...load.transactionIds]; open.length > 0;) {
    const still: string[] = [];
    await forEachOf(open, readsAtATime, async (transactionId) => {
      const transaction = await load.transaction(transactionId);
      if (ended.has(transaction.status)) note(transaction);
      else still.push(transactionId);
    });
    open = still;
    if (open.length === 0) break;
    if (performance.now() > deadline) {
      differences.push(`${open.length} transactions have not ended, among them ${open[0] ?? ''}`);
      break;
    }
    await sleep(1_000);
  }
  await forEachOf(expected, readsAtATime, async ([walletId, { available, held }]) => {
    const found = await load.balance(walletId);
    if (found.available === available && found.held === held) return;
    differences.push(
      `${walletId} has ${found.available} available and ${found.held} held, its transactions say ${available} and ${held}`,
    );
  });
  return { differences, settled };

  function note({ transactionId, type, createdAt, completedAt, postings }: LoadedTransaction): void {
    if (postings.reduce((sum, { amount }) => sum + amount, 0) !== 0) {
      differences.push(`the postings of ${transactionId} do not sum to zero`);
    }
    for (const { account, amount } of postings) {
      const [, walletId = '', part = ''] = account.split(':');
      const figures = expected.get(walletId);
      if (figures !== undefined && (part === 'available' || part === 'held')) figures[part] += amount;
    }
    if (type === 'withdrawal' && completedAt !== undefined) {
      settled.record(Math.max(1, Date.parse(completedAt) - Date.parse(createdAt)));
    }
  }
}
