import { WalletError } from './errors.ts';

/**
 * The commands of operators that have a limit of their own. Without one, holds, captures and refunds have that of a like
 * command. For holds and captures it is `transfer`, or `withdraw` to the world outside. For refunds it is `transfer`, or
 * `charge` for those of charges. `credit` is the credit line that an operator gives to a wallet: without one, `charge`.
 */
export type LimitedCommand =
  'charge' | 'withdraw' | 'transfer' | 'resolve' | 'open-hold' | 'capture' | 'refund' | 'credit';

/** Largest amount of one command of an operator, in minor units. A command without an entry has no limit. */
export type OperatorLimits = { readonly [Command in LimitedCommand]?: number } & {
  /** Limits of single currencies, by ISO code, in place of the general ones. */
  readonly byCurrency?: Readonly<Record<string, { readonly [Command in LimitedCommand]?: number }>>;
};

/**
 * Returns the refusal of a command whose amount (in minor units) is over its operator limit; undefined otherwise. The
 * limit holds for any caller with a scope of operators, also on its own wallet. Otherwise a backend that charges could
 * pay itself out of a wallet of its own. Owners without such a scope have no such limit.
 *
 * @param commandLike the command whose limit holds where this one has none
 */
export function overOperatorLimit(
  limits: OperatorLimits | undefined,
  command: LimitedCommand,
  { hasOperatorScope }: { readonly hasOperatorScope: boolean },
  { amount, currency }: { readonly amount: number; readonly currency: string },
  commandLike: LimitedCommand = command,
): WalletError | undefined {
  if (!hasOperatorScope) return undefined;
  const limitOf = (name: LimitedCommand) => limits?.byCurrency?.[currency]?.[name] ?? limits?.[name];
  const limit = limitOf(command) ?? limitOf(commandLike);
  if (limit === undefined || amount <= limit) return undefined;
  const detail = `${command} takes at most ${limit}, requested ${amount}, in minor units of ${currency}`;
  return new WalletError('operator_limit_exceeded', { detail });
}
