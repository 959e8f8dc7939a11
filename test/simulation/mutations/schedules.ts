/** Mutations of payments for later: their acceptance, execution and cancel. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const schedules = 'lambdas/store/schedules.ts';
const domain = 'lambdas/domain/schedule.ts';
const counts = 'lambdas/store/wallet-counts.ts';
const queueing = 'lambdas/workers/scheduled-payments.ts';
const whileScheduled = 'AND #status = :scheduled${';

export const scheduleMutations: readonly Mutation[] = [
  mutation(
    'execute a payment that is not scheduled any more',
    schedules,
    whileScheduled,
    'AND (#status = :scheduled OR #status <> :scheduled)${',
    'schedule a transfer and cancel it at its time',
  ),
  {
    name: 'execute a payment before its time',
    edits: [
      {
        file: queueing,
        text: 'listScheduled(table, shard, { before, limit, from })',
        replacement: "listScheduled(table, shard, { before: '9', limit, from })",
      },
      {
        file: schedules,
        text: "remove: 'queuedAt',\n      if: ' AND executeAt <= :at',",
        replacement: "remove: 'queuedAt',\n      if: ' AND attribute_exists(executeAt)',",
      },
    ],
    operation: 'schedule a transfer, by a sweeper whose clock is ahead',
  },
  {
    name: 'queue scheduled payments by a clock of the sweeper',
    edits: [
      {
        file: queueing,
        text: 'const before = new Date(databaseTime(run)).toISOString();',
        replacement: 'const before = new Date(run.table.now()).toISOString();',
      },
    ],
    test: 'test/store/sweeper.test.ts',
  },
  mutation(
    'never queue a scheduled payment',
    'lambdas/workers/sweeper.ts',
    'attempt(run, () => queueScheduled(run, ofScheduled, startedAt + transfersMs));',
    'attempt(run, () => Promise.resolve(ofScheduled));',
    'schedule a transfer',
  ),
  mutation(
    'execute a payment without its money',
    schedules,
    'debit(table, executionOf(payment, at))',
    'debit(table, { ...executionOf(payment, at), amount: 1 })',
    'schedule a transfer',
  ),
  mutation(
    'execute a payment at another time than its record says',
    schedules,
    'executedAt = :at, dueAt = :at,',
    'executedAt = executeAt, dueAt = :at,',
    'schedule a transfer',
  ),
  mutation(
    'try a payment again that its wallet refuses',
    schedules,
    "if (first.kind === 'denied') return failPayment",
    "if (first.kind === 'denied' && at === '') return failPayment",
    'schedule a transfer and spend its money',
  ),
  mutation(
    'count an executed payment as scheduled',
    schedules,
    'at, isScheduled: true }',
    'at }',
    'schedule a transfer',
  ),
  mutation(
    'close a wallet with scheduled payments',
    'lambdas/store/wallets.ts',
    ' AND (attribute_not_exists(scheduled) OR scheduled <= :zero)',
    '',
    'schedule a transfer and close its wallet',
  ),
  mutation(
    'schedule a payment from a wallet that is closed',
    counts,
    ": '#status = :active AND (attribute_not_exists(scheduled)",
    ": '(#status = :active OR #status <> :active) AND (attribute_not_exists(scheduled)",
    'schedule a transfer from a closed wallet',
  ),
  mutation(
    'schedule more payments than a wallet can have',
    counts,
    'OR scheduled < :most)',
    'OR scheduled <= :most)',
    'schedule more transfers than a wallet can have',
  ),
  {
    name: 'fill a queue with scheduled payments',
    edits: [
      {
        file: queueing,
        text: 'const taken = Math.min(wanted, left ?? 0);',
        replacement: 'const taken = wanted;',
      },
    ],
    test: 'test/store/sweeper-scheduled.test.ts',
  },
  {
    ...mutation(
      'keep transfers waiting while the queue of withdrawals is full',
      queueing,
      '(tried === 0 && (await hasRoom(rooms)))',
      'work.length === 0',
    ),
    test: 'test/store/sweeper-scheduled.test.ts',
  },
  mutation(
    'show a scheduled transfer to its receiver',
    'lambdas/domain/transaction.ts',
    '  if (isUnexecuted(transaction)) return undefined;\n',
    '',
    'read a scheduled transfer',
  ),
  mutation(
    'hold the money of a withdrawal at another time than its record says',
    domain,
    "return { status: 'pending', executedAt: at,",
    "return { status: 'pending', executedAt: at.replace('20', '19'),",
    'schedule a withdrawal',
  ),
];
