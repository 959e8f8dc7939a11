import type { WalletLimits } from './limits.ts';

/** The form of a tier's name. */
export const tierName = /^[a-z][a-z0-9-]*$/;
export const longestTierName = 40;

/**
 * Named limits that operators give to wallets, by name: amounts in minor units. A wallet keeps a copy, so a later change of
 * the tier does not change it.
 */
export type Tiers = Readonly<Record<string, Tier>>;

/** The limits of one tier. */
export type Tier = WalletLimits & {
  /** Limits for wallets in single currencies, by ISO code, in place of all the others of the tier. */
  readonly byCurrency?: Readonly<Record<string, WalletLimits>>;
};

/** Returns the limits that a tier gives to a wallet in this currency; undefined when there is no such tier. */
export function limitsOfTier(tiers: Tiers, name: string, currency: string): WalletLimits | undefined {
  const tier = Object.hasOwn(tiers, name) ? tiers[name] : undefined;
  if (tier === undefined) return undefined;
  const { byCurrency, ...general } = tier;
  return byCurrency?.[currency] ?? general;
}
