/** A withdrawal while the bank is closed: worker, sweeper and cancel, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { TooLate } from '../../lambdas/bank/client.ts';
import type { FindOutcome, SubmitOutcome } from '../../lambdas/bank/answers.ts';
import { metrics as names } from '../../lambdas/contract.ts';
import { payoutHours } from '../../lambdas/domain/payout-window.ts';
import type { Actor } from '../../lambdas/domain/actor.ts';
import { leaseMs } from '../../lambdas/domain/withdrawal.ts';
import { transactionView } from '../../lambdas/views/transaction-view.ts';
import { earliestDue } from '../../lambdas/store/due.ts';
import { cancelWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { advanceOnce, notFoundWindowMs } from './bank-says.ts';
import { operation, timeOf } from './commands.ts';
import { assertWritesNothing, withdrawalOf } from './inspect.ts';
import { acceptedWithdrawal, claimed } from './visits.ts';
import { balanceOf, setStatus } from './wallets.ts';
import { queueOfDepth } from './work.ts';

const engine = useEngine();
let table: TestTable;
let walletId: string;
let transactionId: string;
let submits: number;

const hours = payoutHours({ timeZone: 'UTC', days: ['MON', 'TUE', 'WED', 'THU', 'FRI'], from: '08:00', to: '17:00' });
const [fridayEvening, monday] = [Date.parse('2026-03-06T18:00:00Z'), Date.parse('2026-03-09T08:00:00Z')];
/** Five minutes after an opening, all that waited for it is due. */
const spreadMs = 300_000;

beforeEach(async () => {
  table = await engine.newTable();
  table.clock.now = fridayEvening;
  ({ walletId, transactionId } = await acceptedWithdrawal(table));
  submits = 0;
});

/** Delivers the message once, with a bank that pays in its hours, or answers as given. */
function deliver({ find, answer }: { find?: FindOutcome; answer?: SubmitOutcome } = {}) {
  const submit = (beginBy: number): SubmitOutcome => {
    if (table.now() > beginBy) throw new TooLate('no time is left');
    submits++;
    return answer ?? { outcome: 'accepted' };
  };
  return advanceOnce(table, transactionId, { submit, ...(find && { find }), hours });
}

/** Runs the sweeper once. Returns the ids that it queued, and its count of lost work. */
async function sweepNow() {
  const queue = queueOfDepth(0);
  return { lost: await sweep({ table, withdrawals: queue, transfers: queue, hours }), queued: queue.sent };
}

describe('a withdrawal while the bank is closed', () => {
  it('waits, visibly and without a message, and leaves in the first minutes after the next opening', async () => {
    assert.equal(await deliver(), undefined);
    const waiting = await withdrawalOf(table, transactionId);
    const { status, waitingFor, submitBy, bankId, claimId, attempts, dueAt } = waiting;
    assert.deepEqual([status, waitingFor, submits], ['executing', 'bank_closed', 0]);
    assert.deepEqual([submitBy, bankId, claimId, attempts], Array(4).fill(undefined));
    assert.ok(Date.parse(String(dueAt)) >= monday && Date.parse(String(dueAt)) < monday + spreadMs, String(dueAt));
    assert.equal(transactionView(waiting, 'owner').waitingFor, 'bank_closed');
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    // A second message finds no work.
    await assertWritesNothing(table, undefined, () => deliver());

    table.clock.now = monday - 1;
    assert.deepEqual(await sweepNow(), { lost: 0, queued: [] });
    table.clock.now = monday + spreadMs;
    assert.deepEqual(await sweepNow(), { lost: 0, queued: [transactionId] });
    assert.equal(await deliver(), undefined);
    const paid = await withdrawalOf(table, transactionId);
    assert.deepEqual([paid.status, paid.attempts?.length, submits], ['completed', 1, 1]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
  });

  it('is neither late nor lost work, and its age begins with the opening', async () => {
    const gauges = new Map<string, number>();
    watchMetrics((name, _unit, value) => gauges.set(name, value));
    await deliver();
    table.clock.now = monday - 1;
    await sweepNow();
    assert.ok(String(await earliestDue(table)) >= new Date(monday).toISOString(), 'it is not late');
    assert.deepEqual([gauges.get(names.oldestWithdrawal), gauges.get(names.openWithdrawals)], [0, 0]);
    table.clock.now = monday + spreadMs;
    await sweepNow();
    await sweepNow();
    assert.deepEqual([gauges.get(names.oldestWithdrawal), gauges.get(names.openWithdrawals)], [spreadMs / 1_000, 1]);
  });

  it('uses up none of the patience with a bank that accepts nothing', async () => {
    const notAccepted: SubmitOutcome = { outcome: 'not_accepted', reason: '503 not_accepted' };
    table.clock.now = Date.parse('2026-03-06T16:59:00Z');
    ({ walletId, transactionId } = await acceptedWithdrawal(table));
    await deliver({ answer: notAccepted });
    const { refusedSince } = await withdrawalOf(table, transactionId);
    assert.equal(refusedSince, '2026-03-06T16:59:00.000Z');
    table.clock.now = fridayEvening;
    await deliver();
    table.clock.now = monday + spreadMs;
    await sweepNow();
    await deliver({ answer: notAccepted });
    const refused = await withdrawalOf(table, transactionId);
    assert.deepEqual([refused.status, refused.refusedSince], ['executing', refusedSince], 'not in review');
  });

  it('can be cancelled', async () => {
    await deliver();
    const ann: Actor = { kind: 'owner', principal: 'ann' };
    await cancelWithdrawal(table, operation(table, ['cancel', transactionId], { owner: 'ann' }), {
      withdrawal: await withdrawalOf(table, transactionId),
      cancellation: { actor: ann, at: timeOf(table) },
    });
    const { status, waitingFor } = await withdrawalOf(table, transactionId);
    assert.deepEqual([status, waitingFor], ['failed', undefined]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    table.clock.now = monday + spreadMs;
    assert.deepEqual(await sweepNow(), { lost: 0, queued: [] });
  });

  it('waits for its wallet when that is frozen at the opening', async () => {
    await deliver();
    await setStatus(table, walletId, 'frozen');
    table.clock.now = monday + spreadMs;
    await sweepNow();
    assert.equal(await deliver(), undefined);
    assert.deepEqual([(await withdrawalOf(table, transactionId)).waitingFor, submits], ['wallet_frozen', 0]);
  });
});

describe('a withdrawal that may be with the bank when it closes', () => {
  beforeEach(async () => {
    table.clock.now = Date.parse('2026-03-06T16:59:59Z');
    ({ walletId, transactionId } = await acceptedWithdrawal(table));
    await claimed(table, transactionId);
    table.clock.now += leaseMs + notFoundWindowMs;
  });

  it('is finished when the bank has it', async () => {
    assert.equal(await deliver({ find: { outcome: 'accepted' } }), undefined);
    assert.deepEqual([(await withdrawalOf(table, transactionId)).status, submits], ['completed', 0]);
  });

  it('waits when the bank definitely does not have it, and the worker asks again before it continues', async () => {
    const { submitBy } = await withdrawalOf(table, transactionId);
    assert.equal(await deliver({ find: { outcome: 'not_found' } }), undefined);
    const waiting = await withdrawalOf(table, transactionId);
    assert.deepEqual([waiting.waitingFor, waiting.submitBy, submits], ['bank_closed', submitBy, 0]);
    table.clock.now = monday + spreadMs;
    assert.ok((await sweepNow()).queued.includes(transactionId));
    assert.equal(await deliver({ find: { outcome: 'not_found' } }), undefined);
    assert.deepEqual([(await withdrawalOf(table, transactionId)).status, submits], ['completed', 1]);
  });
});

describe('the close of the bank', () => {
  it('stops a submit that would begin after it', async () => {
    table.clock.now = Date.parse('2026-03-09T16:59:59Z');
    ({ walletId, transactionId } = await acceptedWithdrawal(table));
    table.fault = async (call, send) => {
      // The bank closes while the worker reads the wallet.
      if (call.operation === 'GetItem') table.clock.now += 1_000;
      return send();
    };
    const redeliverAt = await deliver();
    assert.equal(redeliverAt, table.now());
    table.fault = undefined;
    assert.equal(await deliver(), undefined);
    const { status, waitingFor } = await withdrawalOf(table, transactionId);
    assert.deepEqual([status, waitingFor, submits], ['executing', 'bank_closed', 0]);
  });

  it('lets a submit begin in its last millisecond', async () => {
    table.clock.now = Date.parse('2026-03-09T16:59:59.999Z');
    ({ walletId, transactionId } = await acceptedWithdrawal(table));
    await deliver();
    assert.equal((await withdrawalOf(table, transactionId)).status, 'completed');
  });

  it('does not move the withdrawals of a day to the same second of the next one', async () => {
    const due = new Set<unknown>();
    for (let count = 0; count < 5; count++) {
      ({ transactionId } = await acceptedWithdrawal({ ...table, random: () => count / 5 }));
      await advanceOnce({ ...table, random: () => count / 5 }, transactionId, { hours });
      due.add((await withdrawalOf(table, transactionId)).dueAt);
    }
    const expected = Array.from({ length: 5 }, (_, n) => new Date(monday + n * 60_000).toISOString());
    assert.deepEqual([...due], expected);
  });
});
