/** An example of each refusal in docs/openapi.json. */
import { errorTitles, WalletError } from '../lambdas/domain/errors.ts';
import type { ErrorCode, ErrorDetails } from '../lambdas/domain/errors.ts';
import { problem } from '../lambdas/http/problem.ts';

const details: Partial<Record<ErrorCode, ErrorDetails>> = {
  insufficient_funds: { detail: 'available 1000, requested 2500, in minor units of USD' },
  limit_exceeded: {
    detail:
      'out.perDay: left 47500, requested 50000, in minor units of USD; there is room again from 2026-03-02T00:00:00.000Z',
    walletLimit: { limit: 'out.perDay', left: 47_500, resetsAt: '2026-03-02T00:00:00.000Z' },
  },
  operator_limit_exceeded: {
    detail: 'charge takes at most 1000000, requested 2500000, in minor units of USD',
  },
  not_cancellable: { detail: 'the bank may have it already' },
  hold_ended: { detail: 'it ended at 2026-03-01T12:00:04.250Z: released' },
  hold_expired: { detail: 'it expired at 2026-03-02T12:00:00.000Z' },
  standing_order_ended: { detail: 'it ended at 2026-03-01T12:00:04.250Z: cancelled' },
  webhook_limit_reached: { detail: 'a service has at most 20 webhooks' },
  approval_ended: { detail: 'it was rejected at 2026-03-01T12:00:04.250Z' },
  approval_expired: { detail: 'it expired at 2026-03-02T12:00:00.000Z' },
  exceeds_hold: { detail: 'left 1000, requested 2500, in minor units of USD' },
  statement_too_long: {
    detail:
      'the wallet has 12041 changes in this period, and one answer covers 5000: ask for a shorter period, or for pages of JSON with limit',
  },
  fee_exceeds_amount: { detail: 'the fee is 30 of 20, in minor units of USD: the receiver would get nothing' },
  not_refundable: { detail: 'this transfer is on its way' },
  exceeds_refundable: { detail: 'left 1000, requested 2500, in minor units of USD' },
  too_many_refunds: { detail: 'a transaction has at most 200 refunds' },
  too_many_scheduled: { detail: 'a wallet has at most 1000 scheduled payments' },
  too_many_standing_orders: { detail: 'a wallet has at most 100 standing orders that are active' },
  invalid_request: {
    errors: [{ path: 'amount', message: 'must be an integer of minor units, 1 to 9007199254740991' }],
  },
};

/** Returns the body of a refusal. */
export function problemExample(code: ErrorCode): object {
  return { ...problem(new WalletError(code, details[code]), 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef').body };
}

/** Returns an example of each refusal. */
export function problemExamples(): Readonly<Record<string, { summary: string; value: object }>> {
  const codes = Object.keys(errorTitles) as ErrorCode[];
  return Object.fromEntries(
    codes.map((code) => [
      code,
      { summary: errorTitles[code], value: JSON.parse(JSON.stringify(problemExample(code))) as object },
    ]),
  );
}
