/** The limits of wallets and of the rate, for splits on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { newKey } from './commands.ts';
import { assertRefused } from './inspect.ts';
import { anotherContainer, limitedWallet, setLimits, usedOf } from './limit-commands.ts';
import { split, splitWallets } from './split-commands.ts';
import type { Payment } from './split-commands.ts';

const table = useTable();

describe('the limits of a wallet', () => {
  it('count the net of its legs in days and months, and refuse the largest leg of its direction', async () => {
    const { second, shop, tax } = await splitWallets(table);
    const limited = await limitedWallet(table, 1_000, { out: { perTransaction: 80, perDay: 100 }, in: { perDay: 30 } });
    await split(
      table,
      [
        [limited, shop, 70],
        [limited, tax, 70],
        [second, limited, 50],
      ],
      { owner: 'ann' },
    );
    assert.deepEqual((await usedOf(table, limited)).slice(1), [90, 90, 0, 0]);
    const over: Payment[] = [
      [limited, shop, 81],
      [shop, limited, 80],
    ];
    const refusal = await assertRefused(table, 'limit_exceeded', () => split(table, over));
    assert.deepEqual([refusal.details.leg, refusal.details.walletLimit?.limit], [0, 'out.perTransaction']);
    const day = await assertRefused(table, 'limit_exceeded', () =>
      split(table, [[limited, shop, 11]], { owner: 'ann' }),
    );
    assert.equal(day.details.walletLimit?.left, 10);
    await split(table, [[limited, shop, 10]], { owner: 'ann' });
  });

  it('are those of the stored wallets, whatever this container knew of them', async () => {
    const { first, shop, tax } = await splitWallets(table);
    for (const walletId of [first, shop]) await setLimits(table, walletId, { in: { perDay: 40 }, out: { perDay: 40 } });
    const other = anotherContainer(table);
    const payments: Payment[] = [
      [first, shop, 30],
      [first, tax, 5],
    ];
    const { roundTrips } = await measure(table, () => split(other, payments, { owner: 'ann' }));
    assert.equal(roundTrips, 2, 'one for all outdated wallets');
    assert.deepEqual((await usedOf(table, first)).slice(1, 2), [35]);
    assert.deepEqual((await usedOf(table, shop)).slice(3, 4), [30]);
  });
});

describe('the rate limit', () => {
  const rateOf = (perHour: number, count: number) => ({ principal: newKey(), operation: 'split', perHour, count });

  it('counts each leg', async () => {
    const { first, shop, tax } = await splitWallets(table);
    const legs = (n: number) => Array.from({ length: n }, (_, i): Payment => [first, i % 2 === 0 ? shop : tax, 1]);
    const { principal } = rateOf(5, 1);
    const pay = (n: number, key = newKey()) =>
      split(table, legs(n), { owner: 'ann', key, rate: { ...rateOf(5, n), principal } });
    const key = newKey();
    await pay(3, key);
    await assertRefused(table, 'rate_limited', () => pay(3));
    await pay(2);
    await assertRefused(table, 'rate_limited', () => pay(1));
    assert.equal((await pay(3, key)).replayed, true);
  });

  it('refuses more legs than an hour takes', async () => {
    const { first, shop } = await splitWallets(table);
    const payments: Payment[] = [
      [first, shop, 1],
      [first, shop, 1],
    ];
    const rate = rateOf(1, 2);
    const refusal = await assertRefused(table, 'rate_limited', () => split(table, payments, { owner: 'ann', rate }));
    assert.deepEqual(
      [refusal.details.limit, refusal.details.detail],
      [1, 'the request has 2 legs, and an hour takes 1'],
    );
  });
});
