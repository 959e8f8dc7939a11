/** Makes what is known of the collected fees agree with the records of their collections. */
import { hourAfter, hourOf } from '../../lambdas/domain/hours.ts';
import { plus } from '../../lambdas/domain/money.ts';
import { accounts } from '../../lambdas/domain/postings.ts';
import { feeItem, noFees } from '../../lambdas/store/fees.ts';
import type { FeeState } from '../../lambdas/store/fees.ts';
import { feesKey } from '../../lambdas/store/keys.ts';
import { lateHours } from '../../lambdas/workers/collect-fees.ts';
import type { Recovery } from './recovery.ts';
import { changeRecord } from './torn.ts';

/**
 * Corrects the sum on each collection to those that are there, and then the record of what was collected. So fees whose
 * collection was forgotten are collected again, and no number is used twice. Names each currency of which more was collected
 * than its records paid.
 */
export async function mendFees(recovery: Recovery): Promise<void> {
  const { copy, report } = recovery;
  const currencies = copy.query(
    { currency: 'text' },
    `SELECT currency FROM fees UNION SELECT substr(account, instr(account, ':') + 1) FROM bookings
      WHERE account LIKE 'fees:%' OR account LIKE 'collected:%'`,
  );
  for (const { currency } of currencies.all()) {
    if (copy.has('SELECT 1 FROM unreadable WHERE id = ?', currency)) continue;
    const last = await mendCollections(recovery, currency);
    await mendState(recovery, currency, last);
    const missing = -copy.sumOf(accounts.fees(currency)) - copy.sumOf(accounts.collected(currency));
    if (missing <= 0n) continue;
    report.differs({
      kind: 'fees_forgotten',
      subject: currency,
      detail: `${String(missing)} more were collected than the fees that are known`,
      remedy:
        'nothing is collected until further fees make up for it; or move the difference out of the revenue wallet',
    });
  }
}

/** Corrects the sums on the collections of a currency, the first one first. Returns the last one. */
async function mendCollections(
  recovery: Recovery,
  currency: string,
): Promise<{ readonly sequence: number; readonly collected: number; readonly at: string }> {
  const collections = recovery.copy.query(
    { id: 'text', amount: 'number', counterpart: 'text', at: 'text' },
    `SELECT id, amount, counterpart, created_at AS at FROM records WHERE type = 'collection' AND currency = ?
      ORDER BY CAST(counterpart AS INTEGER)`,
  );
  let last = { sequence: 0, collected: 0, at: '' };
  for (const { id, amount, counterpart, at } of collections.all(currency)) {
    const [sequence = 0, seen = 0] = counterpart.split(' ').map(Number);
    const collected = last.collected + amount;
    last = { sequence, collected, at };
    if (seen === collected) continue;
    await changeRecord(recovery, id, `with it ${collected} were collected`, (record) => ({ ...record, collected }));
  }
  return last;
}

/** Corrects the record of what was collected, and the sum of the fees of long ago. */
async function mendState(
  recovery: Recovery,
  currency: string,
  { sequence, collected, at }: { readonly sequence: number; readonly collected: number; readonly at: string },
): Promise<void> {
  const { copy, report, table } = recovery;
  const known = copy.fees(currency);
  const seen: FeeState = known ?? noFees(currency);
  // Without a record, nothing was collected, and the first run counts all.
  if (known === undefined && sequence === 0) return;
  const settledTo = seen.settledTo === '' ? hourAfter(hourOf(recovery.at), -lateHours) : seen.settledTo;
  const settled = plus(0, copy.sumOf(accounts.fees(currency), settledTo));
  const countedTo = seen.countedTo === '' ? hourOf(at) : seen.countedTo;
  const state = { currency, sequence, collected, countedTo, settledTo, settled };
  const isRight = seen.sequence === sequence && seen.collected === collected && seen.settled === settled;
  if (isRight && known !== undefined) return;
  const detail = `${sequence} collections of ${collected}`;
  report.repairs('fees', currency, `${detail}, and not ${seen.sequence} of ${seen.collected}`);
  copy.putFees(state);
  await recovery.put(table, feeItem(state), known && { ...feesKey(currency), ...known });
}
