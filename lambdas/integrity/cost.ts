import type { Pass } from './pass.ts';

/** A million read units of a table that is billed on demand, in dollars: the list price of us-east-1, November 2026. */
const millionReadUnits = 0.125;

/** What a pass has cost so far, and what the whole of it will cost, as far as the size of the table is known. */
export interface PassCost {
  readonly readUnits: number;
  readonly dollars: number;
  readonly expectedReadUnits?: number;
  readonly expectedDollars?: number;
}

/** Returns what a pass has cost, and what it will, at the rate of what it has read. */
export function costOf({ readUnits, items, scanned, stage }: Pass): PassCost {
  const dollars = (units: number) => Number(((units * millionReadUnits) / 1e6).toFixed(4));
  const whole =
    stage !== 'books'
      ? readUnits
      : items === undefined || scanned === 0
        ? undefined
        : (readUnits * Math.max(items, scanned)) / scanned;
  return {
    readUnits,
    dollars: dollars(readUnits),
    ...(whole !== undefined && { expectedReadUnits: Math.round(whole), expectedDollars: dollars(whole) }),
  };
}
