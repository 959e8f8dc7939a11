/** Upgrades and rollbacks at random, and the rules that releases must keep about items of a newer version. */
import { between, choose } from './chance.ts';
import type { ReleaseModule, Rollout, Stage } from './deployment.ts';
import type { History } from './history.ts';
import type { Item, Violate, WalletState } from './items.ts';
import { newMembers } from './newer-releases.ts';
import { withoutAliases } from './random-aliases.ts';
import { withoutApprovals } from './random-approvals.ts';
import { withoutFees } from './random-fees.ts';
import { withoutBatches } from './random-batches.ts';
import { withoutReferences } from './random-references.ts';
import { withoutSchedules } from './random-schedules.ts';
import { withoutWebhooks } from './random-webhooks.ts';
import type { Task } from './world.ts';

/** The releases of an upgrade. `reader` reads the newer versions and writes none; each writer writes one of them. */
export interface Releases {
  readonly old: ReleaseModule;
  readonly reader: ReleaseModule;
  readonly writers: Readonly<Record<string, ReleaseModule>>;
}

/** The least time between the end of an earlier release and the first newer item: its slowest invocation has ended. */
const settledMs = 60_000;

/** What a history loses where the old release lacks a route. */
const parts: readonly { readonly route: string; readonly without: (history: History) => History }[] = [
  { route: 'approve', without: withoutApprovals },
  { route: 'create-batch', without: withoutBatches },
  { route: 'open-standing-order', without: withoutSchedules },
  { route: 'find-transactions', without: withoutReferences },
];

/**
 * Returns the part of a history that an upgrade has: its table is never put back, and its old release has all parts. Records
 * with a fee have version 2, which is the newer one here. Webhooks have no newer items. An old release may show payers the
 * wallet behind an alias.
 */
export function fitForUpgrade({ restore, ...history }: History, { old }: Releases): History {
  const lacking = parts.filter(({ route }) => !old.routes.has(route));
  return lacking.reduce<History>(
    (rest, { without }) => without(rest),
    withoutAliases(withoutFees(withoutWebhooks(history))),
  );
}

/** The types of newer items, each as often as it is to occur. */
const changes = ['transactions', 'transactions', 'wallets', 'messages'];

/** Returns a random upgrade for a history. */
export function rolloutOf({ seed, steps, hasBooks }: History, { old, reader, writers }: Releases): Rollout {
  const change = choose(hasBooks ? [...changes, 'entries', 'entries'] : changes, seed, 'change');
  const writer = writers[change];
  if (writer === undefined) throw new Error('there is no newer release');
  const modules = { old, reader, writer };
  const way = choose(Object.keys(ways) as (keyof typeof ways)[], seed, 'way');
  const plan = ways[way];
  const last = Math.max(...steps.map(({ at }) => at));
  // The first stage ends before the first command, and the last but one when most work has ended.
  const ends = plan
    .slice(2)
    .map((_, n) => (n === 0 ? last : choose(steps, seed, 'stage', n).at) + between(0, 60_000, seed, 'stage', n))
    .concat(between(500, 4_500, seed, 'first stage'))
    .sort((a, b) => a - b);
  let from = 0;
  const stages = plan.map((releases, n): Stage => {
    const isAlone = way === 'reads first' && n === firstOf(plan);
    if (n > 0) from = Math.max(from, ends[n - 1] ?? 0) + (isAlone ? settledMs : 0);
    return { from, releases };
  });
  const [first = { from: 0, releases: ['old'] }, ...others] = stages;
  const name = `${way}, to newer ${change}`;
  return { name, modules, stages: [first, ...others], earlier: ['old'], readsFirst: way === 'reads first' };
}

type Names = readonly ['old' | 'reader' | 'writer', ...('old' | 'reader' | 'writer')[]];

/** The ways from the old release to the newest, each as the releases that run side by side one time after the other. */
const ways = {
  // Each release at most one ahead of the other, also back and forth.
  'reads first': [
    ['old'],
    ['old', 'reader'],
    ['reader'],
    ['reader', 'writer'],
    ['writer'],
    ['reader', 'writer'],
    ['reader'],
    ['writer'],
  ],
  // The release that only reads is left out.
  'leaves one out': [['old'], ['old', 'writer'], ['writer']],
  'goes back by two': [
    ['old'],
    ['old', 'writer'],
    ['writer'],
    ['old', 'writer'],
    ['old'],
    ['old', 'writer'],
    ['writer'],
  ],
} as const satisfies Record<string, readonly Names[]>;

/** Returns the index of the first stage with newer items. */
function firstOf(plan: readonly Names[]): number {
  return plan.findIndex((names) => names.some((name) => name === 'writer'));
}

/** Returns whether a task may meet an item that its release cannot read. */
export function mayBePuzzled(
  rollout: Rollout | undefined,
  by: { readonly release: string } | undefined,
  { faults }: Task,
): boolean {
  if (rollout === undefined || by === undefined || !rollout.earlier.includes(by.release)) return false;
  return !rollout.readsFirst || faults.includes('pause');
}

/** Checks a change of an item during an upgrade. */
export function checkUpgrade(change: {
  readonly before: Item;
  readonly after: Item;
  readonly by: { readonly name: string; readonly release: string } | undefined;
  readonly rollout: Rollout;
  readonly violate: Violate;
}): void {
  const { before, after, by, rollout, violate } = change;
  const detail = `${String(after['pk'])}, by ${by?.name ?? 'no task'} of ${by?.release ?? 'no release'}`;
  const [was, is] = [versionOf(before), versionOf(after)];
  if (is < was) violate('a version never goes back', detail);
  for (const member of newMembers) {
    if (before[member] !== undefined && after[member] !== before[member]) {
      violate('members of a newer release stay', `${member} of ${detail}`);
    }
  }
  if (was === 1 || by === undefined || !rollout.earlier.includes(by.release)) return;
  if (!isPromised(before, after)) violate('an item of a newer version is left alone', detail);
}

function versionOf({ v = 1 }: Item): number {
  return Number(v);
}

/** Returns whether a change only moves promised money: it ends a hold, or gives money back. */
function isPromised(before: Item, after: Item): boolean {
  const [was, is] = [before, after] as [WalletState, WalletState];
  return after['sk'] === 'WALLET' && is.status === was.status && is.available >= was.available && is.held <= was.held;
}
