/** The steps of a recovery, in their order. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { isClockRight } from '../../lambdas/domain/withdrawal.ts';
import { entryKey } from '../../lambdas/store/keys.ts';
import { getWalletWithClock } from '../../lambdas/store/wallets.ts';
import { mendAliases } from './aliases.ts';
import { endApprovals, rejectUncertain } from './approvals.ts';
import { nameMissingHolds, putBackHolds } from './forgotten-holds.ts';
import { putBackOriginals } from './forgotten-originals.ts';
import { linkCaptures, nameLostEnds } from './holds.ts';
import { mendFees } from './fees.ts';
import { putBackLimits } from './limits.ts';
import { loadBooks } from './load.ts';
import { mendWallets } from './mend.ts';
import { bookMissingCredits } from './missing-credits.ts';
import { endPaidWithdrawals, loadPayments, namePaidTwice } from './payments.ts';
import { advanceRecords, putBackTransactions } from './put-back.ts';
import { putBackWallets } from './put-back-wallets.ts';
import type { BooksCopy } from './copy.ts';
import type { Recovery } from './recovery.ts';
import { CannotRecover } from './report.ts';
import { endRefundedTransfers, linkRefunds } from './refunds.ts';
import { mendReferences } from './references.ts';
import { executeAgain } from './scheduled.ts';
import { recoverOrders } from './standing-orders.ts';
import { askBankFirst, linkReturns, nameForgotten, nameForgottenWallets } from './torn.ts';
import { mendTotals } from './totals.ts';

const deletesAtATime = 16;
const clockTries = 5;

/** The parts of a recovery that depend on where it runs. */
export interface Surroundings {
  /** Copies the events of the archive; absent: there is none. */
  readonly loadEvents?: (copy: BooksCopy) => Promise<unknown>;
  /** Sets what the restored tables lack. The stream is on afterwards. */
  readonly setSettings: () => Promise<void>;
  /** Reports the beginning of a step. */
  readonly step?: (name: string) => void;
}

/**
 * Recovers the books of a wallet table that was restored to an earlier moment. The record of a transaction decides: one
 * that is there counts for each of its wallets, one that is not there counts for none. So records come first, then wallets
 * and ledgers follow from them.
 *
 * Each write is repeatable: after a crash at any of them, run the recovery again.
 *
 * @throws CannotRecover when another writer is at work, this clock is wrong, the bank gives no statement, or a source is
 * of another service
 */
export async function recoverBooks(recovery: Recovery, surroundings: Surroundings): Promise<void> {
  const { copy, report } = recovery;
  const step = surroundings.step ?? (() => undefined);
  await checkClock(recovery);
  step('reading the tables');
  await loadBooks(recovery, copy, report);
  throwIfOfAnotherTable(recovery);
  step('reading the archive of events');
  await surroundings.loadEvents?.(copy);
  step("reading the bank's statement");
  await loadPayments(recovery);
  step('putting records back');
  await putBackWallets(recovery);
  await advanceRecords(recovery);
  await endRefundedTransfers(recovery);
  await putBackTransactions(recovery);
  await executeAgain(recovery);
  // Further captures and refunds may fit what was put back.
  const originals = await putBackOriginals(recovery);
  if (originals + (await putBackHolds(recovery)) > 0) await putBackTransactions(recovery);
  await linkReturns(recovery);
  await linkCaptures(recovery);
  nameLostEnds(recovery);
  await linkRefunds(recovery);
  nameMissingHolds(recovery);
  await bookMissingCredits(recovery);
  await mendFees(recovery);
  await putBackLimits(recovery);
  await recoverOrders(recovery);
  await mendReferences(recovery);
  await mendAliases(recovery);
  await rejectUncertain(recovery);
  await askBankFirst(recovery);
  nameForgotten(recovery);
  namePaidTwice(recovery);
  step('mending wallets and ledgers');
  await dropLostLedgers(recovery, nameForgottenWallets(recovery));
  await mendWallets(recovery);
  await endApprovals(recovery);
  step('mending totals');
  await mendTotals(recovery);
  step('setting what the tables lack');
  await surroundings.setSettings();
  step('ending withdrawals that the bank has paid');
  await endPaidWithdrawals(recovery);
}

/** "Not found" counts from a time that this machine's clock writes, so the clock must be right. */
async function checkClock({ table }: Recovery): Promise<void> {
  for (let tries = 0; tries < clockTries; tries++) {
    const { clock } = await getWalletWithClock(table, 'none');
    // A slow answer proves nothing.
    if (clock === undefined || isClockRight(clock)) return;
  }
  throw new CannotRecover('the clock of this machine differs from that of the database by more than 2.5 s');
}

/**
 * Throws when a ledger begins before the restored moment and its wallet does not exist: the restored table has all wallets
 * of that time, so the entries are of another table.
 */
function throwIfOfAnotherTable({ copy, comparedFrom }: Recovery): void {
  const other = copy
    .query(
      { wallet_id: 'text', at: 'text' },
      `SELECT wallet_id, at FROM entries WHERE at <> '' AND at < ? AND wallet_id NOT IN (SELECT wallet_id FROM wallets)
        AND wallet_id NOT IN (SELECT id FROM unreadable) LIMIT 1`,
    )
    .first(comparedFrom);
  if (other === undefined) return;
  throw new CannotRecover(
    `--entries-table has an entry of ${other.wallet_id} at ${other.at}, and the restored table has no such wallet: ` +
      'the two tables are of different services, or --restored-to is more than an hour after the moment that the wallet table ' +
      'was restored to. Give the tables of one service, and that moment',
  );
}

/**
 * Removes the ledgers of wallets that were opened since the restored moment and forgotten: a repeated opening needs an empty
 * ledger. A ledger without a readable entry proves nothing, and stays.
 */
async function dropLostLedgers(recovery: Recovery, walletIds: readonly string[]): Promise<void> {
  const { copy } = recovery;
  const entries = copy.query(
    { version: 'number', hash: 'text' },
    "SELECT version, hash FROM entries WHERE wallet_id = ?1 AND EXISTS (SELECT 1 FROM entries WHERE wallet_id = ?1 AND at <> '')",
  );
  for (const walletId of walletIds) {
    await forEachOf(entries.all(walletId), deletesAtATime, ({ version, hash }) =>
      recovery.delete(entryKey(walletId, version), { name: 'hash', value: hash }),
    );
    copy.run('DELETE FROM entries WHERE wallet_id = ?', walletId);
  }
}
