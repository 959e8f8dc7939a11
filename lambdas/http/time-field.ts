import * as z from 'zod/mini';

const badTime = 'must be an ISO 8601 time with an offset, in the years 1970 to 9999';

/** Returns the schema of a time in a query or body: normalised to UTC, and rounded to milliseconds. */
export function timeField(round: 'up' | 'down') {
  return z.iso.datetime({ offset: true, error: badTime, abort: true }).check(
    z.overwrite((text) => normalisedTime(text, round)),
    z.refine((text) => text !== '', badTime),
  );
}

/** Returns the time in UTC; empty for a time that does not sort as text among the service's own. */
function normalisedTime(text: string, round: 'up' | 'down'): string {
  const isFiner = round === 'up' && /\.\d{3}\d*[1-9]/.test(text);
  const ms = Date.parse(text) + (isFiner ? 1 : 0);
  return ms >= 0 && ms < endOfTimeMs ? new Date(ms).toISOString() : '';
}
const endOfTimeMs = Date.UTC(10_000, 0);
