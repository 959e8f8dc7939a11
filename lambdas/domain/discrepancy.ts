/** The kinds of discrepancies. Events carry the names (docs/events.md); docs/integrity.md explains each. */
export const discrepancyKinds = [
  /** A wallet's item contradicts itself, or its last entry. */
  'balance_differs',
  /** A version of a wallet has no entry. */
  'entry_missing',
  /** An entry's hash or balance does not follow from the entry before it: the entry was changed or moved. */
  'chain_broken',
  /** The postings of a wallet's transactions do not add up to the balance in its entries. */
  'postings_differ',
  /** A wallet's held amount is not the sum of its open withdrawals and of what its open holds have left. */
  'held_differs',
  /**
   * A hold and its captures disagree: their sum, their wallets, or a capture after the expiry. Or the hold is open long
   * after its expiry.
   */
  'hold_differs',
  /** A refund and its original disagree: their sum, their wallets, or whether the original names the refund. */
  'refund_differs',
  /** A transaction that has its reference for itself alone lacks the record of it, or the record names another one. */
  'reference_differs',
  'alias_differs',
  /**
   * More was collected of the fees of a currency than was paid. Or its collections, their numbers and the record of what was
   * collected disagree.
   */
  'fees_differ',
  /**
   * A transaction is impossible: no postings, a sum that is not zero, or postings that do not fit its type, amount and
   * status.
   */
  'transaction_invalid',
  /** An item that cannot be read as a wallet or a transaction. */
  'unreadable',
  /** All accounts of a currency do not sum to zero. */
  'currency_unbalanced',
  /** The running total of an account is not the sum of its postings. */
  'total_differs',
  /** The bank has no payment for a completed withdrawal. */
  'payment_missing',
  /** The bank has paid without an order, or paid another amount or account, or paid twice. */
  'payment_differs',
  /** The bank has given no statement, so its payments were not compared. Nothing else is wrong because of it. */
  'statement_missing',
] as const;

export type DiscrepancyKind = (typeof discrepancyKinds)[number];

/** One discrepancy in the books, and its subject. */
export interface Discrepancy {
  readonly kind: DiscrepancyKind;
  /** The wallet, transaction, account or currency with the discrepancy. */
  readonly subject: string;
  /** A sentence that describes the discrepancy; amounts in minor units. */
  readonly detail: string;
}
