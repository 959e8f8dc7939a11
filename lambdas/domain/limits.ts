import { WalletError } from './errors.ts';
import type { Sum } from './money.ts';
import { minus } from './money.ts';

/** Whether money leaves a wallet or enters it. */
export type Direction = 'out' | 'in';

/** The limits of the money that leaves or enters a wallet, in minor units, 0 … 2^53-1. Days and months are UTC. */
export interface FlowLimits {
  readonly perTransaction?: number | undefined;
  readonly perDay?: number | undefined;
  readonly perMonth?: number | undefined;
}

/** The limits of a wallet: amounts in minor units of its currency, 0 … 2^53-1. */
export interface WalletLimits {
  /** Of transfers sent, withdrawals, and holds at their opening. */
  readonly out?: FlowLimits | undefined;
  /** Of charges, and of transfers and captures received. */
  readonly in?: FlowLimits | undefined;
  /** The least that a command may leave available. */
  readonly minimumBalance?: number | undefined;
  /** How far below zero a command may take `available`. Not together with `minimumBalance`. */
  readonly creditLine?: number | undefined;
  /** The most that a command may bring `total` to. */
  readonly maximumBalance?: number | undefined;
}

/** The name of one limit, as refusals have it. */
export type LimitName = `${Direction}.${keyof FlowLimits}` | 'minimumBalance' | 'creditLine' | 'maximumBalance';

/** The money that counts against the windows of a limited wallet, in minor units. */
export interface UsedLimits {
  /** The latest day on which money counted, `yyyy-mm-dd` in UTC. Its month is that of the monthly windows. */
  readonly day: string;
  readonly outDay: Sum;
  readonly outMonth: Sum;
  readonly inDay: Sum;
  readonly inMonth: Sum;
}

/** The members of a wallet that its limits read. */
export interface Limited {
  readonly currency: string;
  readonly available: Sum;
  readonly total: Sum;
  readonly limits?: WalletLimits;
  readonly used?: UsedLimits;
}

/** A movement that limits may refuse. */
export interface LimitedMovement {
  readonly amount: number;
  /** The largest of the transactions that it moves together; absent when it is one. */
  readonly largest?: number | undefined;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** Returns limits without members that limit nothing; undefined when no limit is left. */
export function withoutEmpty(limits: WalletLimits): WalletLimits | undefined {
  const isSet = ([, value]: readonly [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? Object.values(value).some((one) => one !== undefined)
      : value !== undefined;
  const set = Object.entries(limits).filter(isSet);
  return set.length === 0 ? undefined : Object.fromEntries(set);
}

/** Returns the day of a time (ISO 8601 UTC). */
function dayOf(at: string): string {
  return at.slice(0, 'yyyy-mm-dd'.length);
}

/** Returns the month of a day, or of a time. */
export function monthOf(day: string): string {
  return day.slice(0, 'yyyy-mm'.length);
}

/** Returns windows in which nothing has been used. */
export function unused(at: string): UsedLimits {
  return { day: dayOf(at), outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 };
}

/**
 * Returns the day on which a movement counts. It is not before the latest day of the wallet, so that a request from
 * before midnight, or a slow clock, opens no earlier window again.
 */
export function countingDay(latest: string, at: string): string {
  const day = dayOf(at);
  return day > latest ? day : latest;
}

/** Returns what is used in the windows of the day on which a movement at this time counts. */
export function usedAt(used: UsedLimits, at: string): UsedLimits {
  const day = countingDay(used.day, at);
  if (day === used.day) return used;
  const isNewMonth = monthOf(day) !== monthOf(used.day);
  return { ...(isNewMonth ? unused(day) : used), day, outDay: 0, inDay: 0 };
}

/** One limited window of a wallet. */
export interface LimitedWindow {
  readonly limit: `${Direction}.${'perDay' | 'perMonth'}`;
  readonly most: number;
  readonly used: Sum;
  /** At least 0: limits may be set below what is used. */
  readonly left: number;
  /** When the next window begins, ISO 8601 UTC. */
  readonly resetsAt: string;
}

/** Returns the limited windows of a wallet at a time, the monthly ones first; none for a wallet without limits. */
export function windowsOf({ limits, used }: Pick<Limited, 'limits' | 'used'>, at: string): LimitedWindow[] {
  if (limits === undefined || used === undefined) return [];
  const now = usedAt(used, at);
  const [year = 0, month = 0, date = 0] = now.day.split('-').map(Number);
  const ends = { perMonth: Date.UTC(year, month), perDay: Date.UTC(year, month - 1, date + 1) };
  return (['out', 'in'] as const).flatMap((direction) =>
    (['perMonth', 'perDay'] as const).flatMap((window): LimitedWindow[] => {
      const most = limits[direction]?.[window];
      if (most === undefined) return [];
      const usedNow = now[`${direction}${window === 'perDay' ? 'Day' : 'Month'}`];
      const resetsAt = new Date(ends[window]).toISOString();
      return [
        { limit: `${direction}.${window}`, most, used: usedNow, left: atLeastZero(minus(most, usedNow)), resetsAt },
      ];
    }),
  );
}

function atLeastZero(sum: Sum): number {
  return sum < 0 ? 0 : Number(sum);
}

/** Returns the least that a command may leave available in a wallet with these limits. */
export function leastLeft(limits: WalletLimits | undefined): number {
  return limits?.minimumBalance ?? -(limits?.creditLine ?? 0);
}

/**
 * Returns why the limits of a wallet refuse a movement; undefined when they allow it. Limits that time does not reset come
 * first: of one amount, days and months with less than the amount, and of the balance. Then a month comes before a day.
 */
export function limitRefusal(
  wallet: Limited,
  direction: Direction,
  movement: LimitedMovement,
): WalletError | undefined {
  const { limits } = wallet;
  if (limits === undefined) return undefined;
  const { amount, largest = amount, at } = movement;
  const exceeded = (limit: LimitName, left: Sum, resetsAt?: string) =>
    limitExceeded(wallet, { limit, left: atLeastZero(left), resetsAt }, amount);
  const { perTransaction } = limits[direction] ?? {};
  if (perTransaction !== undefined && largest > perTransaction) {
    return exceeded(`${direction}.perTransaction`, perTransaction);
  }
  const windows = windowsOf(wallet, at).filter(({ limit }) => limit.startsWith(direction));
  // An amount over the whole limit has no room in a later window either.
  const never = windows.find(({ most }) => amount > most);
  if (never !== undefined) return exceeded(never.limit, never.left);
  const balance = balanceLimit(wallet, limits, direction);
  if (balance !== undefined && amount > balance.left) return exceeded(balance.limit, balance.left);
  const full = windows.find(({ left }) => amount > left);
  return full && exceeded(full.limit, full.left, full.resetsAt);
}

/** Returns the limit of the balance after a movement, and the most that it lets move. */
function balanceLimit(
  { available, total }: Limited,
  limits: WalletLimits,
  direction: Direction,
): { readonly limit: LimitName; readonly left: Sum } | undefined {
  const { maximumBalance, minimumBalance, creditLine } = limits;
  if (direction === 'in') {
    return maximumBalance === undefined ? undefined : { limit: 'maximumBalance', left: minus(maximumBalance, total) };
  }
  const limit = minimumBalance !== undefined ? 'minimumBalance' : creditLine !== undefined ? 'creditLine' : undefined;
  return limit && { limit, left: minus(available, leastLeft(limits)) };
}

/** Returns a refusal that names the limit, for a caller who may see the wallet. */
function limitExceeded(
  { currency }: Limited,
  walletLimit: { readonly limit: LimitName; readonly left: number; readonly resetsAt: string | undefined },
  amount: number,
): WalletError {
  const { limit, left, resetsAt } = walletLimit;
  const until = resetsAt === undefined ? '' : `; there is room again from ${resetsAt}`;
  const detail = `${limit}: left ${left}, requested ${amount}, in minor units of ${currency}${until}`;
  return new WalletError('limit_exceeded', { detail, walletLimit });
}

/**
 * Returns whether limits let more money move than others do: one of them is higher or removed, the minimum balance is lower,
 * or the credit line is higher.
 */
export function raisesLimits(before: WalletLimits | undefined, after: WalletLimits | undefined): boolean {
  const isHigher = (was: number | undefined, is = Infinity) => was !== undefined && is > was;
  return (
    leastLeft(after) < leastLeft(before) ||
    isHigher(before?.maximumBalance, after?.maximumBalance) ||
    (['out', 'in'] as const).some((direction) =>
      (['perTransaction', 'perDay', 'perMonth'] as const).some((limit) =>
        isHigher(before?.[direction]?.[limit], after?.[direction]?.[limit]),
      ),
    )
  );
}

/** The state of a wallet's limits from which a write was made. Its conditions fail in any other state. */
export interface LimitState {
  readonly limits: WalletLimits;
  /** See `UsedLimits`. */
  readonly day: string;
}

/** Returns the state of a wallet's limits; undefined for a wallet without limits. */
export function limitStateOf({ limits, used }: Pick<Limited, 'limits' | 'used'>): LimitState | undefined {
  return limits && used && { limits, day: used.day };
}
