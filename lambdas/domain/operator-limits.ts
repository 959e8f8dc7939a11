import type { Actor } from './actor.ts';
import { WalletError } from './errors.ts';

/** The commands of operators that have a limit of their own. */
export type LimitedCommand = 'charge' | 'withdraw' | 'transfer' | 'resolve';

/** Largest amount of one command of an operator, in minor units; a command that is left out has no limit. */
export type OperatorLimits = { readonly [Command in LimitedCommand]?: number } & {
  /** Limits in single currencies, by ISO code, in place of the general ones. */
  readonly byCurrency?: Readonly<Record<string, { readonly [Command in LimitedCommand]?: number }>>;
};

/**
 * Returns the refusal of an operator's command whose amount (in minor units) is over its limit; undefined when it is not.
 * Commands of owners have no such limit.
 */
export function overOperatorLimit(
  limits: OperatorLimits | undefined,
  command: LimitedCommand,
  { kind }: Actor,
  { amount, currency }: { readonly amount: number; readonly currency: string },
): WalletError | undefined {
  if (kind !== 'operator') return undefined;
  const limit = limits?.byCurrency?.[currency]?.[command] ?? limits?.[command];
  if (limit === undefined || amount <= limit) return undefined;
  const detail = `${command} takes at most ${limit}, requested ${amount}, in minor units of ${currency}`;
  return new WalletError('operator_limit_exceeded', { detail });
}
