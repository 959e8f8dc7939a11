import { isRefundable } from '../../lambdas/domain/refund.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { executedTransfer } from '../../lambdas/domain/schedule.ts';
import { arrivalPostings } from '../../lambdas/domain/transfer.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { hiddenColumns, hiddenDifference, selectHidden } from './hidden.ts';
import type { Hidden } from './hidden.ts';
import { refundsState } from './links.ts';
import { justBefore } from './records.ts';
import type { Recovery } from './recovery.ts';
import { creditedTwice, standInRemedy } from './stand-ins.ts';
import { changeRecord } from './torn.ts';

/** A transaction, and what its refunds show. Amounts are in minor units. */
interface Link extends Hidden {
  readonly id: string;
  readonly amount: number;
  /** What its record says of its refunds, as `refundsState`. */
  readonly refunds: string;
  /** The sum and the ids of the refunds that can be read, the oldest first. */
  readonly refunded: number;
  readonly ids: string;
  /** The ids of those that cannot be read and show their amounts. */
  readonly hiddenIds: string;
}

/**
 * Corrects the record of each transaction to the records of its refunds, because a record that is there counts. A refund
 * that was forgotten can be made again.
 *
 * A refund that cannot be read is not forgotten. Its transaction is named, and its record never says less than before.
 */
export async function linkRefunds(recovery: Recovery): Promise<void> {
  const links = recovery.copy.query(
    {
      ...{ id: 'text', amount: 'number', refunds: 'text', refunded: 'number', ids: 'text', hiddenIds: 'text' },
      ...hiddenColumns,
    },
    `SELECT originals.id, originals.amount, originals.refunds, COALESCE(SUM(refunds.amount), 0) AS refunded,
        COALESCE(group_concat(refunds.id, ' ' ORDER BY refunds.created_at, refunds.id), '') AS ids,
        COALESCE((SELECT group_concat(id, ' ' ORDER BY id) FROM unreadable WHERE original = originals.id AND amount > 0), '')
          AS hiddenIds, ${selectHidden('originals')}
      FROM records AS originals
        LEFT JOIN records AS refunds ON refunds.type = 'refund' AND refunds.counterpart = originals.id
      WHERE originals.type IN ('charge', 'transfer', 'capture')
        AND (originals.refunds <> '' OR refunds.id IS NOT NULL OR originals.id IN (SELECT original FROM unreadable))
      GROUP BY originals.id`,
  );
  for (const link of links.all()) {
    nameRefunds(recovery, link);
    await linkOne(recovery, link);
  }
}

/**
 * Ends each pending or scheduled transfer that has a refund: it had arrived, and its receiver has given money back. Left open,
 * it would arrive later without the sum of its refunds. The ledger shows when it arrived, or else it was just before its
 * refund.
 */
export async function endRefundedTransfers(recovery: Recovery): Promise<void> {
  const { copy, report, at: now } = recovery;
  const open = copy.query(
    { id: 'text', first: 'text', sent: 'text', arrived: 'text' },
    `SELECT id, COALESCE((SELECT MIN(created_at) FROM records AS refunds
          WHERE refunds.type = 'refund' AND refunds.counterpart = transfers.id), '') AS first,
        COALESCE((SELECT MIN(at) FROM entries WHERE name = transfers.id AND at <> '' AND available <= -amount), '') AS sent,
        COALESCE((SELECT MIN(at) FROM entries WHERE name = transfers.id AND at <> '' AND available = amount), '') AS arrived
      FROM records AS transfers WHERE type = 'transfer' AND status IN ('pending', 'scheduled')
        AND (first <> '' OR id IN (SELECT original FROM unreadable WHERE type = 'refund'))`,
  );
  for (const { id, first, sent: debited, arrived } of open.all()) {
    const stored = await recovery.read(transactionKey(id));
    const transfer = stored && readable(toTransaction(stored));
    if (transfer?.type !== 'transfer' || (transfer.status !== 'pending' && transfer.status !== 'scheduled')) continue;
    const completedAt = arrived || (first === '' ? now : justBefore(first));
    const sent = transfer.status === 'scheduled' ? executedTransfer(transfer, debited || completedAt) : transfer;
    const postings = [...sent.postings, ...arrivalPostings(sent)];
    const { dueAt, ...lasting } = sent;
    const ended: Transaction = { ...lasting, status: 'completed', postings, completedAt, updatedAt: completedAt };
    const credited = creditedTwice(recovery, ended);
    if (credited !== undefined) {
      const detail = `${transfer.status} in the table, and refunded: ${credited}`;
      report.differs({ kind: 'end_forgotten', subject: id, detail, remedy: standInRemedy });
      continue;
    }
    const what = `${transfer.status} in the table, and refunded: it had arrived`;
    await changeRecord(recovery, id, what, ({ dueAt: _, dueShard, toWalletId, claimId, ...record }) => ({
      ...{ ...record, counterpartyWalletId: toWalletId, status: 'completed', postings },
      ...{ completedAt, updatedAt: completedAt },
      ...(sent.executedAt !== undefined && { executedAt: sent.executedAt, historyKey: historyKeyOf(sent) }),
    }));
  }
}

function nameRefunds({ report }: Recovery, link: Link): void {
  const { id, amount, refunded, hidden, hiddenAmount } = link;
  if (hidden > 0) report.differs(hiddenDifference('refund', link, 'they still count against it'));
  if (refunded + hiddenAmount <= amount) return;
  report.differs({
    kind: 'refunds_exceed',
    subject: id,
    detail: `its refunds gave back ${refunded + hiddenAmount}, and it moved ${amount}: nothing more is refunded`,
    remedy: 'find the refunds that were made twice, and take their money back by agreement with its payer',
  });
}

async function linkOne(recovery: Recovery, link: Link) {
  const { id, amount, refunds, refunded, hidden, hiddenAmount } = link;
  const known = [...idsIn(link.ids), ...idsIn(link.hiddenIds)];
  // Refunds of more than the amount can only have been made twice.
  const shown = Math.min(refunded + hiddenAmount, amount);
  if (hidden === 0 && refunds === refundsState({ refunded: shown, refunds: known })) return;
  const seen = Number(refunds.split(' ')[0]);
  if (hidden > 0 && shown <= seen) return;
  if (hidden === 0) nameForgottenRefunds(recovery, { id, refunds, shown, known });
  await changeRecord(recovery, id, `its refunds gave back ${shown}`, (record) => {
    const original = readable(toTransaction(record));
    if (original === undefined || !isRefundable(original)) return record;
    const named = original.refunds ?? [];
    const kept = hidden > 0 ? named : named.filter((one) => known.includes(one));
    return refundedRecord(record, shown, [...kept, ...known.filter((one) => !named.includes(one))]);
  });
}

/** Names refunds that only the record of their transaction shows: the correction of this record removes them from it. */
function nameForgottenRefunds(
  { report }: Recovery,
  { id, refunds, shown, known }: { id: string; refunds: string; shown: number; known: readonly string[] },
): void {
  const [seen = '0', ...named] = refunds.split(' ');
  const forgotten = named.filter((one) => !known.includes(one));
  if (forgotten.length === 0 && Number(seen) <= shown) return;
  report.differs({
    kind: 'refund_forgotten',
    subject: id,
    detail: `its record says that refunds gave back ${seen}, and those that are there gave back ${shown}: ${forgotten.join(', ')}`,
    remedy: 'find out whether this money has left, and refund it again, as a chargeback where it was one',
  });
}

function idsIn(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

/** Returns a record that names these refunds. */
function refundedRecord({ refunded, refunds, ...record }: Item, sum: number, ids: readonly string[]): Item {
  return ids.length === 0 ? record : { ...record, refunded: sum, refunds: ids };
}
