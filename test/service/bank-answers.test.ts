/** The outcome of a call to the bank, for every answer. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { openBank } from '../../lambdas/bank/client.ts';
import type { BankOptions } from '../../lambdas/bank/client.ts';
import { json, keys, notAccepted, paid, payment, rejected, serve } from './answering-bank.ts';
import type { Answer } from './answering-bank.ts';

/** Returns the outcomes of both calls to a bank that always gives this answer. */
async function outcomes(answer: Answer, options: Partial<BankOptions> = {}) {
  const { url } = await serve(answer);
  const bank = openBank({ url, keys, timeoutMs: 2000, ...options });
  return { submit: await bank.submit(payment), find: await bank.find(payment) };
}

describe('definite answers', () => {
  const accepted = { outcome: 'accepted' };
  const refusal = { outcome: 'rejected', code: 'account_closed', message: 'the account is closed' };

  it('paid', async () => {
    const answer: Answer = ({ method }, response) => json(response, method === 'POST' ? 201 : 200, paid);
    assert.deepEqual(await outcomes(answer), { submit: accepted, find: accepted });
  });

  it('rejected', async () => {
    const answer: Answer = ({ method }, response) => json(response, method === 'POST' ? 422 : 200, rejected);
    assert.deepEqual(await outcomes(answer), { submit: refusal, find: refusal });
  });

  it('not found, which does not answer a submit', async () => {
    const answer: Answer = (_, response) => json(response, 404, { reference: 'tx_1', code: 'payment_not_found' });
    const { submit, find } = await outcomes(answer);
    assert.equal(submit.outcome, 'unknown');
    assert.deepEqual(find, { outcome: 'not_found' });
  });

  it('not accepted: 503 or 429 with the code, for exactly this payment', async () => {
    for (const status of [503, 429]) {
      const answer: Answer = (_, response) => json(response, status, notAccepted);
      const { submit, find } = await outcomes(answer);
      assert.deepEqual(submit, { outcome: 'not_accepted', reason: `status ${status}` });
      assert.deepEqual(find, { outcome: 'unknown', reason: `status ${status} not_accepted` });
    }
  });

  it('removes accounts from the message of a rejection', async () => {
    const message = `account ${payment.destination.account} (GB29 NWBK 6016 1331 9268 19) is closed since 2024, see 12`;
    const answer: Answer = ({ method }, response) =>
      json(response, method === 'POST' ? 422 : 200, { ...rejected, message });
    for (const outcome of Object.values(await outcomes(answer))) {
      assert.ok(outcome.outcome === 'rejected');
      assert.equal(outcome.message.replace(/GB29 NWBK /, ''), 'account **** (****) is closed since 2024, see 12');
    }
  });
});

describe('any other answer is unknown', () => {
  const html = '<html><body>404 Not Found</body></html>';
  const large = 'x'.repeat(70_000);
  const text = (body: object) => JSON.stringify(body);
  const surprises: [string, Answer, RegExp][] = [
    ...[500, 502, 503, 504, 429, 408, 400, 401, 403, 409, 202, 204, 206, 418].map(
      (status): [string, Answer, RegExp] => [
        `status ${String(status)}, with any body`,
        (_, response) => json(response, status, { ...rejected, code: 'payment_not_found' }),
        new RegExp(`^status ${String(status)}`),
      ],
    ),
    ['a 404 from a proxy', (_, response) => response.writeHead(404).end(html), /^status 404 without a JSON object$/],
    [
      'a 404 with another code',
      (_, response) => json(response, 404, { reference: 'tx_1', code: 'no_such_route' }),
      /^status 404 no_such_route$/,
    ],
    [
      'a 404 for another reference',
      (_, response) => json(response, 404, { reference: 'tx_2', code: 'payment_not_found' }),
      /^status 404/,
    ],
    ['a 422 without a code', (_, response) => json(response, 422, { ...rejected, code: undefined }), /^status 422$/],
    ['a 422 from a gateway', (_, response) => json(response, 422, { code: 'bad', message: 'no' }), /^status 422/],
    [
      'a code that is no code',
      (_, response) => json(response, 422, { ...rejected, code: '0417164300' }),
      /^status 422$/,
    ],
    ['another reference', (_, response) => json(response, 200, { ...paid, reference: 'tx_2' }), /another reference/],
    ['another amount', (_, response) => json(response, 200, { ...paid, amount: 1251 }), /another amount or currency$/],
    [
      'another currency',
      (_, response) => json(response, 200, { ...paid, currency: 'USD' }),
      /another amount or currency$/,
    ],
    [
      'an amount that is right only when it is rounded',
      (_, response) => response.writeHead(200).end(text(paid).replace('1250', '1250.00000000000000001')),
      /another amount or currency$/,
    ],
    ...Object.entries({ reference: 'tx_2', status: 'rejected', amount: 1251, currency: 'USD' }).map(
      ([name, value]): [string, Answer, RegExp] => [
        `two values for ${name}`,
        (_, response) => response.writeHead(200).end(`${text({ [name]: value }).slice(0, -1)},${text(paid).slice(1)}`),
        /without a JSON object/,
      ],
    ),
    [
      'two references of a payment that is not found',
      (_, response) =>
        response.writeHead(404).end('{"reference":"tx_2","reference":"tx_1","code":"payment_not_found"}'),
      /without a JSON object/,
    ],
    ['no status', (_, response) => json(response, 200, { ...paid, status: undefined }), /^status 200$/],
    ['a new status', (_, response) => json(response, 200, { ...paid, status: 'paid_later' }), /^status 200$/],
    ['broken JSON', (_, response) => response.writeHead(200).end('{"reference":"tx_1"'), /without a JSON object/],
    ['nothing', (_, response) => response.writeHead(200).end(), /without a JSON object/],
    ['null', (_, response) => json(response, 200, null), /without a JSON object/],
    ['a large body', (_, response) => json(response, 200, { ...paid, large }), /more than 65536 bytes/],
    ['a redirect', (_, response) => response.writeHead(307, { location: '/elsewhere' }).end('{}'), /^status 307$/],
    ['a closed connection', (request) => request.socket.destroy(), /^connection lost \(ECONNRESET\)$/],
    [
      'a connection closed in the body',
      (request, response) => {
        response.writeHead(200, { 'content-length': 500 }).write(JSON.stringify(paid));
        setTimeout(() => request.socket.destroy(), 20);
      },
      /^connection lost/,
    ],
  ];
  for (const [name, answer, reason] of surprises) {
    it(name, async () => {
      for (const outcome of Object.values(await outcomes(answer))) {
        assert.ok(outcome.outcome === 'unknown', JSON.stringify(outcome));
        assert.match(outcome.reason, reason);
        assert.doesNotMatch(outcome.reason, /0417164300/);
      }
    });
  }

  for (const change of [{ amount: 1251 }, { amount: '1250' }, { currency: 'USD' }, { status: 'processing' }]) {
    it(`an answer to a submit with ${JSON.stringify(change)}`, async () => {
      const { submit } = await outcomes((_, response) => json(response, 201, { ...paid, ...change }));
      assert.equal(submit.outcome, 'unknown');
    });
  }

  /** Every answer that decides a payment, by the call that it answers. */
  const decisive = [
    ['submit', 'paid', 201, paid],
    ['submit', 'had been paid', 200, paid],
    ['submit', 'rejected', 422, rejected],
    ['submit', 'not accepted', 503, notAccepted],
    ['submit', 'not accepted for now', 429, notAccepted],
    ['find', 'paid', 200, paid],
    ['find', 'rejected', 200, rejected],
    ['find', 'not found', 404, { reference: 'tx_1', code: 'payment_not_found', message: 'none' }],
  ] as const;
  const misfits = {
    'another reference': { reference: 'tx_2' },
    'no reference': { reference: undefined },
    'another amount': { amount: 1251 },
    'an amount in words': { amount: '1250' },
    'no amount': { amount: undefined },
    'another currency': { currency: 'USD' },
    'no currency': { currency: undefined },
  };
  for (const [call, what, status, body] of decisive) {
    // A bank that does not know a payment knows no amount of it.
    const fits = (change: object) => status === 404 && !('reference' in change);
    for (const [name, change] of Object.entries(misfits).filter(([, change]) => !fits(change))) {
      it(`${what} with ${name}`, async () => {
        const found = await outcomes((_, response) => json(response, status, { ...body, ...change }));
        assert.equal(found[call].outcome, 'unknown');
      });
    }
    it(`${what} in its correct form is not`, async () => {
      const found = await outcomes((_, response) => json(response, status, body));
      assert.notEqual(found[call].outcome, 'unknown');
    });
  }

  for (const [name, answer] of [
    ['no answer', () => undefined],
    ['an answer that never ends', (_, response) => response.writeHead(200).write('{')],
  ] satisfies [string, Answer][]) {
    it(`${name} within the time limit`, async () => {
      const startedAt = performance.now();
      const { submit, find } = await outcomes(answer, { timeoutMs: 100 });
      assert.deepEqual([submit, find], Array(2).fill({ outcome: 'unknown', reason: 'time-out' }));
      assert.ok(performance.now() - startedAt < 1500);
    });
  }

  it('a connection that is cut after the request was read', async () => {
    // Also on a connection that served an earlier call.
    let calls = 0;
    const { url } = await serve(({ socket }, response) => (calls++ === 0 ? json(response, 404, {}) : socket.destroy()));
    const bank = openBank({ url, keys });
    await bank.find(payment);
    assert.deepEqual(await bank.submit(payment), { outcome: 'unknown', reason: 'connection lost (ECONNRESET)' });
  });
});
