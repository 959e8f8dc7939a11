/** One step of the withdrawal worker, with a bank whose answers the test chooses. */
import type { FindOutcome, SubmitOutcome } from '../../lambdas/bank/client.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { bankId } from './visits.ts';
import type { Table } from '../../lambdas/store/table.ts';

/** The time after a submit in which the bank may not know the payment yet. */
export const notFoundWindowMs = 60_000;

/** The answers of the bank. A call without one fails. */
export interface Says {
  readonly submit?: () => SubmitOutcome | Promise<SubmitOutcome>;
  readonly find?: FindOutcome;
  readonly isDown?: boolean;
  readonly bankId?: string;
}

/** Advances the withdrawal by one step of the worker. Returns the time of its next visit. */
export function advanceOnce(table: Table, transactionId: string, says: Says, maxAttempts = 5) {
  const wrong = (call: string) => () => Promise.reject(new Error(`${call} was not expected`));
  const { submit, find } = says;
  return advanceWithdrawal(transactionId, {
    table,
    bank: {
      submit: submit === undefined ? wrong('submit') : async () => submit(),
      find: find === undefined ? wrong('find') : () => Promise.resolve(find),
      isDown: () => says.isDown ?? false,
    },
    bankId: says.bankId ?? bankId,
    policy: { maxAttempts, notFoundWindowMs },
  });
}
