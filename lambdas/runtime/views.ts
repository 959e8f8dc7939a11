import type { ChainedEntry } from '../domain/entries.ts';
import { maskAccount } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { receiptCodeOf } from '../store/keys.ts';

/** A transaction as callers see it: with its receipt, without what only the service needs, the account masked. */
export function transactionView(transaction: Transaction) {
  const { destination } = transaction;
  return {
    transactionId: transaction.transactionId,
    receiptCode: receiptCodeOf(transaction),
    type: transaction.type,
    status: transaction.status,
    amount: transaction.amount,
    currency: transaction.currency,
    walletId: transaction.walletId,
    counterpartyWalletId: transaction.counterpartyWalletId,
    destination: destination && { account: maskAccount(destination.account), name: destination.name },
    postings: transaction.postings,
    failure: transaction.failure,
    attempts: transaction.attempts,
    resolution: transaction.resolution,
    originalTransactionId: transaction.originalTransactionId,
    returnTransactionId: transaction.returnTransactionId,
    settledWith: transaction.settledWith,
    externalReference: transaction.externalReference,
    description: transaction.description,
    metadata: transaction.metadata,
    createdAt: transaction.createdAt,
    updatedAt: transaction.updatedAt,
    completedAt: transaction.completedAt,
  };
}

/** A wallet as callers see it. */
export function walletView(wallet: Wallet) {
  return {
    walletId: wallet.walletId,
    ownerId: wallet.ownerId,
    currency: wallet.currency,
    status: wallet.status,
    balance: balanceView(wallet),
    createdAt: wallet.createdAt,
    updatedAt: wallet.updatedAt,
  };
}

/** A wallet's balance: amounts in minor units, `version` counting the changes of the wallet. */
export function balanceView({ walletId, currency, available, held, total, version }: Wallet) {
  return { walletId, currency, available, held, total, version };
}

/** A line of a wallet's ledger. */
export function entryView({
  walletId,
  version,
  at,
  bookedAt,
  changes,
  balanceAfter,
  statusAfter,
  transactionId,
  hash,
}: ChainedEntry) {
  return { walletId, version, at, bookedAt, changes, balanceAfter, statusAfter, transactionId, hash };
}
