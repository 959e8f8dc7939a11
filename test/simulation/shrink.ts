/** Finds a short history that still fails: without steps and faults that the failure does not need. */
import type { Engines } from './engines.ts';
import type { History, Step } from './history.ts';
import { exactly } from './plan.ts';
import type { Fault } from './plan.ts';
import type { Outcome } from './simulation.ts';

export interface Failing {
  readonly history: History;
  readonly faults: readonly Fault[];
  readonly outcome: Outcome;
}

/** The most histories that one search may run. */
const mostRuns = 400;

/**
 * Shrinks a failing history.
 *
 * @param rule the rule that a shorter history must break too
 */
export async function shrink(engines: Engines, failing: Failing, rule: string): Promise<Failing> {
  let shortest = failing;
  let runs = 0;

  async function stillFails(steps: readonly Step[], faults: readonly Fault[]): Promise<boolean> {
    // The times of an upgrade are those of steps.
    if (steps.length === 0 || runs++ >= mostRuns) return false;
    const history = { ...failing.history, steps };
    const outcome = await engines.run(history, exactly(faults));
    if (!outcome.violations.some((violation) => violation.rule === rule)) return false;
    shortest = { history, faults, outcome };
    return true;
  }

  /** Removes ever smaller parts, as long as the rest still fails. */
  async function without<T>(parts: () => readonly T[], fails: (rest: readonly T[]) => Promise<boolean>): Promise<void> {
    for (let size = Math.ceil(parts().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = parts().length - size; start > -size; start -= size) {
        const from = Math.max(0, start);
        await fails(parts().toSpliced(from, start + size - from));
      }
    }
  }

  let length: number;
  do {
    length = shortest.faults.length + shortest.history.steps.length;
    await without(
      () => shortest.faults,
      (rest) => stillFails(shortest.history.steps, rest),
    );
    await without(
      () => shortest.history.steps,
      (rest) => stillFails(rest, shortest.faults),
    );
  } while (shortest.faults.length + shortest.history.steps.length < length && runs < mostRuns);
  return shortest;
}
