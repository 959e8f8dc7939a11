import { checkWhole } from './check-values.ts';

/** Limits of one end user in any hour, and of addresses. Operators are not limited. */
export interface RateLimits {
  /**
   * Wallets opened. Changes of the name, alias or metadata of wallets have the same limit, counted apart.
   *
   * @default 10
   */
  readonly wallets?: number;

  /**
   * Transfers accepted, queued ones among them. Holds that are opened, captures, refunds and the legs of splits have the
   * same limit, each counted apart. A split with more legs than this is never accepted.
   *
   * @default 100
   */
  readonly transfers?: number;

  /**
   * Withdrawals accepted.
   *
   * @default 50
   */
  readonly withdrawals?: number;

  /**
   * Statements asked for as files. Each counts once for each 100,000 changes of its wallet, at most as often as this limit.
   *
   * @default 20
   */
  readonly statementFiles?: number;

  /**
   * Requests to cancel a withdrawal or release a hold, accepted or not. They have a limit of their own, so that a caller
   * who has used up `reads` can still stop a payout. Counted in lots of at most 10. Beyond it, as beyond `refusals`, the same number of
   * further requests is looked up by their key.
   *
   * @default 100
   */
  readonly cancellations?: number;

  /**
   * Requests that move no money: reads, and commands that were repeated or not valid. Each container of each function
   * counts them in lots, so a caller may exceed the limit by one lot (at most 20) for each container.
   *
   * @default 1000
   */
  readonly reads?: number;

  /**
   * Commands of all kinds that were refused with 404, 409, 422 or 429: each may have met writes of other wallets.
   * Counted as `reads`, in lots of at most 10. Beyond it every new command of the caller is refused. The same number of
   * further requests is looked up by their key, so that a repetition of an accepted command is answered. After them no
   * key is read.
   *
   * @default 100
   */
  readonly refusals?: number;

  /**
   * Tokens that the issuer has not signed, and that one address may have checked in a minute, in each container of the
   * authorizer. Beyond it only tokens that the container knows as valid are checked, so that other callers behind the
   * address go on. New ones get 401 until the allowance is restored. Behind a proxy all callers share its address: set
   * it high.
   *
   * @default 20
   */
  readonly badTokensPerMinute?: number;
}

const defaults: Required<RateLimits> = {
  wallets: 10,
  transfers: 100,
  withdrawals: 50,
  statementFiles: 20,
  cancellations: 100,
  reads: 1000,
  refusals: 100,
  badTokensPerMinute: 20,
};

/**
 * Returns the limits, with defaults for those that are not given.
 *
 * @throws Error when one is no whole number of at least 1
 */
export function rateLimitsOf(given: RateLimits = {}): Required<RateLimits> {
  const limits = { ...defaults, ...given };
  for (const [name, limit] of Object.entries(limits)) {
    checkWhole(`rateLimits.${name}`, limit, 1);
  }
  return limits;
}
