/** What the records of a copy leave room for. */
import { accounts } from '../../lambdas/domain/postings.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { changesOf } from './copy.ts';
import type { BooksCopy } from './copy.ts';

/**
 * Returns why a capture or refund takes more than its original has left, or a collection more than the fees; undefined when
 * it does not. Money of other holds must not pay a capture.
 */
export function exceededBy(copy: BooksCopy, transaction: Transaction): string | undefined {
  if (transaction.type === 'collection') {
    const { currency, amount: collected } = transaction;
    const left = copy.sumOf(accounts.fees(currency)) + copy.sumOf(accounts.collected(currency));
    return BigInt(collected) > left ? `the fees in ${currency}, as the table has them, are less` : undefined;
  }
  if (transaction.type !== 'capture' && transaction.type !== 'refund') return undefined;
  const { originalTransactionId: id, type, amount, walletId, postings } = transaction;
  const original = copy.record(id);
  const most = BigInt(original?.amount ?? 0);
  if (type === 'capture') {
    const taken = changesOf(postings).get(walletId)?.held ?? 0n;
    return copy.takenOf(id) - taken > most ? 'its hold, as the table has it, does not hold so much' : undefined;
  }
  if (original?.status !== 'completed') return `${id}, which it gives back, is not completed in the table`;
  const isMore = copy.refundedOf(id) + BigInt(amount) > most;
  return isMore ? `${id}, as the table has it, has less left to refund` : undefined;
}

/**
 * Returns the least available money that a wallet may have with a further transaction: below zero by any credit line that
 * it ever had, by the debt that the restored wallet shows, and by chargebacks that this one does not have.
 */
export function leastOf(copy: BooksCopy, wallet: Wallet, transaction?: Transaction): bigint {
  const isFurther =
    transaction?.type === 'refund' && transaction.chargeback && transaction.walletId === wallet.walletId;
  return leastOnCredit(copy, wallet, creditLinesOf(copy, wallet).ever, BigInt(isFurther ? transaction.amount : 0));
}

/** The least available money that a wallet's records may leave if no credit is forgotten. */
export interface Explained {
  /** With the credit line that it had at the restored moment or later. An earlier one paid nothing since then. */
  readonly onCredit: bigint;
  /** Without any credit line. */
  readonly withoutCredit: bigint;
}

/** Returns what explains a debt of the wallet, before its limits are put back. */
export function explainedDebt(copy: BooksCopy, wallet: Wallet): Explained {
  const { since } = creditLinesOf(copy, wallet);
  return { onCredit: leastOnCredit(copy, wallet, since), withoutCredit: leastOnCredit(copy, wallet, 0) };
}

function leastOnCredit(copy: BooksCopy, wallet: Wallet, credit: number, furtherChargeback = 0n): bigint {
  const { walletId, available, chargedBack = 0 } = wallet;
  const later = copy.chargedBackOf(walletId) + furtherChargeback - BigInt(chargedBack);
  return least(-BigInt(credit), least(-BigInt(credit), BigInt(available)) - later);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/**
 * Returns the largest credit lines of a wallet before its limits are put back: that it ever had, and that it had at the
 * restored moment or later.
 */
export function creditLinesOf(copy: BooksCopy, { walletId, version, limits, mostCredit = 0 }: Wallet) {
  const lines = copy.query(
    { credit: 'number' },
    'SELECT COALESCE(MAX(credit), 0) AS credit FROM limit_events WHERE wallet_id = ? AND version > ?',
  );
  const largestAfter = (after: number) => lines.first(walletId, after)?.credit ?? 0;
  return {
    ever: Math.max(Number(mostCredit), largestAfter(-1)),
    since: Math.max(limits?.creditLine ?? 0, largestAfter(version)),
  };
}
