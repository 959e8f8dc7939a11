/** One step of the withdrawal worker, with a bank whose answers the test chooses. */
import type { FindOutcome, SubmitOutcome } from '../../lambdas/bank/answers.ts';
import type { PayoutHours } from '../../lambdas/domain/payout-window.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { bankId } from './visits.ts';
import type { Table } from '../../lambdas/store/table.ts';

/** The time after a submit in which the bank may not know the payment yet. */
export const notFoundWindowMs = 60_000;

/** The answers of the bank, and its hours. A call without an answer fails. */
export interface Says {
  /** `beginBy`: the latest time at which the call may begin, epoch ms. */
  readonly submit?: (beginBy: number) => SubmitOutcome | Promise<SubmitOutcome>;
  readonly find?: FindOutcome;
  readonly isDown?: boolean;
  readonly bankId?: string;
  readonly hours?: PayoutHours | undefined;
}

/** Advances the withdrawal by one step of the worker. Returns the time of its next visit. */
export function advanceOnce(table: Table, transactionId: string, says: Says, maxAttempts = 5) {
  const wrong = (call: string) => () => Promise.reject(new Error(`${call} was not expected`));
  const { submit, find } = says;
  return advanceWithdrawal(transactionId, {
    table,
    bank: {
      submit: submit === undefined ? wrong('submit') : async (_payment, beginBy = Infinity) => submit(beginBy),
      find: find === undefined ? wrong('find') : () => Promise.resolve(find),
      isDown: () => says.isDown ?? false,
    },
    bankId: says.bankId ?? bankId,
    policy: { maxAttempts, notFoundWindowMs, hours: says.hours },
  });
}
