import * as z from 'zod/mini';
import type { WalletError } from '../domain/errors.ts';
import { feeCommands, feeOf, feeRefusal, isPaidByReceiver } from '../domain/fee.ts';
import type { FeeCommand, Fees } from '../domain/fee.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import type { LimitedCommand } from '../domain/operator-limits.ts';
import type { Caller } from './caller.ts';
import type { OperatorServices } from './http.ts';
import type { Answer } from './problem.ts';

const amount = z.optional(z.int().check(z.minimum(0)));
const rule = z.strictObject({ flat: amount, basisPoints: amount, minimum: amount, maximum: amount });
const ofCommand = z.optional(
  z.extend(rule, { byCurrency: z.optional(z.record(z.string().check(z.regex(/^[A-Z]{3}$/)), rule)) }),
);
const schema = z.strictObject(
  Object.fromEntries(feeCommands.map((command) => [command, ofCommand])) as Record<FeeCommand, typeof ofCommand>,
);

/** The services of the routes that take fees. Without `fees` there are none. */
export interface FeeServices extends Pick<OperatorServices, 'operatorLimits'> {
  readonly fees?: Fees | undefined;
}

/**
 * Returns the fees in the variable `FEES`. Throws, so that the cold start fails.
 *
 * @throws SyntaxError for a text that is not JSON, ZodError for a value that is not `Fees`
 */
export function readFees(variable: string): Fees {
  return schema.parse(JSON.parse(variable)) as Fees;
}

/** The price of a command: its amount with the fee. Minor units. */
export interface Price {
  readonly type: FeeCommand;
  readonly amount: number;
  readonly currency: string;
  /** 0 when there is none. */
  readonly fee: number;
  /** What the paying side gives. */
  readonly paid: number;
  /** What the receiving side gets. */
  readonly received: number;
}

/** The operator limits of the commands with fees. */
const limitedAs = { transfer: 'transfer', withdrawal: 'withdraw', capture: 'capture', charge: 'charge' } as const;

/**
 * Returns the price of a command, and its refusal: by the fee, or by the operator's limit of what is paid.
 *
 * @param commandLike as for `overOperatorLimit`
 */
export function priceOf(
  { fees, operatorLimits }: FeeServices,
  caller: Pick<Caller, 'hasOperatorScope'>,
  type: FeeCommand,
  { amount, currency }: { readonly amount: number; readonly currency: string },
  commandLike?: LimitedCommand,
): { readonly price: Price; readonly refusal: WalletError | undefined } {
  const computed = feeOf(fees, type, { amount, currency });
  const refusal = feeRefusal(type, { amount, fee: computed, currency });
  // The record of a refused command is not stored. It has no fee, as amount and fee may be no amount together.
  const fee = refusal === undefined ? computed : 0;
  const [added, taken] = isPaidByReceiver(type) ? [0, fee] : [fee, 0];
  const price = { type, amount, currency, fee, paid: amount + added, received: amount - taken };
  const limited = { amount: price.paid, currency };
  const overLimit = overOperatorLimit(operatorLimits, limitedAs[type], caller, limited, commandLike);
  return { price, refusal: refusal ?? overLimit };
}

/**
 * Answers a dry run: the price of the command. Nothing is stored.
 *
 * @throws WalletError `refusal`
 */
export function dryRunAnswer({ price, refusal }: ReturnType<typeof priceOf>): Answer {
  if (refusal !== undefined) throw refusal;
  return { status: 200, body: { dryRun: true, ...price } };
}
