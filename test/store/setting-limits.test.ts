/** Limits as operators set them on wallets, and stored ones that cannot be read; on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { setWalletLimits } from '../../lambdas/store/wallet-limits.ts';
import { walletKey } from '../../lambdas/store/keys.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { useTable } from '../fixture.ts';
import { charge, newKey, operation, timeOf, withdraw } from './commands.ts';
import { assertRefused, changeItem, refusalOf } from './inspect.ts';
import { outcomeOf, setLimits } from './limit-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const ann = (amount: number) => ({ owner: 'ann', amount });

describe('setting limits', () => {
  it('replaces all of them, counts versions, and removes them with the windows; the last change stays', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const first = await setLimits(table, walletId, { out: { perDay: 10 }, in: {}, creditLine: 5 });
    assert.deepEqual([first.wallet.limits, first.wallet.limitsVersion], [{ out: { perDay: 10 }, creditLine: 5 }, 1]);
    await withdraw(table, walletId, ann(10));
    const { wallet } = await setLimits(table, walletId, { out: { perDay: 15 } });
    assert.deepEqual([wallet.limits, wallet.limitsVersion, wallet.mostCredit], [{ out: { perDay: 15 } }, 2, 5]);
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(6))), ['out.perDay', 5, '2026-03-02T00:00:00.000Z']);
    table.clock.now += 1_000;
    const removed = (await setLimits(table, walletId, { in: {} })).wallet;
    const { limits, used, limitsVersion, lastLimitsChange } = removed;
    assert.deepEqual([limits, used, limitsVersion], [undefined, undefined, 3]);
    assert.deepEqual(lastLimitsChange, {
      ...{ at: timeOf(table), reason: 'the customer asked for it' },
      actor: { kind: 'operator', principal: 'operator-1' },
    });
    await withdraw(table, walletId, ann(90));
  });

  it('keeps the largest credit line that there ever was', async () => {
    const walletId = await openWallet(table, 'ann');
    const most = [];
    for (const creditLine of [10, 30, 20, 0, 30, 40]) {
      most.push((await setLimits(table, walletId, { creditLine })).wallet.mostCredit);
    }
    assert.deepEqual(most, [10, 30, 30, 30, 30, 40]);
  });

  it('is done once for a key, and refused when another operator has changed them', async () => {
    const walletId = await openWallet(table, 'ann');
    const [key, other] = [newKey(), newKey()];
    await setLimits(table, walletId, { creditLine: 1 }, { key, expectedVersion: 0 });
    await setLimits(table, walletId, { creditLine: 2 }, { key: other, expectedVersion: 1 });
    const again = await setLimits(table, walletId, { creditLine: 1 }, { key, expectedVersion: 0 });
    assert.deepEqual([again.replayed, again.wallet.limits, again.wallet.limitsVersion], [true, { creditLine: 2 }, 2]);
    for (const expectedVersion of [0, 1, 3]) {
      const refusal = await assertRefused(table, 'limits_changed', () =>
        setLimits(table, walletId, { creditLine: 3 }, { expectedVersion }),
      );
      assert.equal(refusal.details.detail, `version 2, expected ${expectedVersion}`);
    }
    await assertRefused(table, 'idempotency_key_reused', () => setLimits(table, walletId, { creditLine: 3 }, { key }));
  });

  it('is refused for no wallet, to its owner, and for a reason of the caller', async () => {
    const walletId = await openWallet(table, 'ann');
    await assertRefused(table, 'wallet_not_found', () => setLimits(table, 'w_none', {}));
    await assertRefused(table, 'forbidden', () => setLimits(table, walletId, {}, { principal: 'ann' }));
    const request = { walletId, limits: {}, reason: 'r' };
    const [key, reused] = [newKey(), newKey()];
    await setWalletLimits(table, operation(table, request, { key: reused }), request);
    const refusal = new WalletError('invalid_request');
    const refused = (of: string) => setWalletLimits(table, operation(table, request, { key: of }), request, refusal);
    await assertRefused(table, 'invalid_request', () => refused(key));
    assert.equal((await refused(reused)).replayed, true);
  });

  it('works on a frozen wallet', async () => {
    const walletId = await openWallet(table, 'ann');
    await setStatus(table, walletId, 'frozen');
    assert.deepEqual((await setLimits(table, walletId, { creditLine: 1 })).wallet.limits, { creditLine: 1 });
  });
});

describe('limits that this release cannot read', () => {
  it('are never ignored', async () => {
    const broken: object[] = [
      { limits: { out: { perYear: 1 } }, used: { day: '2026-03-01', outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 } },
      { limits: { out: { perDay: -1 } }, used: { day: '2026-03-01', outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 } },
      { limits: { creditLine: '5' }, used: { day: '2026-03-01', outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 } },
      { limits: { creditLine: 5 }, used: { day: 'today', outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 } },
      { limits: { creditLine: 5 }, used: { day: '2026-03-01', outDay: -1, outMonth: 0, inDay: 0, inMonth: 0 } },
      { limits: { creditLine: 5 } },
      { limits: 5, used: 5 },
    ];
    for (const members of broken) {
      const walletId = await fundedWallet(table, 'ann', 100);
      await changeItem(table, walletKey(walletId), members);
      for (const command of [() => withdraw(table, walletId, ann(1)), () => charge(table, walletId, { amount: 1 })]) {
        await assert.rejects(refusalOf(command()), UnreadableItem);
      }
      await changeItem(table, walletKey(walletId), { limits: undefined, used: undefined });
      assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    }
  });
});
