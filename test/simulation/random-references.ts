/** Random references that commands have for themselves alone. */
import { between, chance, choose } from './chance.ts';
import type { Action, History, Step } from './history.ts';

const references = ['invoice-1', 'invoice-2', 'invoice-3'] as const;

/** Returns some histories with such references, and the others as they are. */
export function withReferences(history: History): History {
  // A table that was restored without a recovery may lack the record of a reference, or have one of a lost command.
  if (history.restore !== undefined || chance(history.seed, 'references') >= 0.35) return history;
  const steps = history.steps.map((step) => ({ ...step, action: referred(history.seed, step) }));
  return { ...history, steps: [...steps, ...rivals(history.seed, steps), ...searches(history)] };
}

/** Returns a history without them. */
export function withoutReferences({ steps, ...history }: History): History {
  const kept = steps.filter(({ action }) => action.do !== 'find-transactions');
  return { ...history, steps: kept.map((step) => ({ ...step, action: plain(step.action) })) };
}

function plain(action: Action): Action {
  if (action.do === 'split') return { ...action, legs: action.legs.map(withoutReference) };
  if (action.do === 'create-batch') return { ...action, lines: action.lines.map(withoutReference) };
  return 'reference' in action ? withoutReference(action) : action;
}

function withoutReference<T extends object>({ reference, ...rest }: T & { readonly reference?: string }): T {
  return rest as T;
}

/** Returns the action of a step, with a reference or without: steps with one key ask for one reference. */
function referred(seed: string, { id, principal, key, action }: Step): Action {
  // Two parts of one request cannot have one reference.
  const start = between(0, references.length - 1, seed, 'references', principal, key);
  const ofPart = (nth: number) => {
    const reference = chance(seed, 'part', principal, key, nth) < 0.5 ? references[nth + start] : undefined;
    return reference === undefined ? {} : { reference };
  };
  if (action.do === 'create-batch') {
    return { ...action, lines: action.lines.map((line, nth) => ({ ...line, ...ofPart(nth) })) };
  }
  const kinds = ['charge', 'withdraw', 'transfer', 'open-hold', 'capture', 'split'];
  const canRefer = kinds.includes(action.do) && !id.startsWith('c');
  // Captures and splits are rarer.
  const share = action.do === 'capture' || action.do === 'split' ? 0.8 : 0.4;
  if (!canRefer || chance(seed, 'referred', principal, key) >= share) return action;
  if (action.do === 'split') return { ...action, legs: action.legs.map((leg, nth) => ({ ...leg, ...ofPart(nth) })) };
  return { ...action, reference: choose(references, seed, 'reference', principal, key) } as Action;
}

/** Returns splits and captures of small amounts that ask for the references of others, some time after them. */
function rivals(seed: string, steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] => {
    const { id, at, key, action } = step;
    const small = smallRival(action);
    if (small === undefined || chance(seed, 'rival', id) >= 0.8) return [];
    // Many captures are refused for other reasons.
    const count = action.do === 'capture' ? 2 : 1;
    return Array.from({ length: count }, (_, n) => {
      const later = between(20, 8_000, seed, 'rival', id, n);
      return { ...step, id: `${id}r${n}`, at: at + later, key: `${key}-rival-${n}`, action: small };
    });
  });
}

function smallRival(action: Action): Action | undefined {
  if (action.do === 'capture' && action.reference !== undefined) return { ...action, amount: 1, isFinal: false };
  if (action.do !== 'split' || action.legs.every(({ reference }) => reference === undefined)) return undefined;
  return { ...action, legs: action.legs.map((leg) => ({ ...leg, amount: 1 })) };
}

/** Returns searches of an owner or an operator by these references. */
function searches({ seed, steps }: History): Step[] {
  const last = Math.max(...steps.map(({ at }) => at));
  return Array.from({ length: between(0, 2, seed, 'searches') }, (_, n): Step => {
    const { principal, operator } = choose(steps, seed, 'searches', n);
    return {
      ...{ id: `q${n}`, at: between(4_000, last + 5_000, seed, 'searched', n), principal, operator, key: '' },
      retries: choose([0, 1, 4], seed, 'search retries', n),
      action: { do: 'find-transactions', reference: choose(references, seed, 'searched', n) },
    };
  });
}
