/** Limits of wallets that two operators raise; on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { approve } from '../../lambdas/api/approve.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import type { WalletLimits } from '../../lambdas/domain/limits.ts';
import type { Tiers } from '../../lambdas/domain/tiers.ts';
import { serve } from '../../lambdas/http/http.ts';
import { approvalKey } from '../../lambdas/store/keys.ts';
import { measure } from '../engine.ts';
import { inTurn, lostAnswer, twice } from '../faults.ts';
import { send } from '../request.ts';
import { checkUnits } from '../units.ts';
import { as, asked, fourEyes, isReplay, namesOf, olga, omar, stateOf, tiers, useApprovals } from './approval-scenes.ts';
import type { Wanted } from './approval-scenes.ts';
import { newKey } from './commands.ts';
import { changeItem } from './inspect.ts';
import { limitedWallet, setLimits as setAlone, walletOf } from './limit-commands.ts';
import { fundedWallet } from './wallets.ts';

const { table, ask, decide, read, assertRefused } = useApprovals();

const put = (walletId: string, body: object, { as: caller = olga, key }: Wanted = {}) =>
  ask('set-limits', { walletId }, { as: caller, ...(key !== undefined && { key }), body: { reason: 'KYC', ...body } });
const limitsOf = async (walletId: string) => (await walletOf(table, walletId)).limits;
const day = (perDay: number): WalletLimits => ({ out: { perDay } });

describe('asking for higher limits', () => {
  it('sets nothing, and shows the limits and the version that they replace', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    for (const body of [
      { limits: day(501) },
      { limits: {} },
      { limits: { ...day(500), creditLine: 1 } },
      { tier: 'large' },
    ]) {
      const { approvalId } = await asked(put(walletId, body));
      const shown = (await read(approvalId)).body ?? {};
      assert.deepEqual([shown['command'], shown['walletIds'], shown['limitsVersion']], ['set-limits', [walletId], 1]);
      assert.deepEqual(shown['limits'], body.limits ?? tiers['large']);
      assert.equal(shown['amount'], undefined);
    }
    assert.deepEqual(await limitsOf(walletId), day(500));
  });

  it('is not needed for limits that are as they were or lower', async () => {
    const walletId = await fundedWallet(table, 'ann', 1_000);
    for (const limits of [day(500), day(500), day(499), { ...day(499), maximumBalance: 5_000, minimumBalance: 1 }]) {
      assert.deepEqual((await put(walletId, { limits })).status, 200);
      assert.deepEqual(await limitsOf(walletId), limits);
    }
    assert.equal((await put(await fundedWallet(table, 'ann', 1), { tier: 'basic' })).status, 200);
  });

  it('is answered again to the same request, also when it would raise nothing any more', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    const key = newKey();
    const { approvalId } = await asked(put(walletId, { limits: day(600) }, { key }));
    await setAlone(table, walletId, day(900));
    const again = await put(walletId, { limits: day(600) }, { key });
    assert.deepEqual([stateOf(again), isReplay(again)], [[202, 'asked'], true]);
    assert.equal(again.body?.['approvalId'], approvalId);
    await assertRefused([422, 'idempotency_key_reused'], () => put(walletId, { limits: day(100) }, { key }));
    await assertRefused([422, 'idempotency_key_reused'], () => put(walletId, { limits: day(1_000) }, { key }));
    assert.deepEqual(await limitsOf(walletId), day(900));
  });

  it('refuses what would be refused anyway', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    await assertRefused([409, 'limits_changed'], () => put(walletId, { limits: {}, version: 0 }));
    await assertRefused([400, 'invalid_request'], () => put(walletId, { tier: 'none' }));
    await assertRefused([404, 'wallet_not_found'], () => put(`w_eur_${'a'.repeat(26)}`, { limits: { creditLine: 1 } }));
    const own = await limitedWallet(table, 1_000, day(500), 'olga');
    await assertRefused([403, 'forbidden'], () => put(own, { limits: {} }));
  });

  it('compares with the limits that it replaces: a change meanwhile makes it try again', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    let isFirst = true;
    table.fault = async (call, perform) => {
      if (call.operation !== 'TransactWriteItems' || !isFirst) return perform();
      isFirst = false;
      await setAlone(table, walletId, day(100));
      return perform();
    };
    const key = newKey();
    const busy = await put(walletId, { limits: day(400) }, { key }).finally(() => (table.fault = undefined));
    assert.equal(busy.status, 503);
    assert.deepEqual(await limitsOf(walletId), day(100));
    // By then it raises them.
    await asked(put(walletId, { limits: day(400) }, { key }));
  });

  it('replaces no later limits than those that it was compared with, also where it names their version', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    let isFirst = true;
    table.fault = async (call, perform) => {
      if (call.operation !== 'TransactWriteItems' || !isFirst) return perform();
      isFirst = false;
      await setAlone(table, walletId, day(100));
      return perform();
    };
    const early = await put(walletId, { limits: day(400), version: 2 }).finally(() => (table.fault = undefined));
    assert.deepEqual([early.status, early.body?.['code']], [409, 'limits_changed']);
    assert.deepEqual(await limitsOf(walletId), day(100));
  });

  it('takes one read more than the command, and nothing without the guard', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    const plain = serve(setLimits, { table, tiers });
    const request = { as: olga, key: newKey(), path: { walletId }, body: { reason: 'KYC', limits: day(499) } };
    const alone = await measure(table, () => send('set-limits', plain, request));
    const lowering = await measure(table, () => put(walletId, { limits: day(400) }));
    const asking = await measure(table, () => put(walletId, { limits: day(900) }));
    assert.deepEqual(namesOf(alone), ['TransactWriteItems', 'GetItem']);
    assert.deepEqual(namesOf(lowering), ['GetItem', 'TransactWriteItems', 'GetItem']);
    assert.deepEqual(namesOf(asking), ['GetItem', 'TransactWriteItems']);
    checkUnits(() => {
      assert.equal(lowering.writeUnits, alone.writeUnits);
      assert.equal(asking.writeUnits, 5);
    });
  });
});

describe('approving higher limits', () => {
  it('sets them for their asker, names both operators, and answers the repetition', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    const key = newKey();
    const wanted = { limits: { ...day(900), creditLine: 200 } };
    const { approvalId } = await asked(put(walletId, wanted, { key }));
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    const { limits, limitsVersion, mostCredit, lastLimitsChange } = await walletOf(table, walletId);
    assert.deepEqual([limits, limitsVersion, mostCredit], [wanted.limits, 2, 200]);
    const { actor, approvedBy, reason } = lastLimitsChange ?? {};
    assert.deepEqual([actor?.principal, approvedBy?.principal, reason], ['olga', 'omar', 'KYC']);
    const again = await put(walletId, wanted, { key });
    assert.deepEqual([again.status, again.body?.['version'], isReplay(again)], [200, 2, true]);
    assert.equal((again.body?.['approvedBy'] as { principal: string }).principal, 'omar');
  });

  it('is refused when the limits have changed since they were asked for, with and without a version', async () => {
    for (const version of [undefined, 1]) {
      const walletId = await limitedWallet(table, 1_000, day(500));
      const { approvalId } = await asked(put(walletId, { limits: day(900), version }));
      await setAlone(table, walletId, day(100));
      await assertRefused([409, 'limits_changed'], () => decide('approve', approvalId));
      assert.deepEqual(stateOf(await decide('reject', approvalId)), [200, 'rejected']);
    }
    const never = await fundedWallet(table, 'ann', 1);
    const { approvalId } = await asked(put(never, { limits: { creditLine: 5 } }));
    await setAlone(table, never, {});
    await assertRefused([409, 'limits_changed'], () => decide('approve', approvalId));
  });

  it('is refused when the tier gives other limits by then, or is no more', async () => {
    const approveWith = (later: Tiers, approvalId: string) =>
      send('approve', serve(approve, { table, tiers: later }), {
        ...{ as: omar, key: newKey(), path: { approvalId }, body: {} },
      });
    const walletId = await limitedWallet(table, 1_000, day(500));
    const { approvalId } = await asked(put(walletId, { tier: 'large' }));
    await assertRefused([409, 'approval_expired'], () => approveWith({ large: { creditLine: 50_000 } }, approvalId));
    await assertRefused([409, 'approval_expired'], () => approveWith({}, approvalId));
    assert.deepEqual(stateOf(await approveWith(tiers, approvalId)), [200, 'approved']);
    const { limits, lastLimitsChange } = await walletOf(table, walletId);
    assert.deepEqual([limits, lastLimitsChange?.tier], [tiers['large'], 'large']);
  });

  it('is for other operators with its scope who do not own the wallet, and within the limit of credit lines', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    const { approvalId } = await asked(put(walletId, { limits: { creditLine: 900 } }));
    for (const caller of [olga, as('ann'), as('omar', 'charge support')]) {
      await assertRefused([403, 'forbidden'], () => decide('approve', approvalId, { as: caller }));
    }
    const stricter = serve(approve, { table, tiers, operatorLimits: { credit: 500 } });
    await assertRefused([403, 'operator_limit_exceeded'], () =>
      send('approve', stricter, { as: omar, key: newKey(), path: { approvalId }, body: {} }),
    );
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
  });

  it('sets nothing when its approval shows other limits or another version', async () => {
    for (const members of [{ limits: day(501) }, { limitsVersion: 0 }, { limits: undefined }]) {
      const walletId = await limitedWallet(table, 1_000, day(500));
      const { approvalId } = await asked(put(walletId, { limits: day(900), version: 1 }));
      await changeItem(table, approvalKey(approvalId), members);
      await assertRefused([500, 'internal_error'], () => decide('approve', approvalId));
    }
  });

  it('survives a lost answer and a second delivery of its write', async () => {
    for (const fault of [lostAnswer, twice]) {
      const walletId = await limitedWallet(table, 1_000, day(500));
      const { approvalId } = await asked(put(walletId, { limits: day(900) }));
      const first = inTurn(fault);
      table.fault = (call, perform) => (call.operation === 'TransactWriteItems' ? first(call, perform) : perform());
      const answer = await decide('approve', approvalId).finally(() => (table.fault = undefined));
      assert.deepEqual(stateOf(answer), [200, 'approved']);
      const { limits, limitsVersion } = await walletOf(table, walletId);
      assert.deepEqual([limits, limitsVersion], [day(900), 2]);
    }
  });

  it('executes nothing when the guard is gone: the key of the request has its approval alone', async () => {
    const walletId = await limitedWallet(table, 1_000, day(500));
    const key = newKey();
    await asked(put(walletId, { limits: day(900) }, { key }));
    const unguarded = serve(setLimits, { table, tiers, fourEyes: { expiresAfterMs: fourEyes.expiresAfterMs } });
    const body = { reason: 'KYC', limits: day(900) };
    await assertRefused([422, 'idempotency_key_reused'], () =>
      send('set-limits', unguarded, { as: olga, key, path: { walletId }, body }),
    );
  });
});
