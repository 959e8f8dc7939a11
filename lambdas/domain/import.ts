import { importer } from './actor.ts';
import { transactionIdOf, walletIdOf } from './ids.ts';
import { chargePostings } from './charge.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { Annotations, Destination } from './transaction-record.ts';
import type { Charge, CompletedWithdrawal, DirectTransfer } from './transaction.ts';
import { transferPostings } from './transfer.ts';
import { importedWithdrawalPostings } from './withdrawal.ts';

/**
 * Wallets and past transactions from another system. Each has ids made from its id there, so that a second import of it
 * meets the first one. docs/import.md
 */

/** The bank on the records of imported withdrawals. They are compared with the statement of no bank. */
const importBankId = 'imported';

/** The destination of an imported withdrawal whose account is not known. */
export const unknownDestination: Destination = { account: 'imported' };

/** Returns the key under which a wallet, an opening balance or a transaction of another system is imported. */
export function importKey(kind: 'wallet' | 'opening' | 'transaction', id: string): string {
  return `${kind} ${id}`;
}

/** Returns the id of the record of what was imported under a key. No caller's `sub` is that of the import. */
export function importedTransactionId(key: string): string {
  return transactionIdOf(importer.principal, key);
}

/** Returns the id of an imported wallet. */
export function importedWalletId(key: string, currency: string): string {
  return walletIdOf(importer.principal, key, currency);
}

/** The facts of an imported transaction. */
export interface ImportedFacts extends Annotations {
  readonly transactionId: string;
  readonly walletId: string;
  readonly amount: number;
  readonly currency: string;
  /** When it happened in the other system, ISO 8601 UTC. */
  readonly at: string;
  /** When the import writes it, ISO 8601 UTC. */
  readonly importedAt: string;
}

function imported({ importedAt, ...facts }: ImportedFacts) {
  const { principal } = importer;
  return { ...recordOfCommand({ ...facts, principal, ownerId: undefined }), importedAt, completedAt: facts.at };
}

/** Returns a past charge, or the opening balance of a wallet. */
export function importedCharge(facts: ImportedFacts & Pick<Charge, 'opening'>): Charge {
  const { opening } = facts;
  const postings = chargePostings(facts);
  return { ...imported(facts), type: 'charge', status: 'completed', ...(opening && { opening }), postings };
}

/** Returns a past withdrawal. It was paid elsewhere, so it has one booking and never was a hold here. */
export function importedWithdrawal(facts: ImportedFacts & { readonly destination: Destination }): CompletedWithdrawal {
  const { destination } = facts;
  const postings = importedWithdrawalPostings(facts);
  return { ...imported(facts), type: 'withdrawal', status: 'completed', destination, bankId: importBankId, postings };
}

/** Returns a past transfer between two imported wallets. */
export function importedTransfer(facts: ImportedFacts & { readonly toWalletId: string }): DirectTransfer {
  const { toWalletId: counterpartyWalletId } = facts;
  const postings = transferPostings({ ...facts, counterpartyWalletId });
  return { ...imported(facts), type: 'transfer', status: 'completed', counterpartyWalletId, postings };
}
