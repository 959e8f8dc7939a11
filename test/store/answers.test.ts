/**
 * The headers of answers: the location of a new item, the preferences that were followed, and the id of the request.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, it, jest } from '@jest/globals';
import { createWallet } from '../../lambdas/api/create-wallet.ts';
import { freeze } from '../../lambdas/api/freeze.ts';
import { getReceipt, getTransaction } from '../../lambdas/api/get-transaction.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import type { QueuedServices } from '../../lambdas/http/queued-command.ts';
import { logger } from '../../lambdas/aws/telemetry.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { charge, destination, newKey } from './commands.ts';
import { fundedWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();
let walletId: string;
let toWalletId: string;
beforeEach(async () => {
  [walletId, toWalletId] = [await fundedWallet(table, 'ann', 1_000), await fundedWallet(table, 'bob', 1_000)];
});

const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 });
const services = (): QueuedServices => ({
  table,
  queue: { send: () => Promise.resolve() },
  isOverloaded: () => Promise.resolve(false),
  limits,
});
const as = endUser('ann');
const pay = (request: Request = {}) =>
  send('transfer', serve(transfer, services()), {
    as,
    path: { walletId },
    key: newKey(),
    body: { amount: 10, toWalletId },
    ...request,
  });

describe('an answer', () => {
  it('has the location of the new item, behind the stage or base path of the request', async () => {
    for (const headers of [{}, { Prefer: 'respond-async' }]) {
      const paid = await pay({ headers });
      assert.equal(paid.headers['Location'], `/prod/transactions/${String(paid.body?.['transactionId'])}`);
    }
    const opened = await send('create-wallet', serve(createWallet, services()), {
      as,
      key: newKey(),
      body: { currency: 'EUR' },
    });
    assert.equal(opened.headers['Location'], `/prod/wallets/${String(opened.body?.['walletId'])}`);
  });

  it('to an operator that repeats the opening of a wallet shows it as it was opened', async () => {
    const open = () =>
      send('create-wallet', serve(createWallet, services()), {
        as: { ...operator, principal: 'backend', scopes: 'charge' },
        key: 'open-cleo',
        body: { currency: 'EUR', ownerId: 'cleo' },
      });
    const opened = await open();
    const changed = String(opened.body?.['walletId']);
    await charge(table, changed, { amount: 4_711 });
    const request = { as: operator, key: newKey(), path: { walletId: changed }, body: { reason: 'a suspicion' } };
    await send('freeze', serve(freeze, { table }), request);
    const repeated = await open();
    assert.equal(repeated.headers['Idempotency-Replayed'], 'true');
    assert.deepEqual(repeated.body, opened.body);
  });

  it('names every preference that was followed, and no other', async () => {
    const applied = async (Prefer: string) => (await pay({ headers: { Prefer } })).headers['Preference-Applied'];
    assert.equal(await applied('respond-async'), 'respond-async');
    assert.equal(await applied('wait=1, respond-async; foo'), 'respond-async, wait=1');
    assert.equal(await applied('respond-async, wait=99999999999999999999'), 'respond-async, wait=20');
    for (const prefer of ['wait=5', 'return=minimal', 'respond-asynchronously']) {
      assert.equal(await applied(prefer), undefined, prefer);
    }
    const { headers } = await send('withdraw', serve(withdraw, services()), {
      as,
      path: { walletId },
      key: newKey(),
      body: { amount: 10, destination },
      headers: { Prefer: 'respond-async' },
    });
    assert.equal(headers['Preference-Applied'], 'respond-async');
  });

  it('is private to its caller, and no cache keeps it', async () => {
    for (const { headers } of [await pay(), await pay({ body: {} })]) {
      assert.deepEqual([headers['Vary'], headers['Cache-Control']], ['Authorization, Accept-Encoding', 'no-store']);
      assert.equal(headers['X-Content-Type-Options'], 'nosniff');
    }
  });

  it('that refuses has the id of the request that the gateway and the log have', async () => {
    const { mock } = jest.spyOn(logger, 'appendKeys');
    assert.equal((await pay({ body: {} })).body?.['requestId'], 'gateway-1');
    const [first, ...others] = mock.calls.map(([fields]) => fields);
    const { route, requestId, invocationId } = Object.assign({}, first, ...others) as Record<string, unknown>;
    assert.deepEqual([route, requestId, invocationId], ['transfer', 'gateway-1', 'request-1']);
  });

  it('shows the available balance to the owner, and to no other caller', async () => {
    const { body } = await pay({ body: { amount: 1_001, toWalletId } });
    assert.equal(body?.['detail'], 'available 1000, requested 1001, in minor units of EUR');
    const other = await pay({ path: { walletId: toWalletId }, body: { amount: 1_001, toWalletId: walletId } });
    assert.deepEqual([other.status, other.body?.['code']], [404, 'wallet_not_found']);
  });
});

describe('a transaction', () => {
  it('has a tag that holds until it changes, also under its receipt', async () => {
    const { body } = await pay({ headers: { Prefer: 'respond-async' } });
    const path = { transactionId: String(body?.['transactionId']), receiptCode: String(body?.['receiptCode']) };
    const read = (headers?: Record<string, string>) =>
      send('get-transaction', serve(getTransaction, { table, limits }), { as, path, ...(headers && { headers }) });
    const first = await read();
    const etag = String(first.headers['ETag']);
    for (const tags of [etag, `"x", W/${etag}`, '*']) {
      assert.equal((await read({ 'If-None-Match': tags })).status, 304, tags);
    }
    assert.equal((await read({ 'If-None-Match': '"x"' })).status, 200);
    const receipt = await send('get-receipt', serve(getReceipt, { table, limits }), {
      as,
      path,
      headers: { 'If-None-Match': etag },
    });
    assert.equal(receipt.status, 304);
  });
});

/** Returns the names in a value in the order in which they are written, at every depth. */
function namesIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(namesIn);
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).map(([name, member]) => [name, namesIn(member)]);
}

describe('the fields of an answer', () => {
  it('are in one order: of a new transaction, of a repetition, and of a read', async () => {
    const metadata = Object.fromEntries(['z', 'b', 'y', 'a', 'x'].map((key) => [key, key]));
    for (let round = 0; round < 5; round++) {
      const request = { key: newKey(), body: { amount: 10, toWalletId, metadata } };
      const made = await pay(request);
      const expected = namesIn(made.body);
      const path = { transactionId: String(made.body?.['transactionId']) };
      const read = await send('get-transaction', serve(getTransaction, { table, limits }), { as, path });
      for (const { body } of [await pay(request), read]) assert.deepEqual(namesIn(body), expected);
    }
  });
});
