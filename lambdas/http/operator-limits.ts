import * as z from 'zod/mini';
import type { OperatorLimits } from '../domain/operator-limits.ts';

const limit = z.optional(z.int().check(z.minimum(1)));
const limits = z.strictObject({
  charge: limit,
  withdraw: limit,
  transfer: limit,
  resolve: limit,
  'open-hold': limit,
  capture: limit,
  refund: limit,
  credit: limit,
});
const schema = z.extend(limits, {
  byCurrency: z.optional(z.record(z.string().check(z.regex(/^[A-Z]{3}$/)), limits)),
});

/**
 * Returns the limits in the variable `OPERATOR_LIMITS`. Throws, so that the cold start fails.
 *
 * @throws SyntaxError for a text that is not JSON, ZodError for a value that is not `OperatorLimits`
 */
export function readOperatorLimits(variable: string): OperatorLimits {
  return schema.parse(JSON.parse(variable)) as OperatorLimits;
}
