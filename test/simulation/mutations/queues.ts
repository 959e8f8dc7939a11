/** Mutations of the work in queues and of the sweeper. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const sweeperTest = 'test/store/sweeper.test.ts';
const consumer = 'lambdas/aws/consumer.ts';

export const queueMutations: readonly Mutation[] = [
  mutation(
    'skip the sweeper',
    'lambdas/workers/sweeper.ts',
    'let shards = shardsToSweep(table);',
    'let shards: number[] = [];',
  ),
  mutation(
    'leave what waits alone',
    'lambdas/workers/sweeper.ts',
    'await attempt(run, () => resume(run, withdrawals, startedAt + waitingMs));',
    '',
  ),
  mutation(
    'acknowledge a message whose work failed',
    consumer,
    'await putBackAfterError(queue, record, error);\n      throw error;',
    'await putBackAfterError(queue, record, error);\n      return;',
  ),
  mutation(
    'touch work that has moved',
    'lambdas/store/due.ts',
    "if: 'dueAt = :seen',",
    "if: 'dueAt = :seen OR pk > :at',",
    'withdraw, its message lost, and two sweepers',
  ),
  mutation(
    'touch work into the partition of another type',
    'lambdas/store/due.ts',
    'dueShardOf(work.type,',
    "dueShardOf('transfer',",
  ),
  {
    name: "sweep by the sweeper's own clock",
    test: sweeperTest,
    edits: [
      {
        file: 'lambdas/workers/sweeper.ts',
        text: 'databaseAt: clock?.databaseAt ?? readAt,',
        replacement: 'databaseAt: readAt + 0 * (clock?.databaseAt ?? 0),',
      },
    ],
  },
];
