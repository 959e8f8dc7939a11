import { maxAmount } from './money.ts';
import { accounts, move } from './postings.ts';
import type { Posting } from './postings.ts';
import { common } from './transaction.ts';
import type { CommandFacts, DirectTransfer, PendingTransfer, Transfer } from './transaction.ts';
import { creditRefusal } from './wallet.ts';
import type { Wallet } from './wallet.ts';

/** Returns a transfer: money from one wallet to another, completed at once. */
export function transfer(facts: CommandFacts & { toWalletId: string }): DirectTransfer {
  return {
    ...common(facts),
    type: 'transfer',
    status: 'completed',
    counterpartyWalletId: facts.toWalletId,
    postings: move(facts.amount, accounts.available(facts.walletId), accounts.available(facts.toWalletId)),
    completedAt: facts.at,
  };
}

/** Returns a queued transfer: the sender is debited at once, and a worker credits the receiver. */
export function queuedTransfer(facts: CommandFacts & { toWalletId: string }): PendingTransfer {
  return {
    ...common(facts),
    type: 'transfer',
    status: 'pending',
    queued: true,
    counterpartyWalletId: facts.toWalletId,
    dueAt: facts.at,
    postings: move(facts.amount, accounts.available(facts.walletId), accounts.transit(facts.currency)),
  };
}

/** Returns the transfers of a group that their receiver takes together: each that still fits after those before it. */
export function fittingTransfers(
  receiver: Wallet | undefined,
  group: readonly PendingTransfer[],
  at: string,
): PendingTransfer[] {
  const fitting: PendingTransfer[] = [];
  let sum = 0;
  for (const transfer of group) {
    const { amount: largest, currency, counterpartyWalletId: walletId } = transfer;
    const credit = { walletId, ownerId: undefined, currency, amount: sum + largest, largest, at };
    if (creditRefusal(receiver, credit) !== undefined) continue;
    fitting.push(transfer);
    sum += largest;
  }
  return fitting;
}

/** Returns the postings that credit the receiver of a queued transfer. */
export function arrivalPostings({ amount, currency, counterpartyWalletId }: Transfer): Posting[] {
  return move(amount, accounts.transit(currency), accounts.available(counterpartyWalletId));
}

/** Returns the postings of a failed queued transfer: the sender gets the money back. */
export function failurePostings({ amount, currency, walletId }: Transfer): Posting[] {
  return move(amount, accounts.transit(currency), accounts.available(walletId));
}

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
