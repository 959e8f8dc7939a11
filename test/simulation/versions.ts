/** The versions of a wallet, compared with its ledger and with answers. */
import type { Item, WalletState } from './items.ts';
import type { Ledger } from './ledger.ts';

/** Returns the name of a change of a wallet. */
export function changeText({ walletId, version, updatedAt }: Item): string {
  return [walletId, version, updatedAt].join(' ');
}

/** Returns the defect of a wallet's ledger; undefined when there is none. */
export function problemIn(entries: readonly Item[], versions: readonly WalletState[]): string | undefined {
  if (entries.length !== versions.length) return `${versions.length} versions have ${entries.length} entries`;
  for (const [version, entry] of entries.entries()) {
    const wallet = versions[version];
    const { balanceAfter, bookedAt, at } = entry as { balanceAfter: Item; bookedAt: string; at: string };
    if (balanceAfter['available'] !== wallet?.available || balanceAfter['held'] !== wallet?.held) {
      return `entry ${version} has another balance`;
    }
    if (bookedAt !== wallet?.['updatedAt']) return `entry ${version} was booked at another time`;
    const times = versions.slice(0, version + 1).map(({ updatedAt }) => String(updatedAt));
    const latest = times.reduce((one, other) => (one > other ? one : other));
    if (at !== latest) return `entry ${version} holds from ${at}, and not from ${latest}`;
  }
  return undefined;
}

/**
 * Returns the versions of a wallet that an answer about a moment may show. They held at it, among the versions that
 * existed at any time while the answer was made.
 *
 * @param moment ISO 8601
 */
export function heldVersions(
  ledger: Ledger,
  walletId: string,
  moment: string,
  { from, to }: { readonly from: number; readonly to: number },
): WalletState[] {
  const key = [`WALLET#${walletId}`, 'WALLET'] as const;
  const count = (until: number) => ledger.looks(...key, 0, until).filter((look) => look !== undefined).length;
  const versions = ledger.versions(walletId);
  const held: WalletState[] = [];
  for (let known = count(from); known <= count(to); known++) {
    const there = versions.slice(0, known);
    const end = there.findIndex(({ updatedAt }) => String(updatedAt) > moment);
    const last = (end < 0 ? there : there.slice(0, end)).at(-1);
    if (last !== undefined) held.push(last);
  }
  return held;
}
