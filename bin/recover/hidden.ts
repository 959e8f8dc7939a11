/** Records that cannot be read, and that count against another one, their original: captures of holds, and refunds. */
import type { Difference } from './report.ts';

/** What is known of the records of one original that cannot be read. */
export interface Hidden {
  /** Their number, the first of them, and the sum that they show in minor units. */
  readonly hidden: number;
  readonly firstHidden: string;
  readonly hiddenAmount: number;
}

export const hiddenColumns = { hidden: 'number', firstHidden: 'text', hiddenAmount: 'number' } as const;

/** Returns SQL that selects `hiddenColumns` for the originals of a query. */
export function selectHidden(originals: string): string {
  const of = (column: string) => `(SELECT ${column} FROM unreadable WHERE original = ${originals}.id)`;
  return `${of('COUNT(*)')} AS hidden, COALESCE(${of('MIN(id)')}, '') AS firstHidden,
    COALESCE(${of('SUM(amount)')}, 0) AS hiddenAmount`;
}

/** Returns the difference of an original whose captures or refunds cannot all be read. */
export function hiddenDifference(
  kind: 'capture' | 'refund',
  { id, hidden, firstHidden }: Pick<Hidden, 'hidden' | 'firstHidden'> & { readonly id: string },
  outcome: string,
): Difference {
  return {
    kind: `${kind}_unreadable`,
    subject: id,
    detail: `${hidden} of its ${kind}s cannot be read, the first is ${firstHidden}: ${outcome}`,
    remedy: 'restore these records by hand; then run this again',
  };
}
