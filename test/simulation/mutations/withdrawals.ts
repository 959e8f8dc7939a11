/** Mutations of withdrawals: their claims, visits to the bank and ends. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const claims = 'lambdas/store/withdrawal-claims.ts';
const withdrawals = 'lambdas/store/withdrawals.ts';
const worker = 'lambdas/workers/withdrawals.ts';
const consultBank = 'lambdas/workers/consult-bank.ts';
const leftAlone = "logger.info('bank left alone', { transactionId, dueAt: iso(dueAt) });\n  ";
const noPayment = "{ code: 'not_found', message: '' }";

export const withdrawalMutations: readonly Mutation[] = [
  mutation(
    'settle without the claim',
    claims,
    "if: '#status = :executing AND claimId = :claimId',",
    "if: '#status = :executing OR claimId = :claimId OR attribute_exists(pk)',",
  ),
  mutation(
    'release on an unknown outcome',
    worker,
    "case 'unknown': {",
    `case 'unknown': { if (await releaseWithdrawal(table, claimed, attempt, ${noPayment})) return undefined;`,
  ),
  mutation(
    'put back with a claim that was lost',
    claims,
    "if: '#status = :executing AND claimId = :claimId',",
    "if: '#status = :executing AND (claimId = :claimId OR attribute_exists(pk))',",
    'withdraw, paid later',
  ),
  mutation('claim before the lease has ended', claims, ' AND dueAt <= :at`', '`'),
  mutation(
    'claim without saying that a submit may leave',
    claims,
    'dueAt = :leaseUntil, submitBy = :submitBy',
    'dueAt = :leaseUntil, unheeded = :submitBy',
  ),
  mutation(
    'submit again without asking',
    consultBank,
    'if (submitBy === undefined) return undefined;',
    'if (submitBy !== String()) return undefined;',
  ),
  mutation(
    'take "not found" as definite at once',
    'lambdas/domain/withdrawal.ts',
    'return Date.parse(submitBy) + policy.notFoundWindowMs + clockToleranceMs;',
    'return Date.parse(submitBy) + Math.min(policy.notFoundWindowMs, clockToleranceMs);',
  ),
  mutation(
    'visit the bank by any clock',
    'lambdas/domain/withdrawal.ts',
    'return least >= -clockErrorMs && most <= clockErrorMs;',
    'return least >= -Infinity && most <= Infinity;',
    'withdraw, and ask by a clock that is far ahead',
  ),
  mutation(
    'judge "not found" by when it was answered',
    consultBank,
    'if (askedAt >= definiteAt) return undefined;',
    'if (table.now() >= definiteAt) return undefined;',
    'withdraw, and ask by a clock that is ahead',
  ),
  mutation(
    'release on "not found"',
    consultBank,
    'if (askedAt >= definiteAt) return undefined;',
    "if (askedAt >= definiteAt) return { answer: { outcome: 'rejected', code: 'not_found' }, submitted: false, submitBy };",
  ),
  mutation(
    'forget the submit when the breaker opens',
    consultBank,
    `${leftAlone}return { dueAt, submitBy };`,
    `${leftAlone}return { dueAt, submitBy: undefined };`,
  ),
  mutation(
    'count an attempt while the breaker is open',
    consultBank,
    `${leftAlone}return { dueAt, submitBy };`,
    `${leftAlone}return { dueAt, submitBy, attempt: { at: iso(table.now()), submitted: false, outcome: 'unknown' } };`,
  ),
  mutation(
    'ask another bank about what went to the first',
    worker,
    'return isOutElsewhere(visit.withdrawal, bankId) ? { redeliverAt: await reviewElsewhere(visit, services) } : visit;',
    'return visit;',
  ),
  mutation(
    'forget to which bank a submit went',
    claims,
    "submitBy === undefined ? ', submitBy, bankId' : ''",
    "submitBy === undefined ? ', submitBy, bankId' : ', bankId'",
  ),
  mutation(
    'cancel what may be with the bank',
    withdrawals,
    " AND attribute_not_exists(submitBy) AND attribute_not_exists(attempts)';",
    "';",
  ),
  mutation(
    'pay from a frozen wallet',
    consultBank,
    "if (wallet.status === 'frozen') {",
    'if (wallet.status !== wallet.status) {',
  ),
  mutation('fail in place of review', claims, "values: { review: 'review',", "values: { review: 'failed',"),
  mutation(
    'end a withdrawal that has ended',
    withdrawals,
    'if: `#type = :withdrawal AND #status IN',
    'if: `#type = :withdrawal OR #status IN',
  ),
  {
    name: 'book a return twice',
    edits: [
      { file: withdrawals, text: ' AND attribute_not_exists(returnTransactionId)', replacement: '' },
      {
        file: withdrawals,
        text: 'const transactionId = returnIdOf(original.transactionId);',
        replacement: 'const transactionId = returnIdOf(original.transactionId + at);',
      },
    ],
  },
];
