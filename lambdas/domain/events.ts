import type { Transaction } from './transaction.ts';
import type { Wallet } from './wallet.ts';

/** What the service tells the world. The names are the contract: docs/events.md. */
export const eventTypes = [
  'wallet.created',
  'wallet.funded',
  'wallet.frozen',
  'wallet.unfrozen',
  'wallet.closed',
  'withdrawal.accepted',
  'withdrawal.executing',
  'withdrawal.completed',
  'withdrawal.failed',
  'withdrawal.review',
  'withdrawal.returned',
  'transfer.accepted',
  'transfer.completed',
  'transfer.failed',
  'activity.suspicious',
  'ledger.discrepancy',
] as const;

export type EventType = (typeof eventTypes)[number];

/**
 * The event that a change of a wallet is. A changed balance is none: the transaction behind it is told of.
 *
 * @param before undefined when the wallet was opened
 */
export function walletEvent(before: Wallet | undefined, after: Wallet) {
  if (before === undefined) return 'wallet.created';
  if (before.status === after.status) return undefined;
  const types = { active: 'wallet.unfrozen', frozen: 'wallet.frozen', closed: 'wallet.closed' } as const;
  return types[after.status];
}

/**
 * The event that a change of a transaction is: its acceptance, and each change of its status. Each happens once to a
 * transaction. A visit to the bank that decides nothing is none.
 *
 * @param before undefined when the transaction was made
 */
export function transactionEvent(before: Transaction | undefined, after: Transaction) {
  if (before?.status === after.status) return undefined;
  switch (after.type) {
    case 'charge':
      return 'wallet.funded';
    case 'return':
      return 'withdrawal.returned';
    case 'withdrawal':
      return after.status === 'pending' ? 'withdrawal.accepted' : (`withdrawal.${after.status}` as const);
    case 'transfer':
      switch (after.status) {
        case 'pending':
          return 'transfer.accepted';
        case 'completed':
        case 'failed':
          return `transfer.${after.status}` as const;
        case 'executing':
        case 'review':
          throw new Error(`transfer ${after.transactionId} is ${after.status}, which no transfer ever is`);
      }
  }
}
