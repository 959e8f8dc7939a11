/** The receiver of a payment, which a request names by its wallet or by its alias. */
import * as z from 'zod/mini';
import { aliasIn, aliasPattern, longestAlias, shortestAlias, walletPaidBy } from '../domain/alias.ts';
import { WalletError } from '../domain/errors.ts';
import { getAlias } from '../store/aliases.ts';
import type { Table } from '../store/table.ts';
import { fields } from './body-fields.ts';
import { currencyOf, requireCurrency } from './request.ts';

const badAlias = 'must be @ and an alias';

/** The members of a body that names a receiver. `to`: an alias, such as `@alice`. */
export const receiverFields = {
  toWalletId: z.optional(fields.walletId),
  to: z.optional(
    z
      .string()
      .check(
        z.minLength(shortestAlias + 1, badAlias),
        z.maxLength(longestAlias + 1, badAlias),
        z.regex(new RegExp(`^@${aliasPattern}$`), badAlias),
      ),
  ),
};

interface Named {
  readonly toWalletId?: string | undefined;
  readonly to?: string | undefined;
}

/** Checks that a body names its receiver once. */
export const withReceiver = z.refine<Named>(({ toWalletId, to }) => toWalletId !== undefined || to !== undefined, {
  message: 'is required, unless to is given',
  path: ['toWalletId'],
});

/** Checks that a body does not name its receiver twice. */
export const withOneReceiver = z.refine<Named>(({ toWalletId, to }) => toWalletId === undefined || to === undefined, {
  message: 'must not be given with toWalletId',
  path: ['to'],
});

/** The receiver of a payment. `to`: the alias that the payer named it by. */
export interface Receiver {
  readonly toWalletId: string;
  readonly to?: string | undefined;
  /** The refusal of a new command. It is no reason to refuse a repetition: the alias may have had another wallet then. */
  readonly refusal?: WalletError | undefined;
}

/** The wallet that pays, and its currency. */
interface Payer {
  readonly walletId: string;
  readonly currency: string;
}

/**
 * Throws for a receiving wallet that no state of it can make right.
 *
 * @throws WalletError `wallet_not_found`, `currency_mismatch`, `same_wallet`
 */
export function refuseReceiver(toWalletId: string, from: Payer): void {
  if (toWalletId === from.walletId) throw new WalletError('same_wallet');
  requireCurrency(currencyOf(toWalletId), from.currency);
}

/**
 * Returns the wallet that a request pays; undefined when it names none.
 *
 * An alias that is unknown, or has no wallet in this currency, gets a wallet that does not exist: its payment meets the same
 * conditions in the same order as one to a wallet that takes no money, and costs the same. So no answer shows which aliases
 * exist. The alias is read consistently. If its owner changes it before the write, another wallet of the same owner is paid.
 *
 * @throws WalletError of `refuseReceiver` for a wallet's id; `busy`
 */
export async function receiverOf(table: Table, { toWalletId, to }: Named, from: Payer): Promise<Receiver | undefined> {
  if (to !== undefined) {
    const alias = aliasIn(to);
    const found = walletPaidBy(alias, await getAlias(table, alias), from.currency);
    const refusal = found === from.walletId ? new WalletError('same_wallet') : undefined;
    return { toWalletId: found, to: `@${alias}`, refusal };
  }
  if (toWalletId === undefined) return undefined;
  refuseReceiver(toWalletId, from);
  return { toWalletId };
}

/** Does as `receiverOf`, for a body that `withReceiver` has checked. */
export async function requiredReceiver(table: Table, named: Named, from: Payer): Promise<Receiver> {
  const receiver = await receiverOf(table, named, from);
  if (receiver === undefined) throw new Error('the body names no receiver');
  return receiver;
}
