/** One step of the withdrawal worker on the real engine, with a bank that says what the test wants. */
import '../environment.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { FindOutcome, SubmitOutcome } from '../../lambdas/bank/client.ts';
import { metrics as names } from '../../lambdas/contract.ts';
import type { Attempt } from '../../lambdas/domain/transaction.ts';
import { leaseMs } from '../../lambdas/domain/withdrawal.ts';
import { metrics } from '../../lambdas/runtime/telemetry.ts';
import { touchDue } from '../../lambdas/store/due.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { endWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { startTestEngine } from '../engine.ts';
import type { TestEngine, TestTable } from '../engine.ts';
import { acceptedWithdrawal, balanceOf, claimed } from './commands.ts';

let engine: TestEngine;
let table: TestTable;
let walletId: string;
let transactionId: string;
before(async () => {
  engine = await startTestEngine();
  table = await engine.newTable();
});
after(() => engine.stop());
beforeEach(async () => {
  ({ walletId, transactionId } = await acceptedWithdrawal(table));
});

const iso = (ms: number) => new Date(ms).toISOString();
const unknown = { outcome: 'unknown', reason: 'time-out' } as const;

/** Advances the withdrawal; gives the time at which it is wanted again. */
function advance(says: { submit?: () => SubmitOutcome | Promise<SubmitOutcome>; find?: FindOutcome }, maxAttempts = 5) {
  const wrong = (call: string) => () => Promise.reject(new Error(`${call} was not expected`));
  const { submit, find } = says;
  return advanceWithdrawal(transactionId, {
    table,
    bank: {
      submit: submit === undefined ? wrong('submit') : async () => submit(),
      find: find === undefined ? wrong('find') : () => Promise.resolve(find),
    },
    policy: { maxAttempts, notFoundWindowMs: 60_000 },
  });
}

async function read() {
  const { status, attempts = [] } = (await getTransaction(table, transactionId)) ?? {};
  return { status, story: attempts.map(({ submitted, outcome, reason }: Attempt) => ({ submitted, outcome, reason })) };
}

const lostVisit = { submitted: false, outcome: 'unknown', reason: 'the worker did not come back' };

describe('the story of a withdrawal', () => {
  it('has the visit of a worker that died, told by the next one', async () => {
    const { at } = await claimed(table, transactionId);
    table.clock.now += 3_600_000;
    assert.equal(await advance({ find: { outcome: 'accepted' } }), undefined);
    assert.deepEqual(await read(), {
      status: 'completed',
      story: [lostVisit, { submitted: false, outcome: 'accepted', reason: undefined }],
    });
    assert.equal((await getTransaction(table, transactionId))?.attempts?.[0]?.at, at);
  });

  it('has a "not found" that proves nothing yet, and waits until it would', async () => {
    const definite = table.now() + 61_000;
    assert.equal(await advance({ submit: () => unknown }), definite);
    table.clock.now += 30_000;
    assert.equal(await advance({}), definite, 'it is not due');
    // As the sweeper does, should it ever be early.
    const at = iso(table.now());
    assert.ok(await touchDue(table, { transactionId, type: 'withdrawal', dueAt: iso(definite) }, at));
    assert.equal(await advance({ find: { outcome: 'not_found' } }), definite);
    table.clock.now = definite;
    assert.equal(await advance({ find: { outcome: 'not_found' }, submit: () => ({ outcome: 'accepted' }) }), undefined);
    assert.deepEqual(await read(), {
      status: 'completed',
      story: [
        { submitted: true, outcome: 'unknown', reason: 'time-out' },
        { submitted: false, outcome: 'unknown', reason: 'not found yet' },
        { submitted: true, outcome: 'accepted', reason: undefined },
      ],
    });
  });

  it('ends in review when its workers do not survive it', async () => {
    for (let death = 0; death < 3; death++) {
      await claimed(table, transactionId);
      table.clock.now += leaseMs;
      await advance({ find: unknown }, 6);
      table.clock.now += 600_000;
    }
    const { status, story } = await read();
    assert.equal(status, 'review');
    assert.deepEqual(story.filter(({ reason }) => reason === lostVisit.reason).length, 3);
  });
});

describe('a worker that has lost its claim', () => {
  for (const [name, answer] of [
    ['paid', { outcome: 'accepted' }],
    ['rejected', { outcome: 'rejected', code: 'account_closed', message: 'Closed' }],
    ['nothing', unknown],
  ] as const) {
    it(`keeps its message for as long as another one works, though the bank has said ${name}`, async () => {
      const submit = async () => {
        table.clock.now += leaseMs;
        await claimed(table, transactionId);
        return answer;
      };
      assert.equal(await advance({ submit }, 1), table.now() + leaseMs);
    });
  }
});

describe('a definite answer that comes to a withdrawal which somebody else has ended', () => {
  const end = async (failure: { code: string; message: string } | undefined) => {
    const withdrawal = await getTransaction(table, transactionId);
    assert.ok(withdrawal);
    assert.ok(await endWithdrawal(table, { withdrawal, at: iso(table.now()), from: ['executing'], failure }));
  };
  const failure = { code: 'account_closed', message: 'Closed' };
  const rejected = { outcome: 'rejected', ...failure } as const;
  const accepted = { outcome: 'accepted' } as const;

  for (const [how, answer, before, contradicts] of [
    ['as paid, and it is rejected', rejected, undefined, true],
    ['as rejected, and it is paid', accepted, failure, true],
    ['as paid, and it is paid', accepted, undefined, false],
    ['as rejected, and it is rejected', rejected, failure, false],
  ] as const) {
    it(`${how}, ${contradicts ? 'raises the alarm' : 'is as it should be'}`, async (context) => {
      const counted: string[] = [];
      context.mock.method(metrics, 'addMetric', (name: string) => counted.push(name));
      const submit = async () => {
        await end(before);
        return answer;
      };
      assert.equal(await advance({ submit }), undefined);
      assert.deepEqual(counted, contradicts ? [names.bankContradiction] : []);
      assert.equal((await read()).status, before === undefined ? 'completed' : 'failed');
      const available = before === undefined ? 70 : 100;
      assert.deepEqual(await balanceOf(table, walletId), { available, held: 0, total: available });
    });
  }
});
