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

/** Returns the least available money that a wallet may have with a further transaction: chargebacks go below zero. */
export function leastOf(copy: BooksCopy, wallet: Wallet, transaction?: Transaction): bigint {
  const isFurther =
    transaction?.type === 'refund' && transaction.chargeback && transaction.walletId === wallet.walletId;
  const chargedBack = copy.chargedBackOf(wallet.walletId) + BigInt(isFurther ? transaction.amount : 0);
  return BigInt(leastAvailable({ ...wallet, chargedBack }));
}
