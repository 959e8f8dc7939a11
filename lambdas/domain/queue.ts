import { waitBeforeRetry } from './backoff.ts';

/**
 * Returns the delay of a message whose work threw: 1 s, 2 s, 4 s, … up to five minutes.
 *
 * @param receiveCount how often the message was received, from 1 on
 */
export function redeliveryDelaySeconds(receiveCount: number): number {
  return waitBeforeRetry(receiveCount - 1, { first: 1, longest: 300 });
}
