/** The time of a sweeper's run whose calls all take as long as they can. */
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { GetCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { GetCommandInput } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, jest } from '@jest/globals';
import { silence } from '../../bench/silence.ts';
import { metrics as names } from '../../lambdas/contract.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShard, dueTypes, reviewShard, waitingShard } from '../../lambdas/store/due-keys.ts';
import { openLimitHints } from '../../lambdas/store/limit-hints.ts';
import { documentClient } from '../../lambdas/store/table.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { callLimits, sweep } from '../../lambdas/workers/sweeper.ts';
import { epoch } from '../engine.ts';
import { watchMetrics } from '../watch-metrics.ts';

silence();
const client = documentClient(new DynamoDBClient({ region: 'us-east-1' }));
const dynamodb = mockClient(client);

/** Longest time of a call to the table, ms: the last try begins at the end of the budget, and takes 1.5 s. */
const tableMs = callLimits.tableBudgetMs + 1_500;
/** Longest time of a call to SQS, ms: its attempts, and half a second for the wait between them. */
const queueMs = callLimits.queue.maxAttempts * callLimits.queue.requestTimeoutMs + 500;
/** Lambda ends a run after this time, ms. */
const limitMs = 50_000;

beforeEach(() => {
  jest.useFakeTimers({ now: epoch });
  dynamodb.reset();
  dynamodb.on(QueryCommand).callsFake(async ({ ExpressionAttributeValues }: QueryCommandInput) => {
    await sleep(tableMs);
    return pageOf(ExpressionAttributeValues?.[':shard']?.S ?? '');
  });
  dynamodb.on(UpdateCommand).callsFake(() => sleep(tableMs).then(() => ({})));
  dynamodb.on(GetCommand).callsFake(({ Key }: GetCommandInput) => sleep(tableMs).then(() => ({ Item: holdAt(Key) })));
  dynamodb.on(TransactWriteCommand).callsFake(() => sleep(tableMs).then(() => ({})));
});
afterEach(() => {
  jest.useRealTimers();
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const table: Table = {
  client,
  name: 'slow',
  retry: { budgetMs: 4_000, backoff: { first: 25, longest: 800 } },
  limitHints: openLimitHints(),
  now: () => Date.now(),
  random: () => 0.5,
  sleep,
};

const [overdueWithdrawals = '', overdueTransfers = ''] = dueTypes.map((type) => dueShard(type, 0).slice(0, -1));

/** Returns a hold that has expired. */
function holdAt(key: GetCommandInput['Key']) {
  const transactionId = String(key?.['pk']).slice('TX#'.length);
  const expiresAt = new Date(epoch - 600_000).toISOString();
  const state = { type: 'hold', status: 'open', amount: 1, captured: 0, expiresAt, dueAt: expiresAt };
  return { ...key, transactionId, ...state, currency: 'EUR', walletId: 'w_eur_1', postings: [] };
}

/** Returns a page of overdue work. Every partition of the `due` index has any amount of it, but that of the reviews. */
function pageOf(shard: string) {
  const type = dueTypes.find((one) => shard.startsWith(dueShard(one, 0).slice(0, -1))) ?? 'withdrawal';
  const dueAt = new Date(epoch - 600_000).toISOString();
  const ids = Array.from({ length: 20 }, (_, n) => `${shard}-${n}`);
  const Items = ids.map((transactionId) => toItem({ ...transactionKey(transactionId), transactionId, type, dueAt }));
  return shard === reviewShard ? { Items } : { Items, LastEvaluatedKey: toItem(transactionKey(shard)) };
}

/** Runs the sweeper. Returns its time in ms, and the ids that were sent. */
async function timeOfRun(answer: () => Promise<never[]>) {
  const sent: string[] = [];
  const queue = {
    async send(batch: readonly { readonly transactionId: string }[]) {
      await sleep(queueMs);
      sent.push(...batch.map(({ transactionId }) => transactionId));
      return answer();
    },
    async depth() {
      await sleep(queueMs);
      return 0;
    },
  };
  let endedAt: number | undefined;
  sweep({ table, withdrawals: queue, transfers: queue })
    .catch(() => undefined)
    .finally(() => {
      endedAt = Date.now();
    });
  await jest.advanceTimersByTimeAsync(4 * limitMs);
  assert.ok(endedAt !== undefined, 'the run has not ended');
  return { ms: endedAt - epoch, sent };
}

describe("a sweeper's run", () => {
  it('ends in time while DynamoDB is throttled and SQS is slow, and queues work of each kind', async () => {
    const { ms, sent } = await timeOfRun(() => Promise.resolve([]));
    assert.ok(ms < limitMs, `${ms} ms`);
    for (const shards of [overdueWithdrawals, waitingShard, overdueTransfers]) {
      assert.ok(
        sent.some((id) => id.startsWith(shards)),
        `nothing of ${shards} was sent`,
      );
    }
    assert.ok(dynamodb.commandCalls(TransactWriteCommand).length > 0, 'no hold was ended');
  });

  it('ends in time while SQS times out, and no message arrives', async () => {
    const { ms } = await timeOfRun(() => Promise.reject(new Error('time-out')));
    assert.ok(ms < limitMs, `${ms} ms`);
  });

  it('publishes the number of reviews before it reads anything else', async () => {
    let readsBefore: number | undefined;
    watchMetrics((name, _unit, value) => {
      if (name !== names.withdrawalsInReview) return;
      assert.equal(value, 20);
      readsBefore = dynamodb.calls().length;
    });
    await timeOfRun(() => Promise.resolve([]));
    assert.equal(readsBefore, 1);
  });
});
