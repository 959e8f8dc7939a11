/** The scheduled payments of a restored table that were executed after the restored moment. */
import { executedWithdrawal } from '../../lambdas/domain/schedule.ts';
import { historyKeyOf, reviewShard, transactionKey } from '../../lambdas/store/keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { soundCandidate } from './put-back.ts';
import { restoredVisit } from './records.ts';
import type { Recovery } from './recovery.ts';

/**
 * Executes the scheduled withdrawals of the restored table that the bank has paid since: they go to review, with their money
 * held, and end as any that the bank has paid. Names those whose wallet does not have the money.
 */
export async function executePaid(recovery: Recovery): Promise<void> {
  const { copy, report, table, at, bank } = recovery;
  const paid = copy.query(
    { id: 'text', booked: 'text' },
    `SELECT id, COALESCE((SELECT MIN(at) FROM entries WHERE name = records.id AND held > 0), '') AS booked
      FROM records JOIN payments ON reference = id WHERE type = 'withdrawal' AND status = 'scheduled'
        AND records.amount = payments.amount AND records.currency = payments.currency GROUP BY id`,
  );
  for (const { id, booked } of paid.all()) {
    const seen = await recovery.read(transactionKey(id));
    const scheduled = seen && readable(toTransaction(seen));
    if (scheduled?.type !== 'withdrawal' || scheduled.status !== 'scheduled') continue;
    // The ledger has the time of the execution. Without it, the time of the repair is none that a reader has seen.
    const executed = executedWithdrawal(scheduled, booked >= scheduled.executeAt ? booked : at);
    const review = { status: 'review', dueAt: at, dueShard: reviewShard, updatedAt: at, bankId: bank?.bankId };
    const record = {
      ...{ ...seen, ...executed, ...review },
      ...{ historyKey: historyKeyOf(executed), attempts: [restoredVisit(at)] },
    };
    const candidate = soundCandidate(recovery, record);
    if ('reason' in candidate) {
      report.differs({
        kind: 'payment_forgotten',
        subject: id,
        detail: `it is scheduled in the table, and the bank has paid it: ${candidate.reason}`,
        remedy: 'cancel it, and correct the balance by agreement',
      });
      continue;
    }
    report.repairs('transaction', id, 'scheduled in the table, and paid by the bank: executed');
    copy.putTransaction(candidate.transaction);
    await recovery.put(table, candidate.item, seen);
  }
}
