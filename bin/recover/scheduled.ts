/** The scheduled payments of a restored table that were executed after the restored moment. */
import { executedWithdrawal } from '../../lambdas/domain/schedule.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShardOf, reviewShard } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { soundCandidate } from './put-back.ts';
import { restoredVisit } from './records.ts';
import type { Recovery } from './recovery.ts';

/**
 * Executes the scheduled withdrawals of the restored table that were executed since, by the bank's statement, the ledger or
 * an event. A submit may have left, so a cancel or a refusal at their next time would come too late. Those that the bank has
 * paid go to review, with their money held, and end as any that it has paid. The others are open, and the bank is asked
 * first. Names those whose wallet does not have the money.
 */
export async function executeAgain(recovery: Recovery): Promise<void> {
  const { copy, report, table, at, bank } = recovery;
  const executed = copy.query(
    { id: 'text', booked: 'text', paid: 'number', ended: 'number' },
    `SELECT id, COALESCE((SELECT MIN(at) FROM entries WHERE name = records.id AND held > 0),
          (SELECT json_extract(event, '$.transaction.executedAt') FROM transaction_events AS events
            WHERE events.id = records.id), '') AS booked,
        EXISTS (SELECT 1 FROM payments WHERE reference = id AND payments.amount = records.amount
          AND payments.currency = records.currency) AS paid,
        EXISTS (SELECT 1 FROM entries WHERE name = records.id AND held < 0) AS ended
      FROM records WHERE type = 'withdrawal' AND status = 'scheduled' AND (booked <> '' OR paid)`,
  );
  for (const { id, booked, paid, ended } of executed.all()) {
    const seen = await recovery.read(transactionKey(id));
    const scheduled = seen && readable(toTransaction(seen));
    if (scheduled?.type !== 'withdrawal' || scheduled.status !== 'scheduled') continue;
    // The ledger has the time of the execution. Without it, the time of the repair is none that a reader has seen.
    const withdrawal = executedWithdrawal(scheduled, booked >= scheduled.executeAt ? booked : at);
    const state =
      paid === 1 || ended === 1
        ? { status: 'review', dueShard: reviewShard }
        : { status: 'executing', submitBy: at, dueShard: dueShardOf('withdrawal', id, table.dueShards) };
    const record = {
      ...{ ...seen, ...withdrawal, ...state, dueAt: at, updatedAt: at, bankId: bank?.bankId },
      ...{ historyKey: historyKeyOf(withdrawal), attempts: [restoredVisit(at)] },
    };
    const candidate = soundCandidate(recovery, record);
    const source = paid === 1 ? 'the bank has paid it' : 'it was executed since';
    if ('reason' in candidate) {
      report.differs({
        kind: paid === 1 ? 'payment_forgotten' : 'execution_forgotten',
        subject: id,
        detail: `it is scheduled in the table, and ${source}: ${candidate.reason}`,
        remedy:
          paid === 1
            ? 'cancel it, and correct the balance by agreement'
            : 'ask the bank whether it has the payment; if not, leave it, and otherwise correct the balance by agreement',
      });
      continue;
    }
    report.repairs('transaction', id, `scheduled in the table, and ${source}: executed`);
    copy.putTransaction(candidate.transaction);
    await recovery.put(table, candidate.item, seen);
  }
}
