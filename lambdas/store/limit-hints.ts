import type { LimitState } from '../domain/limits.ts';

/**
 * The limits of wallets as one container last met them. They are hints: a write that was made from a wrong one is refused
 * by its conditions, and made again from the stored item.
 */
export interface LimitHints {
  readonly get: (walletId: string) => LimitState | undefined;
  /** Remembers the limits of a wallet; undefined: it has none. */
  readonly set: (walletId: string, state: LimitState | undefined) => void;
}

/** Limited wallets that a container remembers, about 2 MB; the one that was set first is forgotten first. */
export const mostHints = 10_000;

/** Returns an empty memory of limits. */
export function openLimitHints(): LimitHints {
  const states = new Map<string, LimitState>();
  return {
    get: (walletId) => states.get(walletId),
    set(walletId, state) {
      states.delete(walletId);
      if (state === undefined) return;
      states.set(walletId, state);
      const [first] = states.keys();
      if (states.size > mostHints && first !== undefined) states.delete(first);
    },
  };
}
