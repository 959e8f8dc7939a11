/**
 * Simulated time, and the tasks that run in it. A task is the work of one process: one invocation of a function. It
 * makes external calls, sleeps, and ends or dies. Every external call passes through `external`, takes its time, and
 * may be struck by a fault. Only the clock decides which task continues next. Between two events every runnable task
 * runs to its next call, so one seed gives one history.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { between, chance } from './chance.ts';
import { everywhere } from './plan.ts';
import type { Fault, FaultKind, Plan, Point } from './plan.ts';

/** One invocation of a function. */
export interface Task {
  readonly label: string;
  /** The lead of its process's clock over the true time, ms. */
  readonly aheadMs: number;
  /** The time when its time limit ends it, epoch ms. */
  deadline: number;
  died: boolean;
  /** The number of external calls made. */
  calls: number;
  /** The number of random numbers drawn. */
  draws: number;
  /** The faults that struck it. */
  readonly faults: FaultKind[];
  readonly die: () => void;
}

/** The end of a task; one that died leaves no answer. */
export type Ending<T> =
  | { readonly how: 'returned'; readonly value: T; readonly task: Task }
  | { readonly how: 'threw'; readonly error: unknown; readonly task: Task }
  | { readonly how: 'died'; readonly task: Task };

/** A call that leaves the process. Times in milliseconds. */
export interface ExternalCall<T> {
  readonly service: 'dynamodb' | 'sqs' | 'bank' | 'secrets' | 'receiver' | 'eventbridge';
  readonly operation: string;
  /** As in a `Point`. */
  readonly change?: string;
  /** The faults that can strike it besides those of every call. */
  readonly kinds: readonly FaultKind[];
  /** The least and the most time that a request or an answer takes. */
  readonly legMs: readonly [number, number];
  /** The time after which the caller times out. */
  readonly timeoutMs: number;
  /** Returns the error that the caller sees then. */
  readonly lost: () => Error;
  /** The time within which a late request has arrived; absent: within ten seconds after the time-out. */
  readonly arrivesWithinMs?: number;
  /** Takes effect and returns the answer, or rejects with the error that the caller sees. */
  readonly perform: (fault: Struck) => Promise<T>;
}

/** The fault that strikes a call; `kind` undefined: none. */
export interface Struck {
  readonly kind: FaultKind | undefined;
  readonly id: string;
  /** Reports that the fault changed nothing. */
  readonly missed: () => void;
}

export interface World {
  readonly seed: string;
  /** Returns the true time, epoch ms: that of the bank, of AWS and of callers. */
  readonly now: () => number;
  /** Returns the time of the clock of the running task's process, epoch ms. */
  readonly clock: () => number;
  /** Returns a number in [0, 1) for the running task. */
  readonly random: () => number;
  /** Sleeps, in a task or in the code that drives tasks. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly external: <T>(call: ExternalCall<T>) => Promise<T>;
  /** Returns the fault that strikes at a place outside the calls of a task. */
  readonly strike: (point: Point) => FaultKind | undefined;
  /** Runs work in a process whose clock is ahead by `aheadMs`. The process dies at its time limit. */
  readonly task: <T>(label: string, limitMs: number, work: () => Promise<T>, aheadMs?: number) => Promise<Ending<T>>;
  /** Runs work of an operator, also while everything is stopped. */
  readonly operate: <T>(label: string, work: () => Promise<T>) => Promise<Ending<T>>;
  readonly current: () => Task | undefined;
  /** Ends every process, and starts none before `until`, epoch ms. */
  readonly stop: (until: number) => void;
  /** Ends the stop now. */
  readonly start: () => void;
  /** Returns the number of full stops. */
  readonly stops: () => number;
  /** Schedules work for a time. */
  readonly at: (time: number, run: () => void | Promise<void>) => void;
  /** Advances the time to `until` (epoch ms), or until no event is left. */
  readonly run: (until: number) => Promise<void>;
  /** Returns whether no event is left. */
  readonly idle: () => boolean;
  /** Ends all faults from now on. */
  readonly calm: () => void;
  /** Every place where a fault could have struck, in the order of time. */
  readonly points: readonly Point[];
  /** Every fault that struck. */
  readonly struck: readonly (Fault & { readonly call: string })[];
}

/** Time limit of an operator's work, ms. */
const operatorLimitMs = 24 * 3_600_000;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

/** Opens a world that begins at `startsAt`, epoch ms. */
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
    let index = events.length;
    while (index > 0 && (events[index - 1]?.at ?? 0) > event.at) index--;
    events.splice(index, 0, event);
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
    if (task === undefined) throw new Error(`${call.service} ${call.operation} is called outside of a task`);
    // A dead task makes no calls, and no caller waits for it.
    if (task.died) return new Promise(() => undefined);
    const id = `${task.label}/${String(task.calls++)}`;
    const kind = strike({
      id,
      call: `${call.service} ${call.operation}`,
      ...(call.change !== undefined && { change: call.change }),
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
            // A request in progress may or may not arrive after its sender died.
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
    return begin({ label, limitMs, work, aheadMs, isOperator: false });
  }

  function begin<T>(given: {
    readonly label: string;
    readonly limitMs: number;
    readonly work: () => Promise<T>;
    readonly aheadMs: number;
    readonly isOperator: boolean;
  }): Promise<Ending<T>> {
    const { label, limitMs, work, aheadMs, isOperator } = given;
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
      if (clock < stoppedUntil && !isOperator) {
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

  /** Waits until every runnable task has run to its next call. */
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
    operate: (label, work) => begin({ label, limitMs: operatorLimitMs, work, aheadMs: 0, isOperator: true }),
    current: () => storage.getStore(),
    stop(until) {
      stoppedUntil = until;
      stops++;
      for (const task of tasks) task.die();
    },
    start() {
      stoppedUntil = -Infinity;
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
  // No caller waits for the answer.
}
