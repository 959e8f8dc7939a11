import { WalletError } from './errors.ts';
import { missingWalletId } from './ids.ts';
import type { Wallet } from './wallet.ts';

/**
 * A name by which an owner is paid, such as `@alice`. It is of the owner who took it first, for ever. So a payer who knows it
 * never pays another owner, also after it was removed. In each currency it has at most one wallet, which gets the money.
 */
export interface Alias {
  /** As the owner writes it, in lower case and without the `@`. */
  readonly alias: string;
  readonly ownerId: string;
  /** The wallet of each currency. Empty: a payment by it is refused. */
  readonly wallets: Readonly<Record<string, string>>;
  /** Counts its changes: the Nth made version N. */
  readonly version: number;
  /** ISO 8601 UTC. */
  readonly updatedAt: string;
}

/** Most aliases that an owner ever takes. A name that was taken stays taken. */
export const mostAliases = 3;

/** The form of an alias, without its length. ASCII alone has few look-alikes. */
export const aliasPattern = '[A-Za-z][A-Za-z0-9]*(?:[._][A-Za-z0-9]+)*';
export const shortestAlias = 3;
export const longestAlias = 30;

/** Names that look like the service itself or like an absent owner, as `aliasNameOf` returns them. */
const reserved: ReadonlySet<string> = new Set([
  ...['admin', 'administrator', 'all', 'anonymous', 'bank', 'billing', 'everyone', 'fees', 'fraud', 'help', 'helpdesk'],
  ...['info', 'nobody', 'null', 'official', 'operator', 'owner', 'payment', 'payments', 'payout', 'payouts', 'refund'],
  ...['refunds', 'revenue', 'root', 'security', 'service', 'staff', 'support', 'system', 'team', 'test', 'treasury'],
  ...['undefined', 'user', 'verify', 'wallet', 'wallets'],
]);

/** Returns the alias in a payer's `@Alice`, or in an owner's `Alice`: in lower case, without the `@`. */
export function aliasIn(text: string): string {
  return text.replace('@', '').toLowerCase();
}

/**
 * Returns the name that an alias is stored under: without dots and underscores, and with letters in place of the digits that
 * look like them. So `alice_b`, `a1ice.b` and `alice.b` are one name: a payer who mixes them up pays the same owner.
 */
export function aliasNameOf(alias: string): string {
  return alias.replaceAll(/[._]/g, '').replaceAll('0', 'o').replaceAll('1', 'l');
}

/**
 * Returns the wallet that a payment by an alias goes to: one that does not exist, where the alias is unknown or has no
 * wallet in this currency.
 *
 * @param alias as `aliasIn` returns it
 * @param stored undefined: it was never taken
 */
export function walletPaidBy(alias: string, stored: Alias | undefined, currency: string): string {
  return stored?.wallets[currency] ?? missingWalletId(currency, aliasNameOf(alias));
}

/**
 * Returns why a wallet cannot have this alias; undefined when it can. A name that is reserved, and one that another owner has,
 * are refused in the same words.
 *
 * @param stored the alias as it is stored; undefined: it was never taken
 */
export function aliasRefusal(
  alias: string,
  stored: Alias | undefined,
  { walletId, ownerId, currency }: Pick<Wallet, 'walletId' | 'ownerId' | 'currency'>,
): WalletError | undefined {
  const isFree = stored === undefined ? !reserved.has(aliasNameOf(alias)) : stored.ownerId === ownerId;
  if (!isFree) return new WalletError('alias_unavailable');
  const holder = stored?.wallets[currency];
  if (holder === undefined || holder === walletId) return undefined;
  return new WalletError('alias_unavailable', { detail: `${holder} of the same owner has it: remove it there first` });
}

/** Returns an alias with this wallet in its currency. */
export function withWallet(
  alias: string,
  stored: Alias | undefined,
  { walletId, ownerId, currency }: Pick<Wallet, 'walletId' | 'ownerId' | 'currency'>,
  at: string,
): Alias {
  const { wallets = {}, version = 0 } = stored ?? {};
  return { alias, ownerId, wallets: { ...wallets, [currency]: walletId }, version: version + 1, updatedAt: at };
}

/** Returns an alias without this wallet; undefined when it does not have it. It stays its owner's. */
export function withoutWallet(
  stored: Alias | undefined,
  { walletId, currency }: Pick<Wallet, 'walletId' | 'currency'>,
  at: string,
): Alias | undefined {
  if (stored?.wallets[currency] !== walletId) return undefined;
  const { [currency]: _removed, ...wallets } = stored.wallets;
  return { ...stored, wallets, version: stored.version + 1, updatedAt: at };
}
