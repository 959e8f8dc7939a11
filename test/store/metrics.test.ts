/** The metrics of routes and workers, as they leave the process: which, with which value, and once. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { charge } from '../../lambdas/api/charge.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { BankUnavailable } from '../../lambdas/bank/client.ts';
import type { SubmitOutcome } from '../../lambdas/bank/answers.ts';
import { metrics as names } from '../../lambdas/contract.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { serve } from '../../lambdas/http/http.ts';
import { settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { cancelled, inTurn, lostRequest } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { destination, newKey, queueTransfer } from './commands.ts';
import { acceptedWithdrawal, claimed, visit } from './visits.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const counted: (readonly [name: string, value: number])[] = [];
beforeEach(() => {
  counted.length = 0;
  watchMetrics((name, _unit, value) => counted.push([name, value]));
});

/** Returns the names of all metrics, without durations: those depend on this machine. */
const namesNow = () => counted.map(([name]) => name);

describe('the line of a request', () => {
  const handler = () => serve(charge, { table });
  const request = (walletId: string, key = newKey()) => ({
    as: operator,
    key,
    path: { walletId },
    body: { amount: 10 },
  });

  it('has the duration of a command, and counts a replay as one', async () => {
    const walletId = await openWallet(table, 'ann');
    const key = newKey();
    await send('charge', handler(), request(walletId, key));
    assert.deepEqual(namesNow(), [names.commandDuration]);
    counted.length = 0;
    await send('charge', handler(), request(walletId, key));
    assert.deepEqual(namesNow(), [names.commandDuration, names.replays]);
  });

  it('counts each conflict that a command met before it succeeded', async () => {
    const walletId = await openWallet(table, 'ann');
    const conflict = cancelled({ Code: 'None' }, { Code: 'TransactionConflict' });
    table.fault = inTurn(conflict, conflict);
    const { status } = await send('charge', handler(), request(walletId));
    table.fault = undefined;
    assert.equal(status, 201);
    assert.deepEqual(namesNow(), [names.conflicts, names.conflicts, names.commandDuration]);
  });

  it('counts refusals by code, of reads too, and faults as such', async () => {
    const walletId = await openWallet(table, 'ann');
    await setStatus(table, walletId, 'closed');
    await send('charge', handler(), request(walletId));
    const reading = serve(getWallet, { table, limits: openLimits({ readsPerHour: 100 }) });
    await send('get-wallet', reading, { as: endUser('bob'), path: { walletId } });
    table.fault = lostRequest;
    const { status } = await send('charge', handler(), request(walletId));
    table.fault = undefined;
    assert.equal(status, 503);
    assert.deepEqual(namesNow(), ['Refused.wallet_closed', 'Refused.wallet_not_found', names.faults]);
  });

  it('has the duration without the wait that the caller asked for', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const handler = serve(withdraw, {
      table: { ...table, sleep: () => new Promise((resolve) => setTimeout(resolve, 300)) },
      limits: openLimits({ readsPerHour: 100, refusalsPerHour: 100, perHour: 100 }),
      queue: {
        async send({ transactionId }) {
          // A worker pays it while the caller waits.
          const claim = await claimed(table, transactionId);
          setTimeout(() => void settleWithdrawal(table, claim, visit(table, 'accepted')), 1);
        },
      },
      isOverloaded: () => Promise.resolve(false),
    });
    const startedAt = performance.now();
    const { status } = await send('withdraw', handler, {
      ...{ as: endUser('ann'), key: newKey(), path: { walletId }, headers: { Prefer: 'wait=10' } },
      body: { amount: 10, destination },
    });
    assert.equal(status, 200);
    const [[name, durationMs] = ['', NaN]] = counted;
    assert.equal(name, names.commandDuration);
    assert.ok(durationMs + 300 <= performance.now() - startedAt, `${durationMs} ms`);
  });
});

describe('a turn at the bank', () => {
  /** Makes a visit for a new withdrawal to a bank that answers so. Returns the turn that was counted. */
  async function turn(submit: () => Promise<SubmitOutcome>, isDown = false) {
    const { transactionId } = await acceptedWithdrawal(table);
    counted.length = 0;
    await advanceWithdrawal(transactionId, {
      table,
      bank: { submit, find: () => Promise.reject(new Error('not expected')), isDown: () => isDown },
      bankId: 'bank.example',
      policy: { maxAttempts: 5, notFoundWindowMs: 60_000 },
    });
    const { [names.bankFailed]: failed, [names.breakerOpen]: breakerOpen } = Object.fromEntries(counted);
    return { failed, breakerOpen };
  }

  for (const [how, answer, failed] of [
    ['pays', { outcome: 'accepted' }, 0],
    ['rejects', { outcome: 'rejected', code: 'no', message: 'No' }, 0],
    ['does not accept', { outcome: 'not_accepted', reason: 'status 503' }, 1],
    ['does not answer', { outcome: 'unknown', reason: 'time-out' }, 1],
  ] as const) {
    it(`that ${how} ${failed === 1 ? 'has failed' : 'has not failed'}`, async () => {
      assert.deepEqual(await turn(() => Promise.resolve(answer)), { failed, breakerOpen: 0 });
      assert.deepEqual(await turn(() => Promise.resolve(answer), true), { failed, breakerOpen: 1 });
    });
  }

  it('that an open breaker keeps back has failed: a bank that is down stays visible', async () => {
    const closed = () => Promise.reject(new BankUnavailable(15_000));
    assert.deepEqual(await turn(closed), { failed: 1, breakerOpen: 1 });
  });

  it('that a frozen wallet stops is none', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    await setStatus(table, walletId, 'frozen');
    counted.length = 0;
    const never = () => Promise.reject(new Error('not expected'));
    await advanceWithdrawal(transactionId, {
      table,
      bank: { submit: never, find: never, isDown: () => false },
      bankId: 'bank.example',
      policy: { maxAttempts: 5, notFoundWindowMs: 60_000 },
    });
    assert.deepEqual(counted, []);
  });
});

describe('the age of a queued transfer', () => {
  it('is a metric when it has arrived, and when it has failed', async () => {
    const sender = await fundedWallet(table, 'ann', 100);
    const [receiver, closed] = [await openWallet(table, 'bob'), await openWallet(table, 'eve')];
    const queued = [];
    for (const to of [receiver, receiver, closed]) {
      queued.push((await queueTransfer(table, sender, to, { owner: 'ann', amount: 1 })).transaction.transactionId);
    }
    await setStatus(table, closed, 'closed');
    table.clock.now += 2_500;
    counted.length = 0;
    await endTransfers(queued, table);
    assert.deepEqual(
      counted.filter(([name]) => name === names.transferAge),
      Array(3).fill([names.transferAge, 2_500]),
    );
    counted.length = 0;
    await endTransfers(queued, table);
    assert.deepEqual(counted, [], 'they ended before');
  });
});
