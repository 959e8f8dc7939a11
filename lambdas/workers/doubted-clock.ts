import { metrics as names } from '../contract.ts';
import type { OpenWithdrawal } from '../domain/transaction.ts';
import { aheadMs, isClockRight, nextTryAt } from '../domain/withdrawal.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { logger, metrics } from '../aws/telemetry.ts';
import type { Table } from '../store/table.ts';

/** Shortest wait after a worker's clock was doubted, so that another worker gets the message. */
const clockWaitMs = 10_000;

/**
 * Returns the reading of a clock that may be wrong; undefined when the clock is right. An answer without a time proves
 * nothing: only stand-ins for DynamoDB send it.
 */
export function doubtedReading(reading: ClockReading | undefined): ClockReading | undefined {
  return reading === undefined || isClockRight(reading) ? undefined : reading;
}

/** Logs and counts that this worker's clock may be wrong. */
function reportDoubt(transactionId: string, reading: ClockReading): void {
  logger.warn('the clock may be wrong', { transactionId, aheadMs: aheadMs(reading) });
  metrics.addMetric(names.clockDoubted, 'Count', 1);
}

/**
 * Leaves a withdrawal to a worker whose clock is right. `submitBy` stays as it was before the claim: this clock must
 * not decide when "not found" counts. The withdrawal is due again by the database's time, and no earlier than before.
 * So the sweeper does not count the message as lost, and no other worker's lease is cut short.
 */
export function leaveToRightClock(
  withdrawal: OpenWithdrawal,
  reading: ClockReading,
): { readonly dueAt: number; readonly redeliverAt: number; readonly submitBy: string | undefined } {
  const { transactionId, dueAt, submitBy } = withdrawal;
  reportDoubt(transactionId, reading);
  const { databaseAt, receivedAt } = reading;
  const next = nextTryAt({ ...withdrawal, now: databaseAt, retryAfterMs: clockWaitMs });
  return {
    dueAt: Math.max(next, Date.parse(dueAt)),
    redeliverAt: receivedAt + next - databaseAt,
    submitBy,
  };
}

/**
 * Returns when to redeliver the message of a withdrawal that this worker could not claim, epoch ms by this worker's
 * clock. To a clock that is behind, due work seems to lie in the future. So another worker gets the message soon.
 *
 * @param deliveryAt when to redeliver if the clock is right; undefined: not at all
 */
export function nextClaimAt(
  deliveryAt: number | undefined,
  transactionId: string,
  reading: ClockReading | undefined,
  table: Table,
): number | undefined {
  const doubted = doubtedReading(reading);
  if (deliveryAt === undefined || doubted === undefined) return deliveryAt;
  reportDoubt(transactionId, doubted);
  return Math.min(deliveryAt, table.now() + clockWaitMs);
}
