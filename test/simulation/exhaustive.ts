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
 * @param tries returns whether to try this kind of fault at a call; it is asked once for each, in their order
 */
export async function examine(
  engines: Engines,
  { history, given, strikes }: Operation,
  tries: (kind: FaultKind, point: Point) => boolean,
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
  for (const call of calls) {
    const { id, kinds } = call;
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

/**
 * Returns a function that tells whether a call of an operation is the first of its kind: no call before, in the same
 * circumstances, made the same change in the same function. A process that dies after either leaves the same state behind.
 */
export function firstOfKind(): (operation: Operation, point: Point) => boolean {
  const known = new Set<string>();
  return ({ given, history }, { id, call, change }) => {
    const kind = JSON.stringify([given, functionOf(history, id), call, change]);
    const isFirst = !known.has(kind);
    known.add(kind);
    return isFirst;
  };
}

/** Returns the name of the function that makes a call: what a step does, or the label of other work without its numbers. */
function functionOf(history: History, id: string): string {
  const label = id.slice(0, id.lastIndexOf('/'));
  const step = history.steps.find((one) => label === one.id || label.startsWith(`${one.id}.`));
  return step?.action.do ?? label.replaceAll(/[^a-z ]/g, '');
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
