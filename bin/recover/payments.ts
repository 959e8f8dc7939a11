/** Compares the books with the bank's statement, and ends the open withdrawals that the bank has paid. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { bookingsOf } from '../../lambdas/domain/bookings.ts';
import { otherBankOf, readStatement } from '../../lambdas/integrity/statement.ts';
import { addToTotals } from '../../lambdas/store/totals.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { endWithdrawal, getWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { mendWallet } from './mend.ts';
import { changedByOthers } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { CannotRecover } from './report.ts';

const minuteMs = 60_000;
const tries = 5;
const pauseMs = 10_000;
/** The bank's clock may be ahead. */
const aheadMs = 5 * minuteMs;
const walletsAtATime = 16;

/** Copies the payments since the restored moment, and since the acceptance of the oldest open withdrawal. */
export async function loadPayments(recovery: Recovery): Promise<number> {
  const { bank, copy, comparedFrom, table } = recovery;
  if (bank === undefined) return 0;
  const oldest = copy
    .query(
      { at: 'text' },
      `SELECT COALESCE(MIN(created_at), '~') AS at FROM records
        WHERE type = 'withdrawal' AND status IN ('pending', 'executing', 'review')`,
    )
    .first()?.at;
  const from = oldest !== undefined && oldest < comparedFrom ? oldest : comparedFrom;
  const until = new Date(table.now() + aheadMs).toISOString();
  let after: string | undefined;
  let payments = 0;
  for (let failed = 0; ;) {
    const page = await readStatement(bank, { from, until, after });
    if ('unavailable' in page) {
      if (++failed >= tries) throw new CannotRecover(`the bank gives no statement: ${page.unavailable}`);
      await table.sleep(pauseMs);
      continue;
    }
    for (const { reference, amount, currency, paidAt } of page.items) {
      copy.run('INSERT INTO payments VALUES (?, ?, ?, ?)', reference, amount, currency, paidAt);
      payments++;
    }
    if (page.next === undefined) return payments;
    after = page.next;
  }
}

/** Names each payment of a reference but the one that its record, if it has one, is for. */
export function namePaidTwice({ copy, report }: Recovery): void {
  const twice = copy.query(
    { reference: 'text', amount: 'number', currency: 'text', paid_at: 'text', fits: 'number' },
    `SELECT reference, payments.amount, payments.currency, paid_at,
        COALESCE(records.amount = payments.amount AND records.currency = payments.currency, 0) AS fits
      FROM payments LEFT JOIN records ON id = reference
      WHERE reference IN (SELECT reference FROM payments GROUP BY reference HAVING COUNT(*) > 1)
      ORDER BY reference, fits DESC, paid_at`,
  );
  let last = '';
  for (const { reference, amount, currency, paid_at: paidAt, fits } of twice.each()) {
    const isItsOwn = fits === 1 && reference !== last;
    last = reference;
    if (isItsOwn) continue;
    report.differs({
      kind: 'paid_twice',
      subject: reference,
      detail: `the bank lists more than one payment of it; that of ${amount} ${currency} at ${paidAt} is not booked`,
      remedy: 'ask the bank to take the payment back, or correct the balance by agreement',
    });
  }
}

/**
 * Ends the open withdrawals that the bank has paid, as a notification of the bank would. The projector may see these ends
 * in the stream: the entries that are added here are those that it would make.
 */
export async function endPaidWithdrawals(recovery: Recovery): Promise<void> {
  const { bank, copy } = recovery;
  if (bank === undefined) return;
  const paid = copy.query(
    { id: 'text', wallet_id: 'text' },
    `SELECT DISTINCT id, wallet_id FROM records JOIN payments ON reference = id WHERE type = 'withdrawal'
      AND status IN ('pending', 'executing', 'review') AND records.amount = payments.amount
      AND records.currency = payments.currency`,
  );
  const ofWallets = Map.groupBy(paid.all(), ({ wallet_id: walletId }) => walletId);
  // The writes of one wallet exclude each other.
  await forEachOf(ofWallets, walletsAtATime, async ([walletId, ofOne]) => {
    for (const { id } of ofOne) await endPaid(recovery, id, walletId, bank.bankId);
  });
}

async function endPaid(recovery: Recovery, id: string, walletId: string, bankId: string): Promise<void> {
  const { copy, report, table, entries, dryRun } = recovery;
  const open = copy.record(id);
  // Another bank has it, so this payment is one too many: the check of the books names it.
  if (open === undefined || (open.bank_id !== '' && open.bank_id !== bankId)) return;
  report.repairs('withdrawal', id, `${open.status} in the table, and paid by the bank: completed`);
  if (dryRun) return;
  const withdrawal = await getWithdrawal(table, id);
  if (withdrawal === undefined || otherBankOf(withdrawal, bankId) !== undefined) return;
  const at = new Date(table.now()).toISOString();
  const attempt = { at, submitted: false, outcome: 'accepted', reason: 'in the statement of the bank' } as const;
  const from = ['pending', 'executing', 'review'] as const;
  await recovery.write(async () => {
    if (await endWithdrawal(table, { withdrawal, at, from, failure: undefined, attempt, bankId })) return;
    throw changedByOthers({ pk: id });
  });
  const [ended, wallet] = await Promise.all([
    getWithdrawal(table, id),
    getWallet(table, walletId, { consistent: true }),
  ]);
  if (ended === undefined || wallet === undefined) return;
  copy.putTransaction(ended);
  copy.putWallet(wallet);
  await mendWallet(recovery, walletId);
  const booking = bookingsOf(ended)[1];
  if (booking === undefined) return;
  await addToTotals(entries, [{ ...booking, transactionId: id, count: ended.postings.length }]);
}
