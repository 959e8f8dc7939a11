import { metrics as names } from '../contract.ts';
import type { Withdrawal } from '../domain/transaction.ts';
import { logger, metrics } from '../aws/telemetry.ts';

/** Logs a withdrawal that the bank ended, and counts its age. The caller publishes the metrics. */
export function reportEnd(
  { transactionId, walletId, createdAt }: Withdrawal,
  end: { readonly now: number; readonly status: 'completed' | 'failed'; readonly code?: string | undefined },
): void {
  const { now, status, code } = end;
  const durationMs = now - Date.parse(createdAt);
  logger.info('withdrawal ended', { transactionId, walletId, status, code, durationMs });
  metrics.addMetric(names.withdrawalAge, 'Milliseconds', durationMs);
}
