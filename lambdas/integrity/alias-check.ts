import type { Alias } from '../domain/alias.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import type { Table } from '../store/table.ts';
import { legible } from '../store/unreadable.ts';
import { getWallets } from '../store/wallets.ts';

/** Most aliases that are checked in one call. Their wallets are read a hundred at a time. */
export const mostAliasesChecked = 25;
const mostWallets = 100;

/**
 * Checks that each wallet of an alias is there, in its currency, and of the owner of the alias: else a payer pays another
 * owner. A wallet never changes its owner, and neither does an alias.
 */
export async function checkAliases(
  table: Table,
  aliases: readonly Pick<Alias, 'alias' | 'ownerId' | 'wallets'>[],
): Promise<{ found: Discrepancy[]; readUnits: number }> {
  const named = aliases.flatMap(({ alias, ownerId, wallets }) =>
    Object.entries(wallets).map(([currency, walletId]) => ({ alias, ownerId, currency, walletId })),
  );
  const found: Discrepancy[] = [];
  for (let start = 0; start < named.length; start += mostWallets) {
    const some = named.slice(start, start + mostWallets);
    const wallets = await getWallets(table, [...new Set(some.map(({ walletId }) => walletId))]);
    for (const { alias, ownerId, currency, walletId } of some) {
      const stored = wallets.get(walletId);
      const wallet = stored && legible(stored);
      // The pass reports a wallet that cannot be read by itself.
      if (stored !== undefined && wallet === undefined) continue;
      if (wallet?.ownerId === ownerId && wallet.currency === currency) continue;
      const fault = wallet === undefined ? 'does not exist' : `is of ${wallet.ownerId} in ${wallet.currency}`;
      const detail = `its wallet in ${currency}, ${walletId}, ${fault}; the alias is of ${ownerId}`;
      found.push({ kind: 'alias_differs', subject: `@${alias}`, detail });
    }
  }
  return { found, readUnits: named.length };
}
