/** Puts back what a restore forgot, and whose refunds it has: otherwise a refund would bring money that was never paid. */
import { capture } from '../../lambdas/domain/hold.ts';
import { service } from '../../lambdas/domain/actor.ts';
import { problemOf } from '../../lambdas/domain/bookings.ts';
import { isRefundable, refundedWallet, refundingWallet } from '../../lambdas/domain/refund.ts';
import { charge } from '../../lambdas/domain/charge.ts';
import type { Hold, Refund, Transaction } from '../../lambdas/domain/transaction.ts';
import { transfer } from '../../lambdas/domain/transfer.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { countedItem } from '../../lambdas/store/totals.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { parsed, readable, UnreadableItem } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import type { Maker } from './archive.ts';
import { transactionEventOf } from './archive.ts';
import { factsOf, itemOf } from './put-back.ts';
import { justBefore, recordOf } from './records.ts';
import type { Recovery } from './recovery.ts';
import type { Difference } from './report.ts';
import { creditedTwice } from './stand-ins.ts';

const description = 'made by a recovery from its refunds';

/** What the refunds of a forgotten transaction show. */
interface Shown {
  readonly id: string;
  /** Their sum, also of those that cannot be read and show it, and the time of the first. */
  readonly refunded: number;
  readonly first: string;
  /** One of them. */
  readonly refund: Refund;
}

/**
 * Puts back each forgotten transaction whose refunds have records: from its event, or from its entries in the ledger. Without
 * either it gets the amount of its refunds, and is named. `linkRefunds` then names the refunds on it.
 *
 * @returns the number of transactions
 */
export async function putBackOriginals(recovery: Recovery): Promise<number> {
  const { copy, report, table } = recovery;
  const orphans = copy.query(
    { id: 'text', one: 'text', first: 'text' },
    `SELECT counterpart AS id, MIN(id) AS one, MIN(created_at) AS first FROM records
      WHERE type = 'refund' AND counterpart NOT IN (SELECT id FROM records)
        AND counterpart NOT IN (SELECT id FROM operations) AND counterpart NOT IN (SELECT id FROM unreadable)
      GROUP BY counterpart HAVING COUNT(DISTINCT wallet_id) = 1`,
  );
  let count = 0;
  for (const { one, ...sums } of orphans.all()) {
    const stored = await recovery.read(transactionKey(one));
    const refund = stored && readable(toTransaction(stored));
    if (refund?.type !== 'refund') continue;
    const shown = { ...sums, refunded: Number(copy.refundedOf(sums.id)), refund };
    const known = byEvent(recovery, shown) ?? byLedger(recovery, shown) ?? (await captureByLedger(recovery, shown));
    const item = known ?? itemOfOriginal(shown, shown.refunded, justBefore(sums.first));
    const original = soundOriginal(recovery, item, shown);
    if (original === undefined) continue;
    const { transactionId, type, amount, currency } = original;
    report.repairs('transaction', transactionId, `put back: a ${type} of ${amount} ${currency}, which was refunded`);
    if (known === undefined) report.differs(originalForgotten(original));
    copy.putTransaction(original);
    await recovery.put(table, item, undefined);
    count++;
  }
  return count;
}

/** Returns what a person must know of a transaction that is put back by its refunds alone: a charge or a transfer. */
function originalForgotten({ transactionId, type, amount, currency }: Transaction): Difference {
  const mayBeCapture = type === 'transfer';
  return {
    kind: 'original_forgotten',
    subject: transactionId,
    detail:
      `its refunds gave back ${amount} ${currency}, and no source shows what else it moved: its payer has the rest` +
      (mayBeCapture ? '. If it was a capture, its hold is open again' : ''),
    remedy:
      'ask its caller for its amount, and move the rest again if it is still wanted' +
      (mayBeCapture ? '. If it was a capture, capture only what is missing' : ''),
  };
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

/** Returns the first entry of a transaction in the ledger of a wallet. */
function entryOf({ copy }: Recovery, id: string, walletId: string) {
  return copy
    .query(
      { at: 'text', available: 'number', held: 'number' },
      "SELECT at, available, held FROM entries WHERE wallet_id = ? AND name = ? AND at <> '' ORDER BY version LIMIT 1",
    )
    .first(walletId, id);
}

/**
 * Returns the record by the entries of its wallets in the ledger. Those of a capture, or of a group, do not fit. A group may
 * look as a transfer with a fee, so the totals must have counted the fee.
 */
function byLedger(recovery: Recovery, shown: Shown): Item | undefined {
  const { walletId, counterpartyWalletId } = shown.refund;
  const received = entryOf(recovery, shown.id, walletId);
  // Other records share the entry: it shows more than this transaction.
  if (recovery.copy.has('SELECT 1 FROM bookings WHERE account = ? AND name = ? AND id <> name', walletId, shown.id)) {
    return undefined;
  }
  if (received === undefined || received.available <= 0 || received.held !== 0) return undefined;
  const { at, available: amount } = received;
  let fee = 0;
  if (counterpartyWalletId !== undefined) {
    const paid = entryOf(recovery, shown.id, counterpartyWalletId);
    if (paid?.at !== at || paid.available > -amount || paid.held !== 0) return undefined;
    // The payer of a transfer pays its fee beside the amount.
    fee = -paid.available - amount;
  }
  const item = itemOfOriginal(shown, amount, at, fee);
  const original = soundOriginal(recovery, item, shown);
  if (original === undefined || (fee > 0 && !isCounted(recovery, original))) return undefined;
  return item;
}

/** Returns whether the totals have counted exactly these postings. */
function isCounted({ copy }: Recovery, { transactionId, createdAt: at, postings }: Transaction): boolean {
  const { content } = countedItem({ transactionId, at, postings, count: postings.length }, 0);
  return copy.has('SELECT 1 FROM counted WHERE id = ? AND content = ?', transactionId, String(content));
}

/** Returns the record of a capture by the entries of its wallets, when exactly one hold can have had its money. */
async function captureByLedger(recovery: Recovery, shown: Shown): Promise<Item | undefined> {
  const { walletId, counterpartyWalletId: payer = '' } = shown.refund;
  const [received, paid] = [entryOf(recovery, shown.id, walletId), entryOf(recovery, shown.id, payer)];
  if (received === undefined || paid?.at !== received.at) return undefined;
  const { at } = received;
  // A final capture also gives back the rest. The receiver pays the fee out of the amount.
  const taken = -paid.held;
  const amount = taken - paid.available;
  const fee = amount - received.available;
  if (received.available <= 0 || received.held !== 0 || paid.available < 0 || fee < 0) return undefined;
  const [hold, ...others] = await holdsOf(recovery, shown.refund, { at, taken });
  if (hold === undefined || others.length > 0) return undefined;
  const facts = { transactionId: shown.id, principal: service.principal, at, description, amount };
  const item = itemOf({
    ...capture(
      { ...hold, captured: hold.amount - taken },
      { ...facts, capturedBy: 'operator', isFinal: taken > amount, feeOf: () => fee },
    ),
  });
  return soundOriginal(recovery, item, shown) && item;
}

/** Most holds of a payer that are looked at for one capture. */
const mostHolds = 100;

/** Returns the holds that can have paid a capture of this size at this time; none where they are too many to look at. */
async function holdsOf(
  recovery: Recovery,
  { walletId, counterpartyWalletId: payer = '' }: Refund,
  { at, taken }: { readonly at: string; readonly taken: number },
): Promise<Hold[]> {
  const rows = recovery.copy
    .query(
      { id: 'text' },
      `SELECT id FROM records WHERE type = 'hold' AND wallet_id = ? AND amount >= ? AND created_at <= ?
        LIMIT ${mostHolds + 1}`,
    )
    .all(payer, taken, at);
  if (rows.length > mostHolds) return [];
  const found: Hold[] = [];
  for (const { id } of rows) {
    const stored = await recovery.read(transactionKey(id));
    const hold = stored && readable(toTransaction(stored));
    if (hold?.type !== 'hold' || hold.counterpartyWalletId !== walletId || hold.expiresAt <= at) continue;
    const endedBefore = hold.status === 'ended' && hold.end !== 'captured' && hold.completedAt < at;
    const hasRoom = recovery.copy.takenOf(id) + BigInt(taken) <= BigInt(hold.amount);
    if (!endedBefore && hasRoom) found.push(hold);
  }
  return found;
}

/**
 * Returns the record of a charge, or of a transfer where the refunds pay a wallet. It has no alias: no refund shows one, and its
 * payer knows the wallet from them. Its repetition by an alias that has moved is refused, and pays nothing.
 */
function itemOfOriginal({ id, refund }: Shown, amount: number, at: string, fee = 0): Item {
  const { walletId, counterpartyWalletId: payer, currency } = refund;
  const facts = {
    transactionId: id,
    principal: service.principal,
    ownerId: undefined,
    amount,
    currency,
    fee,
    at,
    description,
  };
  const original =
    payer === undefined
      ? charge({ ...facts, walletId })
      : transfer({ ...facts, walletId: payer, toWalletId: walletId });
  return itemOf({ ...original });
}
