/** Clock hours in UTC, in which the books are closed. An hour is named by its beginning, `yyyy-mm-ddThh`. */

export const hourMs = 3_600_000;

/** Returns the hour of a time (ISO 8601 UTC). */
export function hourOf(at: string): string {
  return at.slice(0, 'yyyy-mm-ddThh'.length);
}

/** Returns the hour of a time in epoch milliseconds. */
export function hourOfMs(ms: number): string {
  return hourOf(new Date(ms).toISOString());
}

/** Returns the first moment of an hour, epoch ms; NaN when the text names no hour. */
export function startOf(hour: string): number {
  return Date.parse(`${hour}:00:00.000Z`);
}

/** Returns whether `value` is a time whose hour can be read. */
export function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(startOf(hourOf(value)));
}

/** Returns the hour that is `hours` after this one. */
export function hourAfter(hour: string, hours = 1): string {
  return hourOfMs(startOf(hour) + hours * hourMs);
}
