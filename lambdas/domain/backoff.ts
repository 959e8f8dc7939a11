/** The waits between the tries of one piece of work, in one unit. */
export interface Backoff {
  /** Wait before the first retry. */
  readonly first: number;
  readonly longest: number;
}

/**
 * Returns the wait before a retry, in the unit of the limits: the first wait, doubled after each retry, up to the longest.
 *
 * @param retries made so far, at least 0
 */
export function waitBeforeRetry(retries: number, { first, longest }: Backoff): number {
  return Math.min(first * 2 ** retries, longest);
}
