/** The releases that a history runs: one, or those of an upgrade, of which each invocation of a function meets one. */
import { routes } from '../../lambdas/contract.ts';
import { choose } from './chance.ts';
import { integrity, openRelease, telemetry } from './release.ts';
import type { Integrity, Outside, Release, Telemetry } from './release.ts';
import type { Task } from './world.ts';

/** The module release.ts of some folder, and the names of the routes that its contract has. */
export interface ReleaseModule {
  readonly routes: ReadonlySet<string>;
  readonly openRelease: (outside: Outside) => Release;
  readonly integrity: Integrity;
  readonly telemetry: Telemetry;
}

/** A release that is deployed now, or was before. */
export interface Deployed extends Release {
  readonly name: string;
  readonly integrity: Integrity;
}

/** A time of an upgrade in which these releases run side by side. */
export interface Stage {
  /** Ms after the beginning of the history. */
  readonly from: number;
  /** Names of releases. */
  readonly releases: readonly [string, ...string[]];
}

/** An upgrade, with its rollbacks. */
export interface Rollout {
  /** Its way, and the type of its newer items. */
  readonly name: string;
  readonly modules: Readonly<Record<string, ReleaseModule>>;
  /** In the order of time; the first begins at 0. The last one has a single release, which reads every item. */
  readonly stages: readonly [Stage, ...Stage[]];
  /** The releases that read only the items of their own version. */
  readonly earlier: readonly string[];
  /** True if no earlier release runs beside one that writes newer items. Only a process that was frozen meets one then. */
  readonly readsFirst: boolean;
}

export interface Deployment {
  /** Returns the release on which an invocation of a function runs. `which` names the invocation. */
  readonly releaseFor: (name: string, which: string) => Deployed;
  /** Returns whether every release that runs now has a route. A route is added when no release without it runs. */
  readonly hasRoute: (route: string) => boolean;
  /** Returns the release that runs when everything is at rest. */
  readonly last: () => Deployed;
  /** Records on which release a task runs. */
  readonly note: (task: Task, name: string, release: Deployed) => void;
  /** Returns function and release of a task. */
  readonly runBy: (task: Task | undefined) => { readonly name: string; readonly release: string } | undefined;
  readonly telemetry: readonly Telemetry[];
}

/** Returns the names of a contract's routes. */
export function namesOf(all: readonly { readonly function: string; readonly name?: string }[]): ReadonlySet<string> {
  return new Set(all.map((route) => route.name ?? route.function));
}

/** A history without an upgrade. */
const single: Rollout = {
  name: 'none',
  modules: { this: { integrity, openRelease, telemetry, routes: namesOf(routes) } },
  stages: [{ from: 0, releases: ['this'] }],
  earlier: [],
  readsFirst: true,
};

/** Deploys the releases of a rollout; absent: the one of this folder. */
export function deploy(outside: Outside, startsAt: number, { modules, stages }: Rollout = single): Deployment {
  const { world } = outside;
  const deployed = new Map(
    Object.entries(modules).map(([name, { openRelease, integrity }]): [string, Deployed] => [
      name,
      { name, integrity, ...openRelease(outside) },
    ]),
  );
  const ran = new WeakMap<Task, { readonly name: string; readonly release: string }>();
  const called = (name: string): Deployed => {
    const release = deployed.get(name);
    if (release === undefined) throw new Error(`there is no release ${name}`);
    return release;
  };
  const running = () => (stages.findLast(({ from }) => from <= world.now() - startsAt) ?? stages[0]).releases;
  return {
    releaseFor: (name, which) => called(choose(running(), world.seed, 'release', name, which)),
    hasRoute: (route) => running().every((name) => modules[name]?.routes.has(route) === true),
    last: () => called((stages.at(-1) ?? stages[0]).releases[0]),
    note: (task, name, release) => ran.set(task, { name, release: release.name }),
    runBy: (task) => task && ran.get(task),
    telemetry: Object.values(modules).map(({ telemetry }) => telemetry),
  };
}
