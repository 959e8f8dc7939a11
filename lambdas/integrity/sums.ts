import type { Discrepancy } from '../domain/discrepancy.ts';
import { accounts, isWalletAccount } from '../domain/postings.ts';
import type { Posting } from '../domain/postings.ts';
import type { Total } from '../store/totals.ts';

/** The accounts outside of wallets that every currency has, those that it has with its first fee, and that of imports. */
const always = ['external', 'transit'] as const;
const withFees = ['fees', 'collected'] as const;
const withImport = ['opening'] as const;
const accountsOutside = [...always, ...withFees, ...withImport] as const;

/** The sums of one currency: of the wallets by their entries, and of the accounts outside of wallets. */
export type Sums = { wallets: bigint } & Record<(typeof always)[number], bigint> &
  Partial<Record<(typeof withFees | typeof withImport)[number], bigint>>;

/** Sums by currency. */
export type AllSums = Record<string, Sums>;

/** Returns the sums of a currency, which begin at zero. */
export function sumsOf(all: AllSums, currency: string): Sums {
  return (all[currency] ??= { wallets: 0n, external: 0n, transit: 0n });
}

/** Compares also the totals of the accounts of fees of a currency. */
export function addFeeAccounts(sums: Sums): void {
  for (const name of withFees) sums[name] ??= 0n;
}

/** Returns whether a currency has accounts of fees. */
export function hasFees({ fees, collected }: Sums): boolean {
  return fees !== undefined || collected !== undefined;
}

/** Adds postings on accounts outside of wallets. */
export function addOutside(all: AllSums, postings: readonly Posting[]): void {
  for (const { account, amount } of postings) {
    if (isWalletAccount(account) || !Number.isSafeInteger(amount)) continue;
    const [kind = '', currency = ''] = account.split(':');
    const name = accountsOutside.find((one) => one === kind);
    if (name === undefined) continue;
    const sums = sumsOf(all, currency);
    sums[name] = (sums[name] ?? 0n) + BigInt(amount);
  }
}

/** Returns the currencies whose accounts do not sum to zero. */
export function unbalanced(all: AllSums): Discrepancy[] {
  return Object.entries(all).flatMap(([currency, sums]): Discrepancy[] => {
    const parts = Object.entries(sums);
    const sum = parts.reduce((total, [, part]) => total + part, 0n);
    if (sum === 0n) return [];
    const named = parts.map(([name, part]) => `${name} ${String(part)}`).join(', ');
    return [{ kind: 'currency_unbalanced', subject: currency, detail: `${named}: ${String(sum)}` }];
  });
}

/**
 * Returns the accounts whose total is not the sum of their postings.
 *
 * @param total returns the stored total of an account
 */
export async function differentTotals(
  all: AllSums,
  total: (account: string) => Promise<Total>,
): Promise<Discrepancy[]> {
  const different: Discrepancy[] = [];
  for (const [currency, sums] of Object.entries(all)) {
    for (const name of accountsOutside) {
      const sum = sums[name];
      if (sum === undefined) continue;
      const account = accounts[name](currency);
      const booked = await total(account);
      if (booked === sum) continue;
      const stored = booked === undefined ? 'cannot be read' : `is ${String(booked)}`;
      const detail = `its total ${stored}, its postings sum to ${String(sum)}`;
      different.push({ kind: 'total_differs', subject: account, detail });
    }
  }
  return different;
}
