/**
 * Largest amount, and largest balance that money may be put into: 2^53-1, the largest integer that JSON readers agree
 * on.
 */
export const maxAmount = Number.MAX_SAFE_INTEGER;

/** Returns whether a command may move this amount: an integer of minor units, 1 … 2^53-1. */
export function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

/**
 * An exact sum of amounts in minor units: a number, or a bigint beyond 2^53-1, as items are read. A wallet may hold
 * that much, because money that comes back to it is never refused.
 */
export type Sum = number | bigint;

export function plus(a: Sum, b: Sum): Sum {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    // A stored value may be anything. Other code judges a value that is not whole.
    if (Number.isSafeInteger(sum) || !Number.isInteger(sum)) return sum;
  }
  const exact = BigInt(a) + BigInt(b);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

export function minus(a: Sum, b: Sum): Sum {
  return plus(a, -b);
}

/** Returns whether `value` is a bigint or a whole number. */
export function isSum(value: unknown): value is Sum {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

declare global {
  interface JSON {
    /**
     * Puts this exact text into the output of `stringify`. A function of ECMAScript that TypeScript does not declare
     * yet.
     */
    rawJSON(text: string): object;
  }
}

/** Returns JSON in which every sum is an integer, however large: JSON itself sets no limit. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'bigint' ? JSON.rawJSON(String(member)) : member,
  );
}
