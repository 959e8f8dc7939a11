import { WalletError } from '../domain/errors.ts';
import { covers, endOfWindow, fullUntil, secondsUntil, stepAt, windowsOver } from '../domain/rate.ts';
import { addToReads } from '../store/rate-window.ts';
import type { Table } from '../store/table.ts';
import type { Caller } from './caller.ts';
import { positiveInteger } from './environment.ts';
import type { Answer } from './problem.ts';
import { problem } from './problem.ts';
import { describe, logger } from './telemetry.ts';

/**
 * The limits of end users, as one container of a function keeps them. Each accepted command is counted in its own write
 * (store/rate-window.ts). Everything else moves no money and is counted here: reads, refusals, repetitions and bad
 * requests. A container reports them in lots, each lot in one write beside the work, so a count is exact to one lot for
 * each container.
 */
export interface Limits {
  /** Requests in an hour that move no money. */
  readonly readsPerHour: number;
  /** Accepted commands in an hour; absent where the route counts no command in its write. */
  readonly perHour: number | undefined;
  /** Returns what the container knows of a principal, and remembers it from now on. */
  readonly known: (principal: string) => Known;
  /** As `addToReads`; passed in, so that the functions of operators do not bundle it. */
  readonly report: typeof addToReads;
}

/** What a container knows of one caller. */
interface Known {
  /** Requests that moved no money and are not reported yet, by step. */
  unreported: Map<number, number>;
  /** What the table's windows had counted when the container last reported. */
  totals: Map<number, number>;
  /** Commands that this container accepted, by step. */
  accepted: Map<number, number>;
  /** Until when commands of this caller are checked by reads first, epoch ms. */
  doubtedUntil: number;
}

/** Callers that a container remembers; the one that was silent for longest is forgotten first. */
const mostCallers = 2_000;
/** Requests that one report covers, unless the limit is small. */
const largestLot = 20;
const lotsInLimit = 50;
/** How long a refusal is remembered when no accepted command follows. */
const doubtMs = 600_000;

/** Opens the limits of a container; it knows no caller yet. */
export function openLimits(of: { readsPerHour: number; perHour?: number }): Limits {
  const callers = new Map<string, Known>();
  return {
    readsPerHour: of.readsPerHour,
    perHour: of.perHour,
    report: addToReads,
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
  return { unreported: new Map(), totals: new Map(), accepted: new Map(), doubtedUntil: -Infinity };
}

/**
 * Serves a request within its caller's limits, and says in the answer's headers what is left of them. A command that its
 * write counts costs nothing more, unless the caller's last command was refused or a repetition: until the next one is
 * accepted, the caller's commands are reads, and plain reads decide first. Operators are not limited: their windows
 * would be items that all of them write.
 *
 * @param kind `command` for what is counted in its own write where the route has a limit of commands
 * @param serve does the work; told whether plain reads are to decide before a write is tried
 * @throws WalletError `rate_limited`
 */
export async function withinLimits(
  { table, limits }: { readonly table: Table; readonly limits?: Limits },
  caller: Caller,
  kind: 'command' | 'read',
  serve: (readFirst: boolean) => Promise<Answer>,
): Promise<Answer> {
  if (limits === undefined || caller.ownerId === undefined) return serve(false);
  const { readsPerHour } = limits;
  const known = limits.known(caller.principal);
  const countRead = () => count(table, caller.principal, known, limits);
  if (kind === 'command' && limits.perHour !== undefined) {
    return serveCommand(table, { known, readsPerHour, perHour: limits.perHour, countRead }, serve);
  }
  const now = table.now();
  throwIfFull(known, readsPerHour, now);
  const report = countRead();
  try {
    return withRoom(await serve(false), readsPerHour, readsIn(known), now);
  } finally {
    await report;
  }
}

async function serveCommand(
  table: Table,
  of: { known: Known; readsPerHour: number; perHour: number; countRead: () => Promise<void> },
  serve: (readFirst: boolean) => Promise<Answer>,
): Promise<Answer> {
  const { known } = of;
  const now = table.now();
  const isDoubted = known.doubtedUntil > now;
  if (isDoubted) throwIfFull(known, of.readsPerHour, now);
  const doubt = async () => {
    known.doubtedUntil = table.now() + doubtMs;
    if (!isDoubted) await of.countRead();
  };
  const report = isDoubted ? of.countRead() : undefined;
  try {
    const answer = await serve(isDoubted);
    if (isReplay(answer)) await doubt();
    else acceptedIn(known, stepAt(now));
    return withRoom(answer, of.perHour, (window) => sumIn(known.accepted, window), now);
  } catch (error) {
    if (isRefusal(error)) await doubt();
    throw error;
  } finally {
    await report;
  }
}

function isReplay({ headers }: Answer): boolean {
  return headers?.['Idempotency-Replayed'] !== undefined;
}

/** Whether the caller is to blame, and not contention, load or a fault. */
function isRefusal(error: unknown): boolean {
  return error instanceof WalletError && problem(error).status < 500;
}

/** @throws WalletError `rate_limited` */
function throwIfFull(known: Known, limit: number, now: number): void {
  const until = fullUntil(readsIn(known), limit, now);
  if (until === undefined) return;
  throw new WalletError('rate_limited', {
    detail: 'too many requests that read, were refused or repeated an earlier one',
    limit,
    retryAfterSeconds: secondsUntil(until, now),
  });
}

/** Counts a request that moves no money; when a lot is full, reports it. Never throws. */
async function count(table: Table, principal: string, known: Known, { readsPerHour, report }: Limits): Promise<void> {
  const now = table.now();
  const step = stepAt(now);
  addTo(known.unreported, step, 1);
  forgetEnded(known, step);
  const lot = Math.max(1, Math.min(largestLot, Math.floor(readsPerHour / lotsInLimit)));
  if (sumOf(known.unreported.values()) < lot) return;
  const counts = new Map(
    windowsOver(step).flatMap((window) => {
      const sum = sumIn(known.unreported, window);
      return sum === 0 ? [] : [[window, sum] as const];
    }),
  );
  known.unreported = new Map();
  for (const [window, sum] of counts) addTo(known.totals, window, sum);
  try {
    for (const [window, total] of await report(table, principal, counts, now)) known.totals.set(window, total);
  } catch (error) {
    // Reported once at most: a second report could count twice, and refuse a caller who has room.
    logger.warn('requests not reported', { error: describe(error) });
  }
}

/** Notes an accepted command, after which the caller is trusted again. */
function acceptedIn(known: Known, step: number): void {
  known.doubtedUntil = -Infinity;
  forgetEnded(known, step);
  addTo(known.accepted, step, 1);
}

/** Forgets what no window counts any more that covers this step or a later one. */
function forgetEnded(known: Known, step: number): void {
  const [oldest = step] = windowsOver(step);
  for (const counts of [known.unreported, known.totals, known.accepted]) {
    for (const first of counts.keys()) if (first < oldest) counts.delete(first);
  }
}

/** Returns what each window has counted of requests that moved no money, as far as the container knows. */
function readsIn(known: Known): (window: number) => number {
  return (window) => (known.totals.get(window) ?? 0) + sumIn(known.unreported, window);
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
