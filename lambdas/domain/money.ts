/** Largest amount and largest balance, in minor units: 2^53-1, the largest integer that JSON readers agree on. */
export const maxAmount = Number.MAX_SAFE_INTEGER;

/** Whether `value` is an amount that a command may move: an integer of minor units, 1 … 2^53-1. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
