/** Wallets with so many simultaneous payers that payments are queued, as one container knows them. */
export interface HotReceivers {
  readonly has: (walletId: string) => boolean;
  readonly add: (walletId: string) => void;
}

/**
 * Time for which a wallet counts as hot, ms. After that, payments are booked at once again, until one meets contention.
 */
const hotMs = 5_000;
/** Wallets that a container remembers; the one that was added first is forgotten first. */
const mostWallets = 1_000;

/**
 * Returns an empty memory of hot receivers.
 *
 * @param now epoch ms
 */
export function openHotReceivers(now: () => number): HotReceivers {
  const until = new Map<string, number>();
  return {
    has: (walletId) => (until.get(walletId) ?? -Infinity) > now(),
    add(walletId) {
      until.delete(walletId);
      until.set(walletId, now() + hotMs);
      const [first] = until.keys();
      if (until.size > mostWallets && first !== undefined) until.delete(first);
    },
  };
}
