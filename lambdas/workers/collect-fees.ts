/** The collection of fees into the revenue wallets, as a part of the sweeper's run. */
import { metrics as names } from '../contract.ts';
import { logger, metrics } from '../aws/telemetry.ts';
import { collection, leftToCollect } from '../domain/collection.ts';
import { WalletError } from '../domain/errors.ts';
import { hourAfter, hourOfMs } from '../domain/hours.ts';
import { plus } from '../domain/money.ts';
import type { Sum } from '../domain/money.ts';
import { accounts } from '../domain/postings.ts';
import { commitFees, getFeeState } from '../store/fees.ts';
import type { FeeState } from '../store/fees.ts';
import type { Table } from '../store/table.ts';
import { beforeAll, totalsByHour } from '../store/totals.ts';
import { attempt, databaseTime } from './sweeper-run.ts';
import type { Run } from './sweeper-run.ts';

/** Where fees are totalled, and where they go. */
export interface FeeCollection {
  /** The table with the totals. */
  readonly entries: Table;
  /** The wallet that the fees of a currency go to, by currency. */
  readonly revenueWallets: Readonly<Record<string, string>>;
}

/** Time after its end in which an hour is not counted: its last bookings are on their way to the totals. */
const afterHourMs = 300_000;
/**
 * Hours for which late bookings still count: the stream keeps a record for a day, and the queue of those that were set
 * aside for 14 days.
 */
export const lateHours = 16 * 24;

/**
 * Collects the fees of each currency, once an hour. A currency that fails does not stop the others. A wallet that takes no
 * fees has an alarm of its own, and does not fail the run: the fees stay on their account, and later runs collect them.
 *
 * @param endsAt time after which no further currency begins, epoch ms
 */
export async function collectFees(run: Run, { entries, revenueWallets }: FeeCollection, endsAt: number): Promise<void> {
  let refused = 0;
  for (const [currency, walletId] of Object.entries(revenueWallets)) {
    if (run.table.now() >= endsAt) break;
    await attempt(run, async () => {
      try {
        await collectOf(run, entries, currency, walletId);
      } catch (error) {
        if (!(error instanceof WalletError) || error.code === 'busy') throw error;
        refused++;
        logger.warn('the revenue wallet takes no fees', { currency, walletId, code: error.code });
      }
    });
  }
  if (Object.keys(revenueWallets).length > 0) metrics.addMetric(names.feesRefused, 'Count', refused);
}

/**
 * Collects what was paid in the hours that are over, and has not been collected. The totals may lack bookings: a later run
 * collects these. They never have too many, as the account of fees is only added to.
 */
async function collectOf(run: Run, entries: Table, currency: string, walletId: string): Promise<void> {
  const { table } = run;
  const now = databaseTime(run);
  const hour = hourOfMs(now - afterHourMs);
  const before = await getFeeState(table, currency);
  if (before.countedTo >= hour) return;
  const counted = await countFees(entries, before, hour);
  const amount = leftToCollect(BigInt(counted.paid), before);
  const next =
    amount === 0 ? undefined : collection(before, { walletId, amount, currency, at: new Date(now).toISOString() });
  const { sequence, collected } = next ?? before;
  const { settledTo, settled } = counted;
  const after = { currency, sequence, collected, countedTo: hour, settledTo, settled };
  if (!(await commitFees(table, before, after, next)) || next === undefined) return;
  logger.info('fees collected', { transactionId: next.transactionId, currency, amount });
}

/** Counts what was paid before an hour. Of the hours long ago, the state has the sum. */
async function countFees(
  entries: Table,
  { currency, settledTo, settled }: FeeState,
  hour: string,
): Promise<{ readonly paid: Sum; readonly settled: Sum; readonly settledTo: string }> {
  const first = settledTo === '' ? beforeAll : settledTo;
  const sums = await totalsByHour(entries, accounts.fees(currency), { first, last: hourAfter(hour, -1) });
  const later = hourAfter(hour, -lateHours);
  const next = later > settledTo ? later : settledTo;
  let [paid, early]: [Sum, Sum] = [settled, settled];
  for (const [each, sum] of sums) {
    paid = plus(paid, sum);
    if (each < next) early = plus(early, sum);
  }
  return { paid, settled: early, settledTo: next };
}
