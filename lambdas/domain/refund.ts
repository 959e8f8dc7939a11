import { WalletError } from './errors.ts';
import { accounts, move } from './postings.ts';
import type { Posting } from './postings.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { Refund, Refundable, Transaction } from './transaction.ts';
import type { CommandFacts } from './transaction-record.ts';

/** Most refunds of one transaction: their ids are on its record. */
export const mostRefunds = 200;
/** Most refunds after which an owner makes another one: small refunds must not keep out those of operators. */
export const mostBeforeOwners = 100;

/** Returns how many refunds a transaction may have after a further one of this caller. */
export function mostRefundsFor({ ownerId }: Pick<RefundRequest, 'ownerId'>): number {
  return ownerId === undefined ? mostRefunds : mostBeforeOwners;
}

/** The facts of a refund that its original does not have. `ownerId`: the caller of an owner's command. */
export interface RefundFacts
  extends Omit<CommandFacts, 'walletId' | 'currency' | 'amount'>, RefundRequest, Pick<Refund, 'approvedBy'> {
  readonly reason: string;
}

/** The members of a request that decide whether it can be made. */
export interface RefundRequest {
  /** Absent: all that is left. */
  readonly amount?: number | undefined;
  readonly chargeback?: true | undefined;
  /** Undefined: an operator asks. */
  readonly ownerId: string | undefined;
}

/** Returns what can still be refunded, in minor units. */
export function leftToRefund({ amount, refunded = 0 }: Refundable): number {
  return amount - refunded;
}

/** Returns the wallet that received the money of a transaction, and so gives it back. */
export function refundingWallet(original: Refundable): string {
  return original.type === 'charge' ? original.walletId : original.counterpartyWalletId;
}

/** Returns the wallet that a refund pays; undefined for a charge, whose money goes to the world outside. */
export function refundedWallet(original: Refundable): string | undefined {
  return original.type === 'charge' ? undefined : original.walletId;
}

/** Returns the command that moves money as the refunds of a transaction do. */
export function commandLike({ type }: Refundable): 'transfer' | 'charge' {
  return type === 'charge' ? 'charge' : 'transfer';
}

/** Returns the refund of a completed transaction. */
export function refund(original: Refundable, facts: RefundFacts): Refund {
  const { amount = leftToRefund(original), reason, chargeback, approvedBy, ...known } = facts;
  const { currency, transactionId: originalTransactionId } = original;
  const walletId = refundingWallet(original);
  const counterpartyWalletId = refundedWallet(original);
  return {
    ...recordOfCommand({ ...known, amount, walletId, currency }),
    type: 'refund',
    status: 'completed',
    ...(counterpartyWalletId !== undefined && { counterpartyWalletId }),
    originalTransactionId,
    refundedBy: facts.ownerId === undefined ? 'operator' : 'owner',
    reason,
    ...(chargeback && { chargeback }),
    ...(approvedBy && { approvedBy }),
    postings: refundPostings({ walletId, counterpartyWalletId, amount, currency }),
    completedAt: facts.at,
  };
}

/** Returns the postings of a refund. */
export function refundPostings({
  walletId,
  counterpartyWalletId,
  amount,
  currency,
}: Pick<Refund, 'walletId' | 'counterpartyWalletId' | 'amount' | 'currency'>): Posting[] {
  const receiver =
    counterpartyWalletId === undefined ? accounts.external(currency) : accounts.available(counterpartyWalletId);
  return move(amount, accounts.available(walletId), receiver);
}

/** Returns how a stored transaction contradicts the rules of refunds; undefined when it does not. */
export function problemOfRefunds(transaction: Transaction): string | undefined {
  if (transaction.type === 'refund') {
    const isOfTransfer = transaction.counterpartyWalletId !== undefined;
    return transaction.chargeback && isOfTransfer ? 'it is a chargeback, and pays a wallet' : undefined;
  }
  // The stored item may have any shape.
  const { refunded = 0, refunds = [] } = 'refunded' in transaction || 'refunds' in transaction ? transaction : {};
  if (refunded === 0 && refunds.length === 0) return undefined;
  const { type, status, amount } = transaction;
  if (!isRefundable(transaction)) return `it has refunds, and is a ${type} that is ${status}`;
  // Each refund is of one minor unit at least.
  const isPossible = refunded >= refunds.length && refunded <= amount && refunds.length >= 1;
  const isList = refunds.length <= mostRefunds && new Set(refunds).size === refunds.length;
  if (isPossible && isList) return undefined;
  return `it has ${refunds.length} refunds of ${refunded} in all, and its amount is ${amount}`;
}

/** Returns whether money of this transaction can go back: it is completed, and a wallet received the money. */
export function isRefundable(transaction: Transaction): transaction is Refundable {
  switch (transaction.type) {
    case 'charge':
      return true;
    case 'transfer':
      return transaction.status === 'completed';
    case 'capture':
      return transaction.counterpartyWalletId !== undefined;
    case 'withdrawal':
    case 'return':
    case 'hold':
    case 'refund':
    case 'collection':
      return false;
  }
}

/** Returns why no refund of this transaction can be made, whatever its amount. */
export function notRefundable(transaction: Exclude<Transaction, Refundable>): WalletError {
  return new WalletError('not_refundable', { detail: whyNotRefundable(transaction) });
}

/** Returns why this refund cannot be made; undefined when it can. It is final: what is left only becomes less. */
export function refundRefusal(
  original: Refundable,
  { amount, chargeback, ownerId }: RefundRequest,
): WalletError | undefined {
  const { type } = original;
  if (chargeback && type !== 'charge') {
    return new WalletError('not_refundable', { detail: `only a charge can be charged back, and this is a ${type}` });
  }
  const left = leftToRefund(original);
  if (left === 0 || (amount ?? left) > left) {
    const requested = amount === undefined ? 'all of it' : String(amount);
    const detail = `left ${left}, requested ${requested}, in minor units of ${original.currency}`;
    return new WalletError('exceeds_refundable', { detail });
  }
  if ((original.refunds?.length ?? 0) < mostRefundsFor({ ownerId })) return undefined;
  const further = ownerId === undefined ? '' : `; after ${mostBeforeOwners}, only operators refund it`;
  return new WalletError('too_many_refunds', { detail: `a transaction has at most ${mostRefunds} refunds${further}` });
}

function whyNotRefundable({ type, status }: Exclude<Transaction, Refundable>): string {
  switch (type) {
    case 'withdrawal':
      return status === 'failed'
        ? 'this withdrawal failed, and its wallet has the money'
        : 'the money of a withdrawal comes back only when its bank returns it';
    case 'return':
      return 'a return has given the money back already';
    case 'collection':
      return 'a collection has moved fees to a revenue wallet: make a transfer';
    case 'refund':
      return 'a refund cannot be refunded: make a transfer or a charge';
    case 'hold':
      return `a hold has moved no money: refund its captures${status === 'open' ? ', or release it' : ''}`;
    case 'capture':
      return 'this capture paid the world outside: charge the wallet of its payer';
    case 'transfer':
      return status === 'failed' ? 'this transfer failed, and its sender has the money' : 'this transfer is on its way';
  }
}
