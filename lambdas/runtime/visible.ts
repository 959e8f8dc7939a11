import { WalletError } from '../domain/errors.ts';
import type { Transaction } from '../domain/transaction.ts';
import { reaches } from '../domain/wallet.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { getWallets } from '../store/wallets.ts';
import type { Caller } from './caller.ts';
import type { Audience } from './views.ts';

/**
 * The audience that a caller is of a transaction in the history of a wallet that it reaches.
 */
export function audienceOf(caller: Caller, { walletId, ownerId }: Transaction, listed: string): Audience {
  if (caller.ownerId === undefined) return 'operator';
  return walletId === listed || ownerId === caller.ownerId ? 'owner' : 'counterparty';
}

/**
 * A transaction, if the caller may see it, and the audience that the caller is of it: one read for operators and for the end user who sent it; a second one, of
 * the wallets, for those who received it.
 *
 * @throws WalletError `transaction_not_found`, also for what is somebody else's
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
  const { walletId, counterpartyWalletId } = transaction;
  const wallets = await getWallets(table, counterpartyWalletId ? [walletId, counterpartyWalletId] : [walletId]);
  const own = [...wallets.values()].filter((wallet) => reaches(caller, wallet));
  if (own.length === 0) throw new WalletError('transaction_not_found');
  const sends = own.some((wallet) => wallet.walletId === walletId);
  return { transaction, audience: sends ? 'owner' : 'counterparty' };
}
