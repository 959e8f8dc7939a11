/** Limits of one command of an operator, through the routes, against the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { charge } from '../../lambdas/api/charge.ts';
import { resolve } from '../../lambdas/api/resolve.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import type { OperatorLimits } from '../../lambdas/contract.ts';
import { currencyOfWalletId } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { readOperatorLimits } from '../../lambdas/http/operator-limits.ts';
import { createWallet } from '../../lambdas/store/open-wallet.ts';
import { cancelWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { reviewWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { endUser, operator, send } from '../request.ts';
import type { CallerContext, Response } from '../request.ts';
import { charge as chargeWallet, destination, newKey, operation } from './commands.ts';
import { allItems, withdrawalOf } from './inspect.ts';
import { setLimits as limitWallet } from './limit-commands.ts';
import { acceptedWithdrawal, claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();

/** Asserts that the answer names the limit, and that nothing was stored. */
async function assertOverLimit(ask: () => Promise<Response>, detail: string): Promise<void> {
  const before = await allItems(table);
  const { status, body } = await ask();
  assert.deepEqual([status, body?.['code'], body?.['detail']], [403, 'operator_limit_exceeded', detail]);
  assert.deepEqual(await allItems(table), before);
}

describe("a withdrawal or transfer from the caller's own wallet", () => {
  const limits = { withdraw: 50, transfer: 50 };
  const services = {
    limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
    queue: { send: () => Promise.resolve() },
    isOverloaded: () => Promise.resolve(false),
    operatorLimits: limits,
  };
  it('has the limits of operators when its token has any of their scopes, even an unneeded one', async () => {
    const as: CallerContext = { ...endUser('backend'), scopes: 'charge read write' };
    const [walletId, toWalletId] = [await fundedWallet(table, 'backend', 1_000), await openWallet(table, 'ann')];
    for (const [name, handler, to] of [
      ['withdraw', serve(withdraw, { table, ...services }), { destination }],
      ['transfer', serve(transfer, { table, ...services }), { toWalletId }],
    ] as const) {
      await assertOverLimit(
        () => send(name, handler, { as, key: newKey(), path: { walletId }, body: { amount: 51, ...to } }),
        `${name} takes at most 50, requested 51, in minor units of EUR`,
      );
    }
  });
});

describe('a charge', () => {
  const ask = (walletId: string, amount: number, operatorLimits: OperatorLimits, key = newKey()) =>
    send('charge', serve(charge, { table, operatorLimits }), {
      as: operator,
      key,
      path: { walletId },
      body: { amount },
    });

  it('is refused over the limit of its currency, or of all currencies, and booked up to it', async () => {
    const limits = { charge: 1_000, byCurrency: { JPY: { charge: 50_000 } } };
    const [euros, yen] = [await openWallet(table, 'ann'), await openWallet(table, 'ann', 'JPY')];
    await assertOverLimit(
      () => ask(euros, 1_001, limits),
      'charge takes at most 1000, requested 1001, in minor units of EUR',
    );
    await assertOverLimit(
      () => ask(yen, 50_001, limits),
      'charge takes at most 50000, requested 50001, in minor units of JPY',
    );
    assert.deepEqual([(await ask(euros, 1_000, limits)).status, (await ask(yen, 50_000, limits)).status], [201, 201]);
    assert.equal((await ask(euros, 1_001, { byCurrency: { USD: { charge: 1 } } })).status, 201);
  });

  it('that was booked before the limit was lowered is answered as a replay', async () => {
    const walletId = await openWallet(table, 'ann');
    const key = newKey();
    const first = await ask(walletId, 500, {}, key);
    const again = await ask(walletId, 500, { charge: 1 }, key);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [201, 'true']);
    assert.deepEqual(again.body, first.body);
    assert.equal((await ask(walletId, 501, { charge: 1 }, key)).body?.['code'], 'idempotency_key_reused');
    assert.deepEqual(await balanceOf(table, walletId), { available: 500, held: 0, total: 500 });
  });

  it('over a limit of its wallet shows what is left only to a caller that may read the wallet', async () => {
    const walletId = await fundedWallet(table, 'ann', 60);
    await limitWallet(table, walletId, { maximumBalance: 100 });
    for (const scopes of ['charge', 'charge support', 'operate']) {
      const as: CallerContext = { ...operator, scopes };
      const { status, body } = await send('charge', serve(charge, { table }), {
        ...{ as, key: newKey(), path: { walletId }, body: { amount: 41 } },
      });
      const shown = [body?.['limit'], body?.['left'], body?.['detail'] !== undefined];
      const expected = scopes === 'charge' ? [undefined, undefined, false] : ['maximumBalance', 40, true];
      assert.deepEqual([status, body?.['code'], ...shown], [422, 'limit_exceeded', ...expected], scopes);
    }
  });
});

describe('a resolution', () => {
  it('is refused over the limit, and a repeated one is a replay after the limit was lowered', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
    const key = newKey();
    const ask = (limit: number) =>
      send('resolve', serve(resolve, { table, operatorLimits: { resolve: limit } }), {
        as: operator,
        key,
        path: { transactionId },
        body: { outcome: 'failed', evidence: 'Statement of March, line 12' },
      });
    await assertOverLimit(() => ask(29), 'resolve takes at most 29, requested 30, in minor units of EUR');
    assert.equal((await ask(30)).body?.['status'], 'failed');
    const again = await ask(1);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
  });

  it('of a transaction that is no withdrawal is refused, under a used key as reused', async () => {
    const walletId = await openWallet(table, 'ann');
    const key = newKey();
    const { transactionId } = (await chargeWallet(table, walletId, { amount: 30, key })).transaction;
    const ask = (as: CallerContext, used: string, limit: number) =>
      send('resolve', serve(resolve, { table, operatorLimits: { resolve: limit } }), {
        as,
        key: used,
        path: { transactionId },
        body: { outcome: 'failed', evidence: 'Statement of March, line 12' },
      });
    const other = { ...operator, principal: 'operator-2' };
    const otherKey = newKey();
    const request = { ownerId: 'bob', currency: 'EUR', rate: undefined };
    await createWallet(table, operation(table, request, { owner: other.principal, key: otherKey }), request);
    const before = await allItems(table);
    for (const limit of [29, 30]) {
      for (const answer of [await ask(operator, key, limit), await ask(other, otherKey, limit)]) {
        assert.deepEqual([answer.status, answer.body?.['code']], [422, 'idempotency_key_reused']);
      }
    }
    assert.equal((await ask(operator, newKey(), 30)).body?.['code'], 'forbidden');
    assert.equal((await ask(other, newKey(), 30)).body?.['code'], 'not_in_review');
    assert.equal((await ask(other, newKey(), 29)).body?.['code'], 'operator_limit_exceeded');
    assert.deepEqual(await allItems(table), before);
  });
});

/** Commands that move money out of a wallet: route, preference, and status of an accepted one. */
const outgoing = [
  { name: 'withdraw', prefer: undefined, accepted: 202 },
  { name: 'transfer', prefer: undefined, accepted: 201 },
  { name: 'transfer', prefer: 'respond-async', accepted: 202 },
] as const;

for (const { name, prefer, accepted } of outgoing) {
  describe(`a ${prefer === undefined ? '' : 'queued '}${name}`, () => {
    let sent: string[] = [];
    async function ask(
      walletId: string,
      amount: number,
      operatorLimits: OperatorLimits,
      { as = operator, key = newKey() }: { as?: CallerContext; key?: string } = {},
    ) {
      const services = {
        table,
        operatorLimits,
        limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
        isOverloaded: () => Promise.resolve(false),
        queue: {
          send({ transactionId }: { transactionId: string }) {
            sent.push(transactionId);
            return Promise.resolve();
          },
        },
      };
      return send(name, serve(name === 'withdraw' ? withdraw : transfer, services), {
        as,
        key,
        path: { walletId },
        headers: { ...(prefer !== undefined && { Prefer: prefer }) },
        body: { amount, ...(name === 'withdraw' ? { destination } : { toWalletId: await receiverOf(walletId) }) },
      });
    }
    const receivers = new Map<string, Promise<string>>();
    function receiverOf(walletId: string): Promise<string> {
      const receiver = receivers.get(walletId) ?? openWallet(table, 'bob', currencyOfWalletId(walletId));
      receivers.set(walletId, receiver);
      return receiver;
    }

    it('of an operator is refused over the limit of its currency, or of all currencies, and accepted up to it', async () => {
      const limits = { [name]: 100, byCurrency: { JPY: { [name]: 500 } } };
      const [euros, yen] = [await fundedWallet(table, 'ann', 1_000), await fundedWallet(table, 'ann', 1_000, 'JPY')];
      await receiverOf(euros);
      await receiverOf(yen);
      sent = [];
      await assertOverLimit(
        () => ask(euros, 101, limits),
        `${name} takes at most 100, requested 101, in minor units of EUR`,
      );
      await assertOverLimit(
        () => ask(yen, 501, limits),
        `${name} takes at most 500, requested 501, in minor units of JPY`,
      );
      assert.deepEqual(sent, []);
      assert.deepEqual(
        [(await ask(euros, 100, limits)).status, (await ask(yen, 500, limits)).status],
        [accepted, accepted],
      );
    });

    it('of an operator that owns the wallet has the limit, and one of an end user has none', async () => {
      const own = await fundedWallet(table, operator.principal, 1_000);
      await receiverOf(own);
      await assertOverLimit(
        () => ask(own, 101, { [name]: 100 }),
        `${name} takes at most 100, requested 101, in minor units of EUR`,
      );
      const walletId = await fundedWallet(table, 'ann', 1_000);
      assert.equal((await ask(walletId, 101, { [name]: 100 }, { as: endUser('ann') })).status, accepted);
    });

    it('that was accepted before the limit was lowered is answered as a replay', async () => {
      const walletId = await fundedWallet(table, 'ann', 1_000);
      const key = newKey();
      const first = await ask(walletId, 500, {}, { key });
      if (name === 'withdraw') {
        const withdrawal = await withdrawalOf(table, String(first.body?.['transactionId']));
        const cancellation = { actor: { kind: 'operator', principal: 'other' }, at: withdrawal.createdAt } as const;
        await cancelWithdrawal(table, operation(table, 'cancel'), { withdrawal, cancellation });
      }
      const balance = await balanceOf(table, walletId);
      const again = await ask(walletId, 500, { [name]: 1 }, { key });
      assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [accepted, 'true']);
      assert.equal(again.body?.['transactionId'], first.body?.['transactionId']);
      assert.equal((await ask(walletId, 501, { [name]: 1 }, { key })).body?.['code'], 'idempotency_key_reused');
      assert.deepEqual(await balanceOf(table, walletId), balance);
    });
  });
}

describe('the variable', () => {
  it('accepts limits and nothing else', () => {
    const limits = { charge: 5, withdraw: 6, byCurrency: { EUR: { resolve: 7, transfer: 8 } } };
    assert.deepEqual(readOperatorLimits(JSON.stringify(limits)), limits);
    for (const wrong of ['{"charge":0}', '{"charge":1.5}', '{"freeze":1}', '{"byCurrency":{"eur":{"charge":1}}}']) {
      assert.throws(() => readOperatorLimits(wrong));
    }
  });
});

describe('a credit line', () => {
  const tiers = { trusted: { creditLine: 200, byCurrency: { EUR: { creditLine: 60 } } } };
  const supervisor: CallerContext = { ...operator, scopes: 'decide' };
  const ask = (walletId: string, body: object, operatorLimits: OperatorLimits, key = newKey()) =>
    send('set-limits', serve(setLimits, { table, tiers, operatorLimits }), {
      as: supervisor,
      key,
      path: { walletId },
      body: { reason: 'a friend', ...body },
    });

  it('is at most what an operator may charge, also as one of a tier', async () => {
    const walletId = await openWallet(table, 'ann');
    const detail = (most: number, asked: number) =>
      `credit takes at most ${most}, requested ${asked}, in minor units of EUR`;
    for (const limits of [{ charge: 50 }, { charge: 1_000, credit: 50 }, { byCurrency: { EUR: { credit: 50 } } }]) {
      await assertOverLimit(() => ask(walletId, { limits: { creditLine: 51 } }, limits), detail(50, 51));
      await assertOverLimit(() => ask(walletId, { tier: 'trusted' }, limits), detail(50, 60));
      assert.equal((await ask(walletId, { limits: { creditLine: 50 } }, limits)).status, 200);
    }
  });

  it('is lifted by a limit of its own, and other limits have none', async () => {
    const walletId = await openWallet(table, 'ann');
    const given = await ask(walletId, { limits: { creditLine: 1_000 } }, { charge: 1, credit: 1_000 });
    assert.equal(given.status, 200);
    const limited = await ask(walletId, { limits: { out: { perDay: 1_000 }, minimumBalance: 9 } }, { charge: 1 });
    assert.equal(limited.status, 200);
  });

  it('that the wallet has already may stay or become smaller, with other limits beside it', async () => {
    const walletId = await openWallet(table, 'ann');
    const wide = { charge: 1_000 };
    assert.equal((await ask(walletId, { limits: { creditLine: 1_000 } }, wide)).status, 200);
    const narrow = { charge: 50 };
    for (const creditLine of [1_000, 900]) {
      const kept = await ask(walletId, { limits: { creditLine, out: { perDay: creditLine } } }, narrow);
      assert.equal(kept.status, 200, kept.text);
    }
    const detail = 'credit takes at most 50, requested 901, in minor units of EUR';
    await assertOverLimit(() => ask(walletId, { limits: { creditLine: 901 } }, narrow), detail);
    assert.equal((await ask(walletId, { limits: {} }, narrow)).status, 200);
    await assertOverLimit(() => ask(walletId, { limits: { creditLine: 901 } }, narrow), detail);
  });

  it('answers a repetition after the operator limit was lowered', async () => {
    const [walletId, key] = [await openWallet(table, 'ann'), newKey()];
    const body = { limits: { creditLine: 60 } };
    assert.equal((await ask(walletId, body, {}, key)).status, 200);
    const again = await ask(walletId, body, { credit: 1 }, key);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
  });
});
