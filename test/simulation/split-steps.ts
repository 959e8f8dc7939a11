/** The splits of random histories: one owner pays from its wallets, mostly. */
import { chance, choose } from './chance.ts';
import type { Action, LegPlan, WalletName } from './history.ts';

const amounts = [1, 30, 90, 100, 300, 700] as const;
/** Few wallets have many legs, so that some cancel out. */
const sizes = [1, 2, 2, 3, 3, 4, 6] as const;

/**
 * Returns a split.
 *
 * @param wallet that of the first leg's payer
 * @param n the number of the step
 */
export function newSplit(
  wallets: readonly (WalletName & { readonly owner: string })[],
  wallet: WalletName,
  seed: string,
  n: number,
): Action {
  const draw = (name: string, leg: number) => chance(seed, 'split', name, n, leg);
  const pick = <T>(choices: readonly T[], name: string, leg = 0) => choose(choices, seed, 'split', name, n, leg);
  const owner = wallets.find(({ key }) => key === wallet.key)?.owner;
  const own = wallets.filter((one) => one.owner === owner);
  const legs: LegPlan[] = [];
  for (let leg = 0; leg < pick(sizes, 'size'); leg++) {
    const before = legs.at(-1);
    const isOwn = own.some(({ key }) => key === before?.to.key);
    // What the leg before paid is paid on, or back.
    if (before !== undefined && draw('on', leg) < (isOwn ? 0.5 : 0.05)) {
      const others = wallets.filter(({ key }) => key !== before.to.key);
      legs.push({ ...before, wallet: before.to, to: nameOf(pick(others, 'on', leg)) });
      continue;
    }
    const from = leg === 0 ? wallet : pick(draw('stranger', leg) < 0.05 ? wallets : own, 'from', leg);
    const others = wallets.filter(({ key }) => key !== from.key || draw('same wallet', leg) < 0.03);
    legs.push({ wallet: nameOf(from), to: nameOf(pick(others, 'to', leg)), amount: pick(amounts, 'amount', leg) });
  }
  return { do: 'split', legs };
}

function nameOf({ principal, key, currency }: WalletName): WalletName {
  return { principal, key, currency };
}
