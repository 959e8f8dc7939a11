/** What the records of a copy leave room for. */
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { leastAvailable } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { changesOf } from './copy.ts';
import type { BooksCopy } from './copy.ts';

/**
 * Returns why a capture or refund takes more than its original has left; undefined when it does not. Money of other holds
 * must not pay a capture.
 */
export function exceededBy(copy: BooksCopy, transaction: Transaction): string | undefined {
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
 * Returns the least available money that a wallet may have with a further transaction. Debits need the money, so below zero it
 * is only by the debt that the restored wallet shows, and by chargebacks that this one does not have.
 */
export function leastOf(copy: BooksCopy, wallet: Wallet, transaction?: Transaction): bigint {
  const { walletId, available, chargedBack = 0 } = wallet;
  const isFurther = transaction?.type === 'refund' && transaction.chargeback && transaction.walletId === walletId;
  const later = copy.chargedBackOf(walletId) + BigInt(isFurther ? transaction.amount : 0) - BigInt(chargedBack);
  const withoutChargebacks = BigInt(leastAvailable({ ...wallet, chargedBack: 0 }));
  return least(withoutChargebacks, least(withoutChargebacks, BigInt(available)) - later);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
