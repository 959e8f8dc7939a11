/** Recovers books in process, as `npm run recover` does. */
import assert from 'node:assert/strict';
import { loadEvent } from '../../bin/recover/archive.ts';
import { recoverBooks } from '../../bin/recover/recover.ts';
import { Recovery } from '../../bin/recover/recovery.ts';
import type { StatementItem } from '../../lambdas/bank/answers.ts';
import type { Statement } from '../../lambdas/integrity/statement.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { findingsOf } from './findings.ts';
import { allItems, removeItem } from './inspect.ts';
import { bankId } from './visits.ts';

/**
 * Recovers the books, restored to an hour before the tests' time. Returns the lines of its report.
 *
 * @param payments those that the bank has made; absent: there is no bank
 * @param dryRun see `npm run recover -- --dry-run`
 */
export async function recover(
  { table, entries }: Pick<TestBooks, 'table' | 'entries'>,
  events: readonly ServiceEvent[] = [],
  payments?: readonly StatementItem[],
  dryRun = false,
): Promise<string[]> {
  const lines: string[] = [];
  const report = {
    repairs: (what: string, subject: string, detail: string) => lines.push(`${what} ${subject}: ${detail}`),
    differs: ({ kind, subject, detail }: { kind: string; subject: string; detail: string }) =>
      lines.push(`DIFFERENCE ${kind} ${subject}: ${detail}`),
  };
  const bank: Statement | undefined = payments && {
    bankId,
    statement: () => Promise.resolve({ outcome: 'page', items: payments, next: undefined }),
  };
  const options = { bank, comparedFrom: epoch - 3_600_000, dryRun, restartsChecks: false, report };
  table.clock.now = entries.clock.now = Date.now();
  const recovery = new Recovery({ table, entries, ...options }, true);
  try {
    await recoverBooks(recovery, {
      loadEvents: (copy) => {
        for (const event of events) loadEvent(copy, event);
        return Promise.resolve();
      },
      setSettings: () => Promise.resolve(),
    });
  } finally {
    recovery.close();
  }
  return lines;
}

/** Asserts that a dry run reports what the recovery after it repairs, and changes no item. Returns the lines of both. */
export async function recoverAfterDryRun(
  books: Pick<TestBooks, 'table' | 'entries'>,
  events: readonly ServiceEvent[],
): Promise<string[]> {
  const images = () => Promise.all([books.table, books.entries].map((table) => allItems(table)));
  const before = await images();
  const announced = await recover(books, events, undefined, true);
  assert.deepEqual(await images(), before, 'a dry run writes nothing');
  const lines = await recover(books, events);
  const untimed = (line: string) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time');
  assert.deepEqual(announced.map(untimed), lines.map(untimed));
  return lines;
}

/** Deletes the record of a transaction, as a restore to a moment before it does. */
export async function forget(
  { table }: Pick<TestBooks, 'table'>,
  { transactionId }: { readonly transactionId: string },
): Promise<void> {
  await removeItem(table, transactionKey(transactionId));
}

/** Returns the events of all changes until now, and lets the projector follow. */
export async function eventsOf({ takeRecords, hand }: TestBooks) {
  const records = await takeRecords();
  await hand(records);
  return [...eventsIn(records).values()].filter((event) => 'transaction' in event);
}

/** Asserts that the books are sound, and that a second run writes nothing. */
export async function assertSound(books: TestBooks, events: readonly ServiceEvent[] = []): Promise<void> {
  // The clock of the recovery is the real one, so open holds are overdue.
  const found = (await findingsOf(books)).filter((line) => !line.includes('it is open, and has expired'));
  assert.deepEqual(found, []);
  const again = await recover(books, events);
  assert.deepEqual(
    again.filter((line) => !line.startsWith('DIFFERENCE')),
    [],
  );
}
