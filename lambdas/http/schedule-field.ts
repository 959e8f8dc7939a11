import { longestScheduleMs, shortestScheduleMs } from '../domain/schedule.ts';
import type { WalletError } from '../domain/errors.ts';
import type { ScheduledPayment } from '../domain/transaction.ts';
import { invalid } from './request.ts';
import { timeField } from './time-field.ts';

/** The time at which a payment is executed. It is never executed earlier, so a finer time is rounded up. */
export const executeAt = timeField('up');

/**
 * Returns the refusal of a payment whose time is too near or too far, or of any where payments cannot be scheduled. It is no
 * reason to refuse a repetition, which may come when the payment was executed.
 */
export function refusalOfTime(
  payment: Pick<ScheduledPayment, 'executeAt' | 'createdAt'>,
  { schedules = true }: { readonly schedules?: boolean },
): WalletError | undefined {
  if (!schedules) return invalid([{ path: 'executeAt', message: 'payments cannot be scheduled here' }]);
  const aheadMs = Date.parse(payment.executeAt) - Date.parse(payment.createdAt);
  if (aheadMs >= shortestScheduleMs && aheadMs <= longestScheduleMs) return undefined;
  return invalid([{ path: 'executeAt', message: 'must be a minute to 366 days ahead' }]);
}
