/** What can be wrong with the books. The names are in events: docs/events.md; what each means: docs/integrity.md. */
export const discrepancyKinds = [
  /** A wallet's item contradicts itself, or its last entry. */
  'balance_differs',
  /** A version of a wallet has no entry. */
  'entry_missing',
  /** An entry's hash or balance does not follow from the entry before it: it was changed, or moved. */
  'chain_broken',
  /** The postings of a wallet's transactions do not add up to what its entries say. */
  'postings_differ',
  /** What a wallet holds back is not the sum of its open withdrawals. */
  'held_differs',
  /** A transaction cannot be: no postings, not zero in sum, or not those of its type, amount and status. */
  'transaction_invalid',
  /** An item that is neither a wallet nor a transaction that anybody can read. */
  'unreadable',
  /** All accounts of a currency do not sum to zero. */
  'currency_unbalanced',
  /** The running total of an account is not the sum of its postings. */
  'total_differs',
  /** The bank has no payment for a completed withdrawal. */
  'payment_missing',
  /** The bank has paid what nobody asked for, or something else than was asked for, or twice. */
  'payment_differs',
] as const;

export type DiscrepancyKind = (typeof discrepancyKinds)[number];

/** One thing that is wrong with the books, and where. */
export interface Discrepancy {
  readonly kind: DiscrepancyKind;
  /** The wallet, transaction, account or currency that it is about. */
  readonly subject: string;
  /** What is wrong, in a sentence; amounts in minor units. */
  readonly detail: string;
}
