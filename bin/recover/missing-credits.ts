/** Books credits that a restore forgot, as far as the records show that they are missing. */
import { currencyOfWalletId, fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { service } from '../../lambdas/domain/actor.ts';
import { charge } from '../../lambdas/domain/charge.ts';
import { standInDescription } from './copy.ts';
import { itemOf } from './put-back.ts';
import type { Recovery } from './recovery.ts';
import { explainedDebt } from './room.ts';

/**
 * Books a credit on each wallet whose records add up to less than its chargebacks and its credit line explain. The money
 * was there when its debit was written, so at least this much was credited before, by a record that the restore forgot.
 * Names each wallet that used its credit line since the restored moment: a forgotten credit may look like that.
 */
export async function bookMissingCredits(recovery: Recovery): Promise<void> {
  const { copy, report, table, at } = recovery;
  const overdrawn = copy.query(
    { account: 'text', missing: 'number' },
    `SELECT account, -SUM(available) - MIN(SUM(held), 0) AS missing FROM bookings WHERE account NOT LIKE '%:%'
      GROUP BY account HAVING SUM(available) + MIN(SUM(held), 0) < 0`,
  );
  for (const { account: walletId, missing: below } of overdrawn.all()) {
    const wallet = copy.wallet(walletId);
    const explained = wallet && explainedDebt(copy, wallet);
    const missing = below + Number(explained?.onCredit ?? 0);
    const currency = currencyOfWalletId(walletId) ?? '';
    if (missing <= 0) {
      if (explained !== undefined && -below < explained.withoutCredit) {
        report.differs({
          kind: 'credit_used',
          subject: walletId,
          detail: `its records leave -${below} ${currency}, on credit; at the restored moment it had ${String(wallet?.available)}`,
          remedy: 'find out whether a credit is forgotten: its debt looks like credit that it used',
        });
      }
      continue;
    }
    const transactionId = transactionIdOf(service.principal, fingerprintOf(['missing credit', walletId, at]));
    const transaction = charge({
      ...{ transactionId, principal: service.principal, ownerId: undefined, walletId, amount: missing, currency, at },
      description: standInDescription,
    });
    report.differs({
      kind: 'credit_forgotten',
      subject: walletId,
      detail: `its records spend ${missing} ${currency} more than they bring; booked as ${transactionId}`,
      remedy: 'find the forgotten credit: if it is booked again, take this one back by agreement with the owner',
    });
    copy.putTransaction(transaction);
    await recovery.put(table, itemOf({ ...transaction }), undefined);
  }
}
