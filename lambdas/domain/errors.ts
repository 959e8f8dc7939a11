import type { LimitName } from './limits.ts';

/** Every refusal of the service: its code and its title. The codes are the contract. */
export const errorTitles = {
  invalid_request: 'The request is not valid',
  idempotency_key_required: 'The Idempotency-Key header is required',
  unauthorized: 'The caller is not known: a valid token or signature is required',
  forbidden: 'The token does not allow this',
  operator_limit_exceeded: 'The amount is over the limit of operators',
  not_found: 'There is nothing here',
  wallet_not_found: 'There is no such wallet',
  transaction_not_found: 'There is no such transaction',
  approval_not_found: 'There is no such approval',
  batch_not_found: 'There is no such batch',
  standing_order_not_found: 'There is no such standing order',
  webhook_not_found: 'There is no such webhook',
  statement_not_found: 'There is no such statement',
  wallet_frozen: 'The wallet is frozen',
  wallet_closed: 'The wallet is closed',
  wallet_not_empty: 'The wallet is not empty',
  limits_changed: 'The limits of the wallet have changed',
  payload_too_large: 'The request body is too large',
  query_too_broad: 'The query would read too much; it needs another filter',
  unsupported_media_type: 'The request body has another media type than the route takes',
  insufficient_funds: 'The wallet does not hold enough available money',
  currency_mismatch: 'The currencies differ',
  same_wallet: 'Sender and receiver are the same wallet',
  balance_limit_exceeded: 'The wallet cannot hold that much money',
  limit_exceeded: 'A limit of the wallet does not allow this',
  receiver_unavailable: 'The receiver cannot receive this money',
  fee_exceeds_amount: 'The fee would leave nothing of the amount',
  idempotency_key_reused: 'The Idempotency-Key was used for a different request',
  rate_limited: 'Too many requests',
  statement_too_long: 'The statement is too long for one answer',
  alias_unavailable: 'The alias cannot be taken',
  too_many_aliases: 'The owner has taken as many aliases as it can take',
  reference_taken: 'Another command already has this unique reference',
  not_in_review: 'The transaction is not in review',
  not_cancellable: 'The transaction cannot be cancelled',
  not_a_hold: 'The transaction is not a hold',
  hold_ended: 'The hold has ended',
  hold_expired: 'The hold has expired',
  exceeds_hold: 'The hold does not have that much money left',
  not_refundable: 'The transaction cannot be refunded',
  exceeds_refundable: 'The transaction does not have that much money left to refund',
  too_many_refunds: 'The transaction has as many refunds as it can have',
  too_many_scheduled: 'The wallet has as many scheduled payments as it can have',
  too_many_standing_orders: 'The wallet has as many standing orders as it can have',
  approval_ended: 'The approval has been decided',
  approval_expired: 'The approval has expired',
  standing_order_ended: 'The standing order has ended',
  webhook_limit_reached: 'The service has as many webhooks as it can have',
  webhook_disabled: 'The webhook is disabled',
  webhook_replay_running: 'A replay of the webhook is running',
  ledger_behind: "The wallet's ledger has not reached that moment; retry later",
  another_bank: 'The payment was submitted to another bank',
  token_not_checked: 'The token cannot be checked at the moment; nothing was done, retry later',
  overloaded: 'Too much work is waiting; nothing was stored, retry later',
  busy: 'The service is busy; nothing is known to have happened, retry with the same Idempotency-Key',
  internal_error: 'Something went wrong on our side',
} as const;

export type ErrorCode = keyof typeof errorTitles;

/** One defect of a request: its path (`amount`, `destination.account`, `Idempotency-Key`) and a message. */
export interface InvalidField {
  readonly path: string;
  readonly message: string;
}

/** Details of a refusal beyond its code. Every member is optional and safe to show to the caller. */
export interface ErrorDetails {
  /** One sentence about this case. */
  readonly detail?: string;
  readonly errors?: readonly InvalidField[];
  /** Whole seconds after which a retry makes sense. */
  readonly retryAfterSeconds?: number;
  /** The hourly limit that was reached, in accepted requests. */
  readonly limit?: number;
  /** The transaction that has the reference, where the caller may see it. */
  readonly transactionId?: string | undefined;
  /** The principal of its command. No answer shows it. */
  readonly takenBy?: string | undefined;
  /**
   * Index of the leg of a split that is refused, or that first names the wallet which refuses; absent where an end user must
   * not learn which of several receivers takes no money.
   */
  readonly leg?: number;
  /** The limit of the wallet that was reached. */
  readonly walletLimit?: {
    readonly limit: LimitName;
    /** The most that it lets move now, in minor units. */
    readonly left: number;
    /** When there is room again, ISO 8601 UTC; undefined when time gives none. */
    readonly resetsAt: string | undefined;
  };
}

/** An expected refusal: answered with its code, never alarmed. Programming errors are plain `Error`s. */
export class WalletError extends Error {
  override readonly name = 'WalletError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(details.detail ?? errorTitles[code], options);
    this.code = code;
    this.details = details;
  }

  /** Returns the title of the code, the same for every case. */
  get title(): string {
    return errorTitles[this.code];
  }
}
