/**
 * Simulated time, and the tasks that live in it. A task is one process's work: an invocation of a function, which
 * makes external calls, sleeps, ends, or dies. Every external call passes through `external`, takes its time, and may
 * be struck by a fault; which task goes on next is decided by the clock alone. Between two events everything that can
 * run runs to its next call, so one seed gives one history.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { between, chance } from './chance.ts';
import { everywhere } from './plan.ts';
import type { Fault, FaultKind, Plan, Point } from './plan.ts';

/** One invocation of a function. */
export interface Task {
  readonly label: string;
  /** What the clock of its process is ahead by, ms. */
  readonly aheadMs: number;
  /** When its time limit ends it, epoch ms. */
  deadline: number;
  died: boolean;
  /** External calls made. */
  calls: number;
  /** Numbers drawn. */
  draws: number;
  /** What struck it. */
  readonly faults: FaultKind[];
  readonly die: () => void;
}

/** How a task ended; one that died leaves no answer. */
export type Ending<T> =
  | { readonly how: 'returned'; readonly value: T; readonly task: Task }
  | { readonly how: 'threw'; readonly error: unknown; readonly task: Task }
  | { readonly how: 'died'; readonly task: Task };

/** A call that leaves the process. Times in milliseconds. */
export interface ExternalCall<T> {
  readonly service: 'dynamodb' | 'sqs' | 'bank' | 'secrets';
  readonly operation: string;
  /** What can happen to it besides what can happen everywhere. */
  readonly kinds: readonly FaultKind[];
  /** Least and most time that a request or an answer is under way. */
  readonly legMs: readonly [number, number];
  /** When the caller stops waiting. */
  readonly timeoutMs: number;
  /** What the caller sees then. */
  readonly lost: () => Error;
  /** By when a late request has arrived; absent: within ten seconds after the time-out. */
  readonly arrivesWithinMs?: number;
  /** Takes effect and gives the answer, or rejects with the error that the caller sees. */
  readonly perform: (fault: Struck) => Promise<T>;
}

/** What strikes a call; `kind` undefined: nothing. */
export interface Struck {
  readonly kind: FaultKind | undefined;
  readonly id: string;
  /** To be called when the fault turned out to change nothing. */
  readonly missed: () => void;
}

export interface World {
  readonly seed: string;
  /** The true time, epoch ms: that of the bank, of AWS and of callers. */
  readonly now: () => number;
  /** What the clock of the running task's process shows, epoch ms. */
  readonly clock: () => number;
  /** A number in [0, 1), for the running task. */
  readonly random: () => number;
  /** For tasks and for those who drive them. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly external: <T>(call: ExternalCall<T>) => Promise<T>;
  /** What strikes at a place that is no call of a task. */
  readonly strike: (point: Point) => FaultKind | undefined;
  /** Runs work in a process whose clock is ahead by `aheadMs`, and which dies at its time limit. */
  readonly task: <T>(label: string, limitMs: number, work: () => Promise<T>, aheadMs?: number) => Promise<Ending<T>>;
  readonly current: () => Task | undefined;
  /** Ends every process, and starts none before `until`, epoch ms. */
  readonly stop: (until: number) => void;
  /** How often everything was stopped. */
  readonly stops: () => number;
  /** Does something later. */
  readonly at: (time: number, run: () => void | Promise<void>) => void;
  /** Lets time pass up to `until` (epoch ms), or until nothing is left to happen. */
  readonly run: (until: number) => Promise<void>;
  /** Whether nothing is left to happen. */
  readonly idle: () => boolean;
  /** From now on nothing goes wrong. */
  readonly calm: () => void;
  /** Every place at which a fault could have struck, in the order of time. */
  readonly points: readonly Point[];
  /** Every fault that struck. */
  readonly struck: readonly (Fault & { readonly call: string })[];
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

/** A world that begins at `startsAt`, epoch ms. */
export function openWorld(seed: string, startsAt: number, givenPlan: Plan): World {
  let clock = startsAt;
  let order = 0;
  let activity = 0;
  let plan = givenPlan;
  const events: Event[] = [];
  const points: Point[] = [];
  const struck = new Map<string, Fault & { call: string }>();
  const storage = new AsyncLocalStorage<Task>();
  const tasks = new Set<Task>();
  let stoppedUntil = -Infinity;
  let stops = 0;

  const now = () => clock;

  function at(time: number, run: Event['run']): void {
    activity++;
    const event = { at: Math.max(time, clock), order: order++, run };
    let place = events.length;
    while (place > 0 && (events[place - 1]?.at ?? 0) > event.at) place--;
    events.splice(place, 0, event);
  }

  function strike(point: Point): FaultKind | undefined {
    points.push(point);
    const kind = plan(point, clock - startsAt);
    if (kind === undefined || !point.kinds.includes(kind)) return undefined;
    struck.set(point.id, { point: point.id, kind, call: point.call });
    return kind;
  }

  function sleep(ms: number): Promise<void> {
    const task = storage.getStore();
    return new Promise((resolve) => {
      if (task?.died) return;
      at(clock + Math.ceil(ms), () => {
        if (!task?.died) resolve();
      });
    });
  }

  function external<T>(call: ExternalCall<T>): Promise<T> {
    const task = storage.getStore();
    if (task === undefined) throw new Error(`${call.service} ${call.operation} is called by nobody`);
    // The dead make no calls, and nobody waits for them.
    if (task.died) return new Promise(() => undefined);
    const id = `${task.label}/${String(task.calls++)}`;
    const kind = strike({
      id,
      call: `${call.service} ${call.operation}`,
      kinds: [...everywhere, ...call.kinds],
    });
    if (kind !== undefined) task.faults.push(kind);
    const perform = () => call.perform({ kind, id, missed: () => struck.delete(id) });
    const [least, most] = call.legMs;
    const there = between(least, most, seed, 'there', id);
    const back = between(least, most, seed, 'back', id);
    const extension = kind === 'pause' ? between(150_000, 300_000, seed, 'pause', id) : 0;
    const stall = kind === 'stall' ? between(5_000, 6_500, seed, 'stall', id) : 0;

    return new Promise<T>((resolve, reject) => {
      const answer = (delayMs: number, settle: () => void) => {
        at(clock + delayMs, () => {
          if (!task.died) settle();
        });
      };
      const timeOut = () => {
        answer(call.timeoutMs, () => {
          reject(call.lost());
        });
      };
      switch (kind) {
        case 'crash-before':
          task.die();
          return;
        case 'lost-request':
          timeOut();
          return;
        case 'lost-answer':
          at(clock + there, () => perform().then(nothing, nothing));
          timeOut();
          return;
        case 'late': {
          const latest = call.arrivesWithinMs ?? call.timeoutMs + 10_000;
          const earliest = Math.min(call.timeoutMs + 1, latest);
          at(clock + between(earliest, latest, seed, 'late', id), () => perform().then(nothing, nothing));
          timeOut();
          return;
        }
        default:
          at(clock + there, async () => {
            // A request that was under way when its sender died may arrive or not.
            if (task.died && chance(seed, 'arrives', id) < 0.5) return;
            let settle: () => void;
            try {
              const value = await perform();
              settle = () => {
                resolve(value);
              };
            } catch (error) {
              settle = () => {
                reject(error instanceof Error ? error : new Error(String(error)));
              };
            }
            if (kind === 'crash-after') task.die();
            task.deadline += extension;
            answer(back + extension + stall, settle);
          });
      }
    });
  }

  function task<T>(label: string, limitMs: number, work: () => Promise<T>, aheadMs = 0): Promise<Ending<T>> {
    return new Promise((resolve) => {
      const running: Task = {
        label,
        aheadMs,
        deadline: clock + limitMs,
        died: false,
        calls: 0,
        draws: 0,
        faults: [],
        die() {
          running.died = true;
          finish({ how: 'died', task: running });
        },
      };
      let ended = false;
      const finish = (ending: Ending<T>) => {
        if (ended) return;
        ended = true;
        activity++;
        tasks.delete(running);
        resolve(ending);
      };
      if (clock < stoppedUntil) {
        running.die();
        return;
      }
      tasks.add(running);
      const atDeadline = () => {
        if (ended) return;
        if (clock >= running.deadline) running.die();
        else at(running.deadline, atDeadline);
      };
      at(running.deadline, atDeadline);
      storage.run(running, work).then(
        (value) => {
          if (!running.died) finish({ how: 'returned', value, task: running });
        },
        (error: unknown) => {
          if (!running.died) finish({ how: 'threw', error, task: running });
        },
      );
    });
  }

  /** Until everything that can run has run to its next call. */
  async function drain(): Promise<void> {
    let seen: number;
    do {
      seen = activity;
      await new Promise((resolve) => setImmediate(resolve));
    } while (seen !== activity);
  }

  return {
    seed,
    now,
    clock: () => clock + (storage.getStore()?.aheadMs ?? 0),
    random() {
      const running = storage.getStore();
      return running === undefined ? 0.5 : chance(seed, 'random', running.label, running.draws++);
    },
    sleep,
    external,
    strike,
    task,
    current: () => storage.getStore(),
    stop(until) {
      stoppedUntil = until;
      stops++;
      for (const task of tasks) task.die();
    },
    stops: () => stops,
    at,
    async run(until) {
      await drain();
      for (let next = events[0]; next !== undefined && next.at <= until; next = events[0]) {
        events.shift();
        clock = next.at;
        await next.run();
        await drain();
      }
      if (Number.isFinite(until)) clock = Math.max(clock, until);
    },
    idle: () => events.length === 0,
    calm() {
      plan = () => undefined;
    },
    points,
    get struck() {
      return [...struck.values()];
    },
  };
}

function nothing(): void {
  // Nobody waits for the answer.
}
