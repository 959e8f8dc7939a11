import * as z from 'zod/mini';

const badLimit = 'must be a whole number from 1 to 100';
const badTime = 'must be an ISO 8601 time with an offset, in the years 1970 to 9999';

/** Returns the schema of a time in the query: normalised to UTC, and rounded to milliseconds. */
function time(round: 'up' | 'down') {
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

/** Parameters that several queries share. Routes without a query do not load them. */
export const queryFields = {
  /** Entries on a page, from a query parameter. */
  limit: z._default(
    z.pipe(
      z.pipe(z.string().check(z.regex(/^\d{1,3}$/, badLimit)), z.transform(Number)),
      z.int().check(z.minimum(1, badLimit), z.maximum(100, badLimit)),
    ),
    20,
  ),
  /** A moment, rounded down: events at it are included. */
  moment: time('down'),
  /** The beginning (inclusive) or end (exclusive) of a stretch of time, rounded up. */
  bound: time('up'),
};
