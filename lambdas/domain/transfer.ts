import { withFee } from './fee.ts';
import { maxAmount } from './money.ts';
import { accounts, feePosting, move } from './postings.ts';
import type { Posting } from './postings.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { DirectTransfer, PendingTransfer, Transfer } from './transaction.ts';
import type { CommandFacts } from './transaction-record.ts';
import { creditRefusal } from './wallet.ts';
import type { Wallet } from './wallet.ts';

/** The receiver of a transfer. `to`: the alias that the payer named it by. */
export interface PaidWallet {
  readonly toWalletId: string;
  readonly to?: string | undefined;
}

/** Returns the members of a transfer that name its receiver. */
export function receiverMembers({ toWalletId, to }: PaidWallet) {
  return { ...(to !== undefined && { to }), counterpartyWalletId: toWalletId };
}

/** Returns a transfer: money from one wallet to another, completed at once. */
export function transfer(facts: CommandFacts & PaidWallet): DirectTransfer {
  return {
    ...recordOfCommand(facts),
    type: 'transfer',
    status: 'completed',
    ...receiverMembers(facts),
    postings: transferPostings({ ...facts, counterpartyWalletId: facts.toWalletId }),
    completedAt: facts.at,
  };
}

/** Returns a queued transfer: the sender is debited at once, and a worker credits the receiver. */
export function queuedTransfer(facts: CommandFacts & PaidWallet): PendingTransfer {
  return {
    ...recordOfCommand(facts),
    type: 'transfer',
    status: 'pending',
    queued: true,
    ...receiverMembers(facts),
    dueAt: facts.at,
    postings: sentPostings(facts),
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

/** The members of a transfer that its postings show. */
type Posted = Pick<Transfer, 'walletId' | 'counterpartyWalletId' | 'amount' | 'currency'> & Pick<CommandFacts, 'fee'>;

/** Returns the postings of a transfer that is booked at once. */
export function transferPostings(transfer: Posted): Posting[] {
  return paidPostings(accounts.available(transfer.walletId), transfer);
}

/** Returns the postings of a queued transfer at its acceptance: the sender is debited the amount and the fee. */
export function sentPostings(transfer: Omit<Posted, 'counterpartyWalletId'>): Posting[] {
  return move(withFee(transfer), accounts.available(transfer.walletId), accounts.transit(transfer.currency));
}

/** Returns the postings that credit the receiver of a queued transfer. */
export function arrivalPostings(transfer: Posted): Posting[] {
  return paidPostings(accounts.transit(transfer.currency), transfer);
}

/** Returns the postings of a failed queued transfer: the sender gets the money back, with the fee. */
export function failurePostings(transfer: Omit<Posted, 'counterpartyWalletId'>): Posting[] {
  return move(withFee(transfer), accounts.transit(transfer.currency), accounts.available(transfer.walletId));
}

function paidPostings(from: string, transfer: Posted): Posting[] {
  return [
    { account: from, amount: -withFee(transfer) },
    { account: accounts.available(transfer.counterpartyWalletId), amount: transfer.amount },
    ...feePosting(transfer),
  ];
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
