import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from '@jest/globals';
import type { Payment } from '../../lambdas/bank/answers.ts';
import { eventually } from './eventually.ts';
import {
  accepted,
  clientOf,
  notAccepted,
  notFound,
  payment,
  secret,
  send,
  signed,
  start,
  timedOut,
  unavailable,
} from './simulated-bank.ts';

describe('test destinations', () => {
  it('SIM-OK is paid, and a repeat is the same payment', async () => {
    const bank = await start();
    const client = clientOf(bank);
    assert.deepEqual(await client.find(payment('SIM-OK')), notFound);
    assert.deepEqual(await client.submit(payment('SIM-OK')), accepted);
    assert.deepEqual(await client.submit(payment('SIM-OK')), accepted);
    assert.deepEqual(await client.find(payment('SIM-OK')), accepted);
    const [entry, ...others] = bank.book();
    assert.deepEqual(others, []);
    assert.equal(entry?.timesPaid, 1);
    assert.equal(entry.submissions, 2);
    assert.equal(entry.amount, 1250);
  });

  it('SIM-REJECT is rejected for ever', async () => {
    const bank = await start();
    const client = clientOf(bank);
    const rejected = {
      outcome: 'rejected',
      code: 'account_closed',
      message: 'the account of the payee is closed',
    };
    assert.deepEqual(await client.submit(payment('SIM-REJECT')), rejected);
    assert.deepEqual(await client.find(payment('SIM-OK')), rejected);
    assert.deepEqual(await client.submit(payment('SIM-REJECT')), rejected);
    assert.equal(bank.book()[0]?.timesPaid, 0);
  });

  for (const account of ['SIM-FLAKY', 'SIM-BARE-503']) {
    it(`${account} fails twice for each reference, then pays`, async () => {
      const bank = await start();
      const client = clientOf(bank);
      for (const reference of ['tx_1', 'tx_2']) {
        for (let i = 0; i < 2; i++) {
          const outcome = await client.submit(payment(account, reference));
          assert.deepEqual(outcome, account === 'SIM-FLAKY' ? notAccepted : unavailable);
          assert.deepEqual(await client.find(payment(account, reference)), notFound);
        }
        assert.deepEqual(await client.submit(payment(account, reference)), accepted);
      }
    });
  }

  it('refuse with a bare 503 under that setting', async () => {
    const client = clientOf(await start({ bareRefusals: true }));
    assert.deepEqual(await client.submit(payment('SIM-FLAKY')), unavailable);
    assert.deepEqual(await client.submit(payment('SIM-DOWN', 'tx_2')), unavailable);
  });

  it('refuse at once under any latency', async () => {
    const client = clientOf(await start({ latencyMs: 60_000 }));
    assert.deepEqual(await client.submit(payment('SIM-FLAKY')), notAccepted);
  });

  it('SIM-TIMEOUT-PAID pays and loses the answer', async () => {
    const bank = await start();
    const client = clientOf(bank);
    assert.deepEqual(await clientOf(bank, 60).submit(payment('SIM-TIMEOUT-PAID')), timedOut);
    assert.deepEqual(await client.find(payment('SIM-OK')), accepted);
    assert.deepEqual(await client.submit(payment('SIM-TIMEOUT-PAID')), accepted);
    assert.equal(bank.book()[0]?.timesPaid, 1);
  });

  it('SIM-TIMEOUT-LOST loses the first request and pays the second', async () => {
    const bank = await start();
    const client = clientOf(bank);
    assert.deepEqual(await clientOf(bank, 60).submit(payment('SIM-TIMEOUT-LOST')), timedOut);
    assert.deepEqual(await client.find(payment('SIM-OK')), notFound);
    assert.equal(bank.book()[0]?.timesPaid, 0);
    assert.deepEqual(await client.submit(payment('SIM-TIMEOUT-LOST')), accepted);
    assert.equal(bank.book()[0]?.timesPaid, 1);
  });

  it('SIM-PROCESSING is never decided, and never paid', async () => {
    const bank = await start();
    const client = clientOf(bank);
    assert.equal((await client.submit(payment('SIM-PROCESSING'))).outcome, 'unknown');
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await client.find(payment('SIM-OK')), { outcome: 'unknown', reason: 'processing' });
    }
    assert.equal(bank.book()[0]?.timesPaid, 0);
  });

  it('SIM-DOWN never accepts anything', async () => {
    const client = clientOf(await start());
    for (let i = 0; i < 4; i++) assert.deepEqual(await client.submit(payment('SIM-DOWN')), notAccepted);
    assert.equal((await client.find(payment('SIM-OK'))).outcome, 'unknown');
  });

  it('have the latency but none of the random failures', async () => {
    const client = clientOf(await start({ failureRate: 1, latencyMs: 80 }));
    const startedAt = performance.now();
    assert.deepEqual(await client.submit(payment('SIM-OK-7')), accepted);
    assert.ok(performance.now() - startedAt >= 75);
    assert.notEqual((await client.submit(payment('GB00 1234', 'tx_2'))).outcome, 'accepted');
  });
});

describe('random failures', () => {
  it('have the given rate, before and after paying, and are the same for the same seed', async () => {
    const runs = [];
    for (const seed of [7, 7, 8]) {
      const bank = await start({ failureRate: 0.3, seed });
      const client = clientOf(bank);
      const outcomes: string[] = [];
      for (let i = 0; i < 400; i++) {
        outcomes.push((await client.submit(payment('NL00 BANK', `tx_${String(i)}`))).outcome);
      }
      const failed = outcomes.filter((outcome) => outcome !== 'accepted').length;
      const refused = outcomes.filter((outcome) => outcome === 'not_accepted').length;
      const paid = bank.book().filter(({ timesPaid }) => timesPaid === 1).length;
      const paidWithoutAnswer = paid - outcomes.filter((outcome) => outcome === 'accepted').length;
      assert.ok(failed > 80 && failed < 160, `${String(failed)} of 400 failed`);
      assert.ok(refused > failed / 3 && refused < (2 * failed) / 3, `${String(refused)} of ${String(failed)} refused`);
      assert.ok(paidWithoutAnswer > 10 && paidWithoutAnswer < failed / 2, `${String(paidWithoutAnswer)} answers lost`);
      runs.push(outcomes.join());
    }
    assert.equal(runs[0], runs[1]);
    assert.notEqual(runs[0], runs[2]);
  });
});

describe('protocol', () => {
  it('answers 201, then 200, and 409 for other content under the same reference', async () => {
    const bank = await start();
    const { url } = bank;
    const post = (body: Payment) => send(url, 'POST', '/payments', body, signed('POST', '/payments', body));
    const first = await post(payment('SIM-OK'));
    assert.equal(first.status, 201);
    const { paidAt, ...rest } = first.body;
    assert.equal(typeof paidAt, 'string');
    assert.deepEqual(rest, { reference: 'tx_1', status: 'paid', amount: 1250, currency: 'EUR' });
    assert.deepEqual(await post(payment('SIM-OK')), { status: 200, body: first.body });
    for (const other of [
      payment('SIM-OK', 'tx_1', 1251),
      payment('SIM-OK-2'),
      { ...payment('SIM-OK'), currency: 'USD' },
    ]) {
      const answer = await post(other);
      assert.equal(answer.status, 409);
      assert.equal(answer.body['code'], 'reference_reused');
    }
    assert.equal(bank.book()[0]?.timesPaid, 1);
    assert.equal((await clientOf(bank).submit(payment('SIM-OK', 'tx_1', 1251))).outcome, 'unknown');
  });

  it('refuses requests that break it', async () => {
    const bank = await start();
    const { url } = bank;
    const good = payment('SIM-OK');
    for (const body of [{}, [], 'text', { ...good, amount: 1.5 }, { ...good, amount: '1' }, { ...good, more: 1 }]) {
      const { status } = await send(url, 'POST', '/payments', body, signed('POST', '/payments', body));
      assert.equal(status, 400);
    }
    assert.deepEqual(bank.book(), []);
  });

  it('answers `processing` while the bank decides, also after the caller has disconnected', async () => {
    const bank = await start({ latencyMs: 1000 });
    const client = clientOf(bank);
    assert.deepEqual(await clientOf(bank, 60).submit(payment('SIM-OK')), timedOut);
    bank.configure({ latencyMs: 0 });
    assert.deepEqual(await client.find(payment('SIM-OK')), { outcome: 'unknown', reason: 'processing' });
    await eventually(async () => (await client.find(payment('SIM-OK'))).outcome === 'accepted');
  });

  it('does not show a payment before the end of the documented window', async () => {
    const bank = await start({ findDelayMs: 300 });
    const client = clientOf(bank);
    assert.deepEqual(await client.submit(payment('SIM-OK')), accepted);
    assert.deepEqual(await client.find(payment('SIM-OK')), notFound);
    await eventually(async () => (await client.find(payment('SIM-OK'))).outcome === 'accepted');
  });

  it('pays a reference once under 50 concurrent submissions', async () => {
    const bank = await start({ latencyMs: 20 });
    const client = clientOf(bank);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => client.submit(payment('SIM-OK'))));
    assert.deepEqual(new Set(outcomes.map(({ outcome }) => outcome)), new Set(['accepted']));
    assert.equal(bank.book()[0]?.timesPaid, 1);
    assert.equal(bank.book()[0]?.submissions, 50);
  });

  it('shows the book and changes settings over HTTP', async () => {
    const bank = await start();
    assert.deepEqual(await clientOf(bank).submit(payment('SIM-OK')), accepted);
    assert.deepEqual(await send(bank.url, 'GET', '/book', undefined), { status: 200, body: { items: bank.book() } });
    assert.equal((await send(bank.url, 'PUT', '/settings', { down: true })).body['down'], true);
    assert.equal((await clientOf(bank).find(payment('SIM-OK'))).outcome, 'unknown');
    assert.equal((await send(bank.url, 'PUT', '/settings', { down: false })).body['down'], false);
    assert.deepEqual(await clientOf(bank).find(payment('SIM-OK')), accepted);
    for (const wrong of [{ latencyMs: -1 }, { failureRate: 2 }, { down: 'yes' }, { other: 1 }]) {
      assert.equal((await send(bank.url, 'PUT', '/settings', wrong)).status, 400);
    }
  });
});

describe('signatures', () => {
  const body = payment('SIM-OK');
  const now = Date.now() / 1000;
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['no signature', {}, 'signature_missing'],
    ['another key', signed('POST', '/payments', body, 'another key'), 'signature_invalid'],
    ['a time six minutes ago', signed('POST', '/payments', body, secret, now - 360), 'signature_expired'],
    ['a time six minutes ahead', signed('POST', '/payments', body, secret, now + 360), 'signature_expired'],
    ['a time four minutes ago', signed('POST', '/payments', body, secret, now - 240), undefined],
    ['another body', signed('POST', '/payments', { ...body, amount: 1 }), 'signature_invalid'],
    ['another path', signed('POST', '/payments/tx_1', body), 'signature_invalid'],
    ['another method', signed('PUT', '/payments', body), 'signature_invalid'],
    ['a later time stamp', { ...signed('POST', '/payments', body), 'x-wallet-timestamp': '1' }, 'signature_invalid'],
    ['a short signature', { ...signed('POST', '/payments', body), 'x-wallet-signature': 'v1=ab' }, 'signature_invalid'],
  ];
  for (const [name, headers, code] of cases) {
    it(`${code === undefined ? 'accepts' : 'refuses'} ${name}`, async () => {
      const bank = await start();
      const answer = await send(bank.url, 'POST', '/payments', body, headers);
      assert.equal(answer.status, code === undefined ? 201 : 401);
      assert.equal(answer.body['code'], code);
      assert.equal(bank.book().length, code === undefined ? 1 : 0);
    });
  }
});

describe('stopping', () => {
  it('does not wait for idle connections or unanswered calls', async () => {
    const bank = await start();
    await clientOf(bank).submit(payment('SIM-OK'));
    const idle = connect(bank.port, '127.0.0.1');
    await once(idle, 'connect');
    idle.on('error', () => undefined);
    const hanging = clientOf(bank, 30_000).submit(payment('SIM-TIMEOUT-LOST', 'tx_2'));
    await eventually(() => Promise.resolve(bank.book().length === 2));
    const startedAt = performance.now();
    await bank.stop();
    assert.ok(performance.now() - startedAt < 1000);
    assert.equal((await hanging).outcome, 'unknown');
  });
});
