/** Mutations of batches. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const payments = 'lambdas/store/payments.ts';
const batches = 'lambdas/store/batches.ts';
const worker = 'lambdas/workers/batches.ts';

export const batchMutations: readonly Mutation[] = [
  mutation(
    'debit the payments of a batch by the first amount',
    payments,
    'amount: amounts.reduce((sum, amount) => sum + amount, 0),',
    'amount: amounts[0] ?? 0,',
    'send a batch of several parts',
  ),
  mutation(
    'make lines of a batch under other ids in each try',
    'lambdas/domain/batch.ts',
    'transactionIdOfLine(batchId, line.key)',
    'transactionIdOfLine(batchId, `${line.key} ${at}`)',
    'send a batch',
  ),
  mutation(
    'make lines of a batch without their fees',
    'lambdas/domain/batch.ts',
    'walletId, amount, fee, currency,',
    'walletId, amount, fee: fee && 0, currency,',
    'send a batch with fees',
  ),
  mutation(
    'forget the refusal of a line of a batch',
    worker,
    'const acceptedBefore = await refusePayments(run.table, refused, new Date(run.table.now()).toISOString());',
    'const acceptedBefore = await Promise.resolve(0 * refusePayments.length);',
    'send a batch for more than there is',
  ),
  mutation(
    'refuse all payments of a batch that do not fit together',
    payments,
    'const fitting = fittingPayments(payer, group, at);',
    'const fitting = fittingPayments(payer, group, at).slice(group.length);',
    'send a batch for more than there is',
  ),
  mutation(
    'skip the batches in the sweeper',
    'lambdas/workers/overdue-batches.ts',
    'if (overdue.length === 0 ||',
    'if (overdue.length >= 0 ||',
    'send a batch, its message lost',
  ),
  {
    name: 'leave payments of a batch without the name of their entry',
    test: 'test/store/batch-books.test.ts',
    edits: [
      { file: payments, text: '({ ...payment, sentWith: first.transactionId })', replacement: '({ ...payment })' },
    ],
  },
  {
    name: 'leave out the lines of a batch whose payer fails',
    test: 'test/store/batches.test.ts',
    edits: [
      {
        file: worker,
        text: 'rest: left.flatMap(({ payment }) => lineOf.get(payment.transactionId) ?? []),',
        replacement: 'rest: left.flatMap(() => []),',
      },
    ],
  },
  {
    name: 'keep the accounts of lines of a batch',
    test: 'test/store/batches.test.ts',
    edits: [{ file: batches, text: "remove: 'linesLeft',", replacement: '' }],
  },
];
