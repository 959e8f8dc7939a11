import type { ErrorCode, WalletError } from '../domain/errors.ts';

/** The HTTP status of each error code. No other table maps them. */
const statuses: Record<ErrorCode, number> = {
  invalid_request: 400,
  idempotency_key_required: 400,
  unauthorized: 401,
  forbidden: 403,
  operator_limit_exceeded: 403,
  not_found: 404,
  wallet_not_found: 404,
  transaction_not_found: 404,
  approval_not_found: 404,
  batch_not_found: 404,
  standing_order_not_found: 404,
  webhook_not_found: 404,
  statement_not_found: 404,
  wallet_frozen: 409,
  wallet_closed: 409,
  wallet_not_empty: 409,
  limits_changed: 409,
  alias_unavailable: 409,
  too_many_aliases: 422,
  reference_taken: 409,
  not_in_review: 409,
  another_bank: 409,
  not_cancellable: 409,
  not_a_hold: 409,
  hold_ended: 409,
  hold_expired: 409,
  not_refundable: 409,
  too_many_refunds: 409,
  too_many_scheduled: 409,
  too_many_standing_orders: 409,
  approval_ended: 409,
  approval_expired: 409,
  standing_order_ended: 409,
  webhook_limit_reached: 409,
  webhook_disabled: 409,
  webhook_replay_running: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  query_too_broad: 422,
  insufficient_funds: 422,
  exceeds_hold: 422,
  exceeds_refundable: 422,
  currency_mismatch: 422,
  same_wallet: 422,
  balance_limit_exceeded: 422,
  limit_exceeded: 422,
  receiver_unavailable: 422,
  fee_exceeds_amount: 422,
  statement_too_long: 422,
  idempotency_key_reused: 422,
  rate_limited: 429,
  token_not_checked: 503,
  ledger_behind: 503,
  overloaded: 503,
  busy: 503,
  internal_error: 500,
};

/** The answer of a handler; `body` is sent as JSON, and `text` in its place as it is, with a `Content-Type`. */
export interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Returns an error as problem+json (RFC 9457) with the contract's `code`.
 *
 * @param requestId the gateway's id of the request, which logs and access log have too
 */
export function problem(error: WalletError, requestId?: string): Answer {
  const { detail, errors, leg, retryAfterSeconds, limit, walletLimit, transactionId } = error.details;
  const status = statuses[error.code];
  return {
    status,
    body: {
      type: 'about:blank',
      title: error.title,
      status,
      code: error.code,
      detail,
      errors,
      ...(leg !== undefined && { leg }),
      ...(transactionId !== undefined && { transactionId }),
      ...walletLimit,
      requestId,
    },
    headers: {
      'Content-Type': 'application/problem+json',
      ...(error.code === 'unauthorized' && { 'WWW-Authenticate': 'Bearer' }),
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
      ...(limit !== undefined && {
        'RateLimit-Limit': String(limit),
        'RateLimit-Remaining': '0',
        'RateLimit-Reset': String(retryAfterSeconds),
      }),
    },
  };
}
