/** The status of a wallet after the restored moment, as the archive of events and the ledger show it. */
import { service } from '../../lambdas/domain/actor.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import type { StatusChange, Wallet, WalletStatus } from '../../lambdas/domain/wallet.ts';
import { stateFromText } from '../../lambdas/integrity/text.ts';
import type { WalletEvent } from './archive.ts';
import type { BooksCopy } from './copy.ts';
import { statusChangeOf } from './records.ts';
import type { Recovery } from './recovery.ts';

/** The last event of a wallet about its opening or its status. */
type LastEvent = WalletEvent & { readonly reason?: string | undefined };

/** Returns the last event of a wallet that the archive has; undefined when there is none. */
export function eventOfWallet(copy: BooksCopy, walletId: string): LastEvent | undefined {
  const row = copy.query({ event: 'text' }, 'SELECT event FROM wallet_events WHERE wallet_id = ?').first(walletId);
  return row && (JSON.parse(row.event) as WalletEvent);
}

/**
 * Returns the status that the wallet had after the restored moment; undefined when no change shows one. Also a change to the
 * status that it has counts: an approval to unfreeze it must not undo a later freeze. A wallet with money is not closed: the
 * money that it lost is there again.
 */
export function statusAfter(
  { copy, report }: Recovery,
  wallet: Wallet,
  shown: LastEvent | undefined,
): Pick<Wallet, 'status' | 'lastStatusChange'> | undefined {
  const change = statusChangeAfter(copy, wallet, shown);
  if (change === undefined) return undefined;
  const { walletId } = wallet;
  const { status } = change;
  const { available, held } = copy.balanceOf(walletId);
  // A chargeback brings also a closed wallet below zero.
  if (status === 'closed' && wallet.status !== 'closed' && (available > 0n || held > 0n)) {
    report.differs({
      kind: 'closing_forgotten',
      subject: walletId,
      detail: `it was closed, and has ${String(available)} available and ${String(held)} held again`,
      remedy: 'close it again when it is empty',
    });
    return undefined;
  }
  return { status, lastStatusChange: change };
}

/**
 * Returns the last change of a wallet's status after the restored moment: that of its event, unless the ledger shows another
 * status later. The ledger shows no change between entries of one status.
 */
function statusChangeAfter(
  copy: BooksCopy,
  { walletId, version, status }: Wallet,
  shown: LastEvent | undefined,
): StatusChange | undefined {
  const row = copy
    .query(
      { version: 'number', item: 'text' },
      "SELECT version, item FROM entries WHERE wallet_id = ? AND version > ? AND item <> '' ORDER BY version DESC LIMIT 1",
    )
    .first(walletId, version);
  const entry = row && (stateFromText(row.item) as ChainedEntry);
  const hasOther = (behind: number, known: WalletStatus) =>
    copy.has(
      `SELECT 1 FROM entries WHERE wallet_id = ? AND version > ? AND item <> ''
        AND json_extract(item, '$.statusAfter') <> ?`,
      ...[walletId, behind, known],
    );
  if (shown !== undefined && shown.type !== 'wallet.created') {
    const { balance, status: last } = shown.wallet;
    // The ledger may be ahead of the archive: a freeze that only the ledger has must stay.
    if (balance.version > version && !hasOther(balance.version, last)) return statusChangeOf(shown);
  }
  if (entry === undefined || !hasOther(version, status)) return undefined;
  return { status: entry.statusAfter, at: entry.at, actor: service, reason: 'restored from the ledger' };
}
