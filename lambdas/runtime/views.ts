import type { ChainedEntry } from '../domain/entries.ts';
import { maskAccount } from '../domain/transaction.ts';
import type { Cancellation, Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { receiptCodeOf } from '../store/keys.ts';

/** A transaction as callers see it: with its receipt, without what only the service needs, the account masked. */
export function transactionView(transaction: Transaction) {
  const { destination, failure, attempts, resolution, metadata } = transaction;
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
    // The database keeps no order of names: each object is built anew, so that its fields are always listed alike.
    postings: transaction.postings.map(({ account, amount }) => ({ account, amount })),
    failure: failure && { code: failure.code, message: failure.message },
    attempts: attempts?.map(({ at, submitted, outcome, reason }) => ({ at, submitted, outcome, reason })),
    resolution: resolution && {
      outcome: resolution.outcome,
      evidence: resolution.evidence,
      principal: resolution.principal,
      at: resolution.at,
    },
    cancellation: transaction.cancellation && cancellationView(transaction.cancellation),
    waitingFor: transaction.waitingFor,
    originalTransactionId: transaction.originalTransactionId,
    returnTransactionId: transaction.returnTransactionId,
    settledWith: transaction.settledWith,
    externalReference: transaction.externalReference,
    description: transaction.description,
    metadata: metadata && sorted(metadata),
    createdAt: transaction.createdAt,
    updatedAt: transaction.updatedAt,
    completedAt: transaction.completedAt,
  };
}

/** A cancellation without an operator's words and identity, which are not the owner's affair. */
function cancellationView({ actor, reason, at }: Cancellation) {
  return { by: actor.kind, reason: actor.kind === 'owner' ? reason : undefined, at };
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
  return {
    walletId,
    version,
    at,
    bookedAt,
    changes: changes.map(({ account, amount }) => ({ account, amount })),
    balanceAfter: { available: balanceAfter.available, held: balanceAfter.held },
    statusAfter,
    transactionId,
    hash,
  };
}

/** The same members, by name. */
function sorted<T>(members: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
