/** Options that several commands have, as the members of their bodies. */
import type { Option, Work } from './command.ts';
import { numberIn, timeIn, UsageError } from './usage.ts';

type Options = Readonly<Record<string, Option>>;

export const reason: Options = { reason: { value: 'TEXT', about: 'why' } };
export const limit: Options = { limit: { value: 'N', about: 'the most to show (20)' } };
export const notes: Options = {
  reference: { value: 'TEXT', about: 'an id of yours, such as an invoice number' },
  description: { value: 'TEXT', about: 'for people' },
};
export const dryRun: Options = { 'dry-run': { about: 'show the fee, and move no money' } };
export const wait: Options = { wait: { value: 'SECONDS', about: 'wait for the end' } };

export const longestWaitSeconds = 86_400;

/** Returns the value of an option that must be there. */
export function required({ option }: Pick<Work, 'option'>, name: string): string {
  const value = option(name);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/** Returns the receiver in the option `to`: a wallet, or an alias such as `@alice`. */
export function receiverIn(to: string): { readonly to: string } | { readonly toWalletId: string } {
  return to.startsWith('@') ? { to } : { toWalletId: to };
}

export function notesOf({ option }: Work): { readonly externalReference?: string; readonly description?: string } {
  const [externalReference, description] = [option('reference'), option('description')];
  return {
    ...(externalReference !== undefined && { externalReference }),
    ...(description !== undefined && { description }),
  };
}

export function timeOf({ option }: Work): { readonly executeAt?: string } {
  const at = option('at');
  return at === undefined ? {} : { executeAt: timeIn(at, 'at') };
}

export function reasonOf(text: string | undefined): { readonly reason?: string } {
  return text === undefined ? {} : { reason: text };
}

export function limitOf({ option }: Work): number {
  return numberIn(option('limit') ?? '20', 'limit', 10_000);
}

/** Returns the first items of a list, at most so many. */
export async function firstOf<T>(list: AsyncIterable<T>, most: number): Promise<T[]> {
  const found: T[] = [];
  if (most === 0) return found;
  for await (const item of list) {
    found.push(item);
    if (found.length === most) break;
  }
  return found;
}
