import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { silence } from '../../bench/silence.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { serve } from '../../lambdas/http/http.ts';
import type { QueuedServices } from '../../lambdas/http/queued-command.ts';
import { handlerOf } from '../../bin/openapi.ts';
import { nameOfRoute, routes } from '../../lambdas/contract.ts';
import { fields } from '../../lambdas/http/body-fields.ts';
import { queryFields } from '../../lambdas/http/query-fields.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request, Response } from '../request.ts';

beforeAll(silence);

/** Services for requests that are refused before any call: only the clock is used. */
const nothing = { table: { now: () => 0 } } as QueuedServices;
const as = endUser('ann');
const walletId = `w_eur_${'a'.repeat(26)}`;
const toWalletId = `w_eur_${'b'.repeat(26)}`;

const transferOf = (body: object) =>
  send('transfer', serve(transfer, nothing), { as, key: 'k', path: { walletId }, body });
const withdrawalOf = (body: object) =>
  send('withdraw', serve(withdraw, nothing), { as, key: 'k', path: { walletId }, body });
const historyOf = (query: Record<string, string>) =>
  send('list-transactions', serve(listTransactions, nothing), { as, path: { walletId }, query });
/** Sends a transfer of one cent, with the changes in `request`. */
const ask = (request: Request) =>
  send('transfer', serve(transfer, nothing), {
    as,
    key: 'k',
    path: { walletId },
    body: { amount: 1, toWalletId },
    ...request,
  });
const bodyWith = (members: string) => `{"amount":1,"toWalletId":"${toWalletId}",${members}}`;

const errorsOf = ({ body }: Response) => body?.['errors'];

describe('an invalid request', () => {
  it('receives one message about an amount, for each kind of wrong amount', async () => {
    for (const amount of [1.5, '1', 0, -1, 2 ** 53, null, [1]]) {
      assert.deepEqual(
        errorsOf(await transferOf({ amount, toWalletId })),
        [{ path: 'amount', message: 'must be an integer of minor units, 1 to 9007199254740991' }],
        JSON.stringify(amount),
      );
    }
  });

  it('receives the name of the missing field', async () => {
    assert.deepEqual(errorsOf(await transferOf({})), [{ path: 'amount', message: 'is required' }]);
    assert.deepEqual(errorsOf(await transferOf({ amount: 1 })), [
      { path: 'toWalletId', message: 'is required, unless to is given' },
    ]);
    assert.deepEqual(errorsOf(await withdrawalOf({ amount: 1 })), [{ path: 'destination', message: 'is required' }]);
    assert.deepEqual(errorsOf(await withdrawalOf({ amount: 1, destination: {} })), [
      { path: 'destination.account', message: 'is required' },
    ]);
  });

  it('receives the limit of a page', async () => {
    for (const limit of ['0', '101', '1000', '1.5', 'all', '']) {
      assert.deepEqual(
        errorsOf(await historyOf({ limit })),
        [{ path: 'limit', message: 'must be a whole number from 1 to 100' }],
        limit,
      );
    }
  });
});

describe('a number in a body', () => {
  it('is never rounded before it is checked: it must be an exact integer in its written form', async () => {
    for (const amount of [
      '4503599627370497.4',
      '9007199254740990.6',
      '1.0000000000000000001',
      '100.0',
      '1e2',
      '1E0',
      '9007199254740993',
      '-0',
      '1e400',
    ]) {
      assert.deepEqual(
        errorsOf(await ask({ body: `{"toWalletId":"${toWalletId}","amount":${amount}}` })),
        [{ path: 'amount', message: 'must be an integer of minor units, 1 to 9007199254740991' }],
        amount,
      );
    }
  });
});

describe('a time in a query', () => {
  const message = 'must be an ISO 8601 time with an offset, in the years 1970 to 9999';

  it('that does not sort among the times of the service is refused', async () => {
    for (const to of [
      '9999-12-31T23:59:59-05:00',
      '9999-12-31T23:59:59.9999Z',
      '1969-12-31T23:59:59Z',
      '0000-01-01T00:00:00+05:00',
      '2026-03-01T24:00:00Z',
      '2026-06-30T23:59:60Z',
      '2026-02-29T00:00:00Z',
      '2026-03-01T00:00:00+24:00',
      '2026-03-01T00:00:00',
      '2026-03-01',
      '+010000-01-01T00:00:00Z',
      '',
    ]) {
      assert.deepEqual(errorsOf(await historyOf({ to })), [{ path: 'to', message }], to);
    }
  });

  it('is normalised: a fraction of a millisecond is rounded to the side that loses no result', () => {
    const cases = [
      ['2026-03-01T12:00:00.1239Z', '2026-03-01T12:00:00.124Z', '2026-03-01T12:00:00.123Z'],
      ['2026-03-01T12:00:00.123000001Z', '2026-03-01T12:00:00.124Z', '2026-03-01T12:00:00.123Z'],
      ['2026-03-01T12:00:00.123000Z', '2026-03-01T12:00:00.123Z', '2026-03-01T12:00:00.123Z'],
      ['2026-03-01T12:00:00+23:59', '2026-02-28T12:01:00.000Z', '2026-02-28T12:01:00.000Z'],
      ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
      ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
    ];
    for (const [text, bound, moment] of cases) {
      assert.deepEqual([queryFields.bound.parse(text), queryFields.moment.parse(text)], [bound, moment], text);
    }
  });
});

describe('a request that parsers read differently', () => {
  it('names no field twice at any depth, and no __proto__', async () => {
    for (const [members, path, message] of [
      ['"amount":100', 'amount', 'is given twice'],
      [String.raw`"\u0061mount":100`, 'amount', 'is given twice'],
      ['"metadata":{"a":"1","b":"2","a":"1"}', 'metadata.a', 'is given twice'],
      ['"x":[{"a":1},{"a":{},"a":[]}]', 'x.1.a', 'is given twice'],
      ['"metadata":{"__proto__":"x"}', 'metadata.__proto__', 'is not a known field'],
    ]) {
      assert.deepEqual(errorsOf(await ask({ body: bodyWith(members!) })), [{ path, message }], members);
    }
    const same = String.raw`"description":"\",\"amount\":1","metadata":{"amount":"{\"amount\":1,","description":"[]"},"amount":1`;
    assert.deepEqual(errorsOf(await ask({ body: `{${same},"toWalletId":7}` })), [
      { path: 'toWalletId', message: 'must be a text' },
    ]);
  });

  it('has no repeated header where only one value counts', async () => {
    for (const name of ['Idempotency-Key', 'idempotency-key']) {
      assert.deepEqual(errorsOf(await ask({ repeated: { [name]: ['a', 'b'] } })), [
        { path: 'Idempotency-Key', message: 'must be given once' },
      ]);
    }
    const repeated = { 'Content-Type': ['application/json', 'application/json'] };
    assert.deepEqual(errorsOf(await ask({ repeated })), [{ path: 'Content-Type', message: 'must be given once' }]);
    assert.equal((await ask({ repeated: { authorization: ['Bearer a', 'Bearer b'] } })).status, 401);
  });

  it('has no query on a route that takes none', async () => {
    assert.deepEqual(errorsOf(await ask({ query: { amount: '2' } })), [
      { path: 'amount', message: 'is not a known parameter' },
    ]);
  });
});

describe('a text', () => {
  it('is Unicode, so that the stored text is the sent one', async () => {
    const message = 'must be Unicode text without control characters';
    for (const description of [
      String.raw`\ud800`,
      String.raw`a\udc00b`,
      '\ufffd',
      String.raw`\ufffd`,
      String.raw`\u0085`,
    ]) {
      const answer = await ask({ body: bodyWith(`"description":"${description}"`) });
      assert.deepEqual(errorsOf(answer), [{ path: 'description', message }], JSON.stringify(description));
    }
    assert.ok(fields.text(4).safeParse('\u{1f600}').success);
  });

  it('is sent as UTF-8, without a byte order mark', async () => {
    const json = Buffer.from(bodyWith('"description":"@"'));
    const notUtf8 = json.map((byte) => (byte === 0x40 ? 0xff : byte));
    for (const bytes of [notUtf8, Buffer.concat([Buffer.from('\ufeff'), json])]) {
      assert.deepEqual(errorsOf(await ask({ body: undefined, bytes })), [{ path: '', message: 'must be JSON' }]);
    }
    assert.deepEqual(errorsOf(await ask({ body: `\ufeff${json.toString()}` })), [
      { path: '', message: 'must be JSON' },
    ]);
  });

  it('is declared as UTF-8 or has no charset, and has no content coding that the gateway does not know', async () => {
    const body = { amount: 0, toWalletId };
    const statusOf = async (headers: Record<string, string>) => (await ask({ body, headers })).status;
    for (const charset of ['iso-8859-1', 'utf-16', '"utf-7"', '']) {
      assert.equal(await statusOf({ 'Content-Type': `application/json; charset=${charset}` }), 415, charset);
    }
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"']) {
      assert.equal(await statusOf({ 'Content-Type': `application/json;charset=${charset}` }), 400, charset);
    }
    assert.equal(await statusOf({ 'Content-Encoding': 'br' }), 415);
    assert.equal(await statusOf({ 'content-encoding': 'gzip' }), 400);
  });

  it('is no metadata name that every object inherits', async () => {
    for (const key of ['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty']) {
      assert.deepEqual(errorsOf(await ask({ body: bodyWith(`"metadata":{"${key}":"x"}`) })), [
        {
          path: `metadata.${key}`,
          message: 'keys are a letter and up to 39 of A-Z a-z 0-9 _ . -, and no reserved name',
        },
      ]);
    }
  });

  it('of any depth is refused and overflows no stack', async () => {
    for (const deep of ['['.repeat(30_000) + ']'.repeat(30_000), '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)]) {
      assert.equal((await ask({ body: bodyWith(`"metadata":{"a":${deep}}`) })).status, 400);
    }
  });
});

describe('an impossible id in a path', () => {
  it('is answered without a read, on every route', async () => {
    const overlong = 'w'.repeat(2042);
    for (const route of routes) {
      const [name, template] = [nameOfRoute(route), route.path];
      const parameters = template.match(/(?<=\{)\w+/g) ?? [];
      if (parameters.length === 0) continue;
      const handler = serve(await handlerOf(route.function, name), nothing as never);
      for (const id of [overlong, 'w_usd_\ufffd', 'constructor', `${walletId} `, `tx_${'a'.repeat(2042)}`]) {
        const path = Object.fromEntries(parameters.map((parameter) => [parameter, id]));
        const { status } = await send(name, handler, { as: operator, key: 'k', path });
        assert.equal(status, 404, `${name} ${JSON.stringify(id)}`);
      }
    }
  });
});

describe('an invalid wallet id', () => {
  it('is named in the refusal, as a transfer has two', async () => {
    const { status, body } = await transferOf({ amount: 1, toWalletId: 'w_bob' });
    assert.equal(status, 404);
    assert.equal(body?.['detail'], 'there is no wallet w_bob');
  });
});
