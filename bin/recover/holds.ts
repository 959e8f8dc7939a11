import { endPostings } from '../../lambdas/domain/hold.ts';
import { requesterOf } from '../../lambdas/domain/transaction.ts';
import type { Hold } from '../../lambdas/domain/transaction.ts';
import { dueShardOf, transactionKey } from '../../lambdas/store/keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { holdState } from './copy.ts';
import { changeRecord } from './torn.ts';
import type { Recovery } from './recovery.ts';

/**
 * Corrects the record of each hold to the records of its captures, because a record that is there counts. A hold whose
 * captures took or gave back all has ended. One that ended by a forgotten capture is open again.
 */
export async function linkCaptures(recovery: Recovery): Promise<void> {
  const { copy } = recovery;
  const holds = copy.query(
    { id: 'text', counterpart: 'text', amount: 'number', captured: 'number', taken: 'number', last: 'text' },
    `SELECT holds.id, holds.counterpart, holds.amount, COALESCE(SUM(captures.amount), 0) AS captured,
        COALESCE(-SUM(bookings.held), 0) AS taken, COALESCE(MAX(captures.created_at || ' ' || captures.id), '') AS last
      FROM records AS holds LEFT JOIN records AS captures ON captures.type = 'capture' AND captures.counterpart = holds.id
        LEFT JOIN bookings ON bookings.id = captures.id AND bookings.account = holds.wallet_id
      WHERE holds.type = 'hold' GROUP BY holds.id`,
  );
  for (const { id, counterpart, amount, captured, taken, last } of holds.all()) {
    // A capture that gave back the rest was the last one.
    const isCaptured = taken >= amount || taken > captured;
    if (counterpart === holdState(captured, isCaptured)) continue;
    const what = `its captures took ${captured}${isCaptured ? ', and have ended it' : ''}`;
    const capture = isCaptured ? await recovery.read(transactionKey(last.split(' ')[1] ?? '')) : undefined;
    await changeRecord(recovery, id, what, (record) => {
      const hold = readable(toTransaction({ ...record, captured }));
      if (hold?.type !== 'hold') return record;
      return isCaptured ? capturedHold(record, captured, capture) : uncapturedHold(record, hold);
    });
  }
}

/** Names open holds that a capture has ended by their event: its record was forgotten. */
export function nameLostEnds({ copy, report }: Recovery): void {
  const open = copy.query(
    { id: 'text' },
    `SELECT records.id FROM records JOIN transaction_events ON transaction_events.id = records.id
      WHERE type = 'hold' AND status = 'open' AND json_extract(event, '$.transaction.end') = 'captured'`,
  );
  for (const { id } of open.all()) {
    report.differs({
      kind: 'end_forgotten',
      subject: id,
      detail: 'open in the table, ended by a capture by its event: a capture is forgotten',
      remedy: 'ask its receiver to repeat the capture with the same key, or release it',
    });
  }
}

/** Returns the record of a hold that its last capture has ended. */
function capturedHold(
  { dueAt, dueShard, releaseReason, ...record }: Item,
  captured: number,
  capture: Item | undefined,
) {
  const last = capture && readable(toTransaction(capture));
  return {
    ...record,
    ...{ captured, status: 'ended', end: 'captured', postings: (record['postings'] as Item[]).slice(0, 2) },
    ...(last?.type === 'capture' && {
      completedAt: last.completedAt,
      updatedAt: last.completedAt,
      endedBy: requesterOf(last),
    }),
  };
}

/** Returns the record of a hold that its captures have not ended: open, released or expired. */
function uncapturedHold({ completedAt, end, endedBy, ...record }: Item, hold: Hold) {
  const { transactionId, captured, expiresAt, postings } = hold;
  const opened = postings.slice(0, 2);
  if (hold.status === 'ended' && hold.end !== 'captured') {
    return { ...record, completedAt, end, endedBy, captured, postings: [...opened, ...endPostings(hold)] };
  }
  const dueShard = dueShardOf('hold', transactionId);
  return { ...record, captured, status: 'open', dueAt: expiresAt, dueShard, postings: opened };
}
