/** Puts back the limits of wallets that were set after the restored moment, and that the archive of events has. */
import { unused } from '../../lambdas/domain/limits.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { walletKey } from '../../lambdas/store/keys.ts';
import { itemVersion } from '../../lambdas/store/unreadable.ts';
import type { WalletEvent } from './archive.ts';
import { limitsChangeOf } from './records.ts';
import type { Recovery } from './recovery.ts';
import { creditLinesOf } from './room.ts';

/**
 * Gives each wallet its last limits, and its largest credit line. What counts against the limits stays as it was at the
 * restored moment. The version of the wallet is mended later, with its ledger. Missing credits are booked before, as they
 * need the limits of the restored moment, also after a crash.
 */
export async function putBackLimits(recovery: Recovery): Promise<void> {
  const { copy, report, table } = recovery;
  const changes = copy.query(
    { wallet_id: 'text', event: 'text' },
    'SELECT wallet_id, event, MAX(version) FROM limit_events GROUP BY wallet_id',
  );
  for (const { wallet_id: walletId, event } of changes.all()) {
    const wallet = copy.wallet(walletId);
    const limited = wallet && withLimits(wallet, JSON.parse(event) as WalletEvent, creditLinesOf(copy, wallet).ever);
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
  return {
    ...unlimited,
    ...{ limitsVersion, lastLimitsChange: limitsChangeOf(event) },
    ...(limits !== undefined && { limits, used }),
    ...(mostCredit > 0 && { mostCredit }),
  };
}
