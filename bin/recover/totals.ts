/** Makes the totals of the accounts outside of wallets agree with the records. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { bookingsOf, hasWholeBookings } from '../../lambdas/domain/bookings.ts';
import { bookedKey, totalKey, transactionKey } from '../../lambdas/store/keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { parsed, UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { countedItem } from '../../lambdas/store/totals.ts';
import type { Recovery } from './recovery.ts';

const writesAtATime = 16;
const pageSize = 500;
/** Selects one part of a total. Any part is right. */
const anyPart = 'tx_aa';

/**
 * Corrects each total of an hour that is not the sum of its bookings, in one part of it. Then makes the records of counted
 * bookings agree, so that the projector counts each later booking once.
 */
export async function mendTotals(recovery: Recovery): Promise<void> {
  await correctTotals(recovery);
  await forgetLost(recovery);
  await rememberCounted(recovery);
}

async function correctTotals(recovery: Recovery): Promise<void> {
  const { copy, report, entries } = recovery;
  const different = copy.query(
    { account: 'text', hour: 'text', missing: 'text' },
    `SELECT account, hour, CAST(SUM(amount) AS TEXT) AS missing FROM (
        SELECT account, substr(at, 1, 13) AS hour, available AS amount FROM bookings WHERE account LIKE '%:%'
        UNION ALL SELECT account, hour, -CAST(booked AS INTEGER) FROM totals)
      GROUP BY account, hour HAVING SUM(amount) <> 0`,
  );
  const part = copy.query(
    { pk: 'text', booked: 'text' },
    'SELECT pk, booked FROM totals WHERE account = ? AND hour = ?',
  );
  await forEachOf(different.all(), writesAtATime, async ({ account, hour, missing }) => {
    const known = part.first(account, hour);
    const key = known === undefined ? totalKey(account, hour, anyPart) : { pk: known.pk, sk: hour };
    const booked = BigInt(known?.booked ?? '0') + BigInt(missing);
    report.repairs('total', account, `${missing} in the hour ${hour}`);
    copy.run('INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?)', account, hour, key.pk, String(booked));
    await recovery.put(entries, { ...key, booked }, known && { ...key, booked: BigInt(known.booked) });
  });
}

/** Forgets that bookings were counted which no record has: a repetition of their commands is counted again. */
async function forgetLost(recovery: Recovery): Promise<void> {
  const { copy } = recovery;
  const lost = copy.query(
    { id: 'text', count: 'number', content: 'text' },
    `SELECT counted.id, count, content FROM counted LEFT JOIN records ON records.id = counted.id
      WHERE records.id IS NULL OR records.postings < count`,
  );
  await forEachOf(lost.all(), writesAtATime, async ({ id, count, content }) => {
    await recovery.delete(bookedKey(id, count), { name: 'content', value: content });
    copy.run('DELETE FROM counted WHERE id = ? AND count = ?', id, count);
  });
}

/** Keeps that late bookings are counted, in case the stream delivers them: the totals have all bookings now. */
async function rememberCounted(recovery: Recovery): Promise<void> {
  const { copy, entries, comparedFrom } = recovery;
  const pages = copy.query(
    { id: 'text', nth: 'number', count: 'number' },
    `SELECT DISTINCT id, nth, count FROM bookings WHERE account LIKE '%:%' AND at >= ?1 AND (id, nth) > (?2, ?3)
      AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.id = bookings.id AND counted.count = bookings.count)
      ORDER BY id, nth LIMIT ${pageSize}`,
  );
  let last = { id: '', nth: 0, count: 0 };
  for (let page = pages.all(comparedFrom, '', 0); page.length > 0; page = pages.all(comparedFrom, last.id, last.nth)) {
    last = page.at(-1) ?? last;
    await forEachOf(page, writesAtATime, async ({ id, nth, count }) => {
      const item = recovery.dryRun ? undefined : await recovery.read(transactionKey(id));
      const transaction = item && parsed(() => toTransaction(item));
      if (transaction === undefined || transaction instanceof UnreadableItem || !hasWholeBookings(transaction)) return;
      const booking = bookingsOf(transaction)[nth];
      if (booking === undefined) return;
      const counted = countedItem({ ...booking, transactionId: id, count }, entries.now());
      await recovery.put(entries, counted, undefined);
      copy.run('INSERT OR REPLACE INTO counted VALUES (?, ?, ?)', id, count, String(counted['content']));
    });
  }
}
