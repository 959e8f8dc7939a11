import type { Discrepancy } from '../domain/discrepancy.ts';
import { referenceKey } from '../store/keys.ts';
import { readItems } from '../store/read.ts';
import { parseReference, referringIn } from '../store/references.ts';
import type { Table } from '../store/table.ts';
import { getTransactions } from '../store/transactions.ts';
import { legible, parsed } from '../store/unreadable.ts';

/** A transaction and the record that it has its reference for itself alone, as one of them says. */
export interface NamedReference {
  /** The partition key of the record. */
  readonly pk: string;
  readonly transactionId: string;
}

/** Most of them that are checked in one call. */
export const mostReferences = 100;

/**
 * Checks that each transaction that has its reference for itself alone has the record of it, and that each record is of such
 * a transaction. Both are in one write, and neither is removed, so what is not there now is missing.
 */
export async function checkReferences(
  table: Table,
  references: readonly NamedReference[],
): Promise<{ found: Discrepancy[]; readUnits: number }> {
  // A page may have both the transaction and the record.
  const named = [...new Map(references.map((one) => [`${one.pk} ${one.transactionId}`, one])).values()];
  const keys = [...new Set(named.map(({ pk }) => pk))].map((pk) => ({ pk, sk: 'REFERENCE' }));
  const records = new Map((await readItems(table, keys)).map((item) => [item['pk'], item]));
  const ids = [...new Set(named.map(({ transactionId }) => transactionId))];
  const transactions = await getTransactions(table, ids);
  const found = named.flatMap(({ pk, transactionId: subject }): Discrepancy[] => {
    const item = records.get(pk);
    const record = item && legible(parsed(() => parseReference(item)));
    const stored = transactions.get(subject);
    const transaction = stored && legible(stored);
    const referring = transaction && referringIn(transaction);
    const isOwn = referring !== undefined && referenceKey(referring).pk === pk;
    if (record?.transactionId === subject && isOwn) return [];
    const detail = isOwn
      ? `the record of its reference ${record === undefined ? 'is missing' : `names ${record.transactionId}`}`
      : `the record ${pk} names it, and it does not have that reference for itself alone`;
    return [{ kind: 'reference_differs', subject, detail }];
  });
  return { found, readUnits: keys.length + ids.length };
}

/** Returns the key of a transaction's record as the check names it. */
export function nameOf(referring: NonNullable<ReturnType<typeof referringIn>>): NamedReference {
  return { pk: referenceKey(referring).pk, transactionId: referring.transactionId };
}
