import { endPostings } from '../../lambdas/domain/hold.ts';
import { requesterOf } from '../../lambdas/domain/transaction.ts';
import type { Hold } from '../../lambdas/domain/transaction.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShardOf } from '../../lambdas/store/due-keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { hiddenColumns, hiddenDifference, selectHidden } from './hidden.ts';
import type { Hidden } from './hidden.ts';
import { holdState } from './links.ts';
import type { Recovery } from './recovery.ts';
import { changeRecord } from './torn.ts';

/** A hold as its record says, and what its captures show. Amounts are in minor units. */
interface Link extends Hidden {
  readonly id: string;
  readonly counterpart: string;
  readonly status: string;
  readonly amount: number;
  /** The sum of the captures that can be read, and what they took out of the held money. */
  readonly captured: number;
  readonly taken: number;
  /** The time and id of the last one of these. */
  readonly last: string;
}

/**
 * Corrects the record of each hold to the records of its captures, because a record that is there counts. A hold whose
 * captures took or gave back all has ended. One that ended by a forgotten capture is open again.
 *
 * A capture that cannot be read is not forgotten. Its hold is named, and never opened again: it gets less, or stays as it is.
 */
export async function linkCaptures(recovery: Recovery): Promise<void> {
  const holds = recovery.copy.query(
    {
      ...{ id: 'text', counterpart: 'text', status: 'text', amount: 'number', captured: 'number', taken: 'number' },
      ...{ last: 'text', ...hiddenColumns },
    },
    `SELECT holds.id, holds.counterpart, holds.status, holds.amount, COALESCE(SUM(captures.amount), 0) AS captured,
        COALESCE(-SUM(bookings.held), 0) AS taken, COALESCE(MAX(captures.created_at || ' ' || captures.id), '') AS last,
        ${selectHidden('holds')}
      FROM records AS holds LEFT JOIN records AS captures ON captures.type = 'capture' AND captures.counterpart = holds.id
        LEFT JOIN bookings ON bookings.id = captures.id AND bookings.account = holds.wallet_id
      WHERE holds.type = 'hold' GROUP BY holds.id`,
  );
  for (const link of holds.all()) {
    nameHidden(recovery, link);
    await linkHold(recovery, link);
  }
}

function nameHidden({ report }: Recovery, link: Link): void {
  const { id, amount, captured, hidden, hiddenAmount } = link;
  if (hidden > 0) report.differs(hiddenDifference('capture', link, 'it is not opened again'));
  if (captured + hiddenAmount <= amount) return;
  report.differs({
    kind: 'hold_exceeded',
    subject: id,
    detail: `its captures took ${captured + hiddenAmount}, and it held ${amount}: nothing more is captured`,
    remedy: 'find the captures that were made twice, and take their money back by agreement with its receiver',
  });
}

async function linkHold(recovery: Recovery, link: Link): Promise<void> {
  const { id, counterpart, status, amount, taken, last, hidden, hiddenAmount } = link;
  const shown = link.captured + hiddenAmount;
  if (hidden > 0 && (status !== 'open' || shown <= Number(counterpart))) return;
  // More than the hold can only be a capture that was made twice. A capture that gave back the rest was the last one.
  const captured = Math.min(shown, amount);
  const isCaptured = taken + hiddenAmount >= amount || taken > link.captured;
  if (counterpart === holdState(captured, isCaptured)) return;
  const what = `its captures took ${captured}${isCaptured ? ', and have ended it' : ''}`;
  const capture = isCaptured ? await recovery.read(transactionKey(last.split(' ')[1] ?? '')) : undefined;
  await changeRecord(recovery, id, what, (record) => {
    const hold = readable(toTransaction({ ...record, captured }));
    if (hold?.type !== 'hold') return record;
    return isCaptured ? capturedHold(record, captured, capture, recovery.at) : uncapturedHold(record, hold);
  });
}

/** Names open holds that a capture has ended by their event: its record was forgotten. */
export function nameLostEnds({ copy, report }: Recovery): void {
  const open = copy.query(
    { id: 'text' },
    `SELECT records.id FROM records JOIN transaction_events ON transaction_events.id = records.id
      WHERE type = 'hold' AND status = 'open' AND json_extract(event, '$.transaction.end') = 'captured'
        AND records.id NOT IN (SELECT original FROM unreadable)`,
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

/** Returns the record of a hold that its captures have ended. `at` stands in for the time of one that cannot be read. */
function capturedHold(
  { dueAt, dueShard, releaseReason, ...record }: Item,
  captured: number,
  capture: Item | undefined,
  at: string,
) {
  const last = capture && readable(toTransaction(capture));
  const isKnown = last?.type === 'capture';
  const completedAt = isKnown ? last.completedAt : at;
  return {
    ...record,
    ...{ captured, status: 'ended', end: 'captured', postings: (record['postings'] as Item[]).slice(0, 2) },
    ...{ completedAt, updatedAt: completedAt, ...(isKnown && { endedBy: requesterOf(last) }) },
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
