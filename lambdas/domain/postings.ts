/** One line of a transaction: an account and a signed amount in minor units. */
export interface Posting {
  readonly account: string;
  readonly amount: number;
}

/**
 * Names of the accounts. `external` is the world outside: minus what the service owes its wallets in the currency.
 * `transit` is money between two wallets: debited from the sender of a queued transfer, not yet credited.
 */
export const accounts = {
  available: (walletId: string) => `wallet:${walletId}:available`,
  held: (walletId: string) => `wallet:${walletId}:held`,
  transit: (currency: string) => `transit:${currency}`,
  external: (currency: string) => `external:${currency}`,
} as const;

/** Whether an account is a wallet's; the others are totalled for each currency. */
export function isWalletAccount(account: string): boolean {
  return account.startsWith('wallet:');
}

/** Returns the wallet whose account it is; undefined for the others. */
export function walletOfAccount(account: string): string | undefined {
  const [kind, walletId] = account.split(':');
  return kind === 'wallet' ? walletId : undefined;
}

/** Two postings that move `amount` from one account to another; they sum to zero by construction. */
export function move(amount: number, from: string, to: string): Posting[] {
  return [
    { account: from, amount: -amount },
    { account: to, amount },
  ];
}

/** Net change for each account; accounts that end where they began are left out. Sums are exact (bigint). */
export function net(postings: Iterable<Posting>): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, amount } of postings) {
    const sum = (sums.get(account) ?? 0n) + BigInt(amount);
    if (sum === 0n) sums.delete(account);
    else sums.set(account, sum);
  }
  return sums;
}

/** Sum over all accounts, exact; zero for every transaction of a sound ledger. */
export function sum(postings: Iterable<Posting>): bigint {
  let total = 0n;
  for (const { amount } of postings) total += BigInt(amount);
  return total;
}
