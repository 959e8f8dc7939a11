/** What the record of a transaction says of other records. */
import { isRefundable } from '../../lambdas/domain/refund.ts';
import type { Refundable, Transaction } from '../../lambdas/domain/transaction.ts';

/** Returns what a record says of another one. */
export function counterpartOf(transaction: Transaction): string | undefined {
  switch (transaction.type) {
    case 'return':
    case 'capture':
    case 'refund':
      return transaction.originalTransactionId;
    case 'collection':
      return `${transaction.sequence} ${transaction.collected}`;
    case 'withdrawal':
      return transaction.status === 'completed' ? transaction.returnTransactionId : undefined;
    case 'hold':
      return holdState(transaction.captured, transaction.status === 'ended' && transaction.end === 'captured');
    default:
      return undefined;
  }
}

/** Returns what a hold's record says of its captures: their sum, and whether they have ended it. */
export function holdState(captured: number, isCaptured: boolean): string {
  return `${captured}${isCaptured ? ' captured' : ''}`;
}

/** Returns what the record of a transaction says of its refunds; empty when it names none. */
export function refundsOf(transaction: Transaction): string {
  return isRefundable(transaction) ? refundsState(transaction) : '';
}

/** Returns the sum and the ids of refunds as a text, whatever their order. */
export function refundsState({ refunded = 0, refunds = [] }: Pick<Refundable, 'refunded' | 'refunds'>): string {
  return refunded === 0 && refunds.length === 0 ? '' : [refunded, ...[...refunds].sort()].join(' ');
}
