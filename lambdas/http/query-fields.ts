import * as z from 'zod/mini';
import { timeField } from './time-field.ts';

const badLimit = 'must be a whole number from 1 to 100';

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
  moment: timeField('down'),
  /** The beginning (inclusive) or end (exclusive) of a stretch of time, rounded up. */
  bound: timeField('up'),
};
