import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { capture } from '../../lambdas/api/capture.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { createWallet } from '../../lambdas/api/create-wallet.ts';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getReceipt, getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { release } from '../../lambdas/api/release.ts';
import { split } from '../../lambdas/api/split.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import type { BankClient } from '../../lambdas/bank/client.ts';
import type { SubmitOutcome } from '../../lambdas/bank/answers.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { mostLegs, mostWallets } from '../../lambdas/domain/split.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { Handler, Request, Response } from '../request.ts';
import { newKey, timeOf } from './commands.ts';
import { checkUnits } from '../units.ts';

const table = useTable();
let routes: Partial<Record<RouteName, Handler>>;
beforeAll(() => {
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 });
  const queued = {
    table,
    limits,
    queue: { send: () => Promise.resolve() },
    isOverloaded: () => Promise.resolve(false),
  };
  routes = {
    'create-wallet': serve(createWallet, { table, limits }),
    'get-wallet': serve(getWallet, { table, limits }),
    'get-balance': serve(getBalance, { table, entries: table, limits }),
    'get-transaction': serve(getTransaction, { table, limits }),
    'get-receipt': serve(getReceipt, { table, limits }),
    'list-transactions': serve(listTransactions, { table, limits }),
    charge: serve(charge, { table }),
    withdraw: serve(withdraw, queued),
    transfer: serve(transfer, queued),
    'open-hold': serve(openHold, { table, limits }),
    capture: serve(capture, { table, limits }),
    release: serve(release, { table, limits: openLimits({ cancellationsPerHour: 1_000 }) }),
    refund: serve(refund, { table, limits }),
    split: serve(split, { table, limits }),
  };
});

const ann = endUser('3f1c9a52-7d0e-4a7b-9a3e-0f6f1d2c4b11');
const bob = endUser('9b2f4c1d-55aa-4f0e-8d6c-7e1a2b3c4d5e');
/** Descriptions of a typical length. */
const notes = {
  metadata: { invoice: 'INV-2026-000123456' },
  description: 'Payout for the orders of February, thank you for selling with us',
};
const destination = { account: 'DE02120300000000202051', name: 'Annabelle Example-Mustermann' };

async function request(name: RouteName, as: Request['as'], request: Request): Promise<Response> {
  const handler = routes[name];
  assert.ok(handler);
  const answer = await send(name, handler, { as, ...request });
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer;
}

async function command(name: RouteName, as: Request['as'], walletId: string, body: object, headers = {}) {
  const { body: answered } = await request(name, as, { path: { walletId }, key: newKey(), body, headers });
  return String(answered?.['transactionId']);
}

async function openWallet(as: NonNullable<Request['as']>, amount = 1_000_000): Promise<string> {
  const { body } = await request('create-wallet', as, { key: newKey(), body: { currency: 'EUR' } });
  const walletId = String(body?.['walletId']);
  await command('charge', operator, walletId, { amount });
  return walletId;
}

/** Asserts that `work` takes exactly these units and round trips. */
async function assertTakes(budget: { trips: number; write?: number; read?: number }, work: () => Promise<unknown>) {
  const { roundTrips, writeUnits, readUnits } = await measure(table, work);
  assert.equal(roundTrips, budget.trips);
  checkUnits(() => {
    assert.deepEqual({ write: writeUnits, read: readUnits }, { write: budget.write ?? 0, read: budget.read ?? 0 });
  });
}

describe('commands take one round trip and', () => {
  it('a charge 5 write units', async () => {
    const walletId = await openWallet(ann);
    await assertTakes({ trips: 1, write: 5 }, () => command('charge', operator, walletId, { amount: 1, ...notes }));
  });

  it('an accepted withdrawal 6, and 2 more for the rate window of an end user', async () => {
    const walletId = await openWallet(ann);
    const body = { amount: 100, destination, ...notes };
    await assertTakes({ trips: 1, write: 6 }, () => command('withdraw', operator, walletId, body));
    await assertTakes({ trips: 1, write: 8 }, () => command('withdraw', ann, walletId, body));
  });

  it('a transfer 8, and 2 more for the rate window', async () => {
    const [walletId, toWalletId] = [await openWallet(ann), await openWallet(bob)];
    const body = { amount: 100, toWalletId, ...notes };
    await assertTakes({ trips: 1, write: 8 }, () => command('transfer', operator, walletId, body));
    await assertTakes({ trips: 1, write: 10 }, () => command('transfer', ann, walletId, body));
  });

  it('an accepted queued transfer 6, and 2 more for the rate window', async () => {
    const [walletId, toWalletId] = [await openWallet(ann), await openWallet(bob)];
    const body = { amount: 100, toWalletId, ...notes };
    const queued = { Prefer: 'respond-async' };
    await assertTakes({ trips: 1, write: 6 }, () => command('transfer', operator, walletId, body, queued));
    await assertTakes({ trips: 1, write: 8 }, () => command('transfer', ann, walletId, body, queued));
  });

  it('a new wallet 6, and 2 more for the rate window', async () => {
    const open = (as: typeof ann) => () => request('create-wallet', as, { key: newKey(), body: { currency: 'EUR' } });
    await assertTakes({ trips: 1, write: 6 }, open(operator));
    await assertTakes({ trips: 1, write: 8 }, open(ann));
  });

  it('a reference costs one more, in its index', async () => {
    const [walletId, toWalletId] = [await openWallet(ann), await openWallet(bob)];
    const referred = { amount: 1, externalReference: 'INV-2026-000123456', description: notes.description };
    await assertTakes({ trips: 1, write: 6 }, () => command('charge', operator, walletId, referred));
    const payout = { ...referred, destination };
    await assertTakes({ trips: 1, write: 7 }, () => command('withdraw', operator, walletId, payout));
    const payment = { ...referred, toWalletId };
    await assertTakes({ trips: 1, write: 9 }, () => command('transfer', operator, walletId, payment));
  });

  it('a replay writes nothing', async () => {
    const walletId = await openWallet(ann);
    const again = { path: { walletId }, key: newKey(), body: { amount: 1 } };
    await request('charge', operator, again);
    const { roundTrips, writeUnits, result } = await measure(table, () => request('charge', operator, again));
    assert.equal(result.headers['Idempotency-Replayed'], 'true');
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.equal(writeUnits, 0);
    });
  });
});

describe('holds: after the read of the hold and, for end users, of the wallets', () => {
  let walletId: string;
  let toWalletId: string;
  beforeAll(async () => {
    [walletId, toWalletId] = [await openWallet(ann), await openWallet(bob)];
  });
  const hold = (as: Request['as'], more: object = {}) => {
    const body = { amount: 100, toWalletId, expiresAt: timeOf(table, 3_600_000), ...notes, ...more };
    return command('open-hold', as, walletId, body);
  };
  const end = (name: 'capture' | 'release', as: Request['as'], transactionId: string, body: object = {}) =>
    request(name, as, { path: { transactionId }, key: newKey(), body });

  it('a hold takes 6, in one round trip, and 2 more for the rate window of an end user', async () => {
    await assertTakes({ trips: 1, write: 6 }, () => hold(operator));
    await assertTakes({ trips: 1, write: 8 }, () => hold(ann));
  });

  it('a capture takes 12, of a part as well as of all, and 2 more for the rate window', async () => {
    const [first, second] = [await hold(ann), await hold(ann)];
    await assertTakes({ trips: 2, write: 12, read: 1 }, () => end('capture', operator, first, { amount: 40 }));
    await assertTakes({ trips: 2, write: 12, read: 1 }, () => end('capture', operator, first, notes));
    await assertTakes({ trips: 3, write: 14, read: 3 }, () => end('capture', bob, second, notes));
  });

  it('a capture for the world outside takes 9', async () => {
    const id = await hold(ann, { toWalletId: undefined });
    await assertTakes({ trips: 2, write: 9, read: 1 }, () => end('capture', operator, id, notes));
  });

  it('a release takes 8, and one more read shows its end', async () => {
    // As for a failed withdrawal: with a long description too, the record of a released hold is just above a KB.
    const short = { description: undefined };
    const [first, second] = [await hold(ann, short), await hold(ann, short)];
    await assertTakes({ trips: 3, write: 8, read: 2 }, () => end('release', operator, first, { reason: 'sold out' }));
    await assertTakes({ trips: 4, write: 8, read: 4 }, () => end('release', bob, second, { reason: 'sold out' }));
  });
});

describe('refunds: after the read of the original and, for end users, of the wallets', () => {
  let walletId: string;
  let toWalletId: string;
  beforeAll(async () => {
    [walletId, toWalletId] = [await openWallet(ann), await openWallet(bob)];
  });
  const pay = () => command('transfer', ann, walletId, { amount: 1_000, toWalletId, ...notes });
  const giveBack = (as: Request['as'], transactionId: string, body: object = {}) =>
    request('refund', as, { path: { transactionId }, key: newKey(), body: { reason: 'sent back', ...notes, ...body } });

  it('a refund of a transfer takes 12, of a part as well as of all, and 2 more for the rate window', async () => {
    const [first, second] = [await pay(), await pay()];
    await assertTakes({ trips: 2, write: 12, read: 1 }, () => giveBack(operator, first, { amount: 40 }));
    await assertTakes({ trips: 2, write: 12, read: 1 }, () => giveBack(operator, first));
    await assertTakes({ trips: 3, write: 14, read: 3 }, () => giveBack(bob, second));
  });

  it('a refund of a charge takes 8, also as a chargeback', async () => {
    const id = await command('charge', operator, walletId, { amount: 100, ...notes });
    await assertTakes({ trips: 2, write: 8, read: 1 }, () => giveBack(operator, id, { amount: 40 }));
    await assertTakes({ trips: 2, write: 8, read: 1 }, () => giveBack(operator, id, { chargeback: true }));
  });

  it('the hundredth refund of a transfer takes 24, as its ids are on the transfer and in both indexes', async () => {
    const id = await pay();
    for (let times = 1; times < 100; times++) await giveBack(operator, id, { amount: 1 });
    await assertTakes({ trips: 2, write: 24, read: 1 }, () => giveBack(operator, id, { amount: 1 }));
  });
});

describe('splits: 2 for the record, 4 for each leg, and 2 for each wallet that changes', () => {
  let walletId: string;
  let others: string[];
  beforeAll(async () => {
    walletId = await openWallet(ann);
    const opened = Array.from({ length: mostWallets - 1 }, () =>
      request('create-wallet', bob, { key: newKey(), body: { currency: 'EUR' } }),
    );
    others = (await Promise.all(opened)).map(({ body }) => String(body?.['walletId']));
  });
  const legTo = (toWalletId: string) => ({ fromWalletId: walletId, toWalletId, amount: 10, ...notes });
  const pay = (as: Request['as'], legs: readonly object[], key = newKey()) =>
    request('split', as, { key, body: { legs } });

  it('two legs take 16, and 2 more for the rate window; a repetition reads the legs', async () => {
    const legs = others.slice(0, 2).map(legTo);
    const key = newKey();
    await assertTakes({ trips: 1, write: 16 }, () => pay(operator, legs));
    await assertTakes({ trips: 1, write: 18 }, () => pay(ann, legs, key));
    const { roundTrips } = await measure(table, () => pay(ann, legs, key));
    assert.equal(roundTrips, 2);
  });

  it('39 legs from one wallet take 238, and the largest split 282', async () => {
    await assertTakes({ trips: 1, write: 238 }, () => pay(operator, others.map(legTo)));
    const most = [...others, ...others].slice(0, mostLegs).map(legTo);
    await assertTakes({ trips: 1, write: 282 }, () => pay(operator, most));
  });
});

describe('the worker takes three round trips, one read unit and at most 12 write units', () => {
  const policy = { maxAttempts: 5, notFoundWindowMs: 30_000 };
  const outcomes: Record<string, SubmitOutcome> = {
    completed: { outcome: 'accepted' },
    failed: { outcome: 'rejected', code: 'account_closed', message: 'The account of the beneficiary is closed' },
  };
  for (const [status, answer] of Object.entries(outcomes)) {
    it(`for a withdrawal that is ${status}`, async () => {
      const walletId = await openWallet(ann);
      // A unit covers a KB begun. With a long description too, the record of a failed withdrawal is just above the
      // first KB.
      const { metadata } = notes;
      const transactionId = await command('withdraw', ann, walletId, { amount: 100, destination, metadata });
      const bank: BankClient = {
        submit: () => Promise.resolve(answer),
        find: () => Promise.reject(new Error('the bank need not be asked')),
        statement: () => Promise.reject(new Error('the worker reads no statement')),
        isDown: () => false,
      };
      const { roundTrips, writeUnits, readUnits } = await measure(table, () =>
        advanceWithdrawal(transactionId, { table, bank, bankId: 'bank.example.com/v1', policy }),
      );
      // The claim, the read of the wallet that may be frozen, and the end.
      assert.equal(roundTrips, 3);
      checkUnits(() => {
        assert.equal(readUnits, 1);
        assert.ok(writeUnits <= 12, `${writeUnits} units`);
      });
      const { body } = await request('get-transaction', ann, { path: { transactionId } });
      assert.equal(body?.['status'], status);
    });
  }

  it('for each group of queued transfers one read, and one write of 2 + 5 n', async () => {
    const [walletId, toWalletId] = [await openWallet(ann), await openWallet(bob)];
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) {
      const body = { amount: 1, toWalletId, ...notes };
      ids.push(await command('transfer', ann, walletId, body, { Prefer: 'respond-async' }));
    }
    const { calls, writeUnits } = await measure(table, () => endTransfers(ids, table));
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ['BatchGetItem', 'TransactWriteItems'],
    );
    checkUnits(() => {
      assert.ok(writeUnits <= 2 + 5 * ids.length, `${writeUnits} units`);
    });
  });
});

describe('queries take one round trip and', () => {
  it('a balance half a read unit, or one when it must be consistent', async () => {
    const walletId = await openWallet(ann);
    const balance = (query: Record<string, string>) => () => request('get-balance', ann, { path: { walletId }, query });
    await assertTakes({ trips: 1, read: 0.5 }, balance({}));
    await assertTakes({ trips: 1, read: 1 }, balance({ consistent: 'true' }));
  });

  it('a wallet, a transaction and a receipt one read unit', async () => {
    const walletId = await openWallet(ann);
    const body = { amount: 100, destination, ...notes };
    const { body: answered } = await request('withdraw', ann, { path: { walletId }, key: newKey(), body });
    const path = { transactionId: String(answered?.['transactionId']), receiptCode: String(answered?.['receiptCode']) };
    await assertTakes({ trips: 1, read: 1 }, () => request('get-wallet', ann, { path: { walletId } }));
    await assertTakes({ trips: 1, read: 1 }, () => request('get-transaction', ann, { path }));
    await assertTakes({ trips: 1, read: 1 }, () => request('get-receipt', ann, { path }));
  });

  it('a page of 20 of a busy history at most 5 read units, with the check of the wallet', async () => {
    const [walletId, others] = [await openWallet(ann), await openWallet(bob)];
    for (let i = 0; i < 25; i++) {
      await command('withdraw', ann, walletId, { amount: 100, destination, ...notes });
      await command('transfer', bob, others, { amount: 100, toWalletId: walletId, ...notes });
      table.clock.now += 60_000;
    }
    const { result, calls, readUnits } = await measure(table, () =>
      request('list-transactions', ann, { path: { walletId } }),
    );
    assert.equal((result.body?.['items'] as unknown[]).length, 20);
    assert.deepEqual(calls.map(({ operation }) => operation).sort(), ['GetItem', 'Query', 'Query']);
    checkUnits(() => {
      assert.ok(readUnits <= 5, `${readUnits} units`);
    });
  });
});
