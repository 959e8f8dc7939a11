/** Mutations of the recovery of a restored table. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const recover = 'bin/recover/recover.ts';
const test = 'test/simulation/restores.test.ts';

const ofRestores: readonly Mutation[] = [
  mutation(
    'let a mended wallet go back to a version that readers have seen',
    'bin/recover/mend.ts',
    'version: Math.max(end + deltas.count, wallet.version, seen) + 1,',
    'version: wallet.version + 1,',
  ),
  mutation('leave a withdrawal open that the bank has paid', recover, 'await endPaidWithdrawals(recovery);', ''),
  mutation('name no transaction that was forgotten', recover, 'nameForgotten(recovery);', ''),
  mutation('leave totals with bookings that were forgotten', recover, 'await mendTotals(recovery);', ''),
].map((one) => ({ ...one, test }));

/** Few random restores show it: most payments are in the statement before a worker could make them again. */
const withoutQuestion: Mutation = {
  ...mutation(
    'submit an open withdrawal of a restored table without a question to the bank',
    recover,
    'await askBankFirst(recovery);',
    '',
  ),
  test: 'test/service/recover.test.ts',
};

/** Few random restores show it. */
const withoutFreeze: Mutation = {
  ...mutation(
    'forget a later freeze of a wallet that was frozen at the restored moment',
    'bin/recover/status.ts',
    'if (balance.version > version && !hasOther(',
    'if (last !== status && balance.version > version && !hasOther(',
  ),
  test: 'test/store/recover-approvals.test.ts',
};

const orders = 'bin/recover/standing-orders.ts';
const ofOrders: readonly Mutation[] = [
  mutation('let an order count payments that were forgotten', orders, 'await countPayments(recovery, id);', ''),
  mutation('leave a payment of a cancelled order scheduled', orders, 'await cancelPayments(recovery, id);', ''),
].map((one) => ({ ...one, test: 'test/store/recover-orders.test.ts' }));

const ofApprovals: readonly Mutation[] = [
  mutation('leave an approval open that was rejected', recover, 'await endApprovals(recovery);', ''),
  mutation('let an approval undo a freeze that the ledger hides', recover, 'await rejectUncertain(recovery);', ''),
].map((one) => ({ ...one, test: 'test/store/recover-approvals.test.ts' }));

const withoutExecution: Mutation = {
  ...mutation('leave a withdrawal scheduled that was executed', recover, 'await executeAgain(recovery);', ''),
  test: 'test/store/recover-schedules.test.ts',
};

const withoutRest: Mutation = {
  ...mutation(
    'refuse the repetition of a refund of all that was left',
    'lambdas/store/operations.ts',
    "image['amount'] === record['amount'] || namesNoAmount;",
    "image['amount'] === record['amount'];",
  ),
  test: 'test/store/recover-refunds.test.ts',
};

export const recoveryMutations: readonly Mutation[] = [
  ...[...ofRestores, ...ofOrders, ...ofApprovals],
  ...[withoutQuestion, withoutFreeze, withoutExecution, withoutRest],
];
