/** The refunds of random histories: of money that earlier steps may have moved. */
import { chance, choose } from './chance.ts';
import type { Action, CommandName, Step } from './history.ts';

/** 0: all that is left. */
const amounts = [0, 0, 0, 1, 30, 60, 100, 300] as const;
const isPayment: ReadonlySet<string> = new Set(['transfer', 'capture', 'split']);

/** Returns the step that moved the money of a refund, and undefined for other steps. */
export function originalOf(action: Action, steps: readonly Step[]): Step | undefined {
  if (action.do !== 'refund') return undefined;
  const { principal, key } = action.target;
  return steps.find((step) => step.principal === principal && step.key === key);
}

/**
 * Returns a refund.
 *
 * @param opening the steps that fill the wallets
 * @param other a transaction that may be no payment
 * @param n the number of the step
 */
export function newRefund(
  opening: readonly Step[],
  earlier: readonly Step[],
  other: CommandName,
  seed: string,
  n: number,
): Action {
  const draw = (name: string) => chance(seed, 'refund', name, n);
  const pick = <T>(choices: readonly T[], name: string) => choose(choices, seed, 'refund', name, n);
  // Another part of what was refunded before.
  const before = draw('same payment') < 0.35 ? earlier.findLast(isRefund)?.action : undefined;
  if (before?.do === 'refund') return { ...before, amount: pick([1, 30, 60], 'part') };
  const paid = earlier.filter(({ action }) => isPayment.has(action.do));
  const captured = paid.filter(({ action }) => action.do === 'capture');
  const charges = [...opening, ...earlier].filter(({ action }) => action.do === 'charge');
  const others = captured.length > 0 && draw('captured') < 0.5 ? captured : paid;
  const payments = others.length === 0 || draw('charge') < 0.3 ? charges : others;
  const some = draw('latest') < 0.5 ? payments.at(-1) : pick(payments, 'payment');
  const payment = draw('no payment') < 0.05 ? undefined : some;
  const isCharge = payment?.action.do === 'charge';
  const amount = isCharge && draw('all') < 0.5 ? 0 : pick(amounts, 'amount');
  const { principal, key } = payment ?? other;
  const legs = payment?.action.do === 'split' ? payment.action.legs : [];
  const leg = legs.length === 0 ? {} : { leg: pick([...legs.keys()], 'leg') };
  return {
    ...{ do: 'refund', target: { principal, key, ...leg } },
    ...(amount > 0 && { amount }),
    ...(draw('chargeback') < (isCharge ? 0.5 : 0.03) && { chargeback: true }),
  };
}

function isRefund({ action }: Step): boolean {
  return action.do === 'refund';
}
