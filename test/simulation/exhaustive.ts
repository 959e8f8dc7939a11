/** Every operation, with every fault at every external call that it makes, one at a time. */
import type { Engines } from './engines.ts';
import type { History } from './history.ts';
import type { Operation } from './operation.ts';
import { exactly } from './plan.ts';
import type { Fault, FaultKind, Point } from './plan.ts';
import type { Violation } from './simulation.ts';

/** The result of one operation under all its faults. */
export interface Examination {
  /** The external calls of the operation without further faults. */
  readonly calls: readonly Point[];
  /** The number of histories that were run: one for each fault at each call. */
  readonly runs: number;
  readonly failures: readonly { readonly fault: Fault | undefined; readonly violations: readonly Violation[] }[];
}

/**
 * Runs an operation once for each fault at each of its calls.
 *
 * @param tries returns whether to try this kind of fault at a call
 */
export async function examine(
  engines: Engines,
  { history, given, strikes }: Operation,
  tries: (kind: FaultKind, call: string) => boolean,
): Promise<Examination> {
  const before = await setting(engines, history, given);
  const calm = await engines.run(history, exactly(before));
  const struck = new Set(before.map(({ point }) => point));
  const calls = calm.points.filter(
    ({ id, call }) => !id.startsWith('setup') && !struck.has(id) && (strikes?.includes(call) ?? true),
  );
  const failures: Examination['failures'][number][] = [];
  if (calm.violations.length > 0) failures.push({ fault: undefined, violations: calm.violations });
  let runs = 1;
  for (const { id, call, kinds } of calls) {
    for (const kind of kinds.filter((one) => tries(one, call))) {
      const fault = { point: id, kind };
      const { violations, points } = await engines.run(history, exactly([...before, fault]));
      runs++;
      // Until the fault strikes, the run is the same as without it.
      if (!points.some((point) => point.id === id)) throw new Error(`${id} was not reached again`);
      if (violations.length > 0) failures.push({ fault, violations });
    }
  }
  return { calls, runs, failures };
}

/** Returns the faults that put an operation into its given circumstances. */
async function setting(engines: Engines, history: History, given: Operation['given']): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const { call, kind } of given) {
    const { points } = await engines.run(history, exactly(faults));
    const point = points.find((one) => one.call === call && !one.id.startsWith('setup'));
    if (point === undefined) throw new Error(`the operation makes no call "${call}"`);
    faults.push({ point: point.id, kind });
  }
  return faults;
}
