/** Split payments on the real engine. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { mostLegs, mostWallets } from '../../lambdas/domain/split.ts';
import { getTransactions, listTransactions } from '../../lambdas/store/transactions.ts';
import { measure } from '../engine.ts';
import { inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { newKey } from './commands.ts';
import { assertRefused, assertWritesNothing } from './inspect.ts';
import { anotherContainer, setLimits, walletOf } from './limit-commands.ts';
import { forget } from './recovering.ts';
import { refund, refundableOf } from './refund-commands.ts';
import { split, splitWallets } from './split-commands.ts';
import type { Payment } from './split-commands.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();

const availableOf = async (walletIds: readonly string[]) =>
  Promise.all(walletIds.map(async (walletId) => Number((await walletOf(table, walletId)).available)));

describe('a split', () => {
  it('books all legs and changes each wallet once, by its net, in one write', async () => {
    const { first, second, shop, tax } = await splitWallets(table);
    const payments: Payment[] = [
      [first, shop, 60],
      [second, shop, 10],
      [first, tax, 5],
      [second, first, 15],
    ];
    const { result, roundTrips, writeUnits } = await measure(table, () => split(table, payments, { owner: 'ann' }));
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 2 + 4 * 4 + 2 * 4, `${writeUnits} units`);
    });
    assert.deepEqual(await availableOf([first, second, shop, tax]), [50, 25, 90, 5]);
    const versions = await Promise.all([first, shop, tax].map(async (id) => (await walletOf(table, id)).version));
    assert.deepEqual(versions, [2, 2, 1]);
    const { legs } = result.split;
    const [one] = legs;
    for (const walletId of [first, shop]) {
      assert.equal((await walletOf(table, walletId)).lastTransactionId, one!.transactionId);
    }
    const stored = await getTransactions(
      table,
      legs.map(({ transactionId }) => transactionId),
    );
    assert.deepEqual([...stored.values()], JSON.parse(JSON.stringify(legs)));
    const { items } = await listTransactions(table, { walletId: shop, limit: 10, type: 'transfer' });
    assert.deepEqual(new Set(items.map(({ amount }) => amount)), new Set([60, 10]));
  });

  it('takes 2 + 4 n + 2 w units with the most legs and wallets, and 2 more for an end user', async () => {
    const payer = await fundedWallet(table, 'ann', mostLegs);
    const others: string[] = [];
    for (let n = 1; n < mostWallets; n++) others.push(await openWallet(table, `owner ${n}`));
    const payments = Array.from({ length: mostLegs }, (_, n): Payment => [payer, others[n % others.length]!, 1]);
    const rate = { principal: 'ann', operation: 'split', perHour: 100, count: mostLegs };
    await measureTo(2 + 4 * mostLegs + 2 * mostWallets + 2, () => split(table, payments, { owner: 'ann', rate }));
    assert.deepEqual(await availableOf([payer]), [0]);
  });

  async function measureTo(most: number, work: () => Promise<unknown>): Promise<void> {
    const { roundTrips, writeUnits } = await measure(table, work);
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= most, `${writeUnits} units, and not ${most}`);
    });
  }

  it('only checks a wallet whose legs cancel out', async () => {
    const { first, second, shop } = await splitWallets(table);
    const payments: Payment[] = [
      [first, second, 30],
      [second, shop, 30],
    ];
    const before = await walletOf(table, second);
    await split(table, payments, { owner: 'ann' });
    assert.deepEqual(await walletOf(table, second), before);
    assert.deepEqual(await availableOf([first, shop]), [70, 50]);
    await setStatus(table, second, 'frozen');
    const refusal = await assertRefused(table, 'wallet_frozen', () => split(table, payments, { owner: 'ann' }));
    assert.deepEqual(refusal.details, { detail: `legs[0]: wallet ${second} is frozen`, leg: 0 });
  });

  it('moves money in a circle that no wallet has', async () => {
    const wallets = [await openWallet(table, 'ann'), await openWallet(table, 'ann'), await openWallet(table, 'ann')];
    const [a, b, c] = wallets as [string, string, string];
    const { split: made } = await split(
      table,
      [
        [a, b, 10],
        [b, c, 10],
        [c, a, 10],
      ],
      { owner: 'ann' },
    );
    assert.equal(made.legs.length, 3);
    assert.deepEqual(await availableOf(wallets), [0, 0, 0]);
  });

  it('has legs of which each can be refunded, and its replay shows that', async () => {
    const { first, shop, tax } = await splitWallets(table);
    const payments: Payment[] = [
      [first, shop, 60],
      [first, tax, 5],
    ];
    const key = newKey();
    const { split: made } = await split(table, payments, { owner: 'ann', key });
    const { transaction } = await refund(table, await refundableOf(table, made.legs[0]!), { amount: 60 });
    const again = await split(table, payments, { owner: 'ann', key });
    assert.equal(again.replayed, true);
    assert.deepEqual(
      again.split.legs.map(({ refunds }) => refunds),
      [[transaction.transactionId], undefined],
    );
    assert.deepEqual(await availableOf([first, shop, tax]), [95, 20, 5]);
  });
});

describe('a split is booked at most once', () => {
  const payTwo = async () => {
    const { first, shop, tax } = await splitWallets(table);
    const payments: Payment[] = [
      [first, shop, 60],
      [first, tax, 5],
    ];
    return { first, shop, tax, payments, key: newKey() };
  };

  it('by any repetition, also at the same time', async () => {
    const { first, payments, key } = await payTwo();
    const all = await Promise.all([1, 2, 3].map(() => split(table, payments, { owner: 'ann', key })));
    assert.equal(all.filter(({ replayed }) => !replayed).length, 1);
    const ids = all.map(({ split: { legs } }) => legs.map(({ transactionId }) => transactionId).join());
    assert.equal(new Set(ids).size, 1);
    const { result, roundTrips } = await measure(table, () => split(table, payments, { owner: 'ann', key }));
    assert.deepEqual([result.replayed, roundTrips], [true, 2]);
    assert.deepEqual(await availableOf([first]), [35]);
  });

  for (const [name, fault] of Object.entries({ lostAnswer, lostRequest })) {
    it(`when the first try ends in ${name}`, async () => {
      const { first, payments } = await payTwo();
      table.fault = inTurn(fault);
      assert.equal((await split(table, payments, { owner: 'ann' })).replayed, false);
      assert.deepEqual(await availableOf([first]), [35]);
    });
  }

  it('and its key serves no other request', async () => {
    const { first, shop, payments, key } = await payTwo();
    await split(table, payments, { owner: 'ann', key });
    await assertRefused(table, 'idempotency_key_reused', () => split(table, [[first, shop, 1]], { owner: 'ann', key }));
  });

  it('where the record of its key was lost: the same request is a replay, and no other is booked', async () => {
    const { first, shop, tax, payments, key } = await payTwo();
    const { split: made } = await split(table, payments, { owner: 'ann', key });
    await forget({ table }, { transactionId: made.splitId });
    const again = await split(table, payments, { owner: 'ann', key });
    assert.deepEqual([again.replayed, again.split.legs], [true, JSON.parse(JSON.stringify(made.legs))]);
    const others: Payment[][] = [[[first, shop, 61]], [[first, tax, 60]], [...payments, [first, tax, 1]]];
    for (const other of others) {
      await assertRefused(table, 'idempotency_key_reused', () => split(table, other, { owner: 'ann', key }));
    }
    assert.deepEqual(await availableOf([first, shop, tax]), [35, 80, 5]);
  });

  it('where records of its legs were lost: a repetition books nothing, and names the first', async () => {
    const { first, payments, key } = await payTwo();
    const { split: made } = await split(table, payments, { owner: 'ann', key });
    await forget({ table }, made.legs[1]!);
    const lost = () => split(table, payments, { owner: 'ann', key });
    assert.equal((await assertRefused(table, 'idempotency_key_reused', lost)).details.leg, 1);
    await forget({ table }, { transactionId: made.splitId });
    assert.equal((await assertRefused(table, 'idempotency_key_reused', lost)).details.leg, 1);
    assert.deepEqual(await availableOf([first]), [35]);
  });
});

describe('a refused split stores nothing, and names a leg', () => {
  const refusedBy = async (code: WalletError['code'], leg: number, payments: readonly Payment[], owner?: string) => {
    const command = owner === undefined ? {} : { owner };
    const refusal = await assertRefused(table, code, () => split(anotherContainer(table), payments, command));
    assert.equal(refusal.details.leg, leg);
    return refusal.details.detail;
  };

  it('when a wallet lacks the net of its legs', async () => {
    const { first, second, shop, tax } = await splitWallets(table);
    const detail = await refusedBy(
      'insufficient_funds',
      1,
      [
        [first, shop, 100],
        [second, shop, 40],
        [second, tax, 11],
      ],
      'ann',
    );
    assert.equal(detail, 'legs[1]: available 50, requested 51, in minor units of EUR');
  });

  it('when a paying wallet is not the own one of the caller, also if it gets more than it pays', async () => {
    const { first, shop } = await splitWallets(table);
    const missing = await refusedBy(
      'wallet_not_found',
      1,
      [
        [first, first.replace(/.$/, 'a'), 1],
        [shop, first, 1],
      ],
      'ann',
    );
    assert.equal(missing, `legs[1]: there is no wallet ${shop}`);
    await refusedBy(
      'wallet_not_found',
      0,
      [
        [first, shop, 5],
        [shop, first, 1],
      ],
      'ann',
    );
    await refusedBy(
      'wallet_not_found',
      0,
      [
        [first, shop, 5],
        [shop, first, 5],
      ],
      'ann',
    );
    await split(table, [
      [first, shop, 5],
      [shop, first, 1],
    ]);
    assert.deepEqual(await availableOf([first, shop]), [96, 24]);
  });

  it('when a wallet that only receives takes nothing, without its state', async () => {
    const { first, shop, tax } = await splitWallets(table);
    const payments: Payment[] = [
      [first, tax, 5],
      [first, shop, 5],
    ];
    await setStatus(table, shop, 'frozen');
    const hidden = 'legs[1]: The receiver cannot receive this money';
    assert.equal(await refusedBy('receiver_unavailable', 1, payments), hidden);
    const full = await fundedWallet(table, 'shop', maxAmount - 4);
    assert.equal(await refusedBy('receiver_unavailable', 0, [[first, full, 5]], 'ann'), hidden.replace('1', '0'));
  });

  it('except to an end user with several receivers, who learns from no other one what they take', async () => {
    const { first, shop, tax } = await splitWallets(table);
    await setLimits(table, shop, { maximumBalance: 30 });
    await setStatus(table, tax, 'frozen');
    const pay = (amount: number, other: string) => [[first, shop, amount] as const, [first, other, 1] as const];
    const answers = async (code: WalletError['code'], other: string) => {
      const details = [];
      for (const amount of [10, 11]) {
        const { details: found } = await assertRefused(table, code, () =>
          split(table, pay(amount, other), { owner: 'ann' }),
        );
        details.push(found);
      }
      return details;
    };
    assert.deepEqual(await answers('receiver_unavailable', tax), [{}, {}]);
    const missing = shop.replace(/.$/, 'a');
    const notFound = { detail: `legs[1]: there is no wallet ${missing}`, leg: 1 };
    assert.deepEqual(await answers('wallet_not_found', missing), [notFound, notFound]);
  });

  it('when a wallet that pays and gets more is frozen, with its state', async () => {
    const { first, second } = await splitWallets(table);
    await setStatus(table, second, 'frozen');
    const payments: Payment[] = [
      [first, second, 5],
      [second, first, 1],
    ];
    assert.equal(await refusedBy('wallet_frozen', 0, payments, 'ann'), `legs[0]: wallet ${second} is frozen`);
  });

  it('when it is over the limit of operators; a replay is still answered', async () => {
    const { first, shop } = await splitWallets(table);
    const [payments, key]: [Payment[], string] = [[[first, shop, 5]], newKey()];
    const overLimit = new WalletError('operator_limit_exceeded');
    await assertRefused(table, 'operator_limit_exceeded', () => split(table, payments, { key, overLimit }));
    const { split: made } = await split(table, payments, { key });
    const replay = { split: JSON.parse(JSON.stringify(made)) as typeof made, replayed: true };
    await assertWritesNothing(table, replay, () => split(table, payments, { key, overLimit }));
  });
});

describe('any splits', () => {
  it('keep the sum of all money, and each wallet at what its legs say', async () => {
    const wallets: string[] = [];
    for (let n = 0; n < 4; n++) wallets.push(await fundedWallet(table, 'ann', 50));
    const payments = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(payments, async (drawn) => {
        const legs = drawn.map(([from, step, amount]): Payment => [
          wallets[from]!,
          wallets[(from + step) % 4]!,
          amount,
        ]);
        const before = await availableOf(wallets);
        const expected = wallets.map((walletId, n) =>
          legs.reduce(
            (sum, [from, to, amount]) => sum + (to === walletId ? amount : 0) - (from === walletId ? amount : 0),
            before[n]!,
          ),
        );
        const isPossible = expected.every((amount) => amount >= 0);
        const work = () => split(table, legs, { owner: 'ann' });
        if (isPossible) await work();
        else await assertRefused(table, 'insufficient_funds', work);
        assert.deepEqual(await availableOf(wallets), isPossible ? expected : before);
      }),
      { numRuns: 25 },
    );
  });
});
