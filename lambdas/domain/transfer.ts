import { maxAmount } from './money.ts';

/**
 * Splits transfers into groups that one write can settle, and keeps their order. A group has one receiver, at most
 * `most` transfers, and amounts that add up to a valid amount.
 */
export function groupByReceiver<T extends { readonly counterpartyWalletId: string; readonly amount: number }>(
  transfers: readonly T[],
  most: number,
): [T, ...T[]][] {
  const open = new Map<string, { group: [T, ...T[]]; sum: number }>();
  const groups: [T, ...T[]][] = [];
  for (const transfer of transfers) {
    const current = open.get(transfer.counterpartyWalletId);
    if (current !== undefined && current.group.length < most && current.sum <= maxAmount - transfer.amount) {
      current.group.push(transfer);
      current.sum += transfer.amount;
    } else {
      const group: [T, ...T[]] = [transfer];
      groups.push(group);
      open.set(transfer.counterpartyWalletId, { group, sum: transfer.amount });
    }
  }
  return groups;
}
