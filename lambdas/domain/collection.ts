import { service } from './actor.ts';
import { collectionIdOf } from './ids.ts';
import { maxAmount } from './money.ts';
import { accounts, move } from './postings.ts';
import type { Posting } from './postings.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { Collection, Transaction } from './transaction.ts';
import type { CommandFacts } from './transaction-record.ts';

/** What was collected of the fees of a currency so far. */
export interface Collected {
  /** The number of collections. */
  readonly sequence: number;
  /** Their sum in minor units, 0 … 2^53-1. */
  readonly collected: number;
}

/** Returns the next collection of a currency: fees that go to its revenue wallet. */
export function collection(
  { sequence, collected }: Collected,
  facts: Pick<CommandFacts, 'walletId' | 'amount' | 'currency' | 'at'>,
): Collection {
  const next = sequence + 1;
  const { principal } = service;
  return {
    ...recordOfCommand({
      ...facts,
      transactionId: collectionIdOf(facts.currency, next),
      principal,
      ownerId: undefined,
    }),
    type: 'collection',
    status: 'completed',
    sequence: next,
    collected: collected + facts.amount,
    postings: collectionPostings(facts),
    completedAt: facts.at,
  };
}

/** Returns what can be collected now: what was paid, and has not been collected. A sum of collections is an amount, too. */
export function leftToCollect(paid: bigint, { collected }: Collected): number {
  const most = BigInt(maxAmount - collected);
  const left = paid - BigInt(collected);
  return left <= 0n ? 0 : Number(left < most ? left : most);
}

/** Returns the postings of a collection. */
export function collectionPostings(facts: Pick<CommandFacts, 'walletId' | 'amount' | 'currency'>): Posting[] {
  return move(facts.amount, accounts.collected(facts.currency), accounts.available(facts.walletId));
}

/** Returns how a stored collection contradicts itself; undefined when it does not, or the transaction is none. */
export function problemOfCollection(transaction: Transaction): string | undefined {
  if (transaction.type !== 'collection') return undefined;
  const { transactionId, sequence, collected, amount, currency } = transaction;
  if (transactionId !== collectionIdOf(currency, sequence)) return `its id is not that of collection ${sequence}`;
  if (collected >= amount) return undefined;
  return `it is collection ${sequence} of ${amount}, and says that ${collected} were collected`;
}
