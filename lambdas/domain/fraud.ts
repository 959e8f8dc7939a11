import { maxAmount } from './money.ts';

/**
 * The rules of the screening. Events carry the names: docs/events.md. Stored signals name a rule by its position: add a
 * rule at the end.
 */
export const fraudRules = [
  'outgoing-per-minute',
  'outgoing-per-hour',
  'outgoing-per-day',
  'in-and-out',
  'new-destination',
] as const;

export type FraudRule = (typeof fraudRules)[number];

/** The names of the figures in a rule's signals, and of its limits. */
export const figureNames: Readonly<Record<FraudRule, readonly string[]>> = {
  'outgoing-per-minute': ['count', 'amount'],
  'outgoing-per-hour': ['count', 'amount'],
  'outgoing-per-day': ['count', 'amount'],
  'in-and-out': ['amount', 'minutes'],
  'new-destination': ['amount'],
};

/** The most that gives no signal, in one window. */
export interface WindowLimit {
  readonly count: number;
  /** Minor units. */
  readonly amount: number;
}

/** The most that gives no signal. Amounts are in minor units of the wallet's currency. */
export interface FraudLimits {
  readonly outgoingPerMinute: WindowLimit;
  readonly outgoingPerHour: WindowLimit;
  readonly outgoingPerDay: WindowLimit;
  /** Money that came in and went out again within so many minutes: 1 to 60. */
  readonly inAndOut: { readonly minutes: number; readonly amount: number };
  /** One movement to a bank account or wallet that this wallet has not paid before. */
  readonly newDestination: { readonly amount: number };
}

/** Money into a wallet or out of it. */
export interface Movement {
  readonly transactionId: string;
  readonly direction: 'in' | 'out';
  readonly amount: number;
  /** Epoch seconds. */
  readonly at: number;
  /** Stands for the destination of money out: an account or a wallet. */
  readonly destination?: string | undefined;
}

/** A limit that a movement exceeded. Figures and limits have the same names; amounts are in minor units. */
export interface Signal {
  readonly rule: FraudRule;
  readonly transactionId: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
}

/** The movements in the stretch of time that begins at `start` (epoch seconds): [start, count, amount]. */
export type Bucket = readonly [start: number, count: number, amount: number];

/** The counters of a wallet's movements. Their size is bounded. */
export interface Activity {
  readonly outMinute: readonly Bucket[];
  readonly outHour: readonly Bucket[];
  readonly outDay: readonly Bucket[];
  readonly outRecent: readonly Bucket[];
  readonly inRecent: readonly Bucket[];
  /** The known destinations of the wallet, the latest last. */
  readonly destinations: readonly string[];
}

/** The counters of a wallet without movements. */
export const noActivity: Activity = {
  outMinute: [],
  outHour: [],
  outDay: [],
  outRecent: [],
  inRecent: [],
  destinations: [],
};

/** A window of `span` seconds that slides by `step` seconds: a figure covers `span` and up to one step more. */
interface Window {
  readonly span: number;
  readonly step: number;
}

const minute: Window = { span: 60, step: 10 };
const hour: Window = { span: 3_600, step: 300 };
const day: Window = { span: 86_400, step: 3_600 };
const recent = (minutes: number): Window => ({ span: minutes * 60, step: 60 });

/** Number of remembered destinations. The longest unused one is forgotten first, and would be new again. */
const mostDestinations = 20;

/**
 * Counts a movement, and returns the limits that it is the first to exceed. A limit that was exceeded before gives no
 * signal. So a burst gives one signal for each limit, not one for each movement behind it.
 */
export function countMovement(
  activity: Activity,
  movement: Movement,
  limits: FraudLimits,
): { activity: Activity; signals: Signal[] } {
  const through = recent(limits.inAndOut.minutes);
  if (movement.direction === 'in') {
    return { activity: { ...activity, inRecent: add(activity.inRecent, movement, through) }, signals: [] };
  }
  const perMinute = slide(activity.outMinute, movement, minute);
  const perHour = slide(activity.outHour, movement, hour);
  const perDay = slide(activity.outDay, movement, day);
  const outgoing = slide(activity.outRecent, movement, through);
  const signals = [
    velocity('outgoing-per-minute', perMinute, movement, limits.outgoingPerMinute),
    velocity('outgoing-per-hour', perHour, movement, limits.outgoingPerHour),
    velocity('outgoing-per-day', perDay, movement, limits.outgoingPerDay),
    inAndOut(sumOf(activity.inRecent, outgoing.end, through), outgoing, movement, limits),
    newDestination(activity.destinations, movement, limits),
  ];
  return {
    activity: {
      outMinute: perMinute.buckets,
      outHour: perHour.buckets,
      outDay: perDay.buckets,
      outRecent: outgoing.buckets,
      inRecent: activity.inRecent,
      destinations: remember(activity.destinations, movement.destination),
    },
    signals: signals.filter((signal) => signal !== undefined),
  };
}

/** A window before and after a movement was added to it. Both figures are of the window that ends at `end`. */
interface Slide {
  readonly buckets: Bucket[];
  readonly end: number;
  readonly before: WindowLimit;
  readonly after: WindowLimit;
}

/**
 * Adds a movement to its window. The window ends at the latest movement, so a movement that arrives late counts too.
 */
function slide(buckets: readonly Bucket[], movement: Movement, window: Window): Slide {
  const next = add(buckets, movement, window);
  const end = Math.max(movement.at, ...next.map(([start]) => start));
  return { buckets: next, end, before: sumOf(buckets, end, window), after: sumOf(next, end, window) };
}

function velocity(rule: FraudRule, { before, after }: Slide, movement: Movement, limit: WindowLimit) {
  const byCount = after.count > limit.count && before.count <= limit.count;
  const byAmount = after.amount > limit.amount && before.amount <= limit.amount;
  if (!byCount && !byAmount) return undefined;
  return { rule, transactionId: movement.transactionId, figures: { ...after }, limits: { ...limit } };
}

function inAndOut(incoming: WindowLimit, outgoing: Slide, movement: Movement, limits: FraudLimits): Signal | undefined {
  const limit = limits.inAndOut;
  const amount = Math.min(incoming.amount, outgoing.after.amount);
  const before = Math.min(incoming.amount, outgoing.before.amount);
  if (amount <= limit.amount || before > limit.amount) return undefined;
  return {
    rule: 'in-and-out',
    transactionId: movement.transactionId,
    figures: { amount, minutes: limit.minutes },
    limits: { ...limit },
  };
}

function newDestination(
  known: readonly string[],
  { destination, amount, transactionId }: Movement,
  { newDestination: limit }: FraudLimits,
): Signal | undefined {
  if (destination === undefined || known.includes(destination) || amount <= limit.amount) return undefined;
  return { rule: 'new-destination', transactionId, figures: { amount }, limits: { ...limit } };
}

function remember(known: readonly string[], destination: string | undefined): readonly string[] {
  if (destination === undefined) return known;
  return [...known.filter((one) => one !== destination), destination].slice(-mostDestinations);
}

/** Adds a movement to its bucket, and drops buckets that have left the window. */
function add(buckets: readonly Bucket[], { at, amount }: Movement, { span, step }: Window): Bucket[] {
  const start = Math.floor(at / step) * step;
  const [, count, sum] = buckets.find(([other]) => other === start) ?? [start, 0, 0];
  const others = buckets.filter(([other]) => other !== start);
  const all: Bucket[] = [...others, [start, count + 1, plusCapped(sum, amount)]];
  const newest = Math.max(...all.map(([one]) => one));
  return all.filter(([one]) => one + step > newest - span).sort(([a], [b]) => a - b);
}

/** Returns the sum of the window that ends at `at`. */
function sumOf(buckets: readonly Bucket[], at: number, { span, step }: Window): WindowLimit {
  let count = 0;
  let amount = 0;
  for (const [start, moved, sum] of buckets) {
    if (start > at || start + step <= at - span) continue;
    count += moved;
    amount = plusCapped(amount, sum);
  }
  return { count, amount };
}

/** Returns the sum, capped at the largest exact integer: that is over any limit. */
function plusCapped(a: number, b: number): number {
  return Math.min(a + b, maxAmount);
}
