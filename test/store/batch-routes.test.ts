/** The routes of batches: who may do what, and what is answered; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { createBatch } from '../../lambdas/api/create-batch.ts';
import { getBatch } from '../../lambdas/api/get-batch.ts';
import { listBatchItems } from '../../lambdas/api/list-batch-items.ts';
import type { Fees } from '../../lambdas/domain/fee.ts';
import { transactionIdOfLine } from '../../lambdas/domain/ids.ts';
import { mostLines } from '../../lambdas/domain/batch.ts';
import { serve } from '../../lambdas/http/http.ts';
import { useTable } from '../fixture.ts';
import { endUser, operator, send, support } from '../request.ts';
import type { CallerContext, Response } from '../request.ts';
import { complete, transferLine, withdrawalLine } from './batch-commands.ts';
import { newKey } from './commands.ts';
import { allItems, fieldsOf } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const table = useTable();

const sent: string[] = [];
let isQueueDown = false;
const queue = {
  send: ({ transactionId }: { readonly transactionId: string }) => {
    if (isQueueDown) return Promise.reject(new Error('the queue is down'));
    sent.push(transactionId);
    return Promise.resolve();
  },
};

let from: string;
let to: string;
beforeAll(async () => {
  from = await fundedWallet(table, 'ann', 1_000);
  to = await openWallet(table, 'bob');
});

const text = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

interface Wanted {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly transferLimit?: number;
  readonly fees?: Fees;
}

function post(
  body: string,
  { as = operator, key = newKey(), headers = {}, transferLimit, fees }: Wanted = {},
): Promise<Response> {
  const operatorLimits = transferLimit === undefined ? {} : { transfer: transferLimit };
  const handler = serve(createBatch, { table, queue, operatorLimits, fees });
  return send('create-batch', handler, { as, key, headers, body });
}

const read = (batchId: string, as = support) =>
  send('get-batch', serve(getBatch, { table }), { as, path: { batchId } });
const items = (batchId: string, query: Readonly<Record<string, string>> = {}) =>
  send('list-batch-items', serve(listBatchItems, { table }), { as: support, path: { batchId }, query });

/** Asserts that a file is refused with these defects, and that nothing is stored. */
async function assertInvalid(body: string, ...expected: readonly [path: string, message: RegExp][]): Promise<void> {
  const before = await allItems(table);
  const answer = await post(body);
  assert.deepEqual([answer.status, answer.body?.['code']], [400, 'invalid_request'], JSON.stringify(answer.body));
  const errors = answer.body?.['errors'] as { path: string; message: string }[];
  assert.deepEqual(
    errors.map(({ path }) => path),
    expected.map(([path]) => path),
  );
  for (const [index, [, message]] of expected.entries()) assert.match(errors[index]?.message ?? '', message);
  assert.deepEqual(await allItems(table), before);
}

describe('POST /batches', () => {
  it('accepts a file of lines, and answers a repetition with its progress', async () => {
    const [body, key] = [text([transferLine('a', from, to, 1), withdrawalLine('b', from, 2)]), newKey()];
    const first = await post(body, { key });
    const { batchId, ...shown } = first.body as { batchId: string };
    assert.deepEqual([first.status, first.headers['Location']], [202, `/prod/batches/${batchId}`]);
    assert.deepEqual(
      { ...shown, createdAt: undefined, updatedAt: undefined, requestedBy: undefined },
      {
        status: 'accepted',
        count: 2,
        waiting: 2,
        accepted: 0,
        refused: 0,
        createdAt: undefined,
        updatedAt: undefined,
        requestedBy: undefined,
      },
    );
    assert.equal(sent.at(-1), `tx_${batchId.slice(3)}`);
    const sentBefore = sent.length;
    await complete(table, { batchId });
    const again = await post(body, { key });
    assert.deepEqual(
      [again.status, again.headers['Idempotency-Replayed'], again.body?.['status']],
      [202, 'true', 'completed'],
    );
    assert.equal(sent.length, sentBefore, 'a repetition queues nothing');
    assert.equal(
      (await post(text([transferLine('a', from, to, 2)]), { key })).body?.['code'],
      'idempotency_key_reused',
    );
  });

  it('is accepted when the queue is down: the sweeper queues it', async () => {
    isQueueDown = true;
    const { status } = await post(text([transferLine('a', from, to, 1)]));
    isQueueDown = false;
    assert.equal(status, 202);
  });

  it('names each bad line and its field, and stores nothing', async () => {
    const good = JSON.stringify(transferLine('good', from, to, 1));
    const line = (members: object) => JSON.stringify({ ...transferLine(newKey(), from, to, 1), ...members });
    await assertInvalid(
      [
        good,
        line({ amount: 0 }),
        '{"key":',
        line({ toWalletId: from }),
        line({ toWalletId: `w_usd_${'a'.repeat(26)}` }),
        line({ walletId: 'nowhere' }),
        line({ type: 'gift' }),
        line({ extra: 1 }),
        `${line({}).slice(0, -1)},"amount":2}`,
        JSON.stringify({ ...withdrawalLine('w', from, 1), destination: { account: '!' } }),
        JSON.stringify({ ...withdrawalLine('x', from, 1), toWalletId: to }),
        '',
      ].join('\n'),
      ['lines[2].amount', /integer of minor units/],
      ['lines[3]', /must be JSON/],
      ['lines[4].toWalletId', /another wallet/],
      ['lines[5].toWalletId', /EUR/],
      ['lines[6].walletId', /id/],
      ['lines[7].type', /transfer|valid/],
      ['lines[8].extra', /not a known field/],
      ['lines[9].amount', /given twice/],
      ['lines[10].destination.account', /3 to 64/],
      ['lines[11].toWalletId', /not a known field/],
    );
    await assertInvalid(`${good}\n${good}`, ['lines[2].key', /line 1/]);
    await assertInvalid(`${good}\n\n${line({})}`, ['lines[2]', /must be JSON/]);
    await assertInvalid('', ['', /1 to 10000 lines/]);
    const many = Array.from({ length: mostLines + 1 }, () => '{}').join('\n');
    await assertInvalid(many, ['', /received 10001/]);
  });

  it('lists the first twenty defects only', async () => {
    const answer = await post(Array.from({ length: 50 }, () => '[]').join('\n'));
    assert.equal((answer.body?.['errors'] as unknown[]).length, 20);
  });

  it('refuses an amount over the limit of operators, a body of another type, and one that is too large', async () => {
    const body = text([transferLine('a', from, to, 10), transferLine('b', from, to, 11)]);
    const refused = await post(body, { transferLimit: 10 });
    assert.deepEqual([refused.status, refused.body?.['code']], [403, 'operator_limit_exceeded']);
    assert.match(String(refused.body?.['detail']), /lines\[2\]/);
    assert.equal((await post(body, { headers: { 'Content-Type': 'application/json' } })).status, 415);
    assert.equal((await post(`${body}${' '.repeat(3 * 1024 * 1024)}`)).status, 413);
  });

  it('adds the fee of each line, which counts against the limit of operators', async () => {
    const fees: Fees = { transfer: { flat: 3 } };
    const body = text([transferLine('a', from, to, 10), withdrawalLine('b', from, 10)]);
    const refused = await post(body, { fees, transferLimit: 12 });
    assert.deepEqual([refused.status, refused.body?.['code']], [403, 'operator_limit_exceeded']);
    const key = newKey();
    const { body: sent } = await post(body, { fees, transferLimit: 13, key });
    const batchId = String(sent?.['batchId']);
    await complete(table, { batchId });
    const [first, second] = await Promise.all(
      ['a', 'b'].map((line) => fieldsOf(table, transactionIdOfLine(batchId, line))),
    );
    assert.deepEqual([first?.fee, second?.fee], [3, undefined]);
    // A repetition is answered, whatever the fees are now.
    assert.equal((await post(body, { fees: { transfer: { flat: 4 } }, key })).status, 202);
  });

  it('is open for operators who may move the money of others, and for nobody else', async () => {
    const body = text([transferLine('a', from, to, 1)]);
    for (const as of [endUser('ann'), support, { ...operator, scopes: 'charge decide support read write' }]) {
      assert.equal((await post(body, { as })).status, 403);
    }
  });
});

describe('GET /batches/{batchId}', () => {
  it('shows the progress, and the lines in the order of the file with their states', async () => {
    const lines = Array.from({ length: 230 }, (_, n) => transferLine(`line-${n}`, from, to, n === 7 ? 1_000_000 : 1));
    const { body } = await post(text(lines));
    const batchId = String(body?.['batchId']);
    const listed = async () => {
      const all: Record<string, unknown>[] = [];
      let cursor: string | undefined;
      do {
        const page = await items(batchId, { limit: '90', ...(cursor !== undefined && { cursor }) });
        assert.equal(page.status, 200);
        all.push(...(page.body?.['items'] as Record<string, unknown>[]));
        cursor = page.body?.['nextCursor'] as string | undefined;
      } while (cursor !== undefined);
      return all;
    };
    const waiting = await listed();
    assert.deepEqual(
      waiting.map(({ key }) => key),
      lines.map(({ key }) => key),
    );
    assert.ok(waiting.every(({ status }) => status === 'waiting'));
    await complete(table, { batchId });
    const done = await listed();
    assert.deepEqual(
      done.map(({ transactionId }) => transactionId),
      waiting.map(({ transactionId }) => transactionId),
    );
    assert.deepEqual(
      [done[7]?.['status'], (done[7]?.['failure'] as { code: string }).code, done[8]?.['status']],
      ['refused', 'insufficient_funds', 'pending'],
    );
    const { body: batch } = await read(batchId);
    const counts = [batch?.['status'], batch?.['count'], batch?.['accepted'], batch?.['refused'], batch?.['waiting']];
    assert.deepEqual(counts, ['completed', 230, 229, 1, 0]);
    assert.equal((await items(batchId, { cursor: 'eA' })).status, 400);
  });

  it('is for operators who read everything, and does not exist under another id', async () => {
    const { body } = await post(text([transferLine('a', from, to, 1)]));
    const batchId = String(body?.['batchId']);
    assert.equal((await read(batchId, endUser('ann'))).status, 403);
    const none = await read(`bt_${'a'.repeat(26)}`);
    assert.deepEqual([none.status, none.body?.['code']], [404, 'batch_not_found']);
    assert.equal((await items(`bt_${'a'.repeat(26)}`)).body?.['code'], 'batch_not_found');
  });
});
