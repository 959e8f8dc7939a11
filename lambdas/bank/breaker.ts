import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  CountBreaker,
  circuitBreaker,
  handleWhenResult,
  type IBreaker,
} from 'cockatiel';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** When calls to the bank stop, and for how long. */
export interface BreakerSettings {
  /** Opens when more than half of this many last calls failed; not before there were so many. */
  readonly lastCalls: number;
  /** Opens when this many calls failed one after the other. */
  readonly inARow: number;
  /** Stays open this long, in milliseconds. */
  readonly openMs: number;
  /** Then this many calls try; it opens again when all of them fail, and closes when they are over and one did not. */
  readonly tries: number;
}

/**
 * Counted by calls and not by time: a container makes at most a few calls a second, and after a quiet hour it should
 * neither judge by three calls nor by the failures of an hour ago.
 *
 * At the 30 % failures that count as normal, more than 30 failures among 60 calls have a probability of 3.6e-4 at any
 * one moment and ten in a row of 5.9e-6; together the breaker opens without cause about once in 19,000 calls, which
 * delays one container's work by 15 s and costs no attempt (with 20 calls in place of 60 it would be once in 260). A
 * bank that is down opens it after ten calls.
 *
 * Four calls try, because at 30 % failures a single one would keep the breaker open after three returns of the bank
 * in ten, four do after one in 123. A container that stays open harms more than itself: it answers at once, so that
 * the queue gives it more messages than those that work, and each waits for another 15 s. An open time of 30 s delayed
 * the last withdrawals after an outage beyond a minute.
 */
export const defaultBreaker: BreakerSettings = { lastCalls: 60, inARow: 10, openMs: 15_000, tries: 4 };

/** The breaker is open: no call was made, and none will be for `retryAfterMs`. */
export class BankUnavailable extends Error {
  override readonly name = 'BankUnavailable';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super(`the bank fails too often and is left alone for another ${String(retryAfterMs)} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A circuit breaker around the calls to one bank. */
export interface Breaker<T> {
  /**
   * Makes the call and gives its result, or rejects with `BankUnavailable` without making it. While some try a half-open
   * bank, others wait for their results. What a call throws passes through and counts as a success, so calls report the
   * bank's failures as results.
   */
  readonly guard: <R extends T>(call: () => Promise<R>) => Promise<R>;
  /** Returns whether the bank counts as up. An open or half-open breaker says that it is down. */
  readonly isClosed: () => boolean;
}

/** Opens a breaker that is closed. */
export function openBreaker<T>(
  { lastCalls, inARow, openMs, tries }: BreakerSettings,
  isFailure: (result: T) => boolean,
  onStateChange: (state: BreakerState) => void,
): Breaker<T> {
  const policy = circuitBreaker(
    handleWhenResult((result) => isFailure(result as T)),
    {
      halfOpenAfter: openMs,
      // More failures than this share, which only all of them are.
      halfOpenSampling: { calls: tries, threshold: (tries - 0.5) / tries },
      breaker: either(new ConsecutiveBreaker(inARow), new CountBreaker({ threshold: 0.5, size: lastCalls })),
    },
  );
  let openedAt = 0;
  policy.onBreak(() => (openedAt = Date.now()));
  policy.onStateChange((state) => {
    onStateChange(stateNames[state]);
  });

  return {
    async guard(call) {
      try {
        return await policy.execute(call);
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error;
        throw new BankUnavailable(Math.max(1, openedAt + openMs - Date.now()));
      }
    },
    isClosed: () => policy.state === CircuitState.Closed,
  };
}

const stateNames: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

/** Opens when one of the two would; both see every result. */
function either(first: IBreaker, second: IBreaker): IBreaker {
  return {
    get state() {
      return [first.state, second.state];
    },
    success(state) {
      first.success(state);
      second.success(state);
    },
    failure(state) {
      const opens = first.failure(state);
      return second.failure(state) || opens;
    },
  };
}
