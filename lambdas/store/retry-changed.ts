import type { Table } from './table.ts';
import type { Item, Written } from './write.ts';

/** The record that a faster command has left, so that this command must be made again. */
export class Changed<Seen> {
  readonly seen: Seen;

  constructor(seen: Seen) {
    this.seen = seen;
  }
}

/**
 * Returns the record that a refused write found changed; undefined when the write has another result.
 *
 * @param parse returns the record in an item; undefined when the item is another one
 */
export function changedRecord<Seen>(
  result: Written,
  parse: (image: Item | undefined) => Seen | undefined,
): Changed<Seen> | undefined {
  if (result.written) return undefined;
  const [first] = result.refusals;
  const current = first.kind === 'changed' ? parse(first.image) : undefined;
  return current === undefined ? undefined : new Changed(current);
}

/**
 * Makes a write from the record that was read, and again from the record that each faster command has left. All tries
 * are within the budget of one write. Each new try means that another command has succeeded.
 *
 * @throws WalletError `busy` at the end of the budget
 */
export async function retryChanged<Seen, T>(
  table: Table,
  first: Seen,
  attempt: (seen: Seen, within: Table) => Promise<T | Changed<Seen>>,
): Promise<T> {
  const deadline = Math.min(table.now() + table.retry.budgetMs, table.writeUntil ?? Infinity);
  for (let seen = first; ;) {
    const result = await attempt(seen, { ...table, writeUntil: deadline });
    if (!(result instanceof Changed)) return result;
    seen = result.seen;
  }
}
