import { legIdOf } from '../../lambdas/domain/ids.ts';
import { mostLegs } from '../../lambdas/domain/split.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransactions } from '../../lambdas/store/transactions.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import type { Report } from './target.ts';

/** Reports the legs that a split has now; undefined where no leg names it. The ids of the legs follow from its own. */
export async function splitReport(table: Table, splitId: string): Promise<Report | undefined> {
  const ids = Array.from({ length: mostLegs }, (_, leg) => legIdOf(splitId, leg));
  const found = await getTransactions(table, ids);
  const legs = ids.flatMap((id, leg) => {
    const stored = found.get(id);
    const transaction = stored && readable(stored);
    return transaction?.type === 'transfer' ? [{ leg, transaction }] : [];
  });
  if (legs.length === 0) return undefined;
  const lines = legs.map(({ leg, transaction }) => {
    const { transactionId, amount, currency, walletId, counterpartyWalletId } = transaction;
    return `legs[${leg}]: ${transactionId}, ${amount} ${currency} (minor units) from ${walletId} to ${counterpartyWalletId}`;
  });
  return {
    lines: [`${splitId}: split with ${legs.length} legs`, ...lines, 'next: nothing, it has ended'],
    data: { splitId, legs: legs.map(({ transaction: { transactionId } }) => transactionId) },
  };
}
