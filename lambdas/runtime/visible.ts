import { WalletError } from '../domain/errors.ts';
import type { Transaction } from '../domain/transaction.ts';
import { reaches } from '../domain/wallet.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { getWallets } from '../store/wallets.ts';
import type { Caller } from './caller.ts';

/**
 * A transaction, if the caller may see it: one read for operators and for the end user who sent it; a second one, of
 * the wallets, for those who received it.
 *
 * @throws WalletError `transaction_not_found`, also for what is somebody else's
 */
export async function getVisibleTransaction(table: Table, caller: Caller, transactionId: string): Promise<Transaction> {
  const transaction = await getTransaction(table, transactionId);
  if (transaction === undefined) throw new WalletError('transaction_not_found');
  if (caller.ownerId === undefined || caller.ownerId === transaction.ownerId) return transaction;
  const { walletId, counterpartyWalletId } = transaction;
  const wallets = await getWallets(table, counterpartyWalletId ? [walletId, counterpartyWalletId] : [walletId]);
  if (![...wallets.values()].some((wallet) => reaches(caller, wallet))) throw new WalletError('transaction_not_found');
  return transaction;
}
