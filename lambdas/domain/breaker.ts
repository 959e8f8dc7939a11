/**
 * A state of the circuit breaker before the bank: `closed` lets all calls pass, `open` none, and `half-open` a few, to
 * see whether the bank is up.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';
