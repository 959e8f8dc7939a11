import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  CountBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { IBreaker } from 'cockatiel';
import type { BreakerState } from '../domain/breaker.ts';

/** Limits at which calls to the bank stop, and for how long. */
export interface BreakerSettings {
  /** Opens when more than half of this many last calls failed; not before there were so many. */
  readonly lastCalls: number;
  /** Opens when this many calls failed one after the other. */
  readonly inARow: number;
  /** Stays open this long, in milliseconds. */
  readonly openMs: number;
  /**
   * Number of calls in the half-open state. The breaker opens again when all of them fail. Otherwise it closes when
   * they are over.
   */
  readonly tries: number;
}

/**
 * Counts calls and not time. A container makes at most a few calls a second. After a quiet hour, neither three calls
 * nor the failures of an hour ago should open the breaker.
 *
 * Failures of 30 % count as normal. Then more than 30 failures among 60 calls have a probability of 3.6e-4 at any
 * moment, and ten in a row of 5.9e-6. Together the breaker opens without cause about once in 19,000 calls. That delays
 * one container's work by 15 s and costs no attempt. With 20 calls in place of 60 it would be once in 260. A bank that
 * is down opens it after ten calls.
 *
 * Four calls test a half-open bank. When the bank returns at 30 % failures, a single call would keep the breaker open
 * three times in ten. Four calls do so once in 123. An open container answers at once, so the queue gives it more
 * messages than a working one. Each of these waits for another 15 s. An open time of 30 s delayed the last withdrawals
 * after an outage beyond a minute.
 */
export const defaultBreaker: BreakerSettings = { lastCalls: 60, inARow: 10, openMs: 15_000, tries: 4 };

/** The breaker is open: no call was made, and none will be for `retryAfterMs`. */
export class BankUnavailable extends Error {
  override readonly name = 'BankUnavailable';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super(`the bank fails too often; no call is made for another ${String(retryAfterMs)} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A circuit breaker around the calls to one bank. */
export interface Breaker<T> {
  /**
   * Makes the call and returns its result, or rejects with `BankUnavailable` without making it. While some calls test a
   * half-open bank, others wait for their results. An error of the call passes through and counts as a success, so
   * calls report the bank's failures as results.
   */
  readonly guard: <R extends T>(call: () => Promise<R>) => Promise<R>;
  /** Returns whether the bank counts as up. An open or half-open breaker means that it is down. */
  readonly isClosed: () => boolean;
}

/** Returns a closed breaker. */
export function openBreaker<T>(
  { lastCalls, inARow, openMs, tries }: BreakerSettings,
  isFailure: (result: T) => boolean,
  onStateChange: (state: BreakerState) => void,
): Breaker<T> {
  const policy = circuitBreaker(
    handleWhenResult((result) => isFailure(result as T)),
    {
      halfOpenAfter: openMs,
      // More failures than this share means that all of them failed.
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

/** Returns a breaker that opens when one of the two would. Both see every result. */
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
