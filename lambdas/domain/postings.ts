/** One line of a transaction: an account and a signed amount in minor units. */
export interface Posting {
  readonly account: string;
  readonly amount: number;
}

/**
 * Names of the accounts. `external` is the world outside: minus the amount that the service owes its wallets in the
 * currency. `transit` is money between two wallets: debited from the sender of a queued transfer, not yet credited. `fees`
 * is all that was ever paid as a fee, and `collected` is minus what of it has gone to revenue wallets. `opening` is minus what
 * wallets brought along from another system.
 */
export const accounts = {
  available: (walletId: string) => `wallet:${walletId}:available`,
  held: (walletId: string) => `wallet:${walletId}:held`,
  transit: (currency: string) => `transit:${currency}`,
  external: (currency: string) => `external:${currency}`,
  fees: (currency: string) => `fees:${currency}`,
  collected: (currency: string) => `collected:${currency}`,
  opening: (currency: string) => `opening:${currency}`,
} as const;

/** Returns whether an account belongs to a wallet. The others are totalled for each currency. */
export function isWalletAccount(account: string): boolean {
  return account.startsWith('wallet:');
}

/** Returns the wallet of an account; undefined for the other accounts. */
export function walletOfAccount(account: string): string | undefined {
  const [kind, walletId] = account.split(':');
  return kind === 'wallet' ? walletId : undefined;
}

/** Returns two postings that move `amount` from one account to another. They sum to zero by construction. */
export function move(amount: number, from: string, to: string): Posting[] {
  return [
    { account: from, amount: -amount },
    { account: to, amount },
  ];
}

/** Returns the posting of a fee; none where there is no fee. */
export function feePosting({ fee = 0, currency }: { readonly fee?: number | undefined; readonly currency: string }) {
  return fee === 0 ? [] : [{ account: accounts.fees(currency), amount: fee }];
}

/** Returns the net change of each account, without accounts that end where they began. Sums are exact (bigint). */
export function net(postings: Iterable<Posting>): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, amount } of postings) {
    const sum = (sums.get(account) ?? 0n) + BigInt(amount);
    if (sum === 0n) sums.delete(account);
    else sums.set(account, sum);
  }
  return sums;
}

/** Returns the exact sum over all accounts. It is zero for every transaction of a sound ledger. */
export function sum(postings: Iterable<Posting>): bigint {
  let total = 0n;
  for (const { amount } of postings) total += BigInt(amount);
  return total;
}
