import { WalletError } from './errors.ts';
import { maxAmount } from './money.ts';
import type { Transaction } from './transaction.ts';

/** The commands that may have a fee. */
export const feeCommands = ['transfer', 'withdrawal', 'capture', 'charge'] as const;
export type FeeCommand = (typeof feeCommands)[number];

/** How the fee of an amount is computed. Amounts are in minor units; a member that is absent counts for nothing. */
export interface FeeRule {
  /** Added to the share. */
  readonly flat?: number;
  /** The share of the amount, in hundredths of a percent. A half of a minor unit is rounded up. */
  readonly basisPoints?: number;
  /** The least and the most of flat fee and share together. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The rule of a command. */
export type CommandFee = FeeRule & {
  /** The rules of single currencies, by ISO code, in place of the whole general one. */
  readonly byCurrency?: Readonly<Record<string, FeeRule>>;
};

/** The fees of commands. A command without a rule has none. */
export type Fees = { readonly [Command in FeeCommand]?: CommandFee };

/** The basis points of a whole amount. */
const wholeBasisPoints = 10_000;

/** Returns the fee of a command in minor units; 0 when it has none. */
export function feeOf(
  fees: Fees | undefined,
  command: FeeCommand,
  { amount, currency }: { readonly amount: number; readonly currency: string },
): number {
  const general = fees?.[command];
  const rule = general?.byCurrency?.[currency] ?? general;
  return rule === undefined ? 0 : feeByRule(rule, amount);
}

/** Returns the fee of an amount by a rule, exactly. The most of a rule comes after its least. */
function feeByRule({ flat = 0, basisPoints = 0, minimum = 0, maximum = maxAmount }: FeeRule, amount: number): number {
  const whole = BigInt(wholeBasisPoints);
  const share = (BigInt(amount) * BigInt(basisPoints) + whole / 2n) / whole;
  const sum = BigInt(flat) + share;
  const atLeast = sum < minimum ? BigInt(minimum) : sum;
  return Number(atLeast > maximum ? BigInt(maximum) : atLeast);
}

/** Returns whether the receiver of the money pays the fee of a command, out of the amount. */
export function isPaidByReceiver(command: FeeCommand): boolean {
  return command === 'capture' || command === 'charge';
}

/**
 * Returns why a command cannot have this fee; undefined when it can. A receiver gets at least one minor unit. What leaves a
 * wallet is an amount, too.
 */
export function feeRefusal(
  command: FeeCommand,
  { amount, fee, currency }: { readonly amount: number; readonly fee: number; readonly currency: string },
): WalletError | undefined {
  if (fee === 0) return undefined;
  if (isPaidByReceiver(command)) {
    if (fee < amount) return undefined;
    const detail = `the fee is ${fee} of ${amount}, in minor units of ${currency}: the receiver would get nothing`;
    return new WalletError('fee_exceeds_amount', { detail });
  }
  if (amount <= maxAmount - fee) return undefined;
  const message = `must be at most ${maxAmount} together with its fee of ${fee}`;
  return new WalletError('invalid_request', { errors: [{ path: 'amount', message }] });
}

/** The members of a transaction that say what it takes and gives. */
type Paid = Pick<Transaction, 'amount'> & { readonly fee?: number | undefined };

/** Returns what leaves the wallet of a transaction whose sender pays the fee. */
export function withFee({ amount, fee = 0 }: Paid): number {
  return amount + fee;
}

/** Returns what enters the wallet of a transaction whose receiver pays the fee. */
export function withoutFee({ amount, fee = 0 }: Paid): number {
  return amount - fee;
}
