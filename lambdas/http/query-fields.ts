import * as z from 'zod/mini';
import { timeField } from './time-field.ts';

/** Returns the schema of a number of items on a page. */
function pageField(most: number) {
  const bad = `must be a whole number from 1 to ${most}`;
  const digits = new RegExp(`^\\d{1,${String(most).length}}$`);
  return z.pipe(
    z.pipe(z.string().check(z.regex(digits, bad)), z.transform(Number)),
    z.int().check(z.minimum(1, bad), z.maximum(most, bad)),
  );
}

/** Parameters that several queries share. Routes without a query do not load them. */
export const queryFields = {
  /** Entries on a page, from a query parameter. */
  limit: z._default(pageField(100), 20),
  /** Changes of a wallet on a page of its statement. */
  changes: pageField(1_000),
  /** A moment, rounded down: events at it are included. */
  moment: timeField('down'),
  /** The beginning (inclusive) or end (exclusive) of a stretch of time, rounded up. */
  bound: timeField('up'),
};
