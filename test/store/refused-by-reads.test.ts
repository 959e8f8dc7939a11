/** Refusals by plain reads, where another attempt of the same command may have been written. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, it } from '@jest/globals';
import { transfer } from '../../lambdas/api/transfer.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import type { Fault, TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { cancelled, failure } from '../faults.ts';
import { endUser, send } from '../request.ts';
import type { Response } from '../request.ts';
import { charge, newKey } from './commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
let table: TestTable;
beforeEach(async () => {
  table = await engine.newTable();
});

const none = { Code: 'None' };
const conflict = cancelled({ Code: 'TransactionConflict' }, none, none, none);

function pay(of: TestTable, walletId: string, toWalletId: string, key: string) {
  const handler = serve(transfer, {
    table: of,
    limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
    queue: { send: () => Promise.resolve() },
    isOverloaded: () => Promise.resolve(false),
  });
  return send('transfer', handler, { as: endUser('ann'), path: { walletId }, key, body: { amount: 80, toWalletId } });
}

/** Answers a batch of reads without the records of transactions, as if these had been read a moment earlier. */
const withoutRecords: Fault = async (_call, pass) => {
  const response = await pass();
  const answer = JSON.parse(await text(response.body as Readable)) as {
    Responses: Record<string, { pk: { S: string } }[]>;
  };
  for (const [name, items] of Object.entries(answer.Responses)) {
    answer.Responses[name] = items.filter(({ pk }) => !pk.S.startsWith('TX#'));
  }
  response.body = Readable.from([Buffer.from(JSON.stringify(answer))]);
  delete response.headers['content-length'];
  delete response.headers['x-amz-crc32'];
  return response;
};

describe('a command that meets another attempt of itself', () => {
  it('is not refused when the batch of reads missed its record and saw its effect on the wallet', async () => {
    const [walletId, toWalletId] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'shop')];
    const key = newKey();
    const other = engine.openTable(table.name);
    let first: Response | undefined;
    table.fault = async (call, pass) => {
      if (call.operation === 'TransactWriteItems') return conflict(call, pass);
      if (call.operation !== 'BatchGetItem' || first !== undefined) return pass();
      first = await pay(other, walletId, toWalletId, key);
      return withoutRecords(call, pass);
    };
    const second = await pay(table, walletId, toWalletId, key);
    assert.deepEqual(
      [first?.status, second.status, second.headers['Idempotency-Replayed'], second.body],
      [201, 201, 'true', first?.body],
    );
    assert.deepEqual((await balanceOf(table, walletId)).available, 20);
  });

  it('is not refused by reads while an attempt of it may still arrive', async () => {
    const [walletId, toWalletId] = [await openWallet(table, 'ann'), await openWallet(table, 'shop')];
    let late: (() => Promise<unknown>) | undefined;
    let writes = 0;
    table.fault = (call, pass) => {
      if (call.operation !== 'TransactWriteItems') return pass();
      writes += 1;
      if (writes === 1) {
        late = pass;
        return Promise.reject(failure('the answer did not arrive in time', { name: 'TimeoutError' }));
      }
      return writes === 2 ? conflict(call, pass) : pass();
    };
    const { status, body } = await pay(table, walletId, toWalletId, newKey());
    assert.deepEqual([status, body?.['code']], [503, 'busy']);
    table.fault = undefined;
    await charge(table, walletId, { amount: 100 });
    await late?.();
    assert.equal((await balanceOf(table, walletId)).available, 20, 'it was booked, and no answer had refused it');
  });
});
