import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { walletIdOf } from '../../lambdas/domain/ids.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { creditRefusal, debitRefusal, openWallet as newWallet, statusRefusal } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { ownedWalletKey, rateWindowKey, walletKey } from '../../lambdas/store/keys.ts';
import { createWallet } from '../../lambdas/store/open-wallet.ts';
import { charge, newKey, operation, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { assertRefused, itemOf, plant, refusalOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { useEngine, useTable } from '../fixture.ts';

const engine = useEngine();
const table = useTable(engine);

const unknown = walletIdOf('stranger', 'none', 'EUR');

describe('money out', () => {
  for (const [name, send] of Object.entries({
    'by withdrawal': (walletId: string, owner: string, amount: number) => withdraw(table, walletId, { owner, amount }),
    'by transfer': async (walletId: string, owner: string, amount: number) =>
      transfer(table, walletId, await receiver(), { owner, amount }),
    'by queued transfer': async (walletId: string, owner: string, amount: number) =>
      queueTransfer(table, walletId, await receiver(), { owner, amount }),
  })) {
    it(`${name} is refused without funds, from frozen and closed wallets, and from wallets of others`, async () => {
      const walletId = await fundedWallet(table, 'ann', 10);
      // Created before, so that a refusal stores nothing.
      await receiver();
      await assertRefused(table, 'insufficient_funds', () => send(walletId, 'ann', 11));
      await assertRefused(table, 'wallet_not_found', () => send(walletId, 'bob', 1));
      await assertRefused(table, 'wallet_not_found', () => send(unknown, 'ann', 1));
      await setStatus(table, walletId, 'frozen');
      await assertRefused(table, 'wallet_frozen', () => send(walletId, 'ann', 1));
      await setStatus(table, walletId, 'active');
      await send(walletId, 'ann', 10);
    });
  }

  it('is refused from a closed wallet', async () => {
    const walletId = await openWallet(table, 'ann');
    await setStatus(table, walletId, 'closed');
    await assertRefused(table, 'wallet_closed', () => withdraw(table, walletId, { owner: 'ann', amount: 1 }));
  });

  it('does not spend held money', async () => {
    const walletId = await fundedWallet(table, 'ann', 10);
    await withdraw(table, walletId, { owner: 'ann', amount: 6 });
    await assertRefused(table, 'insufficient_funds', () => withdraw(table, walletId, { owner: 'ann', amount: 5 }));
    await withdraw(table, walletId, { owner: 'ann', amount: 4 });
    assert.deepEqual(await balanceOf(table, walletId), { available: 0, held: 10, total: 10 });
  });

  let to: string | undefined;
  async function receiver(): Promise<string> {
    return (to ??= await openWallet(table, 'receiver'));
  }
});

describe('money in', () => {
  it('is refused by frozen and closed wallets and by missing ones', async () => {
    const walletId = await openWallet(table, 'ann');
    const sender = await fundedWallet(table, 'bob', 100);
    for (const [status, code] of [
      ['frozen', 'wallet_frozen'],
      ['closed', 'wallet_closed'],
    ] as const) {
      await setStatus(table, walletId, status);
      await assertRefused(table, code, () => charge(table, walletId, { amount: 1 }));
      // The payer learns neither which of these it is nor anything else about the receiver.
      const pay = () => transfer(table, sender, walletId, { owner: 'bob', amount: 1 });
      await assertRefused(table, 'receiver_unavailable', pay);
      assert.deepEqual((await refusalOf(pay()))?.details, {});
    }
    await assertRefused(table, 'wallet_not_found', () => charge(table, unknown, { amount: 1 }));
    const toNobody = () => transfer(table, sender, unknown, { owner: 'bob', amount: 1 });
    await assertRefused(table, 'wallet_not_found', toNobody);
    assert.equal((await refusalOf(toNobody()))?.details.detail, `there is no wallet ${unknown}`);
    assert.deepEqual(await balanceOf(table, sender), { available: 100, held: 0, total: 100 });
  });

  it('is refused beyond 2^53-1, including held money, and accepted up to it', async () => {
    const walletId = await fundedWallet(table, 'ann', maxAmount - 10);
    await withdraw(table, walletId, { owner: 'ann', amount: 50 });
    await assertRefused(table, 'balance_limit_exceeded', () => charge(table, walletId, { amount: 11 }));
    const sender = await fundedWallet(table, 'bob', 100);
    await assertRefused(table, 'receiver_unavailable', () =>
      transfer(table, sender, walletId, { owner: 'bob', amount: 11 }),
    );
    await charge(table, walletId, { amount: 10 });
    assert.deepEqual(await balanceOf(table, walletId), { available: maxAmount - 50, held: 50, total: maxAmount });
    await assertRefused(table, 'balance_limit_exceeded', () => charge(table, walletId, { amount: 1 }));
    await withdraw(table, walletId, { owner: 'ann', amount: maxAmount - 50 });
    assert.deepEqual(await balanceOf(table, walletId), { available: 0, held: maxAmount, total: maxAmount });
  });

  it('of another currency is refused', async () => {
    const walletId = await fundedWallet(table, 'ann', 10);
    const dollars = await openWallet(table, 'bob', 'USD');
    await assertRefused(table, 'currency_mismatch', () => charge(table, walletId, { amount: 1, currency: 'USD' }));
    await assertRefused(table, 'currency_mismatch', () =>
      transfer(table, walletId, dollars, { owner: 'ann', amount: 1 }),
    );
  });
});

describe('a refusal', () => {
  it('follows from the wallet itself, for any wallet and any command', async () => {
    const near = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: maxAmount - 3, max: maxAmount }));
    const owner = fc.constantFrom('ann', 'bob');
    const wallet: fc.Arbitrary<Wallet> = fc
      .record({
        ownerId: owner,
        currency: fc.constantFrom('EUR', 'USD'),
        status: fc.constantFrom('active' as const, 'active' as const, 'frozen' as const, 'closed' as const),
        total: near,
        held: fc.nat({ max: 2 }),
      })
      .map(({ total, held, ...rest }) => ({
        ...newWallet({
          walletId: '',
          at: '2026-03-01T12:00:00.000Z',
          createdBy: { kind: 'owner', principal: 'ann' },
          ...rest,
        }),
        ...rest,
        total,
        held: Math.min(held, total),
        available: total - Math.min(held, total),
      }));
    const command = fc.record({ owner, amount: near.filter((amount) => amount > 0), currency: fc.constant('EUR') });
    const table = await engine.newTable();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(wallet, command, async (image, command) => {
        const put = async () => {
          const walletId = walletIdOf('planted', String(++count), 'EUR');
          await plant(table, { ...walletKey(walletId), ...image, walletId });
          return walletId;
        };
        const use = { ...command, ownerId: command.owner, walletId: '', at: timeOf(table) };
        const attempts = [
          { expected: debitRefusal(image, use), send: async () => withdraw(table, await put(), command) },
          {
            expected: creditRefusal(image, { ...use, ownerId: undefined }),
            send: async () => charge(table, await put(), { amount: command.amount, currency: 'EUR' }),
          },
          ...(['active', 'frozen', 'closed'] as const).map((status) => ({
            expected: statusRefusal(image, status, 'operator-1'),
            send: async () => setStatus(table, await put(), status),
          })),
        ];
        for (const { expected, send } of attempts) {
          assert.equal((await refusalOf(send()))?.code, expected?.code);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the key free: the same request may succeed later', async () => {
    const walletId = await openWallet(table, 'ann');
    const command = { owner: 'ann', key: newKey(), amount: 5 };
    await assertRefused(table, 'insufficient_funds', () => withdraw(table, walletId, command));
    await charge(table, walletId, { amount: 5 });
    assert.equal((await withdraw(table, walletId, command)).replayed, false);
  });
});

describe('the rate windows of an end user', () => {
  const rate = { principal: 'rita', operation: 'withdraw', perHour: 2 };
  const counts = async () => {
    const { pk, sk, ttl, ...windows } = (await itemOf(table, rateWindowKey('rita', 'withdraw'))) ?? {};
    return windows;
  };

  it('count only accepted commands, refuse beyond the limit, and have room again at the time that they name', async () => {
    const walletId = await fundedWallet(table, 'rita', 100);
    const first = { owner: 'rita', key: newKey(), amount: 1, rate };
    const more = () => withdraw(table, walletId, { owner: 'rita', amount: 1, rate });
    table.clock.now = Date.parse('2026-03-01T12:59:30.500Z');
    await withdraw(table, walletId, first);
    await assertRefused(table, 'insufficient_funds', () =>
      withdraw(table, walletId, { owner: 'rita', amount: 101, rate }),
    );
    assert.equal((await withdraw(table, walletId, first)).replayed, true);
    assert.deepEqual(new Set(Object.values(await counts())), new Set([1]));
    await more();
    const refusal = await assertRefused(table, 'rate_limited', more);
    // The last window that counted them begins at 12:40 and ends at 14:00.
    assert.deepEqual(refusal.details, { limit: 2, retryAfterSeconds: 3_630 });
    assert.equal((await withdraw(table, walletId, first)).replayed, true, 'a replay is not limited');

    table.clock.now = Date.parse('2026-03-01T13:00:30.000Z');
    await assertRefused(table, 'rate_limited', more);
    table.clock.now = Date.parse('2026-03-01T13:59:59.999Z');
    assert.equal((await assertRefused(table, 'rate_limited', more)).details.retryAfterSeconds, 1);
    table.clock.now = Date.parse('2026-03-01T14:00:00.000Z');
    await more();
  });

  it('are one item of less than 1 KB, however long a caller continues', async () => {
    const often = { principal: 'p'.repeat(128), operation: 'create-wallet', perHour: 1_000_000 };
    const walletId = await fundedWallet(table, 'rita', 1_000);
    table.clock.now = Date.parse('2026-03-02T00:00:00Z');
    for (let n = 0; n < 60; n++) {
      // Each step for some hours, then every few hours: idle for less than a day.
      table.clock.now += (n < 20 ? 20 : 200) * 60_000;
      await withdraw(table, walletId, { owner: 'rita', amount: 1, rate: often });
      const item = (await itemOf(table, rateWindowKey(often.principal, often.operation)))!;
      const names = Object.keys(item).filter((name) => name.startsWith('w'));
      assert.ok(names.length <= 5, names.join());
      assert.ok(JSON.stringify(item).length < 600);
    }
  });

  it('are one item for each operation and each caller, and operators have none', async () => {
    const walletId = await fundedWallet(table, 'sam', 100);
    const to = await openWallet(table, 'bob');
    const limited = (operation: string) => ({
      owner: 'sam',
      amount: 1,
      rate: { principal: 'sam', operation, perHour: 1 },
    });
    await withdraw(table, walletId, limited('withdraw'));
    await assertRefused(table, 'rate_limited', () => withdraw(table, walletId, limited('withdraw')));
    await transfer(table, walletId, to, limited('transfer'));
    await assertRefused(table, 'rate_limited', () => transfer(table, walletId, to, limited('transfer')));
    await assertRefused(table, 'rate_limited', () => queueTransfer(table, walletId, to, limited('transfer')));
    for (let i = 0; i < 3; i++) await withdraw(table, walletId, { amount: 1 });
  });

  it('limit the opening of wallets', async () => {
    const request = {
      ownerId: 'tess',
      currency: 'EUR',
      rate: { principal: 'tess', operation: 'create-wallet', perHour: 1 },
    };
    const create = () => createWallet(table, operation(table, request, { owner: 'tess' }), request);
    const { wallet } = await create();
    await assertRefused(table, 'rate_limited', create);
    assert.ok(await itemOf(table, ownedWalletKey('tess', wallet.walletId)));
  });
});
