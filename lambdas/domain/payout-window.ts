/** The hours in which the bank takes payments, in the time of its country. */

export const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Weekday = (typeof weekdays)[number];

/** The hours of each open day of the bank. Outside them no worker submits a payment. */
export interface PayoutWindow {
  /** The IANA name of the bank's time zone, for instance `Europe/Zurich`. */
  readonly timeZone: string;
  readonly days: readonly Weekday[];
  /** The local time at which the bank opens, `HH:MM`. */
  readonly from: string;
  /** The local time at which it closes, later than `from`: at most `24:00`. */
  readonly to: string;
  /** Days on which it stays closed, `YYYY-MM-DD`. */
  readonly holidays?: readonly string[] | undefined;
}

/** One opening of the bank, epoch ms: from `opensAt` until just before `closesAt`. */
export interface Opening {
  readonly opensAt: number;
  readonly closesAt: number;
}

/** The openings of a bank. All times are epoch ms. */
export interface PayoutHours {
  /** Returns the opening that this moment is in; undefined while the bank is closed. */
  current(at: number): Opening | undefined;
  /** Returns the first opening that begins after this moment. */
  next(at: number): Opening;
  /** Returns for how long the bank was open between two moments, in ms; 0 when the first is the later one. */
  openMs(from: number, to: number): number;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** More days in a row than any window with its holidays is closed: lib/payout-window.ts limits their number. */
const mostClosedDays = 1_000;

/** Returns the openings of a window. Throws RangeError for a time zone that this runtime does not know. */
export function payoutHours(window: PayoutWindow): PayoutHours {
  const { days, holidays = [] } = window;
  const zone = openZone(window.timeZone);
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];

  /** Returns the opening of a local day, which is counted from 1970-01-01; undefined when the bank is closed all day. */
  const openingOn = (day: number): Opening | undefined => {
    // The first of January 1970 was a Thursday.
    const weekday = weekdays[(((day + 3) % 7) + 7) % 7];
    const date = new Date(day * dayMs).toISOString().slice(0, 10);
    if (!days.some((open) => open === weekday) || holidays.includes(date)) return undefined;
    const [opensAt, closesAt] = [from, to].map((minutes) => zone.momentOf(day * dayMs + minutes * minuteMs));
    // Empty where the change to summer time leaves nothing of it.
    return opensAt !== undefined && closesAt !== undefined && opensAt < closesAt ? { opensAt, closesAt } : undefined;
  };
  const dayOf = (at: number) => Math.floor((at + zone.offsetAt(at)) / dayMs);

  return {
    current(at) {
      const opening = openingOn(dayOf(at));
      return opening !== undefined && opening.opensAt <= at && at < opening.closesAt ? opening : undefined;
    },
    next(at) {
      const today = dayOf(at);
      for (let day = today; day <= today + mostClosedDays; day++) {
        const opening = openingOn(day);
        if (opening !== undefined && opening.opensAt > at) return opening;
      }
      throw new Error(`the bank does not open in ${String(mostClosedDays)} days`);
    },
    openMs(start, end) {
      let sum = 0;
      for (let day = dayOf(start); day <= dayOf(end); day++) {
        const opening = openingOn(day);
        if (opening === undefined) continue;
        sum += Math.max(0, Math.min(end, opening.closesAt) - Math.max(start, opening.opensAt));
      }
      return sum;
    },
  };
}

/** Longest time after an opening in which the withdrawals that waited for it are queued, and its share of the opening. */
const longestSpreadMs = 300_000;
const spreadShare = 10;

/**
 * Returns when a withdrawal that waits for this opening is due (epoch ms): at random in its first five minutes, or in its
 * first tenth when it is short. So the bank does not get all of them in its first second.
 *
 * @param random a number in [0, 1)
 */
export function dueInOpening({ opensAt, closesAt }: Opening, random: number): number {
  return Math.ceil(opensAt + random * Math.min(longestSpreadMs, (closesAt - opensAt) / spreadShare));
}

/** The value of `PAYOUT_WINDOW` for a bank that is always open. */
export const alwaysOpen = 'always';

/** Returns the hours in `PAYOUT_WINDOW`; undefined: the bank is always open. Throws when they are not usable. */
export function parsePayoutHours(variable: string): PayoutHours | undefined {
  return variable === alwaysOpen ? undefined : payoutHours(JSON.parse(variable) as PayoutWindow);
}

/** Returns the minutes since midnight of `HH:MM`. */
function minutesOf(time: string): number {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(time) ?? [];
  if (hours === undefined || minutes === undefined) throw new Error(`a time must be HH:MM, received "${time}"`);
  return Number(hours) * 60 + Number(minutes);
}

function openZone(timeZone: string) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  /** Returns by how much the zone's local time is ahead of UTC at this moment, in ms. */
  const offsetAt = (at: number): number => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
  /**
   * Returns the moment of a local time, which is given as if it were UTC. Of a time that a day has twice, this is the
   * first. A time that a day lacks, in the change to summer time, is later by the missing hour.
   */
  const momentOf = (local: number): number => {
    const [before, after] = [offsetAt(local - dayMs), offsetAt(local + dayMs)];
    const first = local - before;
    return before === after || offsetAt(first) === before || offsetAt(local - after) !== after ? first : local - after;
  };
  return { offsetAt, momentOf };
}
