/** Largest amount, and largest balance that money may be put into: 2^53-1, the largest integer that JSON readers agree on. */
export const maxAmount = Number.MAX_SAFE_INTEGER;

/** Whether `value` is an amount that a command may move: an integer of minor units, 1 … 2^53-1. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/**
 * A sum of amounts, in minor units and exact: a number, and beyond 2^53-1 a bigint, as items are read. A wallet may hold
 * that much, as money that comes back to it is never refused.
 */
export type Sum = number | bigint;

export function plus(a: Sum, b: Sum): Sum {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    // What is stored may be anything, and what is not whole is judged elsewhere.
    if (Number.isSafeInteger(sum) || !Number.isInteger(sum)) return sum;
  }
  const exact = BigInt(a) + BigInt(b);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

export function minus(a: Sum, b: Sum): Sum {
  return plus(a, -b);
}

/** Whether `value` is a sum, and no number that is not whole. */
export function isSum(value: unknown): value is Sum {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

declare global {
  interface JSON {
    /** ECMAScript's, which TypeScript does not know yet: stands for this very text in what `stringify` makes. */
    rawJSON(text: string): object;
  }
}

/** JSON in which every sum is an integer, however large: JSON itself sets no limit. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'bigint' ? JSON.rawJSON(String(member)) : member,
  );
}
