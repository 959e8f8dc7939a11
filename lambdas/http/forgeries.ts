import { createHash } from 'node:crypto';

/** A container's memory of tokens that the issuer has not signed, and of the addresses that send them. */
export interface Forgeries {
  /** Returns whether a token is refused without a check of its signature. */
  readonly refuse: (token: string, address: string) => boolean;
  /** Counts a token that the issuer has not signed. */
  readonly count: (address: string) => void;
  /** Remembers a valid token: it is never refused because of its address. */
  readonly trust: (token: string) => void;
}

/** Most addresses that a container remembers. It forgets the one with the oldest failure first. */
const mostAddresses = 1_000;
const mostTokens = 1_000;

/**
 * Limits the failed checks of signatures for each address. An address has an allowance of `perMinute`, which is
 * restored within a minute. When it is used up, only tokens that this container knows as valid are checked, so other
 * callers behind the address go on. Signed tokens that have expired, or are meant for another service, cost nothing,
 * because honest clients send them.
 */
export function openForgeries(perMinute: number, now: () => number = Date.now): Forgeries {
  const addresses = new Map<string, { left: number; at: number }>();
  const valid = new Set<string>();
  const leftOf = (address: string) => {
    const { left, at } = addresses.get(address) ?? { left: perMinute, at: now() };
    return Math.min(perMinute, left + ((now() - at) / 60_000) * perMinute);
  };
  return {
    refuse: (token, address) => leftOf(address) < 1 && !valid.has(digestOf(token)),
    count(address) {
      const left = leftOf(address) - 1;
      addresses.delete(address);
      addresses.set(address, { left, at: now() });
      forgetFirst(addresses, mostAddresses);
    },
    trust(token) {
      const digest = digestOf(token);
      valid.delete(digest);
      valid.add(digest);
      forgetFirst(valid, mostTokens);
    },
  };
}

/** Returns a hash that stands for a token in memory, as a token may be long, and is a secret. */
function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function forgetFirst(from: Map<string, unknown> | Set<string>, most: number): void {
  const [first] = from.keys();
  if (from.size > most && first !== undefined) from.delete(first);
}
