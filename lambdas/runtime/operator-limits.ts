import * as z from 'zod';
import type { OperatorLimits } from '../domain/operator-limits.ts';

const limit = z.int().min(1).optional();
const limits = z.strictObject({ charge: limit, withdraw: limit, transfer: limit, resolve: limit });
const schema = limits.extend({ byCurrency: z.record(z.string().regex(/^[A-Z]{3}$/), limits).optional() });

/**
 * Returns the limits in the variable `OPERATOR_LIMITS`.
 *
 * @throws SyntaxError for what is not JSON, ZodError for what is not `OperatorLimits`: so that the cold start fails
 */
export function readOperatorLimits(variable: string): OperatorLimits {
  return schema.parse(JSON.parse(variable)) as OperatorLimits;
}
