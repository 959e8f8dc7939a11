import * as z from 'zod/mini';
import { longestTierName, tierName } from '../domain/tiers.ts';
import type { Tiers } from '../domain/tiers.ts';
import { maxAmount } from '../domain/money.ts';

const badLimit = `must be an integer of minor units, 0 to ${maxAmount}`;
const limit = z.optional(
  z.int({ error: badLimit, abort: true }).check(z.minimum(0, badLimit), z.maximum(maxAmount, badLimit)),
);
const flow = z.optional(z.strictObject({ perTransaction: limit, perDay: limit, perMonth: limit }));

const isOneFloor = ({ minimumBalance, creditLine }: { minimumBalance?: unknown; creditLine?: unknown }) =>
  minimumBalance === undefined || creditLine === undefined;
const notBoth = { message: 'is of no use with minimumBalance: give one of the two', path: ['creditLine'] };

const members = z.strictObject({
  out: flow,
  in: flow,
  minimumBalance: limit,
  creditLine: limit,
  maximumBalance: limit,
});

/** The limits of a wallet. */
export const limitFields = members.check(z.refine(isOneFloor, notBoth));

/** The name of a tier. */
export const tierField = z.string().check(z.minLength(1), z.maxLength(longestTierName));

const tiers = z.record(
  z.string().check(z.regex(tierName), z.maxLength(longestTierName)),
  z
    .extend(members, { byCurrency: z.optional(z.record(z.string().check(z.regex(/^[A-Z]{3}$/)), limitFields)) })
    .check(z.refine(isOneFloor, notBoth)),
);

/**
 * Returns the tiers in the variable `TIERS`. Throws, so that the cold start fails.
 *
 * @throws SyntaxError for a text that is not JSON, ZodError for a value that is not `Tiers`
 */
export function readTiers(variable: string): Tiers {
  return tiers.parse(JSON.parse(variable)) as Tiers;
}
