/** Amounts and dates as other systems write them. */
import { decimalsOf } from '../../lambdas/domain/minor-units.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { LineError, quoted } from './refusals.ts';

/** How amounts are written. */
export interface AmountStyle {
  /** `minor`: whole minor units, as 1050. `major`: with the decimals of the currency, as 10.50. */
  readonly unit: 'minor' | 'major';
  readonly decimalMark: '.' | ',';
}

/**
 * Returns an amount in minor units, 0 or more.
 *
 * @param currency needed for major units
 * @throws LineError `bad_amount` for a sign, for parts of a minor unit, and beyond 2^53-1
 */
export function minorUnitsOf(value: string | number, style: AmountStyle, currency: string | undefined): number {
  const text = String(value).trim();
  const mark = typeof value === 'number' ? '.' : style.decimalMark;
  const exact = minorUnitsIn(text, { ...style, decimalMark: mark }, currency);
  if (exact <= maxAmount) return Number(exact);
  throw new LineError('bad_amount', `${quoted(text)} is no amount from 0 to ${maxAmount} minor units`);
}

/**
 * Returns an amount or a sum of any size in minor units, 0 or more.
 *
 * @param currency needed for major units
 * @throws LineError `bad_amount` for a sign, and for parts of a minor unit
 */
export function minorUnitsIn(text: string, { unit, decimalMark }: AmountStyle, currency: string | undefined): bigint {
  if (unit === 'minor') return whole(text, text);
  if (currency === undefined) throw new LineError('missing_member', 'amounts in major units need a currency');
  const [digits = '', fraction = '', ...others] = text.split(decimalMark);
  const decimals = decimalsOf(currency);
  if (others.length > 0 || !/^\d*$/.test(fraction) || !/^0*$/.test(fraction.slice(decimals))) {
    throw new LineError('bad_amount', `${quoted(text)} is no amount of ${currency}, which has ${decimals} decimals`);
  }
  return whole(/^\d+$/.test(digits) ? `${digits}${fraction.slice(0, decimals).padEnd(decimals, '0')}` : '', text);
}

function whole(digits: string, text: string): bigint {
  if (/^\d{1,40}$/.test(digits)) return BigInt(digits);
  throw new LineError('bad_amount', `${quoted(text)} is no whole number of minor units`);
}

/** Date, and perhaps a time with its offset. */
const timeFormat =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** A moment. */
export interface Moment {
  /** ISO 8601 UTC, in milliseconds. */
  readonly at: string;
  /** The same with nine decimals. It sorts what happened within a millisecond. */
  readonly exact: string;
}

/**
 * Returns the moment of a time of ISO 8601 with an offset, as PostgreSQL and JSON write it. A date alone is its midnight in UTC.
 *
 * @param now epoch ms
 * @throws LineError `bad_date`, `future_date`
 */
export function momentOf(text: string, now: number): Moment {
  const parts = timeFormat.exec(text.trim());
  const [, year = '', month = '', day = '', hour, minute = '0', second = '0', fraction = '', offset] = parts ?? [];
  if (parts === null) throw new LineError('bad_date', `${quoted(text)} is no time as 2026-03-31T12:00:00Z`);
  if (hour !== undefined && offset === undefined) {
    throw new LineError('bad_date', `${quoted(text)} has no offset from UTC, such as Z or +02:00`);
  }
  const numbers = [Number(hour ?? 0), Number(minute), Number(second)] as const;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const isDay = new Date(midnight).toISOString().startsWith(`${year}-${month}-${day}`);
  const [hours, minutes, seconds] = numbers;
  if (!isDay || hours > 23 || minutes > 59 || seconds > 59 || Number(year) < 1970) {
    throw new LineError('bad_date', `${quoted(text)} is no time of the calendar since 1970`);
  }
  const decimals = fraction.padEnd(9, '0');
  const ms =
    midnight + 1000 * (60 * (60 * hours + minutes) + seconds) + Number(decimals.slice(0, 3)) - offsetMsOf(offset, text);
  if (ms < 0) throw new LineError('bad_date', `${quoted(text)} is before 1970`);
  if (ms > now) throw new LineError('future_date', `${quoted(text)} is in the future`);
  const at = new Date(ms).toISOString();
  return { at, exact: at.replace('Z', `${decimals.slice(3)}Z`) };
}

function offsetMsOf(offset: string | undefined, text: string): number {
  if (offset === undefined || offset === 'Z') return 0;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(3).replace(':', '') || '0')];
  if (hours > 14 || minutes > 59) throw new LineError('bad_date', `${quoted(text)} has no offset of this world`);
  return (offset.startsWith('-') ? -1 : 1) * 60_000 * (60 * hours + minutes);
}
