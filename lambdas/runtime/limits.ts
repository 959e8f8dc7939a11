import { WalletError } from '../domain/errors.ts';
import { covers, endOfWindow, fullUntil, secondsUntil, stepAt, windowsOver } from '../domain/rate.ts';
import { addToWindows } from '../store/rate-window.ts';
import type { Table } from '../store/table.ts';
import type { Caller } from './caller.ts';
import { positiveInteger } from './environment.ts';
import type { Answer } from './problem.ts';
import { problem } from './problem.ts';
import { describe, logger } from './telemetry.ts';

/**
 * The limits of end users, as one container of a function keeps them. Each accepted command is counted in its own write
 * (store/rate-window.ts). Everything else moves no money and is counted here: refused commands in one count, and reads,
 * repetitions and bad requests in another. A container reports them in lots, each lot in one write, so a count is exact to
 * one lot for each container.
 */
export interface Limits {
  /** Reads, repetitions and bad requests in an hour. */
  readonly readsPerHour: number;
  /** Absent where the route counts no command in its write; what is refused there counts as a read. */
  readonly commands: CommandLimits | undefined;
  /** Returns what the container knows of a principal, and remembers it from now on. */
  readonly known: (principal: string) => Known;
  /** As `addToWindows`; passed in, so that the functions of operators do not bundle it. */
  readonly report: typeof addToWindows;
}

/** The limits of commands that are counted in their own write. */
export interface CommandLimits {
  /** Accepted commands in an hour. */
  readonly perHour: number;
  /** Refused commands in an hour, of all kinds together. */
  readonly refusalsPerHour: number;
}

/** What a container knows of one caller. */
interface Known {
  readonly reads: Counted;
  readonly refusals: Counted;
  /** Commands that this container accepted, by step. */
  accepted: Map<number, number>;
  /** Until when commands of this caller are checked by reads first, epoch ms. */
  doubtedUntil: number;
}

/** Requests of one kind that moved no money. */
interface Counted {
  readonly kind: 'reads' | 'refusals';
  /** Those that are not reported yet, by step. */
  unreported: Map<number, number>;
  /** What the table's windows had counted when the container last reported. */
  readonly totals: Map<number, number>;
}

/** Callers that a container remembers; the one that was silent for longest is forgotten first. */
const mostCallers = 2_000;
/** Requests that one report covers, unless the limit is small, and what fraction of the limit it is at most. */
const lots = { reads: { largest: 20, inLimit: 50 }, refusals: { largest: 10, inLimit: 10 } };
const details = {
  reads: 'too many requests that read, repeated an earlier one or were not valid',
  refusals: 'too many commands that were refused',
};
/** How long a refusal is remembered when no accepted command follows. */
const doubtMs = 600_000;

/** Opens the limits of a container; it knows no caller yet. */
export function openLimits(of: { readsPerHour: number } & (CommandLimits | { perHour?: never })): Limits {
  const callers = new Map<string, Known>();
  return {
    readsPerHour: of.readsPerHour,
    commands: of.perHour === undefined ? undefined : of,
    report: addToWindows,
    known(principal) {
      const known = callers.get(principal) ?? nothing();
      callers.delete(principal);
      callers.set(principal, known);
      const [silent] = callers.keys();
      if (callers.size > mostCallers && silent !== undefined) callers.delete(silent);
      return known;
    },
  };
}

/** Opens the limits of a container that only reads. */
export function openReadLimits(env: { READS_PER_HOUR: string }): Limits {
  return openLimits({ readsPerHour: positiveInteger('READS_PER_HOUR', env.READS_PER_HOUR) });
}

function nothing(): Known {
  return { reads: none('reads'), refusals: none('refusals'), accepted: new Map(), doubtedUntil: -Infinity };
}

function none(kind: Counted['kind']): Counted {
  return { kind, unreported: new Map(), totals: new Map() };
}

/**
 * Serves a request within its caller's limits, and adds headers that say what is left of them. A command is counted in
 * its own write, at no further cost. After a refused or repeated command plain reads decide first, until a command is
 * accepted. A caller with too many refusals is refused without any call. Operators are not limited: all of them would
 * write the same items.
 *
 * @param kind `command` for what is counted in its own write where the route has a limit of commands
 * @param serve does the work; `readFirst`: plain reads decide before a write is tried
 * @throws WalletError `rate_limited`
 */
export async function withinLimits(
  { table, limits }: { readonly table: Table; readonly limits?: Limits },
  caller: Caller,
  kind: 'command' | 'read',
  serve: (readFirst: boolean) => Promise<Answer>,
): Promise<Answer> {
  if (limits === undefined || caller.ownerId === undefined) return serve(false);
  const { readsPerHour, commands } = limits;
  const known = limits.known(caller.principal);
  const count = (counted: Counted, limit: number) =>
    countIn(counted, { table, principal: caller.principal, limit, report: limits.report });
  if (kind === 'command' && commands !== undefined) {
    return serveCommand(table, { ...commands, readsPerHour, known, count }, serve);
  }
  const now = table.now();
  throwIfFull(known.reads, readsPerHour, now);
  const report = count(known.reads, readsPerHour);
  try {
    return withRoom(await serve(false), readsPerHour, countsIn(known.reads), now);
  } finally {
    await report;
  }
}

async function serveCommand(
  table: Table,
  of: CommandLimits & {
    readonly readsPerHour: number;
    readonly known: Known;
    readonly count: (counted: Counted, limit: number) => Promise<void>;
  },
  serve: (readFirst: boolean) => Promise<Answer>,
): Promise<Answer> {
  const { known, perHour, readsPerHour, refusalsPerHour } = of;
  const now = table.now();
  const isDoubted = known.doubtedUntil > now;
  throwIfFull(known.refusals, refusalsPerHour, now);
  if (isDoubted) throwIfFull(known.reads, readsPerHour, now);
  const doubt = async (counted: Counted, limit: number) => {
    known.doubtedUntil = table.now() + doubtMs;
    await of.count(counted, limit);
  };
  try {
    const answer = await serve(isDoubted);
    if (isReplay(answer)) await doubt(known.reads, readsPerHour);
    else acceptedIn(known, stepAt(now));
    return withRoom(answer, perHour, (window) => sumIn(known.accepted, window), now);
  } catch (error) {
    const status = error instanceof WalletError ? problem(error).status : 500;
    if (badRequest.has(status)) await doubt(known.reads, readsPerHour);
    // From 500 on, contention, load or a fault is to blame, and not the caller.
    else if (status < 500) await doubt(known.refusals, refusalsPerHour);
    throw error;
  }
}

/** The request is refused as it stands, before any call. */
const badRequest: ReadonlySet<number> = new Set([400, 413, 415]);

function isReplay({ headers }: Answer): boolean {
  return headers?.['Idempotency-Replayed'] !== undefined;
}

/** @throws WalletError `rate_limited` */
function throwIfFull(counted: Counted, limit: number, now: number): void {
  const until = fullUntil(countsIn(counted), limit, now);
  if (until === undefined) return;
  throw new WalletError('rate_limited', {
    detail: details[counted.kind],
    limit,
    retryAfterSeconds: secondsUntil(until, now),
  });
}

/** Counts a request that moves no money; when a lot is full, reports it. Never throws. */
async function countIn(
  counted: Counted,
  of: {
    readonly table: Table;
    readonly principal: string;
    readonly limit: number;
    readonly report: typeof addToWindows;
  },
): Promise<void> {
  const { table, principal, limit, report } = of;
  const now = table.now();
  const step = stepAt(now);
  addTo(counted.unreported, step, 1);
  forgetEnded([counted.unreported, counted.totals], step);
  const { largest, inLimit } = lots[counted.kind];
  const lot = Math.max(1, Math.min(largest, Math.floor(limit / inLimit)));
  if (sumOf(counted.unreported.values()) < lot) return;
  const counts = new Map(
    windowsOver(step).flatMap((window) => {
      const sum = sumIn(counted.unreported, window);
      return sum === 0 ? [] : [[window, sum] as const];
    }),
  );
  counted.unreported = new Map();
  for (const [window, sum] of counts) addTo(counted.totals, window, sum);
  try {
    const totals = await report(table, { principal, kind: counted.kind }, counts, now);
    for (const [window, total] of totals) counted.totals.set(window, total);
  } catch (error) {
    // Reported once at most: a second report could count twice, and refuse a caller who has room.
    logger.warn('requests not reported', { error: describe(error) });
  }
}

/** Notes an accepted command, after which the caller is trusted again. */
function acceptedIn(known: Known, step: number): void {
  known.doubtedUntil = -Infinity;
  forgetEnded([known.accepted], step);
  addTo(known.accepted, step, 1);
}

/** Forgets what no window counts any more that covers this step or a later one. */
function forgetEnded(all: readonly Map<number, number>[], step: number): void {
  const [oldest = step] = windowsOver(step);
  for (const counts of all) {
    for (const first of counts.keys()) if (first < oldest) counts.delete(first);
  }
}

/** Returns what each window has counted of one kind, as far as the container knows. */
function countsIn({ totals, unreported }: Counted): (window: number) => number {
  return (window) => (totals.get(window) ?? 0) + sumIn(unreported, window);
}

/** Adds what is left of a limit; an upper bound, as other containers count too. */
function withRoom(answer: Answer, limit: number, counted: (window: number) => number, now: number): Answer {
  const windows = windowsOver(stepAt(now));
  const most = Math.max(...windows.map(counted));
  const fullest = windows.findLast((window) => counted(window) === most) ?? stepAt(now);
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': String(Math.max(0, limit - most)),
      'RateLimit-Reset': String(secondsUntil(endOfWindow(fullest), now)),
    },
  };
}

function addTo(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function sumIn(steps: ReadonlyMap<number, number>, window: number): number {
  return sumOf([...steps].flatMap(([step, count]) => (covers(window, step) ? count : [])));
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
