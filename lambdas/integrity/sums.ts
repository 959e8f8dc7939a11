import type { Discrepancy } from '../domain/discrepancy.ts';
import { accounts, isWalletAccount } from '../domain/postings.ts';
import type { Posting } from '../domain/postings.ts';
import type { Total } from '../store/totals.ts';

/** The sums of one currency: of the wallets by their entries, and of the accounts outside of wallets. */
export interface Sums {
  wallets: bigint;
  external: bigint;
  transit: bigint;
}

/** Sums by currency. */
export type AllSums = Record<string, Sums>;

/** Returns the sums of a currency, which begin at zero. */
export function sumsOf(all: AllSums, currency: string): Sums {
  return (all[currency] ??= { wallets: 0n, external: 0n, transit: 0n });
}

/** Adds postings on accounts outside of wallets. */
export function addOutside(all: AllSums, postings: readonly Posting[]): void {
  for (const { account, amount } of postings) {
    if (isWalletAccount(account) || !Number.isSafeInteger(amount)) continue;
    const [name = '', currency = ''] = account.split(':');
    if (name === 'external' || name === 'transit') sumsOf(all, currency)[name] += BigInt(amount);
  }
}

/** Returns the currencies whose accounts do not sum to zero. */
export function unbalanced(all: AllSums): Discrepancy[] {
  return Object.entries(all).flatMap(([currency, { wallets, external, transit }]): Discrepancy[] => {
    const sum = wallets + external + transit;
    if (sum === 0n) return [];
    const parts = `wallets ${String(wallets)}, external ${String(external)}, transit ${String(transit)}`;
    return [{ kind: 'currency_unbalanced', subject: currency, detail: `${parts}: ${String(sum)}` }];
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
    for (const name of ['external', 'transit'] as const) {
      const account = accounts[name](currency);
      const booked = await total(account);
      if (booked === sums[name]) continue;
      const stored = booked === undefined ? 'cannot be read' : `is ${String(booked)}`;
      const detail = `its total ${stored}, its postings sum to ${String(sums[name])}`;
      different.push({ kind: 'total_differs', subject: account, detail });
    }
  }
  return different;
}
