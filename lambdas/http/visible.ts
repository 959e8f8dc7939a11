import { WalletError } from '../domain/errors.ts';
import { receiverOf } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import { reaches } from '../domain/wallet.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { readable } from '../store/unreadable.ts';
import { getWallets } from '../store/wallets.ts';
import type { Caller } from './caller.ts';
import type { Audience } from '../views/views.ts';

/** Returns the audience of a caller who sees a transaction in the history of its wallet `listed`. */
export function audienceOf(caller: Caller, { walletId, ownerId }: Transaction, listed: string): Audience {
  if (caller.ownerId === undefined) return 'operator';
  return walletId === listed || ownerId === caller.ownerId ? 'owner' : 'counterparty';
}

/**
 * Returns a transaction that the caller may see, and the caller's audience. Takes one read for operators and the sender,
 * and a second one, of the wallets, for other end users.
 *
 * @throws WalletError `transaction_not_found`, also for a transaction of other owners
 */
export async function getVisibleTransaction(
  table: Table,
  caller: Caller,
  transactionId: string,
): Promise<{ transaction: Transaction; audience: Audience }> {
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
