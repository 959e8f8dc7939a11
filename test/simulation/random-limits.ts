/** Random limits of wallets. */
import { chance, choose } from './chance.ts';
import type { Limits } from './limits.ts';

/** Amounts near those that move. */
const limitAmounts = [90, 100, 300, 700] as const;
const windowAmounts = [0, 100, 300, 700, 1_000, 2_000] as const;

const kinds = ['out', 'out', 'in', 'in', 'in', 'both', 'credit', 'credit', 'balance', 'none'] as const;

/** Returns limits for an occasion of a history, often of one kind. */
export function randomLimits(seed: string, ...occasion: readonly (string | number)[]): Limits {
  const pick = <T>(choices: readonly T[], name: string) => choose(choices, seed, 'limits', name, ...occasion);
  const flow = (direction: 'out' | 'in') => {
    const has = (window: string) => chance(seed, 'limits', 'has', direction, window, ...occasion) < 0.55;
    return {
      ...(has('transaction') && { perTransaction: pick(limitAmounts, `transaction ${direction}`) }),
      ...(has('day') && { perDay: pick(windowAmounts, `day ${direction}`) }),
      ...(has('month') && { perMonth: pick(windowAmounts, `month ${direction}`) }),
    };
  };
  const kind: string = pick(kinds, 'kind');
  return {
    ...(['out', 'both', 'credit'].includes(kind) && { out: flow('out') }),
    ...(['in', 'both', 'balance'].includes(kind) && { in: flow('in') }),
    ...(kind === 'credit' && { creditLine: pick([0, 100, 500, 1_000], 'credit') }),
    ...(kind === 'balance' && { minimumBalance: pick([1, 100], 'minimum') }),
    ...(kind === 'balance' && { maximumBalance: pick([1_000, 1_100, 1_500], 'maximum') }),
  };
}
