/** Random commands that need two operators, and decisions about them. */
import { fourEyes, guardedAmount } from './approvals.ts';
import { between, chance, choose } from './chance.ts';
import type { Action, History, Step, WalletName } from './history.ts';

/** The asker is among them, and twice one who may approve. */
const deciders = ['second', 'second', 'third', 'operator'] as const;

/** Returns some histories with commands that need two operators, and the others as they are. */
export function withApprovals(history: History): History {
  const { seed, steps, service, restore } = history;
  // A restored table shows approvals open again, and forgets others.
  if (restore !== undefined || chance(seed, 'approvals') >= 0.2) return history;
  const charges = steps.flatMap((step, n) =>
    step.action.do === 'create-wallet' ? largeCharges(history, step, n) : [],
  );
  const guarded = [...steps, ...charges].filter(isGuarded);
  return {
    ...history,
    steps: [...steps, ...charges, ...guarded.flatMap((target, n) => decisions(seed, target, n))],
    service: { ...service, fourEyes },
  };
}

/** Returns a history without commands that need two operators. */
export function withoutApprovals({ service: { fourEyes: removed, ...service }, ...history }: History): History {
  return { ...history, service, steps: history.steps.filter(({ action }) => !isDecision(action)) };
}

function isDecision({ do: kind }: Action): boolean {
  return kind === 'approve' || kind === 'reject' || kind === 'get-approval' || kind === 'list-approvals';
}

function isGuarded({ action, operator }: Step): boolean {
  if (action.do === 'charge') return action.amount > guardedAmount;
  // Whether it needs a second operator shows only when it is sent.
  if (action.do === 'refund' || action.do === 'set-limits') return operator;
  return action.do === 'unfreeze' || action.do === 'resolve';
}

/** Returns charges of a wallet that one operator cannot make alone, some of them repeated. */
function largeCharges({ seed, steps }: History, { principal, key, action }: Step, nth: number): Step[] {
  const last = Math.max(...steps.map(({ at }) => at));
  const currency = action.do === 'create-wallet' ? action.currency : 'EUR';
  const wallet: WalletName = { principal, key, currency };
  return Array.from({ length: between(0, 3, seed, 'charges', nth) }, (_, n): Step => {
    const isRepeated = n > 0 && chance(seed, 'repeated', nth, n) < 0.3;
    return {
      id: `g${nth}.${n}`,
      at: between(4_000, last + 5_000, seed, 'charge', nth, n),
      principal: 'operator',
      operator: true,
      key: `large-${nth}-${isRepeated ? n - 1 : n}`,
      retries: choose([0, 1, 4], seed, 'retries', nth, n),
      action: { do: 'charge', wallet, amount: choose([1_500, 1_600], seed, 'large', nth, isRepeated ? n - 1 : n) },
    };
  });
}

/** Returns decisions about a command: none, one, or several at about the same time; soon after it or about its expiry. */
function decisions(seed: string, target: Step, nth: number): Step[] {
  const isLate = chance(seed, 'late', nth) < 0.1;
  const at = target.at + (isLate ? fourEyes.expiresAfterMs : 0) + between(20, 8_000, seed, 'decided', nth);
  return Array.from({ length: between(0, 3, seed, 'decisions', nth) }, (_, n): Step => {
    const principal = chance(seed, 'stranger', nth, n) < 0.05 ? 'alice' : choose(deciders, seed, 'decider', nth, n);
    return {
      id: `d${nth}.${n}`,
      at: Math.max(0, at + between(-1_000, 30, seed, 'decision', nth, n)),
      principal,
      operator: principal !== 'alice',
      key: `decide-${nth}-${n}`,
      retries: choose([0, 1, 4], seed, 'decides again', nth, n),
      action: {
        do: chance(seed, 'rejects', nth, n) < 0.3 ? 'reject' : 'approve',
        target: { principal: target.principal, key: target.key },
      },
    };
  });
}
