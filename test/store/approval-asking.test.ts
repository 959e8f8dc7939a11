/** Requests for commands that need two operators: what is asked for, and what is stored; on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { approve } from '../../lambdas/api/approve.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { serve } from '../../lambdas/http/http.ts';
import { approvalKey } from '../../lambdas/store/keys.ts';
import { measure } from '../engine.ts';
import { inTurn, lostAnswer, twice } from '../faults.ts';
import { send } from '../request.ts';
import { checkUnits } from '../units.ts';
import { as, asked, hourMs, isReplay, namesOf, olga, omar, stateOf, tiers, useApprovals } from './approval-scenes.ts';
import { newKey, timeOf, withdraw } from './commands.ts';
import { allItems, removeItem } from './inspect.ts';
import { openWallet } from './wallets.ts';

const { table, annsWallet, ask, chargeOf, decide, read, available, assertRefused, inReview } = useApprovals();

describe('asking', () => {
  it('moves nothing, and answers 202 with the approval and its location', async () => {
    const before = await available();
    const { status, headers, body } = await chargeOf(101, { body: { description: 'Refund of order 7' } });
    const approvalId = String(body?.['approvalId']);
    assert.deepEqual([status, headers['Location']], [202, `/prod/approvals/${approvalId}`]);
    const { command, amount, currency, walletIds, expiresAt } = body ?? {};
    assert.deepEqual([command, amount, currency, walletIds], ['charge', 101, 'EUR', [annsWallet()]]);
    assert.equal(expiresAt, timeOf(table, hourMs));
    assert.equal(await available(), before);
    assert.deepEqual((await read(approvalId)).body, body);
  });

  it('is for charges above the amount of their currency, and all others are booked at once', async () => {
    const yen = await openWallet(table, 'ann', 'JPY');
    assert.deepEqual(stateOf(await chargeOf(100)), [201, 'completed']);
    assert.deepEqual(stateOf(await chargeOf(5_000, {}, yen)), [201, 'completed']);
    await asked(chargeOf(101));
    await asked(chargeOf(5_001, {}, yen));
  });

  it('is answered again to the same request, and refuses another one with its key', async () => {
    const key = newKey();
    const { approvalId } = await asked(chargeOf(200, { key }));
    const again = await chargeOf(200, { key });
    assert.deepEqual([stateOf(again), isReplay(again)], [[202, 'asked'], true]);
    assert.equal(again.body?.['approvalId'], approvalId);
    await assertRefused([422, 'idempotency_key_reused'], () => chargeOf(201, { key }));
    await assertRefused([422, 'idempotency_key_reused'], () => ask('unfreeze', { walletId: annsWallet() }, { key }));
    const small = await assertRefused([422, 'idempotency_key_reused'], () => chargeOf(1, { key }));
    assert.match(String(small.body?.['detail']), /asked for a command that needs a second operator/);
    const used = newKey();
    await chargeOf(1, { key: used });
    await assertRefused([422, 'idempotency_key_reused'], () => chargeOf(200, { key: used }));
  });

  it('refuses what would be refused anyway: an amount over the limit, an own wallet or withdrawal, and none in review', async () => {
    await assertRefused([403, 'operator_limit_exceeded'], () => chargeOf(1_000_001));
    await assertRefused([404, 'wallet_not_found'], () => ask('unfreeze', { walletId: `w_eur_${'a'.repeat(26)}` }, {}));
    const own = await openWallet(table, 'olga');
    await assertRefused([403, 'forbidden'], () => ask('unfreeze', { walletId: own }, {}));
    const body = { outcome: 'completed', evidence: 'line 7' };
    const { transactionId } = await inReview();
    await assertRefused([403, 'forbidden'], () => ask('resolve', { transactionId }, { as: as('ann'), body }));
    const pending = (await withdraw(table, annsWallet(), { owner: 'ann', amount: 1 })).transaction;
    await assertRefused([409, 'not_in_review'], () =>
      ask('resolve', { transactionId: pending.transactionId }, { body }),
    );
  });

  it('is judged again by the limits of operators when it is approved', async () => {
    const { approvalId } = await asked(chargeOf(600));
    const stricter = serve(approve, { table, operatorLimits: { charge: 500 }, tiers });
    const request = { as: omar, key: newKey(), path: { approvalId }, body: {} };
    const { calls } = await measure(table, async () => {
      await assertRefused([403, 'operator_limit_exceeded'], () => send('approve', stricter, request));
    });
    // DynamoDB refuses values that no expression uses. The local engine does not.
    for (const { input } of calls) {
      for (const { Put } of (input['TransactItems'] ?? []) as readonly {
        readonly Put?: Readonly<Record<string, unknown>>;
      }[]) {
        const values = Object.keys(Put?.['ExpressionAttributeValues'] ?? {});
        assert.deepEqual(
          values.filter((name) => !String(Put?.['ConditionExpression']).includes(name)),
          [],
        );
      }
    }
    assert.deepEqual(stateOf(await read(approvalId)), [200, 'asked']);
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
  });

  it('survives a lost answer and a second delivery', async () => {
    for (const fault of [lostAnswer, twice]) {
      const before = (await allItems(table)).length;
      table.fault = inTurn(fault);
      await asked(chargeOf(300)).finally(() => (table.fault = undefined));
      assert.equal((await allItems(table)).length, before + 2);
    }
  });

  it('takes one write: 5 write units with the index, and a charge without it what it took before', async () => {
    const guarded = await measure(table, () => chargeOf(300));
    assert.deepEqual(namesOf(guarded), ['TransactWriteItems']);
    const unguarded = await measure(table, () => chargeOf(100));
    assert.deepEqual(namesOf(unguarded), ['TransactWriteItems']);
    checkUnits(() => {
      assert.deepEqual([guarded.writeUnits, unguarded.writeUnits], [5, 5]);
    });
  });
});

describe('the key of a request', () => {
  it('executes nothing when fewer commands need a second operator later, whatever became of the request', async () => {
    const unguarded = serve(charge, { table });
    for (const end of ['open', 'rejected', 'expired'] as const) {
      const key = newKey();
      const { approvalId } = await asked(chargeOf(300, { key }));
      if (end === 'rejected') await decide('reject', approvalId);
      if (end === 'expired') table.clock.now += hourMs;
      const repeat = () =>
        send('charge', unguarded, { as: olga, key, path: { walletId: annsWallet() }, body: { amount: 300 } });
      const { body } = await assertRefused([422, 'idempotency_key_reused'], repeat);
      assert.match(String(body?.['detail']), /its approval shows the end/);
    }
  });

  it('is taken for ever: a request whose record is gone is not asked for again', async () => {
    const key = newKey();
    const { approvalId } = await asked(chargeOf(300, { key }));
    await decide('reject', approvalId);
    await removeItem(table, approvalKey(approvalId));
    const { body } = await assertRefused([409, 'approval_expired'], () => chargeOf(300, { key }));
    assert.match(String(body?.['detail']), /no longer kept/);
  });
});
