import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { WalletError } from '../../lambdas/domain/errors.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { ofLeg } from '../../lambdas/domain/split.ts';
import { problem } from '../../lambdas/http/problem.ts';

/** The contract: the HTTP status of each code. A code that is missing here does not compile. */
const contract: Record<ErrorCode, number> = {
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
  internal_error: 500,
  token_not_checked: 503,
  ledger_behind: 503,
  overloaded: 503,
  busy: 503,
};

describe('error codes', () => {
  for (const [code, status] of Object.entries(contract) as [ErrorCode, number][]) {
    it(`${code} is answered with ${status} as problem+json`, () => {
      const answer = problem(new WalletError(code), 'request-1');
      const { type, title, ...body } = answer.body as { type: string; title: string };
      assert.equal(answer.status, status);
      assert.deepEqual(body, { status, code, detail: undefined, errors: undefined, requestId: 'request-1' });
      assert.equal(type, 'about:blank');
      assert.match(title, /^[A-Z]/);
      assert.equal(answer.headers?.['Content-Type'], 'application/problem+json');
    });
  }

  it('each have their own sentence', () => {
    const titles = Object.keys(contract).map((code) => new WalletError(code as ErrorCode).title);
    assert.equal(new Set(titles).size, titles.length);
  });

  it('carry the delay and the limit that a caller needs for a retry', () => {
    const limited = problem(new WalletError('rate_limited', { limit: 10, retryAfterSeconds: 90 }));
    assert.deepEqual(limited.headers, {
      'Content-Type': 'application/problem+json',
      'Retry-After': '90',
      'RateLimit-Limit': '10',
      'RateLimit-Remaining': '0',
      'RateLimit-Reset': '90',
    });
    const errors = [{ path: 'amount', message: 'must be positive' }];
    const invalid = problem(new WalletError('invalid_request', { detail: 'one field', errors }), 'request-1');
    assert.deepEqual(invalid.body, {
      type: 'about:blank',
      title: 'The request is not valid',
      status: 400,
      code: 'invalid_request',
      detail: 'one field',
      errors,
      requestId: 'request-1',
    });
    assert.equal(problem(new WalletError('unauthorized')).headers?.['WWW-Authenticate'], 'Bearer');
  });

  it('keep their cause for the log and hide it from the answer', () => {
    const error = new WalletError('busy', {}, { cause: new Error('TransactionConflict on WALLET#w_1') });
    assert.ok(error.cause instanceof Error);
    assert.ok(!JSON.stringify(problem(error)).includes('WALLET#'));
  });

  it('have the leg of a split that is refused', () => {
    const refusal = ofLeg(2, new WalletError('receiver_unavailable'));
    const { leg, detail } = problem(refusal).body as { leg: number; detail: string };
    assert.deepEqual([leg, detail], [2, 'legs[2]: The receiver cannot receive this money']);
  });

  it('has the limit of a wallet that was reached, and when it has room again', () => {
    const walletLimit = { limit: 'out.perDay', left: 500, resetsAt: '2026-03-02T00:00:00.000Z' } as const;
    const body = problem(new WalletError('limit_exceeded', { walletLimit })).body as typeof walletLimit;
    assert.deepEqual({ limit: body.limit, left: body.left, resetsAt: body.resetsAt }, walletLimit);
  });
});
