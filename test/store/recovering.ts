/** Recovers books in process, as `npm run recover` does. */
import { loadEvent } from '../../bin/recover/archive.ts';
import { recoverBooks } from '../../bin/recover/recover.ts';
import { Recovery } from '../../bin/recover/recovery.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';

/** Recovers the books, restored to an hour before the tests' time. Returns the lines of its report. */
export async function recover(
  { table, entries }: Pick<TestBooks, 'table' | 'entries'>,
  events: readonly ServiceEvent[] = [],
): Promise<string[]> {
  const lines: string[] = [];
  const report = {
    repairs: (what: string, subject: string, detail: string) => lines.push(`${what} ${subject}: ${detail}`),
    differs: ({ kind, subject, detail }: { kind: string; subject: string; detail: string }) =>
      lines.push(`DIFFERENCE ${kind} ${subject}: ${detail}`),
  };
  const options = { bank: undefined, comparedFrom: epoch - 3_600_000, dryRun: false, restartsChecks: false, report };
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
