/** One step of the withdrawal worker on the real engine, with a bank whose answers the test chooses. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import { leaseMs } from '../../lambdas/domain/withdrawal.ts';
import { touchDue } from '../../lambdas/store/due.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { endWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { claimWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { timeOf } from './commands.ts';
import { fieldsOf, itemOf, plant, withdrawalOf } from './inspect.ts';
import { acceptedWithdrawal, bankId, claimed } from './visits.ts';
import { balanceOf, setStatus } from './wallets.ts';
import { useTable } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';

import { advanceOnce } from './bank-says.ts';
import type { Says } from './bank-says.ts';

const table = useTable();
let walletId: string;
let transactionId: string;
beforeEach(async () => {
  ({ walletId, transactionId } = await acceptedWithdrawal(table));
});

const unknown = { outcome: 'unknown', reason: 'time-out' } as const;

const notAccepted = { outcome: 'not_accepted', reason: 'status 503' } as const;

const advance = (says: Says, maxAttempts?: number) => advanceOnce(table, transactionId, says, maxAttempts);

async function read() {
  const { status, attempts = [] } = (await fieldsOf(table, transactionId)) ?? {};
  return { status, story: attempts.map(({ submitted, outcome, reason }: Attempt) => ({ submitted, outcome, reason })) };
}

const lostVisit = { submitted: false, outcome: 'unknown', reason: 'the worker reported no result' };

describe('the attempts of a withdrawal', () => {
  it('include the visit of a worker that crashed, recorded by the next worker', async () => {
    const { at } = await claimed(table, transactionId);
    table.clock.now += 3_600_000;
    assert.equal(await advance({ find: { outcome: 'accepted' } }), undefined);
    assert.deepEqual(await read(), {
      status: 'completed',
      story: [lostVisit, { submitted: false, outcome: 'accepted', reason: undefined }],
    });
    assert.equal((await fieldsOf(table, transactionId))?.attempts?.[0]?.at, at);
  });

  it('include a "not found" that is not yet definite; the withdrawal waits until it would be', async () => {
    const definite = table.now() + 65_000;
    assert.equal(await advance({ submit: () => unknown }), definite);
    table.clock.now += 30_000;
    assert.equal(await advance({}), definite, 'it is not due');
    // The sweeper would do the same if it were early.
    const at = timeOf(table);
    assert.ok(
      await touchDue(table, { transactionId, type: 'withdrawal', dueAt: new Date(definite).toISOString() }, at),
    );
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

  it('end in review when every worker crashes', async () => {
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

describe('a bank that does not accept a payment', () => {
  it('gets it again after 1 s and 2 s without a question in between, for any window', async () => {
    const waits: number[] = [];
    for (const answer of [notAccepted, notAccepted, { outcome: 'accepted' } as const]) {
      const again = await advance({ submit: () => answer });
      if (again === undefined) break;
      waits.push(again - table.now());
      const { submitBy, bankId: named } = (await fieldsOf(table, transactionId)) ?? {};
      assert.deepEqual([submitBy, named], [undefined, undefined], 'no payment can be out at any bank');
      table.clock.now = again;
    }
    assert.equal(waits.length, 2);
    for (const [index, most] of [1_000, 2_000].entries()) {
      assert.ok(waits[index]! > 0 && waits[index]! <= most, `${waits[index]} ms`);
    }
    const refused = { submitted: true, ...notAccepted };
    assert.deepEqual(await read(), {
      status: 'completed',
      story: [refused, refused, { submitted: true, outcome: 'accepted', reason: undefined }],
    });
    assert.equal((await fieldsOf(table, transactionId))?.bankId, bankId);
  });

  it('delays the payment for hours while it is down, with bounded records, and gets it once it is up', async () => {
    const from = table.now();
    let visits = 0;
    for (; table.now() < from + 6 * 3_600_000; visits++) {
      const again = await advance({ submit: () => notAccepted, isDown: true }, 3);
      assert.ok(again !== undefined, `it has ended after ${visits} visits`);
      assert.ok(again - table.now() <= 300_000);
      table.clock.now = again;
    }
    // About every five minutes: SQS delivers a message 30 times, which must last for more than an hour.
    assert.ok(visits > 72 && visits < 110, `${visits} visits`);
    const { status, story } = await read();
    assert.deepEqual([status, story.length], ['executing', 3]);
    assert.equal(await advance({ submit: () => ({ outcome: 'accepted' }) }, 3), undefined);
    assert.equal((await read()).status, 'completed');
  });

  it('leads to review after a day', async () => {
    table.clock.now = (await advance({ submit: () => notAccepted }))!;
    table.clock.now += 24 * 3_600_000;
    assert.equal(await advance({ submit: () => notAccepted }), undefined);
    const { status, bankId: named, submitBy } = (await fieldsOf(table, transactionId))!;
    assert.deepEqual([status, named, submitBy], ['review', bankId, undefined]);
  });

  it('leads to review only after a whole day without acceptance since the last wait for a frozen wallet', async () => {
    const hour = 3_600_000;
    const refused = () => advance({ submit: () => notAccepted });
    table.clock.now = (await refused())!;
    await setStatus(table, walletId, 'frozen');
    assert.equal(await refused(), undefined, 'it waits for the wallet');
    await setStatus(table, walletId, 'active');
    table.clock.now += 30 * hour;
    assert.notEqual(await refused(), undefined, 'the bank is visited again');
    table.clock.now += 23 * hour;
    assert.notEqual(await refused(), undefined);
    table.clock.now += hour;
    assert.equal(await refused(), undefined);
    assert.equal((await fieldsOf(table, transactionId))?.status, 'review');
  });

  it('may be replaced before the next visit', async () => {
    table.clock.now = (await advance({ submit: () => notAccepted }))!;
    assert.equal(await advance({ submit: () => ({ outcome: 'accepted' }), bankId: 'new-bank' }), undefined);
    assert.equal((await fieldsOf(table, transactionId))?.bankId, 'new-bank');
  });
});

describe('a bank that is up', () => {
  it('is visited again within half a minute after any number of failures', async () => {
    for (let visit = 1; visit < 20; visit++) {
      const again = await advance({ submit: () => unknown, find: unknown }, 20);
      assert.ok(again !== undefined);
      // The first wait is for the window.
      if (visit > 1) assert.ok(again - table.now() <= 30_000, `${again - table.now()} ms after visit ${visit}`);
      table.clock.now = again;
    }
  });
});

describe('another bank than the one that a submit may have left for', () => {
  const otherBank = { bankId: 'new-bank' };
  const elsewhere = {
    submitted: false,
    outcome: 'unknown',
    reason: `submitted to bank ${bankId}; this bank is new-bank`,
  };

  it('is neither asked nor paid: the withdrawal goes to review, and the record keeps the bank', async () => {
    table.clock.now = (await advance({ submit: () => unknown }))!;
    assert.equal(await advance(otherBank), undefined);
    const { status, story } = await read();
    assert.equal(status, 'review');
    assert.deepEqual(story, [{ submitted: true, outcome: 'unknown', reason: 'time-out' }, elsewhere]);
    assert.equal((await fieldsOf(table, transactionId))?.bankId, bankId);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
  });

  it('is not asked or paid when its worker crashed during a visit to the first bank', async () => {
    await claimed(table, transactionId);
    table.clock.now += leaseMs;
    assert.equal(await advance(otherBank), undefined);
    assert.deepEqual(await read(), { status: 'review', story: [lostVisit, elsewhere] });
  });

  it('is not asked or paid when a worker crashed while it put the withdrawal into review', async () => {
    table.clock.now = (await advance({ submit: () => unknown }))!;
    const claim = { claimId: 'dies', bankId: 'new-bank' };
    const at = timeOf(table);
    await claimWithdrawal(table, transactionId, { ...claim, at, leaseUntil: timeOf(table, leaseMs), submitBy: at });
    table.clock.now += leaseMs;
    assert.equal(await advance(otherBank), undefined);
    assert.equal((await fieldsOf(table, transactionId))?.bankId, bankId);
  });

  it('pays a withdrawal that was never submitted', async () => {
    assert.equal(await advance({ ...otherBank, submit: () => ({ outcome: 'accepted' }) }), undefined);
    assert.equal((await fieldsOf(table, transactionId))?.bankId, 'new-bank');
  });

  it('handles a withdrawal that an older release submitted without a record of the bank', async () => {
    table.clock.now = (await advance({ submit: () => unknown }))!;
    const key = transactionKey(transactionId);
    const { bankId: _, ...older } = (await itemOf(table, key))!;
    await plant(table, older);
    assert.equal(await advance({ ...otherBank, find: { outcome: 'accepted' } }), undefined);
    assert.equal((await fieldsOf(table, transactionId))?.bankId, 'new-bank');
  });
});

describe('the age of a withdrawal', () => {
  for (const [end, answer] of [
    ['completed', { outcome: 'accepted' }],
    ['failed', { outcome: 'rejected', code: 'account_closed', message: 'Closed' }],
  ] as const) {
    it(`is a metric when it is ${end}`, async () => {
      const counted: unknown[][] = [];
      watchMetrics((...metric) => counted.push(metric));
      table.clock.now += 4_321;
      assert.equal(await advance({ submit: () => answer }), undefined);
      assert.deepEqual(
        counted.filter(([name]) => name === names.withdrawalAge),
        [[names.withdrawalAge, 'Milliseconds', 4_321]],
      );
    });
  }
});

describe('a worker that has lost its claim', () => {
  for (const [name, answer] of [
    ['paid', { outcome: 'accepted' }],
    ['rejected', { outcome: 'rejected', code: 'account_closed', message: 'Closed' }],
    ['nothing', unknown],
  ] as const) {
    it(`keeps its message while another worker holds the withdrawal, after the bank's answer: ${name}`, async () => {
      const submit = async () => {
        table.clock.now += leaseMs;
        await claimed(table, transactionId);
        return answer;
      };
      assert.equal(await advance({ submit }, 1), table.now() + leaseMs);
    });
  }
});

describe('a definite answer for a withdrawal that has ended meanwhile', () => {
  const end = async (failure: { code: string; message: string } | undefined) => {
    const withdrawal = await withdrawalOf(table, transactionId);
    assert.ok(await endWithdrawal(table, { withdrawal, at: timeOf(table), from: ['executing'], failure }));
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
    it(`${how}, ${contradicts ? 'raises the alarm' : 'raises no alarm'}`, async () => {
      const counted: string[] = [];
      watchMetrics((name) => counted.push(name));
      const submit = async () => {
        await end(before);
        return answer;
      };
      assert.equal(await advance({ submit }), undefined);
      assert.equal(counted.includes(names.bankContradiction), contradicts);
      assert.equal((await read()).status, before === undefined ? 'completed' : 'failed');
      const available = before === undefined ? 70 : 100;
      assert.deepEqual(await balanceOf(table, walletId), { available, held: 0, total: available });
    });
  }
});
