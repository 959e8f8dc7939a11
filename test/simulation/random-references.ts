/** Random references that commands have for themselves alone. */
import { chance, choose } from './chance.ts';
import type { Action, History, Step } from './history.ts';

const references = ['invoice-1', 'invoice-2', 'invoice-3'] as const;

/** Returns some histories with such references, and the others as they are. */
export function withReferences(history: History): History {
  // A table that was restored without a recovery may lack the record of a reference, or have one of a lost command.
  if (history.restore !== undefined || chance(history.seed, 'references') >= 0.25) return history;
  return { ...history, steps: history.steps.map((step) => ({ ...step, action: referred(history.seed, step) })) };
}

/** Returns a history without them. */
export function withoutReferences({ steps, ...history }: History): History {
  return { ...history, steps: steps.map((step) => ({ ...step, action: plain(step.action) })) };
}

function plain(action: Action): Action {
  if (!('reference' in action) || action.do === 'find-transactions') return action;
  const { reference, ...rest } = action;
  return rest;
}

/** Returns the action of a step, with a reference or without: steps with one key ask for one reference. */
function referred(seed: string, { id, principal, key, action }: Step): Action {
  const canRefer = ['charge', 'withdraw', 'transfer', 'open-hold'].includes(action.do) && !id.startsWith('c');
  if (!canRefer || chance(seed, 'referred', principal, key) >= 0.4) return action;
  return { ...action, reference: choose(references, seed, 'reference', principal, key) } as Action;
}
