import { maskAccount } from '../../lambdas/domain/transaction.ts';
import type { StandingOrder } from '../../lambdas/domain/standing-order.ts';
import { getOrder } from '../../lambdas/store/standing-orders.ts';
import type { Table } from '../../lambdas/store/table.ts';
import type { Report } from './target.ts';

/** Reports the state of a standing order, and what happens next; undefined when there is none of this id. */
export async function orderReport(table: Table, standingOrderId: string): Promise<Report | undefined> {
  const order = await getOrder(table, standingOrderId);
  if (order === undefined) return undefined;
  const { destination, externalReference, description, metadata, ...facts } = order;
  const { walletId, amount, currency, every, firstAt, made, toWalletId } = order;
  const receiver = toWalletId ?? `the account ${maskAccount(destination?.account ?? '')}`;
  const next = nextStep(order, table.now());
  return {
    lines: [
      `${standingOrderId}: ${String(amount)} ${currency} in minor units, each ${every}, ${order.status}`,
      `from ${walletId} to ${receiver}, first at ${firstAt}`,
      `payments scheduled so far: ${String(made)}`,
      `next: ${next}`,
    ],
    data: { ...facts, next },
    isWrong: false,
  };
}

function nextStep(order: StandingOrder, now: number): string {
  if (order.status === 'ended') return `nothing, it ended at ${order.endedAt}: ${order.end}`;
  const { nextAt, dueAt } = order;
  const lateSeconds = Math.round((now - Date.parse(dueAt)) / 1000);
  const when = lateSeconds > 0 ? `overdue by ${String(lateSeconds)} s` : `at ${dueAt}`;
  return `the sweeper schedules the payment of ${nextAt}, ${when}`;
}
