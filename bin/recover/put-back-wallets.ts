/** Puts back the wallets that a restore forgot, and that the archive of events or other items know. */
import { currencyOfWalletId } from '../../lambdas/domain/ids.ts';
import type { Item } from '../../lambdas/store/write.ts';
import type { Maker, WalletEvent } from './archive.ts';
import { openingIdOf, openingRecord, walletItems } from './records.ts';
import type { Recovery } from './recovery.ts';

/**
 * Puts wallets back, each with its line under its owner and the record of its opening. A wallet may be known by its event,
 * or by the other two items.
 */
export async function putBackWallets(recovery: Recovery): Promise<void> {
  const { copy, report } = recovery;
  const opened = copy.query(
    { wallet_id: 'text', event: 'text', maker: 'text' },
    `SELECT wallet_id, event, maker FROM wallet_events WHERE maker <> ''
      AND wallet_id NOT IN (SELECT wallet_id FROM wallets) AND wallet_id NOT IN (SELECT id FROM unreadable)`,
  );
  for (const { wallet_id: walletId, event, maker } of opened.all()) {
    const { wallet } = JSON.parse(event) as WalletEvent;
    const { ownerId, currency, createdAt: at } = wallet;
    await openAgain(recovery, { walletId, ownerId, currency, at, createdBy: JSON.parse(maker) as Maker }, 'its event');
  }
  const lines = copy.query(
    { wallet_id: 'text', owner_id: 'text', principal: 'text', created_at: 'text' },
    `SELECT wallet_id, owner_id, principal, created_at FROM lines JOIN operations ON id = 'tx_' || substr(wallet_id, -26)
      WHERE wallet_id NOT IN (SELECT wallet_id FROM wallets) AND wallet_id NOT IN (SELECT id FROM unreadable)`,
  );
  for (const { wallet_id: walletId, owner_id: ownerId, principal, created_at: at } of lines.all()) {
    const createdBy = { kind: principal === ownerId ? 'owner' : 'operator', principal } as const;
    const currency = currencyOfWalletId(walletId) ?? '';
    await openAgain(recovery, { walletId, ownerId, currency, at, createdBy }, 'the record of its opening');
  }
  const torn = copy.query(
    { wallet_id: 'text' },
    `SELECT wallet_id FROM wallets WHERE wallet_id NOT IN (SELECT wallet_id FROM lines)
      OR 'tx_' || substr(wallet_id, -26) NOT IN (SELECT id FROM operations)`,
  );
  for (const { wallet_id: walletId } of torn.all()) {
    const wallet = copy.wallet(walletId);
    if (wallet === undefined) continue;
    const { ownerId, currency, createdAt: at, createdBy } = wallet;
    const [, line] = walletItems({ walletId, ownerId, currency, at, createdBy }).items;
    const opening = openingRecord(wallet);
    if (line !== undefined && !copy.has('SELECT 1 FROM lines WHERE wallet_id = ?', walletId)) {
      report.repairs('wallet', walletId, 'put back on the list of its owner');
      await recovery.put(recovery.table, line, undefined);
      copy.run('INSERT INTO lines VALUES (?, ?)', walletId, ownerId);
    }
    await putOpening(recovery, walletId, opening);
  }
}

async function openAgain(
  recovery: Recovery,
  opening: Parameters<typeof walletItems>[0],
  source: string,
): Promise<void> {
  const { copy, report, table } = recovery;
  const { wallet, items } = walletItems(opening);
  const [item, line] = items;
  report.repairs('wallet', wallet.walletId, `put back from ${source}`);
  // The wallet comes last: until it is there, a repeated recovery begins with its event again.
  const hasLine = copy.has('SELECT 1 FROM lines WHERE wallet_id = ?', wallet.walletId);
  if (line && !hasLine) await recovery.put(table, line, undefined);
  await putOpening(recovery, wallet.walletId, openingRecord(wallet));
  if (item) await recovery.put(table, item, undefined);
  copy.run('INSERT OR REPLACE INTO lines VALUES (?, ?)', wallet.walletId, wallet.ownerId);
  copy.putWallet(wallet);
}

async function putOpening(recovery: Recovery, walletId: string, opening: Item | undefined): Promise<void> {
  const { copy, report, table } = recovery;
  const id = openingIdOf(walletId);
  if (opening === undefined || copy.has('SELECT 1 FROM operations WHERE id = ?', id)) return;
  report.repairs('wallet', walletId, 'put back the record of its opening');
  await recovery.put(table, opening, undefined);
  copy.run('INSERT INTO operations VALUES (?, ?, ?)', id, String(opening['principal']), String(opening['createdAt']));
}
