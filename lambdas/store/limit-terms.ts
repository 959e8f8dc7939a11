import { countingDay, leastLeft, monthOf, unused } from '../domain/limits.ts';
import type { Direction, LimitedMovement, LimitState } from '../domain/limits.ts';
import { maxAmount, minus, plus } from '../domain/money.ts';
import type { Sum } from '../domain/money.ts';
import type { Item } from './write.ts';

/** Parts of a wallet's update: what it sets (with a comma before each), its conditions, and their values. */
export interface LimitTerms {
  readonly set: string;
  readonly if: string;
  readonly values: Item;
}

/**
 * Returns what limits add to the update of a movement that takes `:amount`. The conditions hold only in this state of the
 * limits, and only when the limits allow the movement then.
 *
 * @param state undefined: the wallet has no limits
 */
export function limitTerms(direction: Direction, state: LimitState | undefined, movement: LimitedMovement): LimitTerms {
  const { amount } = movement;
  const balance = balanceTerms(direction, state, amount);
  if (state === undefined) return { ...balance, set: '', if: `attribute_not_exists(limits) AND ${balance.if}` };
  const windows = windowTerms(direction, state, movement);
  return {
    set: windows.set,
    if: [...windows.conditions, balance.if].join(' AND '),
    values: { ...windows.values, ...balance.values },
  };
}

/** Returns the condition for the balance after a movement. */
function balanceTerms(
  direction: Direction,
  state: LimitState | undefined,
  amount: number,
): { readonly if: string; readonly values: Readonly<Record<string, Sum>> } {
  const limits = state?.limits;
  if (direction === 'out') return { if: 'available >= :least', values: { least: plus(amount, leastLeft(limits)) } };
  const most = Math.min(maxAmount, limits?.maximumBalance ?? maxAmount);
  return { if: '#total <= :room', values: { room: minus(most, amount) } };
}

/**
 * Returns the conditions for the windows, and the update that counts the movement in them. The first movement of a day or
 * month begins a window. The windows without a limit count too, as they may get one later.
 */
function windowTerms(
  direction: Direction,
  { limits, day: latest }: LimitState,
  { amount, largest = amount, at }: LimitedMovement,
): { readonly set: string; readonly conditions: readonly string[]; readonly values: Item } {
  const { perTransaction, perDay, perMonth } = limits[direction] ?? {};
  const day = countingDay(latest, at);
  const month = monthOf(day);
  const isSameDay = day === latest;
  const isSameMonth = month === monthOf(latest);
  const ofWindow = (isSame: boolean, name: 'Day' | 'Month', most: number | undefined) =>
    most === undefined
      ? { conditions: [], values: {} }
      : isSame
        ? {
            conditions: [`used.${direction}${name} <= :left${name}`],
            values: { [`left${name}`]: minus(most, amount) },
          }
        : { conditions: [`limits.#${direction}.per${name} >= :amount`], values: {} };
  const ofDay = ofWindow(isSameDay, 'Day', perDay);
  const ofMonth = ofWindow(isSameMonth, 'Month', perMonth);
  const conditions = [
    'limits = :limits',
    isSameDay ? 'used.#day = :day' : isSameMonth ? 'used.#day >= :month AND used.#day < :day' : 'used.#day < :month',
    ...(perTransaction === undefined ? [] : [`limits.#${direction}.perTransaction >= :largest`]),
    ...ofDay.conditions,
    ...ofMonth.conditions,
  ];
  const values = {
    limits,
    ...(perTransaction !== undefined && { largest }),
    ...ofDay.values,
    ...ofMonth.values,
  };
  const [ofDayName, ofMonthName] = [`used.${direction}Day`, `used.${direction}Month`];
  const addToMonth = `, ${ofMonthName} = ${ofMonthName} + :amount`;
  if (isSameDay) {
    return { set: `, ${ofDayName} = ${ofDayName} + :amount${addToMonth}`, conditions, values: { ...values, day } };
  }
  if (isSameMonth) {
    const other = direction === 'out' ? 'in' : 'out';
    return {
      set: `, used.#day = :day, ${ofDayName} = :amount, used.${other}Day = :none${addToMonth}`,
      conditions,
      values: { ...values, day, month, none: 0 },
    };
  }
  const used = { ...unused(day), [`${direction}Day`]: amount, [`${direction}Month`]: amount };
  return { set: ', used = :used', conditions, values: { ...values, month, used } };
}
