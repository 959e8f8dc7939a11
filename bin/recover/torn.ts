/** Repairs of single records, and the names of what no source can put back. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShardOf, reviewShard } from '../../lambdas/store/due-keys.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { ranks } from './archive.ts';
import { candidateOf, paidCandidate } from './put-back.ts';
import { changedByOthers } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { restoredVisit } from './records.ts';

const writesAtATime = 16;

/**
 * Makes both records of a returned payment agree. A withdrawal that names a return which was forgotten could not be
 * returned again. One that cannot be read is not forgotten.
 */
export async function linkReturns(recovery: Recovery): Promise<void> {
  const { copy } = recovery;
  const torn = copy.query(
    { id: 'text', returned_by: 'text' },
    `SELECT originals.id, COALESCE(returns.id, '') AS returned_by FROM records AS originals
      LEFT JOIN (SELECT id, counterpart FROM records WHERE type = 'return' UNION ALL SELECT id, original FROM unreadable)
        AS returns ON returns.counterpart = originals.id
      WHERE originals.type = 'withdrawal' AND originals.status = 'completed' AND originals.counterpart <> COALESCE(returns.id, '')
        AND (originals.counterpart <> '' OR returns.id IS NOT NULL)`,
  );
  for (const { id, returned_by: returnId } of torn.all()) {
    const what = returnId === '' ? 'names a return that was forgotten' : `was returned by ${returnId}`;
    await changeRecord(recovery, id, what, ({ returnTransactionId, ...record }) => ({
      ...record,
      ...(returnId !== '' && { returnTransactionId: returnId }),
    }));
  }
}

/**
 * Lets workers ask the bank before they submit an open withdrawal of the restored table: a submit may have left after the
 * restored moment. One that has ended by the ledger or its event goes to review: a person decides.
 */
export async function askBankFirst(recovery: Recovery): Promise<void> {
  const { copy, at, bank, table } = recovery;
  const open = copy.query(
    { id: 'text', ended: 'number' },
    `SELECT id, MAX(ended, isEnded) AS ended FROM (
        SELECT id, marked, EXISTS (SELECT 1 FROM entries WHERE name = records.id AND held < 0) AS ended,
            EXISTS (SELECT 1 FROM transaction_events WHERE transaction_events.id = records.id AND rank = ${ranks.completed}) AS isEnded
          FROM records WHERE type = 'withdrawal' AND status IN ('pending', 'executing'))
      WHERE marked = 0 OR isEnded`,
  );
  await forEachOf(open.all(), writesAtATime, async ({ id, ended }) => {
    const what =
      ended === 1 ? 'open, and ended by the ledger or its event: to review' : 'open: the bank is asked first';
    await changeRecord(recovery, id, what, (record) => {
      const { claimId, waitingFor, refusedSince, submitBy, ...lasting } = record;
      const attempts = [...((record['attempts'] ?? []) as Item[]), restoredVisit(at)];
      const bankId = record['bankId'] ?? bank?.bankId;
      return {
        ...{ ...lasting, ...(bankId !== undefined && { bankId }), attempts, dueAt: at, updatedAt: at },
        ...(ended === 1
          ? { status: 'review', dueShard: reviewShard }
          : { status: 'executing', submitBy: at, dueShard: dueShardOf('withdrawal', id, table.dueShards) }),
      };
    });
  });
}

/** Changes a record in the copy and in the table, and reports what it was. */
export async function changeRecord(
  recovery: Recovery,
  id: string,
  what: string,
  edit: (record: Item) => Item,
): Promise<void> {
  const { copy, report, table } = recovery;
  const seen = await recovery.read(transactionKey(id));
  if (seen === undefined) throw changedByOthers(transactionKey(id));
  report.repairs('transaction', id, what);
  const record = edit(seen);
  const transaction = readable(toTransaction(record));
  if (transaction !== undefined) copy.putTransaction(transaction);
  await recovery.put(table, record, seen);
}

/** Names the transactions that some source shows, and that no record has. */
export function nameForgotten(recovery: Recovery): void {
  const { copy, report, comparedFrom } = recovery;
  const forgotten = copy.query(
    { id: 'text' },
    `SELECT DISTINCT id FROM (
        SELECT name AS id FROM entries WHERE name <> '' AND at >= ?1
        UNION ALL SELECT id FROM transaction_events UNION ALL SELECT reference FROM payments
        UNION ALL SELECT id FROM legs)
      WHERE id NOT IN (SELECT id FROM records) AND id NOT IN (SELECT id FROM operations)
        AND id NOT IN (SELECT id FROM unreadable)`,
  );
  for (const { id } of forgotten.each(comparedFrom)) {
    const isPaid = copy.has('SELECT 1 FROM payments WHERE reference = ?', id);
    const hasEvent = copy.has('SELECT 1 FROM transaction_events WHERE id = ?', id);
    const isUpcoming = copy.has('SELECT 1 FROM upcoming WHERE id = ?', id);
    // Its standing order makes it again, with the same id.
    if (isUpcoming && !isPaid) continue;
    const candidate = hasEvent || !isPaid ? candidateOf(recovery, id) : paidCandidate(recovery, id);
    const { reason, remedy = remedyOf(recovery, id, isPaid) }: { reason: string; remedy?: string } =
      'reason' in candidate ? candidate : { reason: 'it fits' };
    const changes = ledgerOf(recovery, id);
    report.differs({
      kind: isPaid ? 'payment_forgotten' : 'transaction_forgotten',
      subject: id,
      detail: `${isPaid ? 'the bank has paid it, and it' : 'it'} has no record: ${reason}${changes}`,
      remedy,
    });
  }
}

/** Returns what a person must do about a forgotten transaction. */
function remedyOf({ copy }: Recovery, id: string, isPaid: boolean): string {
  if (copy.has('SELECT 1 FROM upcoming WHERE id = ?', id)) {
    return 'its standing order makes it again, which pays nothing again; if it fails then, correct the balance by agreement';
  }
  if (isPaid) {
    return (
      'repeat the request with its key, which pays nothing again; where that is refused as reference_taken, leave ' +
      'uniqueReference out of it; or correct the balance by agreement'
    );
  }
  // The key of a split books nothing while one of its records is there.
  const isLeg = copy.has(
    `SELECT 1 FROM legs WHERE id = ?1 UNION ALL SELECT 1 FROM transaction_events
      WHERE id = ?1 AND json_extract(event, '$.transaction.splitId') IS NOT NULL`,
    id,
  );
  return isLeg
    ? 'ask its caller to repeat the split with the same key and, if that is refused, to pay this with another one'
    : 'ask its caller to repeat the request with the same key, if it is still wanted';
}

/** Returns what the ledger shows of a transaction, for a person. */
function ledgerOf({ copy }: Recovery, id: string): string {
  const changes = copy
    .query(
      { wallet_id: 'text', available: 'text', held: 'text' },
      `SELECT wallet_id, CAST(available AS TEXT) AS available, CAST(held AS TEXT) AS held FROM entries WHERE name = ?
        ORDER BY wallet_id, version LIMIT 4`,
    )
    .all(id)
    .map(({ wallet_id: walletId, available, held }) => `${walletId} ${available} available, ${held} held`);
  return changes.length === 0 ? '' : ` (ledger: ${changes.join('; ')})`;
}

/** Names wallets that transactions or the ledger show, and that the table does not have. */
export function nameForgottenWallets(recovery: Recovery): string[] {
  const { copy, report } = recovery;
  const forgotten = copy.query(
    { wallet_id: 'text' },
    `SELECT DISTINCT wallet_id FROM (
        SELECT wallet_id FROM entries UNION ALL SELECT account FROM bookings WHERE account NOT LIKE '%:%')
      WHERE wallet_id NOT IN (SELECT wallet_id FROM wallets) AND wallet_id NOT IN (SELECT id FROM unreadable)`,
  );
  return forgotten.all().map(({ wallet_id: walletId }) => {
    const { available, held } = copy.balanceOf(walletId);
    report.differs({
      kind: 'wallet_forgotten',
      subject: walletId,
      detail: `it does not exist; its transactions add up to ${String(available)} available and ${String(held)} held`,
      remedy: 'ask its owner to repeat the request that opened it, with the same key; then run this again',
    });
    return walletId;
  });
}
