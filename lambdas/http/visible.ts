import { WalletError } from '../domain/errors.ts';
import { receiverOf } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import { reaches } from '../domain/wallet.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { readable } from '../store/unreadable.ts';
import { getWallets } from '../store/wallets.ts';
import type { Caller } from './caller.ts';
import type { Audience } from '../views/view.ts';

/** Returns the audience of a caller who sees a transaction in the history of its wallet `listed`. */
export function audienceOf(caller: Caller, { walletId, ownerId }: Transaction, listed: string): Audience {
  if (caller.ownerId === undefined) return 'operator';
  return walletId === listed || ownerId === caller.ownerId ? 'owner' : 'counterparty';
}

/** A transaction, and the audience that its caller belongs to. */
export interface Visible {
  readonly transaction: Transaction;
  readonly audience: Audience;
}

/**
 * Returns a transaction that the caller may see, and the caller's audience. Takes one read for operators and the sender,
 * and a second one, of the wallets, for other end users.
 *
 * @throws WalletError `transaction_not_found`, also for a transaction of other owners
 */
export async function getVisibleTransaction(table: Table, caller: Caller, transactionId: string): Promise<Visible> {
  const transaction = await getTransaction(table, transactionId);
  if (transaction === undefined) throw new WalletError('transaction_not_found');
  if (caller.ownerId === undefined) return { transaction, audience: 'operator' };
  if (caller.ownerId === transaction.ownerId) return { transaction, audience: 'owner' };
  const { walletId } = transaction;
  const receiver = receiverOf(transaction);
  const walletIds = receiver === undefined ? [walletId] : [walletId, receiver];
  const wallets = await getWallets(table, walletIds);
  const own = [...wallets.values()].map(readable).filter((wallet) => reaches(caller, wallet));
  if (own.length === 0) throw new WalletError('transaction_not_found');
  const sends = own.some((wallet) => wallet.walletId === walletId);
  return { transaction, audience: sends ? 'owner' : 'counterparty' };
}

/** Returns whether an end user pays a transaction, and does not own the wallet that gets its money. */
export async function isOnlyPayer(table: Table, caller: Caller, { transaction, audience }: Visible): Promise<boolean> {
  if (audience !== 'owner') return false;
  const receiverId = receiverOf(transaction);
  if (receiverId === undefined) return true;
  const wallets = await getWallets(table, [receiverId]);
  const receiver = readable(wallets.get(receiverId));
  return receiver === undefined || !reaches(caller, receiver);
}
