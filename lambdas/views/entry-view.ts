import type { ChainedEntry } from '../domain/entries.ts';
import { everyAudience, shown } from './view.ts';
import type { View } from './view.ts';

/** The view of an entry of a wallet's ledger. */
export const entryFields: View<ChainedEntry, 'operator' | 'owner'> = {
  walletId: everyAudience,
  version: everyAudience,
  at: everyAudience,
  bookedAt: everyAudience,
  changes: { operator: changesOf, owner: changesOf },
  balanceAfter: { operator: balanceAfterOf, owner: balanceAfterOf },
  statusAfter: everyAudience,
  transactionId: everyAudience,
  hash: everyAudience,
};

/** Returns an entry of a wallet's ledger as an audience sees it. */
export function entryView(entry: ChainedEntry, audience: 'operator' | 'owner') {
  return shown(entryFields, entry, audience);
}

function changesOf(changes: ChainedEntry['changes']) {
  return changes.map(({ account, amount }) => ({ account, amount }));
}

function balanceAfterOf({ available, held }: ChainedEntry['balanceAfter']) {
  return { available, held };
}
