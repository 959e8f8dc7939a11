/** Errors in the words of a command, and its numbers. */

/** A command that was not written as it must be. Nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Returns an amount in minor units. Refuses all that is not written as a whole number. */
export function amountIn(text: string): number {
  const amount = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(amount)) return amount;
  if (/^\d+[.,]\d+$/.test(text)) {
    throw new UsageError(
      `an amount is in minor units, without decimals, received ${text}: with two decimals, 12.50 is 1250`,
    );
  }
  throw new UsageError(`an amount is a whole number of minor units from 1 to 2^53-1, received ${text}`);
}

/** Returns a whole number that an option has. */
export function numberIn(text: string, option: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= most) return number;
  throw new UsageError(`--${option} takes a whole number up to ${most}, received ${text}`);
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Returns a time, ISO 8601 UTC: a time as it is given, or one that is so many minutes, hours or days from now. */
export function timeIn(text: string, option: string, now = Date.now()): string {
  const [, count, unit = ''] = /^(\d+)([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(now + Number(count) * (unitMs[unit] ?? 0)).toISOString();
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  throw new UsageError(`--${option} takes a time such as 2026-03-01T12:00:00Z, or 30m, 2h, 7d, received ${text}`);
}
