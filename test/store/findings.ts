/** What the check of the books finds in test books, each finding as a line. */
import { beginHours, hoursFromText, hoursToText, runHours } from '../../lambdas/integrity/hours.ts';
import { beginPass, passFromText, passToText } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';

type Books = Pick<TestBooks, 'table' | 'entries'>;

const hourMs = 3_600_000;
/** Time after an hour's end at which it is closed, and the next one is not. */
const closedAfterMs = 660_000;

/**
 * Runs a pass to its end, stored and read again whenever it waits. Moves the clock.
 *
 * @returns `kind subject: detail` of each finding
 */
export async function findingsOf({ table, entries }: Books, standStill = true): Promise<string[]> {
  const found: string[] = [];
  let pass = beginPass({ passId: 'pass', now: table.now(), segments: 2, standStill, bankId: undefined });
  for (;;) {
    const outcome = await runPass({ table, entries, statement: undefined }, pass, {
      now: table.now,
      stop: () => false,
      secondLookMs: 1_000,
      report: ({ kind, subject, detail }) => found.push(`${kind} ${subject}: ${detail}`),
    });
    if (typeof outcome !== 'object') return found;
    table.clock.now = outcome.waitUntil;
    pass = passFromText(passToText(pass));
  }
}

/**
 * Checks the hours until the tests' first one, when that is closed. Moves the clock.
 *
 * @returns `kind subject` of each finding, and the counts of the last hour
 */
export async function findingsOfHour({ table, entries }: Books) {
  const found: string[] = [];
  let hours = beginHours(epoch - hourMs, undefined);
  table.clock.now = entries.clock.now = epoch + hourMs + closedAfterMs;
  for (;;) {
    const outcome = await runHours({ table, entries, statement: undefined }, hours, {
      now: table.now,
      stop: () => false,
      secondLookMs: 1_000,
      report: ({ kind, subject }) => found.push(`${kind} ${subject}`),
    });
    if (typeof outcome !== 'object') return { found, counts: hours.last?.counts };
    table.clock.now = entries.clock.now = outcome.waitUntil;
    hours = hoursFromText(hoursToText(hours));
  }
}
