import { metrics as names } from '../contract.ts';
import { beganAtOf } from '../domain/transaction.ts';
import type { Withdrawal } from '../domain/transaction.ts';
import { logger, metrics } from '../aws/telemetry.ts';

/** Logs a withdrawal that the bank ended, and counts its age. The caller publishes the metrics. */
export function reportEnd(
  withdrawal: Withdrawal,
  end: { readonly now: number; readonly status: 'completed' | 'failed'; readonly code?: string | undefined },
): void {
  const { transactionId, walletId } = withdrawal;
  const { now, status, code } = end;
  const durationMs = now - Date.parse(beganAtOf(withdrawal));
  logger.info('withdrawal ended', { transactionId, walletId, status, code, durationMs });
  metrics.addMetric(names.withdrawalAge, 'Milliseconds', durationMs);
}
