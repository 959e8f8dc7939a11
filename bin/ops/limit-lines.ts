/** The limits of wallets, for operators. */
import { windowsOf } from '../../lambdas/domain/limits.ts';
import type { Direction, FlowLimits, WalletLimits } from '../../lambdas/domain/limits.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';

/** Returns the lines that describe the limits of a wallet; none when there never were any. */
export function limitLines(wallet: Pick<Wallet, 'limits' | 'used' | 'limitsVersion' | 'lastLimitsChange'>): string[] {
  const { limits = {}, limitsVersion = 0, lastLimitsChange: change } = wallet;
  if (change === undefined) return [];
  const tier = change.tier === undefined ? '' : `, of tier ${change.tier}`;
  return [
    `limits: ${limitsText(limits)}${tier} (version ${limitsVersion}, since ${change.at})`,
    ...windowsOf(wallet, new Date().toISOString()).map(
      ({ limit, used, left, resetsAt }) => `${limit}: ${String(used)} used, ${left} left until ${resetsAt}`,
    ),
  ];
}

/** Returns limits as text, in minor units. */
export function limitsText({ out, in: into, ...balances }: WalletLimits): string {
  const all = { ...prefixed('out', out), ...prefixed('in', into), ...balances };
  const each = Object.entries(all).map(([name, amount]) => `${name} ${String(amount)}`);
  return each.length === 0 ? 'none' : each.join(', ');
}

function prefixed(direction: Direction, limits: FlowLimits = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(limits).map(([name, amount]) => [`${direction}.${name}`, amount]));
}
