import { metrics as names } from '../contract.ts';
import type { OpenWithdrawal } from '../domain/withdrawal.ts';
import { logger, metrics } from '../runtime/telemetry.ts';

/**
 * The bank says what cannot be true together with the ledger: people must look, as money may have moved twice, or not at
 * all. Counted at once, so that it carries the same dimensions wherever it comes from, and the alarm sees it.
 */
export function reportContradiction(
  transactionId: string,
  said: Readonly<Record<string, unknown>>,
  { status, amount, currency, bankId }: OpenWithdrawal,
): void {
  logger.error('the bank contradicts the ledger', { transactionId, said, known: { status, amount, currency, bankId } });
  metrics.addMetric(names.bankContradiction, 'Count', 1);
  metrics.publishStoredMetrics();
}
