import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { transfer } from '../../lambdas/api/transfer.ts';
import type { WorkMessage } from '../../lambdas/contract.ts';
import { openHotReceivers } from '../../lambdas/http/hot-receivers.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import type { Fault, TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { cancelled, lostAnswer, lostRequest } from '../faults.ts';
import { endUser, send } from '../request.ts';
import { newKey } from './commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
let table: TestTable;

let walletId: string;
let toWalletId: string;
let sent: string[];
let overloaded: boolean;
let pay: (key?: string, headers?: Record<string, string>) => ReturnType<typeof send>;
beforeEach(async () => {
  table = await engine.newTable();
  [walletId, toWalletId] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'bob')];
  sent = [];
  overloaded = false;
  const handler = serve(transfer, {
    table,
    limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
    queue: {
      send({ transactionId }: WorkMessage) {
        sent.push(transactionId);
        return Promise.resolve();
      },
    },
    isOverloaded: () => Promise.resolve(overloaded),
    hotReceivers: openHotReceivers(table.now),
  });
  pay = (key = newKey(), headers = {}) =>
    send('transfer', handler, {
      as: endUser('ann'),
      path: { walletId },
      key,
      body: { amount: 10, toWalletId },
      headers,
    });
});

const none = { Code: 'None' };
const conflict = { Code: 'TransactionConflict' };
/** The sender is the second item of a transfer, and the receiver the third. */
const onReceiver = cancelled(none, none, conflict, none);
const onSender = cancelled(none, conflict, none, none);

/** Injects a fault into each write of a transfer to the receiver, and into no other call. Counts these writes. */
function meet(fault: Fault): { readonly times: number } {
  const met = { times: 0 };
  table.fault = (call, pass) => {
    const { TransactItems = [] } = call.input as { TransactItems?: { Update?: { Key: { pk: { S: string } } } }[] };
    const isOfReceiver = TransactItems.some(({ Update }) => Update?.Key.pk.S.includes(toWalletId));
    if (!isOfReceiver) return pass();
    met.times += 1;
    return fault(call, pass);
  };
  return met;
}

describe('a transfer to a receiver that others pay at the same time', () => {
  it('is queued after some attempts, and arrives once', async () => {
    const met = meet(onReceiver);
    const started = table.now();
    const { status, body } = await pay();
    assert.deepEqual([status, body?.['status'], body?.['amount']], [202, 'pending', 10]);
    assert.ok(met.times > 1 && table.now() - started <= 600, `${met.times} tries in ${table.now() - started} ms`);
    assert.deepEqual(sent, [body?.['transactionId']]);
    table.fault = undefined;
    await endTransfers(sent, table);
    await endTransfers(sent, table);
    assert.deepEqual(
      [(await balanceOf(table, walletId)).available, (await balanceOf(table, toWalletId)).available],
      [990, 10],
    );
  });

  it('is queued without an attempt for five seconds, and is then attempted again', async () => {
    const met = meet(onReceiver);
    await pay();
    const tries = met.times;
    table.clock.now += 4_000;
    assert.equal((await pay()).status, 202);
    assert.equal(met.times, tries);
    table.fault = undefined;
    table.clock.now += 1_001;
    assert.equal((await pay()).status, 201);
  });

  it('gets its first answer when it is repeated', async () => {
    meet(onReceiver);
    const key = newKey();
    const first = await pay(key);
    table.fault = undefined;
    table.clock.now += 5_001;
    const again = await pay(key);
    assert.deepEqual(
      [again.status, again.body?.['transactionId'], again.headers['Idempotency-Replayed']],
      [202, first.body?.['transactionId'], 'true'],
    );
    assert.equal(sent.length, 1);
  });

  it('moves money once when an earlier attempt had been written and its answer was lost', async () => {
    const met = meet(async (call, pass) => {
      if (met.times > 1) return onReceiver(call, pass);
      return lostAnswer(call, pass);
    });
    const { status } = await pay();
    assert.deepEqual([status, sent.length], [503, 0], 'the transfer is not queued while an attempt may still arrive');
    assert.deepEqual(
      [(await balanceOf(table, walletId)).available, (await balanceOf(table, toWalletId)).available],
      [990, 10],
    );
  });

  it('is retried after a time-out, for as long as any transfer', async () => {
    const met = meet((call, pass) => {
      if (met.times > 1) return pass();
      table.clock.now += 1_500;
      return lostRequest(call, pass);
    });
    assert.equal((await pay()).status, 201);
  });

  it('is retried to the end of its budget when the queue is too deep', async () => {
    overloaded = true;
    const met = meet(onReceiver);
    const { status, body } = await pay();
    assert.deepEqual([status, body?.['code'], sent.length], [503, 'busy', 0]);
    assert.ok(met.times > 5);
  });
});

describe('a transfer that is busy for another reason', () => {
  for (const [name, fault] of [
    ['its sender is contended', onSender],
    ['its sender has conflicts too, as with one caller that sends much', cancelled(none, conflict, conflict, none)],
    ['no request arrives', lostRequest],
  ] as const) {
    it(`is not queued: ${name}`, async () => {
      meet(fault);
      const { status, body } = await pay();
      assert.deepEqual([status, body?.['code'], sent.length], [503, 'busy', 0]);
    });
  }
});
