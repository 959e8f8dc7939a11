/** Random histories whose wallet table is lost, restored with torn transactions, and recovered. */
import { between, chance, choose } from './chance.ts';
import type { Engines } from './engines.ts';
import { generate, planOf } from './generate.ts';
import type { Action, History, RecoveryPlan, Step } from './history.ts';
import { exactly } from './plan.ts';
import type { FaultKind, Plan } from './plan.ts';
import { withCollections } from './random-fees.ts';
import type { Outcome } from './simulation.ts';

const minuteMs = 60_000;
/** A restore is some minutes stale: DynamoDB restores to no later moment. */
const mostStaleMs = 5 * minuteMs;
const deaths: readonly FaultKind[] = ['crash-before', 'crash-after'];
/** More calls than most recoveries of a history make. */
const mostCalls = 160;

/** Returns a history with a loss and a recovery. */
function generateRestore(seed: string, most: number): History {
  const { restore: _restore, bankReplacedAt: _replaced, ...random } = generate(seed, most);
  const history = chance(seed, 'restore', 'collections') < 0.5 ? withCollections(random) : random;
  const pick = <T>(choices: readonly T[], name: string) => choose(choices, seed, 'restore', name);
  const within = (least: number, last: number, name: string) => between(least, last, seed, 'restore', name);
  const steps = history.steps.filter(({ action }) => action.do !== 'balance-at');
  const last = Math.max(...steps.map(({ at }) => at));
  const at = within(4_500, last + 60_000, 'lost at');
  const to = Math.max(3_500, at - within(0, choose([20_000, mostStaleMs], seed, 'stale'), 'stale'));
  const recovery: RecoveryPlan = {
    tornMs: pick([0, 50, 500, 3_000], 'torn'),
    archiveLagMs: chance(seed, 'restore', 'archive') < 0.25 ? undefined : pick([0, 5_000, 60_000], 'lag'),
    entries: pick(['kept', 'kept', 'kept', 'kept', 'torn', 'lost'], 'entries'),
    diesAt: chance(seed, 'restore', 'dies') < 0.5 ? within(0, mostCalls, 'dies at') : undefined,
  };
  const stoppedMs = history.bank.windowMs + 30_000;
  return {
    ...history,
    steps: [...steps, ...repeated(seed, steps, at + stoppedMs + minuteMs)],
    hasBooks: true,
    restore: { at, to, stoppedMs, recovery },
    // An operator recovers while nothing else is wrong for long.
    calmAt: at + stoppedMs + within(0, 30 * minuteMs, 'calm'),
    faultRate: pick([0, 0, 0.02, 0.05], 'faults'),
  };
}

/** Repeats earlier commands with their keys: some were forgotten, others were put back. */
function repeated(seed: string, steps: readonly Step[], from: number): Step[] {
  return steps
    .filter(({ id, action }) => repeats(action) && chance(seed, 'repeated', id) < 0.4)
    .map((step, n) => ({
      ...step,
      id: `again ${n}`,
      at: from + between(0, 60_000, seed, 'repeated', step.id),
      retries: 3,
    }));
}

function repeats(action: Action): boolean {
  const others = [
    'split',
    'capture',
    'release',
    'refund',
    'create-batch',
    'cancel-standing-order',
    'approve',
    'reject',
  ];
  return 'wallet' in action || others.includes(action.do);
}

/** Returns the faults of a history, and the death of its first recovery. */
function planOfRestore(history: History): Plan {
  const others = planOf(history);
  const diesAt = history.restore?.recovery?.diesAt;
  const death = choose(deaths, history.seed, 'restore', 'death');
  const fatal = exactly(diesAt === undefined ? [] : [{ point: `recover 0/${diesAt}`, kind: death }]);
  return (point, atMs) => {
    // The check makes so many calls that it would never end with faults.
    if (point.id.startsWith('check of the books')) return undefined;
    return fatal(point, atMs) ?? others(point, atMs);
  };
}

export async function runRestore(
  engines: Engines,
  seed: string,
  steps = 12,
): Promise<{ history: History; outcome: Outcome }> {
  const history = generateRestore(seed, steps);
  return { history, outcome: await engines.run(history, planOfRestore(history)) };
}

/** What the recoveries of some histories had to do. */
export interface Restores {
  restores: number;
  /** Recoveries that died at one of their calls, and were run again. */
  deaths: number;
  repairs: number;
  /** Transactions that were put back from the archive. */
  putBack: number;
  /** Open withdrawals that the bank had paid. */
  paid: number;
  /** Wallets that a torn transaction had left behind or ahead. */
  torn: number;
  /** Named differences. */
  differences: number;
}

export function noRestores(): Restores {
  return { restores: 0, deaths: 0, repairs: 0, putBack: 0, paid: 0, torn: 0, differences: 0 };
}

/** Counts what a recovery reported. Its lines are in the story of the history. */
export function tallyRestore(tally: Restores, { restore }: History, { story, struck }: Outcome): void {
  const lines = story.filter((line) => /recover (again )?\d+: /.test(line));
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  tally.restores++;
  if (struck.some(({ point }) => point === `recover 0/${String(restore?.recovery?.diesAt)}`)) tally.deaths++;
  tally.repairs += lines.length - count(/DIFFERENCE/);
  tally.putBack += count(/: transaction tx_\w+: put back/);
  tally.paid += count(/paid by the bank: completed/);
  tally.torn += count(/: wallet w_\w+: was /);
  tally.differences += count(/DIFFERENCE/);
}
