import type { Pass } from './pass.ts';

/** A million read units of a table that is billed on demand, in dollars: the list price of us-east-1, November 2026. */
const millionReadUnits = 0.125;

/** The cost of a pass so far; and of the whole pass, when the size of the table is known. */
export interface PassCost {
  readonly readUnits: number;
  readonly dollars: number;
  readonly expectedReadUnits?: number;
  readonly expectedDollars?: number;
}

/** Returns the cost of a pass so far. Estimates the whole pass from the cost of each item that it has read. */
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
