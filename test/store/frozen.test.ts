/** A withdrawal whose wallet is frozen before it leaves for the bank: worker, sweeper and view, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { withdraw as withdrawRoute } from '../../lambdas/api/withdraw.ts';
import type { FindOutcome } from '../../lambdas/bank/answers.ts';
import { metrics as names } from '../../lambdas/contract.ts';
import { leaseMs } from '../../lambdas/domain/withdrawal.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { transactionView } from '../../lambdas/views/transaction-view.ts';
import { earliestDue } from '../../lambdas/store/due.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { advanceOnce, notFoundWindowMs } from './bank-says.ts';
import { destination, newKey } from './commands.ts';
import { assertWritesNothing, fieldsOf } from './inspect.ts';
import { acceptedWithdrawal, claimed } from './visits.ts';
import { balanceOf, setStatus } from './wallets.ts';
import { queueOfDepth } from './work.ts';
import { checkUnits } from '../units.ts';

const engine = useEngine();
let table: TestTable;
let walletId: string;
let transactionId: string;
let submits: number;
beforeEach(async () => {
  table = await engine.newTable();
  ({ walletId, transactionId } = await acceptedWithdrawal(table));
  submits = 0;
});

/** Delivers the message once, with a bank that pays. */
function deliver(find?: FindOutcome) {
  const submit = () => {
    submits++;
    return { outcome: 'accepted' } as const;
  };
  return advanceOnce(table, transactionId, { submit, ...(find && { find }) });
}

async function read() {
  const transaction = await fieldsOf(table, transactionId);
  assert.ok(transaction);
  return transaction;
}

/** Runs the sweeper once. Returns the ids that it queued and its count of lost work. */
async function sweepNow() {
  const queue = queueOfDepth(0);
  return { lost: await sweep({ table, withdrawals: queue, transfers: queue }), queued: queue.sent };
}

describe('a withdrawal whose wallet is frozen before it leaves', () => {
  it('waits, visibly and without a message, and continues after an unfreeze', async () => {
    await setStatus(table, walletId, 'frozen');
    assert.equal(await deliver(), undefined);
    const waiting = await read();
    assert.equal(submits, 0);
    assert.deepEqual(
      [waiting.status, waiting.waitingFor, waiting.submitBy, waiting.bankId, waiting.claimId, waiting.attempts],
      ['executing', 'wallet_frozen', undefined, undefined, undefined, undefined],
    );
    assert.equal(transactionView(waiting, 'owner').waitingFor, 'wallet_frozen');
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    // A second message finds no work.
    await assertWritesNothing(table, undefined, () => deliver());

    await setStatus(table, walletId, 'active');
    table.clock.now += 31_000;
    assert.deepEqual(await sweepNow(), { lost: 0, queued: [transactionId] });
    assert.equal((await read()).waitingFor, undefined);
    assert.equal(await deliver(), undefined);
    const { status, attempts } = await read();
    assert.deepEqual([status, attempts?.length, submits], ['completed', 1, 1]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
  });

  it('uses up no attempts in any wait, and is never counted as lost work', async () => {
    const counted: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.workRequeued) counted.push(value);
    });
    await setStatus(table, walletId, 'frozen');
    assert.equal(await deliver(), undefined);
    let deliveries = 1;
    const end = table.now() + 3.5 * 3_600_000;
    while (table.now() < end) {
      // The longest wait, and the minute until the sweeper runs.
      table.clock.now += 360_000;
      const { queued } = await sweepNow();
      assert.deepEqual(queued, [transactionId]);
      assert.equal(await deliver(), undefined);
      deliveries++;
    }
    assert.equal(deliveries, 36, 'more than SQS delivers one message');
    assert.deepEqual(
      counted.filter((count) => count > 0),
      [],
    );
    assert.equal((await read()).attempts, undefined);
    assert.equal(await earliestDue(table), undefined, 'it is not late');

    await setStatus(table, walletId, 'active');
    table.clock.now += 360_000;
    assert.deepEqual(await sweepNow(), { lost: 0, queued: [transactionId] });
    await deliver();
    assert.equal((await read()).status, 'completed');
  });

  it('counts as lost work when the message that was to resume it is lost', async () => {
    await setStatus(table, walletId, 'frozen');
    await deliver();
    table.clock.now += 31_000;
    await sweepNow();
    table.clock.now += 61_000;
    assert.deepEqual(await sweepNow(), { lost: 1, queued: [transactionId] });
  });

  it('is not waited for when a client prefers to wait', async () => {
    const key = newKey();
    const startedAt = table.now();
    const { status, body } = await send(
      'withdraw',
      serve(withdrawRoute, {
        table,
        limits: openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 }),
        queue: {
          async send(message) {
            transactionId = message.transactionId;
            await setStatus(table, walletId, 'frozen');
            await deliver();
          },
        },
        isOverloaded: () => Promise.resolve(false),
      }),
      {
        as: endUser('ann'),
        path: { walletId },
        key,
        body: { amount: 10, destination },
        headers: { Prefer: 'wait=20' },
      },
    );
    assert.deepEqual([status, body?.['waitingFor']], [202, 'wallet_frozen']);
    assert.ok(table.now() - startedAt < 1_000);
  });
});

describe('a withdrawal that may be with the bank when its wallet is frozen', () => {
  it('is finished when the bank has it', async () => {
    await claimed(table, transactionId);
    await setStatus(table, walletId, 'frozen');
    table.clock.now += leaseMs + notFoundWindowMs;
    assert.equal(await deliver({ outcome: 'accepted' }), undefined);
    assert.deepEqual([(await read()).status, submits], ['completed', 0]);
  });

  it('waits when the bank definitely does not have it, and the worker asks the bank again before it continues', async () => {
    await claimed(table, transactionId);
    const { submitBy } = await read();
    await setStatus(table, walletId, 'frozen');
    table.clock.now += leaseMs + notFoundWindowMs;
    assert.equal(await deliver({ outcome: 'not_found' }), undefined);
    const waiting = await read();
    assert.deepEqual([waiting.waitingFor, waiting.submitBy, submits], ['wallet_frozen', submitBy, 0]);
    await setStatus(table, walletId, 'active');
    table.clock.now += 300_000;
    assert.deepEqual((await sweepNow()).queued, [transactionId]);
    assert.equal(await deliver({ outcome: 'not_found' }), undefined);
    assert.deepEqual([(await read()).status, submits], ['completed', 1]);
  });
});

describe('the read of the wallet', () => {
  it('is one consistent read of one read unit, after the claim and before the submit', async () => {
    const { calls, readUnits } = await measure(table, () => deliver());
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['UpdateItem', 'GetItem', 'TransactWriteItems'],
    );
    assert.equal(calls[1]?.input['ConsistentRead'], true);
    checkUnits(() => {
      assert.equal(readUnits, 1);
    });
  });

  it('honours every freeze that was answered before it', async () => {
    table.fault = async (call, send) => {
      const answer = await send();
      // The freeze comes as soon as the claim is written.
      if (call.operation === 'UpdateItem') {
        table.fault = undefined;
        await setStatus(table, walletId, 'frozen');
      }
      return answer;
    };
    assert.equal(await deliver(), undefined);
    assert.deepEqual([(await read()).waitingFor, submits], ['wallet_frozen', 0]);
  });
});
