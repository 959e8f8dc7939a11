/** Puts back what a restore forgot, and whose refunds it has: otherwise a refund would bring money that was never paid. */
import { service } from '../../lambdas/domain/actor.ts';
import { problemOf } from '../../lambdas/domain/bookings.ts';
import { isRefundable, refundedWallet, refundingWallet } from '../../lambdas/domain/refund.ts';
import { charge } from '../../lambdas/domain/transaction.ts';
import type { Refund, Transaction } from '../../lambdas/domain/transaction.ts';
import { transfer } from '../../lambdas/domain/transfer.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { parsed, readable, UnreadableItem } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import type { Maker } from './archive.ts';
import { transactionEventOf } from './archive.ts';
import { factsOf, itemOf } from './put-back.ts';
import { recordOf } from './records.ts';
import type { Recovery } from './recovery.ts';
import { creditedTwice } from './stand-ins.ts';

const description = 'made by a recovery from its refunds';

/** What the refunds of a forgotten transaction show. */
interface Shown {
  readonly id: string;
  /** Their sum, and the time of the first. */
  readonly refunded: number;
  readonly first: string;
  /** One of them. */
  readonly refund: Refund;
}

/**
 * Puts back each forgotten transaction whose refunds have records: from its event, or from its entries in the ledger, or else
 * with the amount that its refunds gave back. `linkRefunds` then names them on it.
 *
 * @returns the number of transactions
 */
export async function putBackOriginals(recovery: Recovery): Promise<number> {
  const { copy, report, table } = recovery;
  const orphans = copy.query(
    { id: 'text', one: 'text', refunded: 'number', first: 'text' },
    `SELECT counterpart AS id, MIN(id) AS one, SUM(amount) AS refunded, MIN(created_at) AS first FROM records
      WHERE type = 'refund' AND counterpart NOT IN (SELECT id FROM records)
        AND counterpart NOT IN (SELECT id FROM operations) AND counterpart NOT IN (SELECT id FROM unreadable)
      GROUP BY counterpart HAVING COUNT(DISTINCT wallet_id) = 1`,
  );
  let count = 0;
  for (const { one, ...sums } of orphans.all()) {
    const stored = await recovery.read(transactionKey(one));
    const refund = stored && readable(toTransaction(stored));
    if (refund?.type !== 'refund') continue;
    const shown = { ...sums, refund };
    const known = byEvent(recovery, shown) ?? byLedger(recovery, shown);
    const item = known ?? itemOfOriginal(shown, sums.refunded, justBefore(sums.first));
    const original = soundOriginal(recovery, item, shown);
    if (original === undefined) continue;
    const { transactionId, type, amount, currency } = original;
    report.repairs('transaction', transactionId, `put back: a ${type} of ${amount} ${currency}, which was refunded`);
    if (known === undefined) {
      report.differs({
        kind: 'original_forgotten',
        subject: transactionId,
        detail: `its refunds gave back ${amount} ${currency}, and no source shows what else it moved: its payer has the rest`,
        remedy: 'ask its caller for its amount, and move the rest again if it is still wanted',
      });
    }
    copy.putTransaction(original);
    await recovery.put(table, item, undefined);
    count++;
  }
  return count;
}

/** Returns the transaction that an item is; undefined when it is no sound one, or not that of its refunds. */
function soundOriginal(recovery: Recovery, item: Item, { refund, refunded }: Shown): Transaction | undefined {
  const original = parsed(() => toTransaction(item));
  if (original === undefined || original instanceof UnreadableItem || !isRefundable(original)) return undefined;
  if (problemOf(original) !== undefined || original.amount < refunded) return undefined;
  const isOfRefund =
    refundingWallet(original) === refund.walletId && refundedWallet(original) === refund.counterpartyWalletId;
  return isOfRefund && creditedTwice(recovery, original) === undefined ? original : undefined;
}

/** Returns the record by its event. The service stands in for an author that the archive does not have. */
function byEvent(recovery: Recovery, shown: Shown): Item | undefined {
  const known = recovery.copy
    .query({ event: 'text', maker: 'text' }, 'SELECT event, maker FROM transaction_events WHERE id = ?')
    .first(shown.id);
  if (known === undefined) return undefined;
  const maker = known.maker === '' ? service : (JSON.parse(known.maker) as Maker);
  const item = recordOf(transactionEventOf(known.event), maker, factsOf(recovery));
  return soundOriginal(recovery, item, shown) && item;
}

/** Returns the record by the entries of its wallets in the ledger. Those of a capture, or of a group, do not fit. */
function byLedger(recovery: Recovery, shown: Shown): Item | undefined {
  const { walletId, counterpartyWalletId } = shown.refund;
  const entryOf = (wallet: string) =>
    recovery.copy
      .query(
        { at: 'text', available: 'number', held: 'number' },
        "SELECT at, available, held FROM entries WHERE wallet_id = ? AND name = ? AND at <> '' ORDER BY version LIMIT 1",
      )
      .first(wallet, shown.id);
  const received = entryOf(walletId);
  if (received === undefined || received.available <= 0 || received.held !== 0) return undefined;
  const { at, available: amount } = received;
  if (counterpartyWalletId !== undefined) {
    const paid = entryOf(counterpartyWalletId);
    if (paid?.at !== at || paid.available !== -amount || paid.held !== 0) return undefined;
  }
  const item = itemOfOriginal(shown, amount, at);
  return soundOriginal(recovery, item, shown) && item;
}

/** Returns the record of a charge, or of a transfer where the refunds pay a wallet. */
function itemOfOriginal({ id, refund }: Shown, amount: number, at: string): Item {
  const { walletId, counterpartyWalletId: payer, currency } = refund;
  const facts = {
    transactionId: id,
    principal: service.principal,
    ownerId: undefined,
    amount,
    currency,
    at,
    description,
  };
  const original =
    payer === undefined
      ? charge({ ...facts, walletId })
      : transfer({ ...facts, walletId: payer, toWalletId: walletId });
  return itemOf({ ...original });
}

/** Returns the time just before another one: the ledger shows a transaction before its refunds. */
function justBefore(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString();
}
