/** Puts back the limits of wallets that were set after the restored moment, and that the archive of events has. */
import { unused } from '../../lambdas/domain/limits.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { walletKey } from '../../lambdas/store/keys.ts';
import { itemVersion } from '../../lambdas/store/unreadable.ts';
import type { WalletEvent } from './archive.ts';
import { limitsChangeOf } from './records.ts';
import type { Recovery } from './recovery.ts';

/**
 * Gives each wallet its last limits, and its largest credit line. What counts against the limits stays as it was at the restored
 * moment. The version of the wallet is mended later, with its ledger.
 */
export async function putBackLimits(recovery: Recovery): Promise<void> {
  const { copy, report, table } = recovery;
  const changes = copy.query(
    { wallet_id: 'text', event: 'text', most_credit: 'number' },
    'SELECT wallet_id, event, most_credit FROM limit_events',
  );
  for (const { wallet_id: walletId, event, most_credit: mostCredit } of changes.all()) {
    const wallet = copy.wallet(walletId);
    const limited = wallet && withLimits(wallet, JSON.parse(event) as WalletEvent, mostCredit);
    if (wallet === undefined || limited === undefined) continue;
    report.repairs('wallet', walletId, `has its limits of version ${limited.limitsVersion ?? 0} again`);
    await recovery.put(table, { ...walletKey(walletId), v: itemVersion, ...limited }, { ...wallet });
    copy.putWallet(limited);
  }
}

/** Returns the wallet with the limits in an event; undefined when it has them, or later ones. */
function withLimits(wallet: Wallet, event: WalletEvent, mostCredit: number): Wallet | undefined {
  const { limits, lastLimitsChange } = event.wallet;
  const { version: limitsVersion = 0 } = lastLimitsChange ?? {};
  if (limitsVersion <= (wallet.limitsVersion ?? 0)) return undefined;
  const { limits: former, used = unused(event.occurredAt), ...unlimited } = wallet;
  const most = Math.max(Number(wallet.mostCredit ?? 0), mostCredit);
  return {
    ...unlimited,
    ...{ limitsVersion, lastLimitsChange: limitsChangeOf(event) },
    ...(limits !== undefined && { limits, used }),
    ...(most > 0 && { mostCredit: most }),
  };
}
