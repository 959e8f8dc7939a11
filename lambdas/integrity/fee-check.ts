import type { Collected } from '../domain/collection.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { collectionIdOf } from '../domain/ids.ts';
import type { Collection } from '../domain/transaction.ts';
import { getFeeState } from '../store/fees.ts';
import type { Table } from '../store/table.ts';
import { UnreadableItem } from '../store/unreadable.ts';
import { readTransactions } from './originals.ts';
import { hasFees } from './sums.ts';
import type { AllSums, Sums } from './sums.ts';

/** The last collections that a pass has read, by currency. */
export type LastCollections = Record<string, Collected>;

/** Keeps a collection if it is the last one of its currency. */
export function noteCollection(last: LastCollections, { currency, sequence, collected }: Collection): void {
  if (sequence > (last[currency]?.sequence ?? 0)) last[currency] = { sequence, collected };
}

/**
 * Compares the collections of each currency with its fees, with each other, and with the record of what was collected.
 *
 * @param last the last collections before the moment of the sums
 */
export async function checkFees(
  table: Table,
  all: AllSums,
  last: LastCollections,
): Promise<{ found: Discrepancy[]; readUnits: number }> {
  const found: Discrepancy[] = [];
  let readUnits = 0;
  for (const [currency, sums] of Object.entries(all)) {
    if (!hasFees(sums)) continue;
    const state = await problemOfState(table, currency);
    readUnits += state.readUnits;
    const detail = problemOfSums(sums, last[currency]) ?? state.problem;
    if (detail !== undefined) found.push({ kind: 'fees_differ', subject: currency, detail });
  }
  return { found, readUnits };
}

/** Returns how the sums of a currency contradict its collections; undefined when they do not. */
function problemOfSums(
  { fees = 0n, collected = 0n }: Sums,
  last: Collected = { sequence: 0, collected: 0 },
): string | undefined {
  if (fees + collected < 0n) return `${String(-collected)} were collected, and ${String(fees)} were paid`;
  if (-collected === BigInt(last.collected)) return undefined;
  return `its collections add up to ${String(-collected)}, and the last one says ${last.collected}`;
}

/** Returns how the record of what was collected contradicts the last collection. Both are written together. */
async function problemOfState(
  table: Table,
  currency: string,
): Promise<{ readonly problem: string | undefined; readonly readUnits: number }> {
  try {
    const { sequence, collected } = await getFeeState(table, currency);
    const ids = [sequence, sequence + 1].map((number) => collectionIdOf(currency, number));
    const { transactions, readUnits } = await readTransactions(table, ids, true);
    const [last, next] = ids.map((id) => transactions.get(id));
    const shown = last?.type === 'collection' ? last.collected : 0;
    // A collection may have followed the read of the record.
    const isBehind = next !== undefined && (await getFeeState(table, currency)).sequence <= sequence;
    const says = `${sequence} collections of ${collected}`;
    const problem = isBehind
      ? `its record says ${says}, and collection ${sequence + 1} exists`
      : shown !== collected || (last === undefined) !== (sequence === 0)
        ? `its record says ${says}, and collection ${sequence} ${last === undefined ? 'does not exist' : `says ${shown}`}`
        : undefined;
    return { problem, readUnits: readUnits + 1 };
  } catch (error) {
    if (!(error instanceof UnreadableItem)) throw error;
    return { problem: `the record of what was collected cannot be read: ${error.problem}`, readUnits: 1 };
  }
}
