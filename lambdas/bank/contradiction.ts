import { metrics as names } from '../contract.ts';
import type { Withdrawal } from '../domain/transaction.ts';
import { logger, metrics } from '../aws/telemetry.ts';

/**
 * Reports that the bank contradicts the ledger: money may have moved twice, or not at all, so an operator must check.
 * The metric is published at once, so that it has the same dimensions from every function, and the alarm sees it.
 */
export function reportContradiction(
  transactionId: string,
  said: Readonly<Record<string, unknown>>,
  { status, amount, currency, bankId }: Withdrawal,
): void {
  logger.error('the bank contradicts the ledger', { transactionId, said, known: { status, amount, currency, bankId } });
  metrics.addMetric(names.bankContradiction, 'Count', 1);
  metrics.publishStoredMetrics();
}
