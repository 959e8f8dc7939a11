import { listReviews, mostReviews } from '../../lambdas/store/due.ts';
import { getTransactions } from '../../lambdas/store/transactions.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { approvalLines, openApprovals, withoutRequest } from './approvals.ts';
import type { Report, Target } from './target.ts';
import { transactionLines, withoutPersonalData } from './where.ts';

/** Lists what waits for an operator: withdrawals, the longest wait first, and commands that need a second operator. */
export async function review({ table }: Target): Promise<Report> {
  const [reviews, { approvals, hasMore }] = await Promise.all([listReviews(table), openApprovals(table)]);
  const transactions = await getTransactions(
    table,
    reviews.map(({ transactionId }) => transactionId),
  );
  const items = reviews.map(({ transactionId, since }) => ({
    transactionId,
    since,
    transaction: transactions.get(transactionId),
  }));
  const lines = items.flatMap(({ transactionId, since, transaction }) => [
    `in review since ${since}`,
    ...(transaction === undefined || transaction instanceof UnreadableItem
      ? [`${transactionId}: ${transaction === undefined ? 'not found' : transaction.message}`]
      : transactionLines(transaction)),
    '',
  ]);
  const summary =
    items.length === 0
      ? 'No withdrawal waits for an operator.'
      : `${countOf(reviews)} wait. Resolve each as docs/runbook.md#withdrawal-in-review says.`;
  const at = new Date(table.now()).toISOString();
  const waiting =
    approvals.length === 0
      ? []
      : [
          ...approvals.flatMap((approval) => ['', ...approvalLines(approval, at)]),
          '',
          `Commands that wait for a second operator: ${hasMore ? 'at least ' : ''}${String(approvals.length)} (docs/runbook.md#a-command-waits-for-a-second-operator).`,
        ];
  return {
    lines: [...lines, summary, ...waiting],
    data: {
      approvals: approvals.map(withoutRequest),
      items: items.map(({ transaction, ...item }) => ({
        ...item,
        transaction:
          transaction instanceof UnreadableItem ? transaction.message : transaction && withoutPersonalData(transaction),
      })),
    },
    isWrong: items.length + approvals.length > 0,
  };
}

/** Returns how many are in review; the list ends at its limit, and there may be more. */
export function countOf(reviews: readonly unknown[]): string {
  return reviews.length < mostReviews ? String(reviews.length) : `at least ${String(reviews.length)}`;
}
