/** The books after a busy history, as the check of the books reads them. */
import type { Discrepancy } from '../../lambdas/domain/discrepancy.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import type { HourBooks } from '../../lambdas/integrity/bank-hours.ts';
import type { Pass, RunControl } from '../../lambdas/integrity/pass.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { timeOf } from './commands.ts';
import { bankThatPaid, busyHistory } from './histories.ts';
import type { History } from './histories.ts';
import { bankId } from './visits.ts';
import type { TestEngine } from '../engine.ts';

/** Books with a busy history that the projector has followed, and the findings of a pass over them. */
export interface Scene extends TestBooks {
  readonly history: History;
  readonly books: HourBooks;
  readonly found: Discrepancy[];
  readonly control: RunControl;
}

export async function newScene(engine: TestEngine): Promise<Scene> {
  const tables = await newBooks(engine);
  const history = await busyHistory(tables.table);
  await tables.follow();
  const found: Discrepancy[] = [];
  const paidAt = timeOf(tables.table);
  return {
    ...tables,
    history,
    books: { table: tables.table, entries: tables.entries, statement: bankThatPaid(history.paid, paidAt) },
    found,
    control: {
      now: tables.table.now,
      stop: () => false,
      secondLookMs: 60_000,
      report: (discrepancy) => found.push(discrepancy),
    },
  };
}

/** Begins a pass over the books. With `standStill` it ends now, and not at the last full hour. */
export function passOver({ table }: Scene, standStill = false): Pass {
  return beginPass({ passId: 'pass-1', now: table.now(), segments: 3, standStill, bankId });
}
