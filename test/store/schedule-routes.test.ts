/** The routes of payments for later: who may do what, and what is answered; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { cancel } from '../../lambdas/api/cancel.ts';
import { close } from '../../lambdas/api/close.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { codeOf, endUser, idOf, operator, send, support } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { newKey, timeOf } from './commands.ts';
import { allItems } from './inspect.ts';
import { runTransfers } from './schedule-commands.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const [ann, shop, stranger] = [endUser('ann'), endUser('shop'), endUser('stranger')];
const hourMs = 3_600_000;

type RouteName = 'transfer' | 'withdraw' | 'cancel' | 'get-transaction' | 'list-transactions' | 'close';
const sent: string[] = [];

function openHandlers(more: { schedules?: boolean; perHour?: number } = {}): Record<RouteName, Handler> {
  const { schedules = true, perHour = 1_000 } = more;
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour });
  const queued = {
    ...{ table, limits, schedules, operatorLimits: { transfer: 500 } },
    queue: { send: ({ transactionId }: { transactionId: string }) => Promise.resolve(void sent.push(transactionId)) },
    isOverloaded: () => Promise.resolve(false),
  };
  return {
    transfer: serve(transfer, queued),
    withdraw: serve(withdraw, queued),
    cancel: serve(cancel, { table, limits: openLimits({ cancellationsPerHour: 1_000 }) }),
    'get-transaction': serve(getTransaction, { table, limits }),
    'list-transactions': serve(listTransactions, { table, limits }),
    close: serve(close, { table }),
  };
}

let handlers: Record<RouteName, Handler>;
let payer: string;
let receiver: string;
beforeAll(async () => {
  handlers = openHandlers();
  payer = await fundedWallet(table, 'ann', 100_000);
  receiver = await openWallet(table, 'shop');
});

interface Later {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly executeAt?: string;
  readonly amount?: number;
  readonly prefer?: string;
  readonly by?: Record<RouteName, Handler>;
  readonly walletId?: string;
}

/** Asks for a transfer to the shop, in an hour unless the test says otherwise. */
function transferLater(later: Later = {}): Promise<Response> {
  const { as = ann, key = newKey(), executeAt = timeOf(table, hourMs), amount = 100, prefer, by = handlers } = later;
  return send('transfer', by.transfer, {
    ...{ as, key, path: { walletId: later.walletId ?? payer }, body: { amount, toWalletId: receiver, executeAt } },
    ...(prefer !== undefined && { headers: { Prefer: prefer } }),
  });
}

function withdrawLater({
  as = ann,
  key = newKey(),
  executeAt = timeOf(table, hourMs),
  amount = 100,
  by = handlers,
}: Later = {}) {
  const body = { amount, destination: { account: 'SIM-OK' }, executeAt };
  return send('withdraw', by.withdraw, { as, key, path: { walletId: payer }, body });
}

const get = (as: CallerContext, transactionId: string) =>
  send('get-transaction', handlers['get-transaction'], { as, path: { transactionId } });
const cancelIt = (as: CallerContext, transactionId: string, key = newKey()) =>
  send('cancel', handlers.cancel, { as, key, path: { transactionId }, body: { reason: 'moved' } });
async function historyOf(as: CallerContext, walletId: string, status?: string): Promise<readonly string[]> {
  const query = { limit: '100', ...(status !== undefined && { status }) };
  const { body } = await send('list-transactions', handlers['list-transactions'], { as, path: { walletId }, query });
  return (body?.['items'] as { transactionId: string }[]).map(({ transactionId }) => transactionId);
}

describe('a payment with executeAt', () => {
  it('is accepted with 202 and scheduled in one round trip, sends no message, and a repetition gets the same answer', async () => {
    for (const ask of [transferLater, withdrawLater]) {
      // A repetition makes the next command of this container read first.
      const later = { key: newKey(), executeAt: timeOf(table, hourMs), by: openHandlers() };
      const { result, roundTrips } = await measure(table, () => ask(later));
      const transactionId = idOf(result);
      assert.equal(roundTrips, 1);
      const { status, executeAt, postings } = result.body ?? {};
      assert.deepEqual([status, executeAt, postings], ['scheduled', later.executeAt, []]);
      assert.ok(!sent.includes(transactionId));
      const again = await ask(later);
      assert.deepEqual([again.status, again.body], [202, result.body]);
      assert.equal(again.headers['Idempotency-Replayed'], 'true');
    }
  });

  it('answers 202 at once to a caller who waits, and to one who prefers respond-async', async () => {
    const waiting = await transferLater({ prefer: 'wait=10' });
    assert.deepEqual([waiting.status, waiting.body?.['status']], [202, 'scheduled']);
    assert.equal((await transferLater({ prefer: 'respond-async' })).body?.['status'], 'scheduled');
  });

  it('must be a minute to 366 days ahead, in any offset; a repetition is answered also later', async () => {
    const dayMs = 24 * hourMs;
    for (const inMs of [-1, 0, 59_000, 366 * dayMs + 1_000]) {
      for (const ask of [transferLater, withdrawLater]) {
        const refused = await ask({ executeAt: timeOf(table, inMs) });
        assert.deepEqual(codeOf(refused), [400, 'invalid_request']);
        assert.deepEqual(refused.body?.['errors'], [
          { path: 'executeAt', message: 'must be a minute to 366 days ahead' },
        ]);
      }
    }
    for (const executeAt of ['tomorrow', '2026-13-01T00:00:00Z', '2026-03-01T12:00:00']) {
      assert.deepEqual(codeOf(await transferLater({ executeAt })), [400, 'invalid_request']);
    }
    const key = newKey();
    const local = new Date(table.now() + 3 * hourMs).toISOString().replace('Z', '+02:00');
    const { body } = await transferLater({ key, executeAt: local });
    assert.equal(body?.['executeAt'], new Date(local).toISOString());
    table.clock.now += 2 * hourMs;
    const again = await transferLater({ key, executeAt: local });
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [202, 'true']);
    assert.deepEqual(codeOf(await transferLater({ key })), [422, 'idempotency_key_reused']);
  });

  it('is refused for the wallet of another, a frozen one, and over the limit of an operator or of the hour', async () => {
    assert.deepEqual(codeOf(await transferLater({ as: stranger })), [404, 'wallet_not_found']);
    assert.deepEqual(codeOf(await transferLater({ as: operator, amount: 501 })), [403, 'operator_limit_exceeded']);
    idOf(await transferLater({ as: operator, amount: 500 }));
    const frozen = await fundedWallet(table, 'ann', 10);
    await setStatus(table, frozen, 'frozen');
    const before = await allItems(table);
    assert.deepEqual(codeOf(await transferLater({ walletId: frozen })), [409, 'wallet_frozen']);
    assert.deepEqual(await allItems(table), before);
    const [few, hasty] = [openHandlers({ perHour: 1 }), endUser('hasty')];
    const walletId = await fundedWallet(table, 'hasty', 10);
    idOf(await transferLater({ as: hasty, walletId, by: few }));
    assert.deepEqual(codeOf(await transferLater({ as: hasty, walletId, by: few })), [429, 'rate_limited']);
  });

  it('is refused where payments cannot be scheduled, but not a repetition of one that was accepted before', async () => {
    const off = openHandlers({ schedules: false });
    const later = { key: newKey(), executeAt: timeOf(table, hourMs) };
    const refused = await transferLater({ ...later, by: off });
    assert.deepEqual(refused.body?.['errors'], [{ path: 'executeAt', message: 'payments cannot be scheduled here' }]);
    assert.deepEqual(codeOf(await withdrawLater({ by: off })), [400, 'invalid_request']);
    idOf(await transferLater(later));
    idOf(await transferLater({ ...later, by: off }));
  });
});

describe('a scheduled transfer', () => {
  it('is seen by its sender and operators, and by its receiver only when it is executed', async () => {
    const transactionId = idOf(await transferLater());
    for (const as of [ann, support]) assert.equal((await get(as, transactionId)).body?.['status'], 'scheduled');
    for (const as of [shop, stranger]) {
      assert.deepEqual(codeOf(await get(as, transactionId)), [404, 'transaction_not_found']);
      assert.deepEqual(codeOf(await cancelIt(as, transactionId)), [404, 'transaction_not_found']);
    }
    assert.ok((await historyOf(ann, payer, 'scheduled')).includes(transactionId));
    assert.ok(!(await historyOf(shop, receiver)).includes(transactionId));
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    const { body } = await get(shop, transactionId);
    assert.deepEqual(
      [body?.['status'], body?.['executeAt'], body?.['executedAt']],
      ['completed', undefined, timeOf(table)],
    );
    assert.ok((await historyOf(shop, receiver)).includes(transactionId));
  });

  it('is cancelled by its sender or by support, once, and not when it was executed', async () => {
    for (const as of [ann, support]) {
      const transactionId = idOf(await transferLater());
      const key = newKey();
      const { status, body } = await cancelIt(as, transactionId, key);
      assert.deepEqual([status, body?.['status']], [200, 'failed']);
      assert.equal((body?.['failure'] as { code: string }).code, 'cancelled');
      const again = await cancelIt(as, transactionId, key);
      assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
      const refused = await cancelIt(as, transactionId);
      assert.deepEqual(codeOf(refused), [409, 'not_cancellable']);
      assert.equal(refused.body?.['detail'], 'it is failed');
      assert.deepEqual(codeOf(await get(shop, transactionId)), [404, 'transaction_not_found'], 'it never was executed');
    }
    const transactionId = idOf(await transferLater());
    table.clock.now += hourMs + 2_000;
    await runTransfers(table);
    for (const as of [ann, shop]) {
      assert.deepEqual(codeOf(await cancelIt(as, transactionId)), [409, 'not_cancellable']);
    }
  });

  it('keeps its wallet from being closed, and the refusal names it', async () => {
    const walletId = await openWallet(table, 'ann');
    const transactionId = idOf(await transferLater({ walletId }));
    const closing = () => send('close', handlers.close, { as: operator, key: newKey(), path: { walletId }, body: {} });
    const refused = await closing();
    assert.deepEqual(codeOf(refused), [409, 'wallet_not_empty']);
    assert.equal(
      refused.body?.['detail'],
      `available 0, held 0, in minor units of EUR; scheduled payments: 1; open: transfer ${transactionId}`,
    );
    await cancelIt(ann, transactionId);
    assert.equal((await closing()).status, 200);
  });
});
