import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { charge as chargeRoute } from '../../lambdas/api/charge.ts';
import { serve } from '../../lambdas/http/http.ts';
import { touchDue } from '../../lambdas/store/due.ts';
import { createWallet } from '../../lambdas/store/open-wallet.ts';
import { settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { measure } from '../engine.ts';
import type { Fault } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { answer, cancelled, inTurn, lostAnswer, lostRequest, twice } from '../faults.ts';
import { operator, send } from '../request.ts';
import { charge, newKey, operation, timeOf, transfer, withdraw } from './commands.ts';
import { allItems, refusalOf } from './inspect.ts';
import { claim, claimed } from './visits.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
let walletId: string;
beforeEach(async () => {
  table.fault = undefined;
  walletId = await fundedWallet(table, 'ann', 100);
});

const none = { Code: 'None' };
const conflict = { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' };
const failedCondition = { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' };
/** A wallet without money, as the image of a failed debit. */
const emptyWallet = {
  ...failedCondition,
  Item: {
    pk: { S: 'WALLET#w' },
    sk: { S: 'WALLET' },
    walletId: { S: 'w' },
    ownerId: { S: 'ann' },
    currency: { S: 'EUR' },
    status: { S: 'active' },
    available: { N: '0' },
    total: { N: '0' },
  },
};

/** A wallet that no condition of these tests refuses. */
const fullWallet = { ...emptyWallet, Item: { ...emptyWallet.Item, available: { N: '99' }, total: { N: '99' } } };

const pay = (key = newKey()) => withdraw(table, walletId, { owner: 'ann', key, amount: 60 });
const held = async () => {
  table.fault = undefined;
  return (await balanceOf(table, walletId)).held;
};

/** Every fault after which a retry may succeed, in the form of DynamoDB or the network. */
const passing: Record<string, Fault> = {
  'a conflict with another transaction': cancelled(none, conflict),
  'a conflict that comes with a failed condition, which was read mid-flight': cancelled(conflict, emptyWallet),
  'a failed condition that comes with a conflict': cancelled(none, emptyWallet, conflict),
  'throttling of one item': cancelled({ Code: 'ThrottlingError' }, none),
  'throttling of one item that comes with a failed condition': cancelled({ Code: 'ThrottlingError' }, emptyWallet),
  'exhausted throughput of one item': cancelled(none, { Code: 'ProvisionedThroughputExceeded' }),
  'exhausted throughput': answer('ProvisionedThroughputExceededException'),
  'throttling of the account': answer('ThrottlingException'),
  'a limit on requests': answer('RequestLimitExceeded'),
  'an attempt that is still in progress': answer('TransactionInProgressException'),
  'a conflict of a plain write': answer('TransactionConflictException'),
  'a fault inside DynamoDB': answer('InternalServerError', 500),
  'an unavailable service': answer('ServiceUnavailable', 503),
  'a request that never arrived': lostRequest,
  'an answer that never arrived': lostAnswer,
  'a request that arrived twice': twice,
};

describe('a refusal', () => {
  const tooMuch = (key: string) => withdraw(table, walletId, { owner: 'ann', key, amount: 1_000 });

  for (const name of [
    'a fault inside DynamoDB',
    'an unavailable service',
    'a request that never arrived',
    'an answer that never arrived',
  ]) {
    it(`after ${name} is not final: the first attempt may arrive when the money is there`, async () => {
      const key = newKey();
      table.fault = inTurn(passing[name]!);
      assert.equal((await refusalOf(tooMuch(key)))?.code, 'busy');
      assert.equal((await refusalOf(tooMuch(key)))?.code, 'insufficient_funds');
    });
  }

  for (const name of ['a conflict with another transaction', 'throttling of the account', 'a limit on requests']) {
    it(`after ${name} is final, as the failed attempt had no effect`, async () => {
      table.fault = inTurn(passing[name]!);
      assert.equal((await refusalOf(tooMuch(newKey())))?.code, 'insufficient_funds');
    });
  }

  it('is impossible under a used key: its record exists', async () => {
    const key = newKey();
    await pay(key);
    table.fault = inTurn(lostRequest);
    assert.equal((await pay(key)).replayed, true);
  });
});

describe('a command is retried after', () => {
  for (const [name, fault] of Object.entries(passing)) {
    it(`${name}, and succeeds once`, async () => {
      table.fault = inTurn(fault, fault);
      const { result, calls } = await measure(table, () => pay());
      assert.equal(result.replayed, false, 'its own first try is no replay');
      assert.equal(await held(), 60);
      assert.equal(calls.length, fault === twice ? 1 : 3);
      const tokens = calls.map(({ input }) => input['ClientRequestToken']);
      assert.equal(new Set(tokens).size, 1, 'the same client token for every try');
      assert.equal(typeof tokens[0], 'string');
    });
  }

  it('each fault with full jitter, with growing waits, and within its budget', async () => {
    const sleeps: number[] = [];
    const patient = {
      ...table,
      sleep: (ms: number) => {
        sleeps.push(ms);
        return table.sleep(ms);
      },
    };
    for (const [random, share] of [
      [() => 0.999999, 1],
      [() => 0.5, 0.5],
      [() => 0, 0],
    ] as const) {
      sleeps.length = 0;
      table.fault = inTurn(...Array.from({ length: 8 }, () => lostRequest));
      await charge({ ...patient, random, retry: { ...table.retry, budgetMs: 10_000 } }, walletId, { amount: 1 });
      const full = [25, 50, 100, 200, 400, 800, 800, 800];
      assert.deepEqual(
        sleeps.map(Math.round),
        full.map((ms) => Math.round(ms * share)),
      );
    }
  });
});

describe('a command gives up', () => {
  for (const [name, fault] of Object.entries(passing).filter(([, fault]) => fault !== twice)) {
    it(`as busy, never as a refusal, when ${name} lasts`, async () => {
      table.fault = fault;
      const startedAt = table.now();
      const refusal = await refusalOf(pay());
      assert.equal(refusal?.code, 'busy');
      assert.equal(refusal.details.retryAfterSeconds, 1);
      assert.ok(refusal.cause instanceof Error, 'the log shall know why');
      const waited = table.now() - startedAt;
      assert.ok(waited > 3_000 && waited < 4_000, `${waited} ms`);
    });
  }

  it('and its effect is found under the same key', async () => {
    const key = newKey();
    table.fault = lostAnswer;
    assert.equal((await refusalOf(pay(key)))?.code, 'busy');
    table.fault = undefined;
    const again = await pay(key);
    assert.equal(again.replayed, true);
    assert.equal(await held(), 60);
  });

  it('at once when no retry can help', async () => {
    for (const fault of [
      answer('ResourceNotFoundException'),
      answer('AccessDeniedException'),
      answer('ValidationException'),
      answer('IdempotentParameterMismatchException'),
      cancelled(none, { Code: 'ValidationError' }),
    ]) {
      table.fault = fault;
      const { calls } = await measure(table, () => assert.rejects(pay(), (error) => !(error instanceof WalletError)));
      assert.equal(calls.length, 1);
    }
  });
});

describe('a failed condition', () => {
  it('alone decides: the funds are lacking', async () => {
    table.fault = cancelled(none, emptyWallet);
    const { calls } = await measure(table, async () => {
      assert.equal((await refusalOf(pay()))?.code, 'insufficient_funds');
    });
    assert.equal(calls.length, 1, 'and not tried again');
  });

  it('with an image that explains nothing is a fault that names the item, and no refusal', async () => {
    table.fault = cancelled(none, fullWallet);
    await assert.rejects(pay(), {
      name: 'Error',
      message: 'condition of "hold" failed, and its image does not say why',
    });
    // A failed condition without an image contradicts itself: the record exists and does not.
    table.fault = cancelled(failedCondition, none);
    await assert.rejects(pay(), { name: 'Error', message: /"record"/ });
  });

  it('of a fault behind a refusal is answered as the refusal', async () => {
    const key = newKey();
    await pay(key);
    // The replay's hold fails too: the money is held already.
    assert.equal(
      (await refusalOf(withdraw(table, walletId, { owner: 'ann', key, amount: 61 })))?.code,
      'idempotency_key_reused',
    );
  });

  it('is answered by a route as internal_error, without internal details', async () => {
    table.fault = cancelled(none, fullWallet);
    const request = { as: operator, key: newKey(), path: { walletId }, body: { amount: 5 } };
    const { status, body } = await send('charge', serve(chargeRoute, { table }), request);
    assert.deepEqual([status, body?.['code']], [500, 'internal_error']);
    assert.ok(!/condition|image|credit|wallet:/.test(JSON.stringify(body)), JSON.stringify(body));
  });
});

describe('a lost answer', () => {
  it('of every command leads to its own success, and not to a replay', async () => {
    const to = await openWallet(table, 'bob');
    const create = () => {
      const request = { ownerId: 'cara', currency: 'EUR', rate: undefined };
      return createWallet(table, operation(table, request, { owner: 'cara' }), request);
    };
    for (const command of [
      () => charge(table, walletId, { amount: 1 }),
      () => transfer(table, walletId, to, { owner: 'ann', amount: 1 }),
      () => setStatus(table, walletId, 'frozen'),
      create,
    ]) {
      table.fault = inTurn(lostAnswer);
      assert.equal((await command()).replayed, false);
    }
    table.fault = undefined;
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
  });

  it('of a settlement does not settle twice', async () => {
    const { transaction } = await pay();
    const won = await claimed(table, transaction.transactionId);
    table.fault = inTurn(lostAnswer, lostAnswer);
    assert.equal(await settleWithdrawal(table, won, { at: won.at, submitted: true, outcome: 'accepted' }), true);
    table.fault = undefined;
    assert.deepEqual(await balanceOf(table, walletId), { available: 40, held: 0, total: 40 });
  });

  it('of a claim leaves the withdrawal to the next worker after the lease', async () => {
    const { transaction } = await pay();
    table.fault = inTurn(lostAnswer);
    const result = await claim(table, transaction.transactionId, 'one');
    assert.equal(result.claimed, false);
    assert.ok(result.current?.status === 'executing');
    assert.equal(result.current.claimId, 'one');
    table.fault = undefined;
    table.clock.now += 40_000;
    await claimed(table, transaction.transactionId);
  });

  it('of a touch queues the work at most once', async () => {
    const { transaction } = await pay();
    const work = {
      transactionId: transaction.transactionId,
      type: 'withdrawal',
      dueAt: transaction.createdAt,
    } as const;
    table.fault = inTurn(lostAnswer);
    assert.equal(await touchDue(table, work, timeOf(table, 1)), false);
  });
});

describe('after all these faults', () => {
  it('the figures of each wallet still add up', async () => {
    table.fault = undefined;
    const items = await allItems(table);
    for (const { available, held, total } of items.filter(({ sk }) => sk === 'WALLET')) {
      assert.equal(Number(available) + Number(held), total);
    }
  });
});
