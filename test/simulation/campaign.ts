/** Many random histories in turn, their totals, and the first one that failed. */
import type { Engines } from './engines.ts';
import { generate, planOf } from './generate.ts';
import { exactly } from './plan.ts';
import type { Fault } from './plan.ts';
import { shrink } from './shrink.ts';
import type { Failing } from './shrink.ts';
import type { Outcome } from './simulation.ts';
import { stateNames } from './states.ts';
import type { StateName } from './states.ts';

/** One history: the campaign's seed, its number, and its maximum length. */
export interface Numbered {
  readonly seed: string;
  readonly number: number;
  readonly steps: number;
  /** The old release of its upgrade, as a commit; absent: it has no upgrade. */
  readonly upgradeFrom?: string | undefined;
}

export interface Totals {
  histories: number;
  /** External calls and deliveries, each of which a fault could have struck. */
  points: number;
  /** Faults that struck, by kind. */
  readonly faults: Record<string, number>;
  /** Answers by route, status and code, and transactions by type and status. */
  readonly tally: Record<string, number>;
  /** Histories by the state that they reached. */
  readonly states: Record<StateName, number>;
  /** Withdrawals and holds, by their traces as JSON. */
  readonly traces: Record<string, number>;
}

/** Enough histories for each state to be reached by some. */
export const enoughHistories = 1_000;

/** Returns the states that no history of a campaign has reached, or none if the campaign was too short for them. */
export function missedStates({ histories, states }: Totals): StateName[] {
  return histories < enoughHistories ? [] : stateNames.filter((name) => states[name] === 0);
}

export function noTotals(): Totals {
  const states = Object.fromEntries(stateNames.map((name) => [name, 0])) as Totals['states'];
  return { histories: 0, points: 0, faults: {}, tally: {}, states, traces: {} };
}

export function addTotals(to: Totals, more: Totals): void {
  to.histories += more.histories;
  to.points += more.points;
  for (const [name, count] of Object.entries(more.faults)) to.faults[name] = (to.faults[name] ?? 0) + count;
  for (const [name, count] of Object.entries(more.tally)) to.tally[name] = (to.tally[name] ?? 0) + count;
  for (const name of stateNames) to.states[name] += more.states[name];
  for (const [trace, count] of Object.entries(more.traces)) to.traces[trace] = (to.traces[trace] ?? 0) + count;
}

export async function runNumbered(engines: Engines, { seed, number, steps }: Numbered) {
  const history = generate(`${seed}/${number}`, steps);
  return { history, outcome: await engines.run(history, planOf(history)) };
}

/** Returns the contribution of one history to the totals. */
export function totalsOf({ points, struck, tally, states, traces }: Outcome): Totals {
  const totals = { ...noTotals(), histories: 1, points: points.length, tally: Object.fromEntries(tally) };
  for (const { kind } of struck) totals.faults[kind] = (totals.faults[kind] ?? 0) + 1;
  for (const name of states) totals.states[name] = 1;
  for (const trace of traces) {
    const text = JSON.stringify(trace);
    totals.traces[text] = (totals.traces[text] ?? 0) + 1;
  }
  return totals;
}

/** Shrinks a failed history as far as possible. Returns a report of it. */
export async function explain(engines: Engines, numbered: Numbered, failing: Failing): Promise<string> {
  const rule = failing.outcome.violations[0]?.rule ?? '';
  const { history, faults, outcome } = await shrink(engines, failing, rule);
  const only = history.steps.map(({ id }) => id);
  const { upgradeFrom } = numbered;
  const upgrade = upgradeFrom === undefined ? '' : ` --upgrade --old ${upgradeFrom}`;
  return [
    ...outcome.story,
    '',
    `"${rule}" is broken by ${only.length} steps and ${faults.length} faults. Again:`,
    `npm run simulate --${upgrade} --seed ${numbered.seed} --steps ${numbered.steps} --history ${numbered.number} ` +
      `--only '${only.join(',')}' --faults '${faults.map(({ point, kind }) => `${point}=${kind}`).join(';')}'`,
  ].join('\n');
}

/** Runs one history again: whole, or only some of its steps, or with exactly these faults. */
export async function replay(
  engines: Engines,
  { seed, number, steps }: Numbered,
  part: { readonly only: string | undefined; readonly faults: string | undefined },
): Promise<Outcome> {
  const whole = generate(`${seed}/${number}`, steps);
  const ids = part.only?.split(',');
  const history = { ...whole, steps: whole.steps.filter(({ id }) => ids?.includes(id) ?? true) };
  return engines.run(history, part.faults === undefined ? planOf(whole) : exactly(readFaults(part.faults)));
}

function readFaults(text: string): Fault[] {
  return text
    .split(';')
    .filter((one) => one !== '')
    .map((one) => {
      const [point = '', kind = ''] = one.split('=');
      return { point, kind: kind as Fault['kind'] };
    });
}
