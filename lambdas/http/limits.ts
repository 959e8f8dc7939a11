import { WalletError } from '../domain/errors.ts';
import { covers, endOfWindow, fullUntil, secondsUntil, stepAt, windowsOver } from '../domain/rate.ts';
import { isKeyUsed } from '../store/operations.ts';
import { addToWindows } from '../store/rate-window.ts';
import type { CountedKind } from '../store/rate-window.ts';
import type { Table } from '../store/table.ts';
import type { Caller } from './caller.ts';
import { positiveInteger } from '../aws/environment.ts';
import type { Answer } from './problem.ts';
import { problem } from './problem.ts';
import { describe, logger } from '../aws/telemetry.ts';

/**
 * The limits of end users, as one container of a function keeps them. Each accepted command is counted in its own write
 * (store/rate-window.ts). Every other request moves no money and is counted here, by kind. A container reports the
 * counts in lots, each lot in one write, so a count is exact to one lot for each container.
 */
export interface Limits {
  /** Accepted commands in an hour. Absent where no write counts commands: then each command counts as a request. */
  readonly commandsPerHour: number | undefined;
  /** Returns the container's memory of a principal, and keeps it from now on. */
  readonly known: (principal: string) => Known;
  /** As `addToWindows`; passed in, so that the functions of operators do not bundle it. */
  readonly report: typeof addToWindows;
  /** As the store's `isKeyUsed`; absent where the function has no command with a key, so that it is not bundled. */
  readonly isKeyUsed: typeof isKeyUsed | undefined;
}

/**
 * Hourly limits of one end user in three kinds of functions: those whose writes count no commands, those whose writes
 * do, and those that end open work.
 */
type HourlyLimits =
  | {
      /** Reads, repetitions and bad requests. */
      readonly readsPerHour: number;
      /** Accepted commands. */
      readonly perHour?: never;
    }
  | {
      readonly readsPerHour: number;
      /** Refused commands, of all kinds together. */
      readonly refusalsPerHour: number;
      readonly perHour: number;
    }
  | { readonly cancellationsPerHour: number; readonly perHour?: never };

/** A container's memory of one caller. */
interface Known {
  /** Reads, repetitions and bad requests; where open work is ended, every request. */
  readonly requests: Counted;
  readonly refusals: Counted;
  /** Requests beyond another limit whose key is looked up in the table. */
  readonly lookups: Counted;
  /** Commands that this container accepted, by step. */
  accepted: Map<number, number>;
  /** Time until which plain reads decide about this caller's commands before a write, epoch ms. */
  doubtedUntil: number;
}

/** The count of one caller's requests of one kind. */
interface Counted {
  readonly kind: CountedKind;
  /** Most of these requests in an hour. */
  readonly limit: number;
  /** Requests that are not reported yet, by step. */
  unreported: Map<number, number>;
  /** The counts of the table's windows when the container last reported. */
  readonly totals: Map<number, number>;
}

/** Callers that a container remembers. The caller whose last request is the oldest is forgotten first. */
const mostCallers = 2_000;
/** Sizes of a lot, in requests: `largest`, or the limit divided by `inLimit` where that is less. */
const smallLot = { largest: 10, inLimit: 10 };
const lots: Readonly<Record<CountedKind, typeof smallLot>> = {
  reads: { largest: 20, inLimit: 50 },
  cancellations: smallLot,
  refusals: smallLot,
  lookups: smallLot,
};
const details: Readonly<Record<CountedKind, string>> = {
  reads: 'too many requests that read, repeated an earlier one or were not valid',
  cancellations: 'too many requests to cancel or release',
  refusals: 'too many commands that were refused',
  lookups: 'too many requests beyond another limit',
};
/** Time for which a refusal is remembered when no accepted command follows. */
const doubtMs = 600_000;

/** Opens the limits of a container that knows no caller yet. */
export function openLimits(hourly: HourlyLimits): Limits {
  return open(hourly, isKeyUsed);
}

/** Opens the limits of a container whose requests all count as reads. */
export function openReadLimits(environment: Readonly<Record<'READS_PER_HOUR', string>>): Limits {
  return open({ readsPerHour: positiveInteger(environment, 'READS_PER_HOUR') }, undefined);
}

function open(hourly: HourlyLimits, keyIsUsed: Limits['isKeyUsed']): Limits {
  const callers = new Map<string, Known>();
  return {
    commandsPerHour: hourly.perHour,
    report: addToWindows,
    isKeyUsed: keyIsUsed,
    known(principal) {
      const known = callers.get(principal) ?? newKnown(hourly);
      callers.delete(principal);
      callers.set(principal, known);
      const [silent] = callers.keys();
      if (callers.size > mostCallers && silent !== undefined) callers.delete(silent);
      return known;
    },
  };
}

function newKnown(hourly: HourlyLimits): Known {
  const requests =
    'readsPerHour' in hourly ? none('reads', hourly.readsPerHour) : none('cancellations', hourly.cancellationsPerHour);
  const mostRefusals = 'refusalsPerHour' in hourly ? hourly.refusalsPerHour : requests.limit;
  return {
    requests,
    refusals: none('refusals', mostRefusals),
    lookups: none('lookups', mostRefusals),
    accepted: new Map(),
    doubtedUntil: -Infinity,
  };
}

function none(kind: CountedKind, limit: number): Counted {
  return { kind, limit, unreported: new Map(), totals: new Map() };
}

/** The instructions of `withinLimits` to the work on a request. */
export interface Serving {
  /** Whether plain reads decide before a write is tried. */
  readonly readFirst: boolean;
  /**
   * Refuses a new command. Called before a command's work; rejects with `rate_limited` when the caller is over a limit
   * and no command is recorded under this id.
   */
  readonly refuseIfNew: (transactionId: string) => Promise<void>;
}

/**
 * Serves a request within its caller's limits, and adds headers with the rest of them. A command is counted in its own
 * write, at no further cost. After a refused or repeated command plain reads decide first, until a command is accepted.
 * Operators are not limited: all of them would write the same items.
 *
 * Beyond a limit one plain read of the key's record decides: a repetition of an accepted command is answered, and a new
 * command is refused. These reads have a limit of their own. Beyond it the request is refused without a call.
 *
 * @param kind `command` for a request with an Idempotency-Key
 * @throws WalletError `rate_limited`, and the errors of `serve`
 */
export async function withinLimits(
  { table, limits }: { readonly table: Table; readonly limits?: Limits },
  caller: Caller,
  kind: 'command' | 'read',
  serve: (serving: Serving) => Promise<Answer>,
): Promise<Answer> {
  if (limits === undefined || caller.ownerId === undefined) return serve(unlimited);
  const { commandsPerHour, isKeyUsed, report } = limits;
  const known = limits.known(caller.principal);
  const now = table.now();
  const count = (counted: Counted) => countIn(counted, { table, principal: caller.principal, report });
  const isCounted = kind === 'command' && commandsPerHour !== undefined;
  const withHeaders = (answer: Answer) =>
    isCounted
      ? withRoom(answer, commandsPerHour, (window) => sumIn(known.accepted, window), now)
      : withRoom(answer, known.requests.limit, countsIn(known.requests), now);

  const refusal = isCounted ? refusalOfCommand(known, now) : refusalBy(known.requests, now);
  if (refusal !== undefined) {
    if (kind === 'read' || isKeyUsed === undefined || refusalBy(known.lookups, now) !== undefined) throw refusal;
    const refuseIfNew = async (transactionId: string) => {
      if (!(await isKeyUsed(table, transactionId))) throw refusal;
    };
    return whileCounted(count(known.lookups), async () => withHeaders(await serve({ readFirst: true, refuseIfNew })));
  }
  if (isCounted) return withHeaders(await serveCommand(table, { known, count }, serve));
  return whileCounted(count(known.requests), async () => withHeaders(await serve(unlimited)));
}

const unlimited: Serving = { readFirst: false, refuseIfNew: () => Promise.resolve() };

/** Does the work while a lot may be reported. Waits for the report, as Lambda freezes a process that has answered. */
async function whileCounted<T>(counted: Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await counted;
  }
}

function isDoubted({ doubtedUntil }: Known, now: number): boolean {
  return doubtedUntil > now;
}

/**
 * Returns the refusal of a command whose caller is over a limit; undefined below it. The limit of reads concerns only
 * callers whose last command was refused or repeated. The next command of any other caller is most likely a new one.
 */
function refusalOfCommand(known: Known, now: number): WalletError | undefined {
  return refusalBy(known.refusals, now) ?? (isDoubted(known, now) ? refusalBy(known.requests, now) : undefined);
}

/** Serves a command that is counted in its own write, and remembers whether it was accepted, repeated or refused. */
async function serveCommand(
  table: Table,
  { known, count }: { readonly known: Known; readonly count: (counted: Counted) => Promise<void> },
  serve: (serving: Serving) => Promise<Answer>,
): Promise<Answer> {
  const now = table.now();
  const doubt = async (counted: Counted) => {
    known.doubtedUntil = table.now() + doubtMs;
    await count(counted);
  };
  try {
    const answer = await serve({ ...unlimited, readFirst: isDoubted(known, now) });
    if (isReplay(answer)) await doubt(known.requests);
    else acceptedIn(known, stepAt(now));
    return answer;
  } catch (error) {
    const status = error instanceof WalletError ? problem(error).status : 500;
    if (badRequest.has(status)) await doubt(known.requests);
    // From 500 on, the cause is contention, load or a fault, and not the caller.
    else if (status < 500) await doubt(known.refusals);
    throw error;
  }
}

/** Statuses of requests that are refused as they are, before any call. */
const badRequest: ReadonlySet<number> = new Set([400, 413, 415]);

/** Returns whether an answer repeats that of an earlier request with the same key. */
export function isReplay({ headers }: Answer): boolean {
  return headers?.['Idempotency-Replayed'] !== undefined;
}

/** Returns the refusal `rate_limited` when the count has reached its limit, else undefined. */
function refusalBy(counted: Counted, now: number): WalletError | undefined {
  const { kind, limit } = counted;
  const until = fullUntil(countsIn(counted), limit, now);
  if (until === undefined) return undefined;
  return new WalletError('rate_limited', {
    detail: details[kind],
    limit,
    retryAfterSeconds: secondsUntil(until, now),
  });
}

/** Counts a request that moves no money; when a lot is full, reports it. Never throws. */
async function countIn(
  counted: Counted,
  caller: { readonly table: Table; readonly principal: string; readonly report: typeof addToWindows },
): Promise<void> {
  const { table, principal, report } = caller;
  const now = table.now();
  const step = stepAt(now);
  addTo(counted.unreported, step, 1);
  forgetEnded([counted.unreported, counted.totals], step);
  const { largest, inLimit } = lots[counted.kind];
  const lot = Math.max(1, Math.min(largest, Math.floor(counted.limit / inLimit)));
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
    // Not retried: a second report could count twice, and refuse a caller who is below the limit.
    logger.warn('requests not reported', { error: describe(error) });
  }
}

/** Records an accepted command, after which the caller is trusted again. */
function acceptedIn(known: Known, step: number): void {
  known.doubtedUntil = -Infinity;
  forgetEnded([known.accepted], step);
  addTo(known.accepted, step, 1);
}

/** Deletes counts from before the oldest window that covers this step. */
function forgetEnded(all: readonly Map<number, number>[], step: number): void {
  const [oldest = step] = windowsOver(step);
  for (const counts of all) {
    for (const first of counts.keys()) if (first < oldest) counts.delete(first);
  }
}

/** Returns the count of each window for one kind, as far as the container knows. */
function countsIn({ totals, unreported }: Counted): (window: number) => number {
  return (window) => (totals.get(window) ?? 0) + sumIn(unreported, window);
}

/** Adds the rest of a limit; an upper bound, as other containers count too. */
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
