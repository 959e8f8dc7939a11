/** Refunds of transfers, captures and charges, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { isRefundable, mostBeforeOwners, mostRefunds } from '../../lambdas/domain/refund.ts';
import { sum } from '../../lambdas/domain/postings.ts';
import type { Posting } from '../../lambdas/domain/postings.ts';
import type { PendingTransfer, Refundable, Transaction } from '../../lambdas/domain/transaction.ts';
import { listTransactions } from '../../lambdas/store/transactions.ts';
import { settleTransfers } from '../../lambdas/store/transfers.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { measure } from '../engine.ts';
import type { Fault } from '../engine.ts';
import { inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { charge, newKey, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { openHold } from './hold-commands.ts';
import { allItems, asStored, assertRefused, assertWritesNothing, refusalOf } from './inspect.ts';
import { chargedWallet, payment, plantRefunds, refund, refundableOf } from './refund-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();

const balance = (available: number, held = 0) => ({ available, held, total: available + held });

async function assertBalances(expected: Readonly<Record<string, number>>): Promise<void> {
  for (const [walletId, available] of Object.entries(expected)) {
    assert.deepEqual(await balanceOf(table, walletId), balance(available), walletId);
  }
}

/** Asserts what the record of an original says about its refunds. */
async function assertRefunded(original: Refundable, refunded: number, refunds: readonly string[]): Promise<void> {
  const now = await refundableOf(table, original);
  assert.deepEqual([now.refunded, now.refunds], [refunded, refunds]);
  assert.deepEqual([now.status, now.postings], [original.status, original.postings]);
}

describe('a refund', () => {
  it.each(['transfer', 'capture'] as const)(
    'of a %s is made in parts, each in one write of 12 units, until nothing is left',
    async (kind) => {
      const { payer, shop, original } = await payment(table, kind);
      const { result, roundTrips, writeUnits } = await measure(table, () => refund(table, original, { amount: 30 }));
      assert.equal(roundTrips, 1);
      checkUnits(() => {
        assert.ok(writeUnits <= 12, `${writeUnits} units`);
      });
      assert.equal(result.replayed, false);
      const first = result.transaction;
      assert.deepEqual([first.walletId, first.counterpartyWalletId, first.refundedBy], [shop, payer, 'owner']);
      await assertBalances({ [payer]: 930, [shop]: 70 });
      await assertRefunded(original, 30, [first.transactionId]);

      const seen = await refundableOf(table, original);
      const refusal = await assertRefused(table, 'exceeds_refundable', () => refund(table, seen, { amount: 71 }));
      assert.equal(refusal.details.detail, 'left 70, requested 71, in minor units of EUR');
      table.clock.now += 1_000;
      const { transaction: second } = await refund(table, seen);
      assert.equal(second.amount, 70);
      await assertBalances({ [payer]: 1_000, [shop]: 0 });
      await assertRefunded(original, 100, [first.transactionId, second.transactionId]);
      await assertRefused(table, 'exceeds_refundable', () => refund(table, seen));
      for (const walletId of [payer, shop]) {
        const { items } = await listTransactions(table, { walletId, limit: 10, type: 'refund' });
        assert.deepEqual(
          items.map(({ amount }) => amount),
          [70, 30],
        );
      }
    },
  );

  it('of a charge goes to the world outside, in one write of 8 units', async () => {
    const { walletId, original } = await chargedWallet(table, 100);
    const command = () => refund(table, original, { amount: 40, operator: 'operator-2' });
    const { result, roundTrips, writeUnits } = await measure(table, command);
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 8, `${writeUnits} units`);
    });
    const { transaction } = result;
    assert.deepEqual([transaction.refundedBy, transaction.chargeback], ['operator', undefined]);
    assert.equal(transaction.postings[1]?.account, 'external:EUR');
    await assertBalances({ [walletId]: 60 });
    await assertRefunded(original, 40, [transaction.transactionId]);
  });

  it('of a queued transfer is possible when it has arrived, also together with others', async () => {
    const payer = await fundedWallet(table, 'ann', 1_000);
    const shop = await openWallet(table, 'shop');
    const queued: Transaction[] = [];
    for (const amount of [50, 20]) {
      queued.push((await queueTransfer(table, payer, shop, { owner: 'ann', amount })).transaction);
    }
    const [first] = queued;
    assert.ok(first && !isRefundable(first));
    await settleTransfers(table, queued as [PendingTransfer, PendingTransfer], timeOf(table));
    const original = await refundableOf(table, first);
    const { transaction } = await refund(table, original);
    await assertRefunded(original, 50, [transaction.transactionId]);
    await assertBalances({ [payer]: 980, [shop]: 20 });
  });

  it('takes no more than the wallet that received the money has available', async () => {
    const { payer, shop, original } = await payment(table);
    await openHold(table, payer, { amount: 10, to: shop });
    const other = await openWallet(table, 'bob');
    await transfer(table, shop, other, { owner: 'shop', amount: 60 });
    await assertRefused(table, 'insufficient_funds', () => refund(table, original));
    await refund(table, original, { amount: 40 });
    await assertBalances({ [shop]: 0, [other]: 60 });
  });

  it('needs an active wallet that gives, and the refusal names it; one that gets is unavailable', async () => {
    for (const status of ['frozen', 'closed'] as const) {
      const gives = await payment(table);
      if (status === 'closed') {
        const other = await openWallet(table, 'bob');
        await transfer(table, gives.shop, other, { owner: 'shop', amount: 100 });
      }
      await setStatus(table, gives.shop, status);
      await assertRefused(table, `wallet_${status}`, () => refund(table, gives.original));

      const gets = await payment(table, 'transfer', 1_000);
      await setStatus(table, gets.payer, status);
      await assertRefused(table, 'receiver_unavailable', () => refund(table, gets.original));
    }
  });

  it('is made by the owner of the wallet that received the money, or by an operator who does not get it', async () => {
    const { payer, shop, original } = await payment(table);
    const stranger = { ...original, counterpartyWalletId: await fundedWallet(table, 'bob', 500) } as Refundable;
    await assertRefused(table, 'wallet_not_found', () => refund(table, stranger));
    await assertRefused(table, 'forbidden', () => refund(table, original, { operator: 'ann' }));
    await refund(table, original, { amount: 1, operator: 'shop' });
    await refund(table, original, { amount: 2, operator: 'operator-2' });
    await assertBalances({ [payer]: 903, [shop]: 97 });
  });

  it('is not made with the key of its original', async () => {
    const { original } = await payment(table);
    const key = newKey();
    const { transaction } = await refund(table, original, { amount: 1, key });
    await assertRefused(table, 'idempotency_key_reused', () => refund(table, original, { amount: 2, key }));
    const same = { ...original, transactionId: transaction.transactionId };
    await assertRefused(table, 'idempotency_key_reused', () => refund(table, same, { key }));
  });

  it('is one of at most two hundred of its original, of which owners make a hundred', async () => {
    const { shop, original } = await payment(table, 'transfer', 500);
    const ids = await plantRefunds(table, original, mostBeforeOwners - 1);
    const last = await refund(table, original, { amount: 1 });
    await assertRefunded(original, 100, [...ids, last.transaction.transactionId]);
    const byOperator = { amount: 1, operator: 'operator-2' };
    await assertRefused(table, 'too_many_refunds', () => refund(table, original, { amount: 1 }));
    await refund(table, original, byOperator);
    await assertBalances({ [shop]: 498 });
    await plantRefunds(table, original, mostRefunds);
    await assertRefused(table, 'too_many_refunds', () => refund(table, original, byOperator));
  });
});

describe('a chargeback', () => {
  it('is booked whatever the balance of the wallet, so that it may go below zero', async () => {
    const { walletId, original } = await chargedWallet(table, 100);
    await withdraw(table, walletId, { owner: 'ann', amount: 90 });
    await assertRefused(table, 'insufficient_funds', () => refund(table, original, { operator: 'operator-2' }));
    const command = () => refund(table, original, { amount: 60, chargeback: true, operator: 'operator-2' });
    const { result, roundTrips, writeUnits } = await measure(table, command);
    assert.equal(roundTrips, 1);
    checkUnits(() => {
      assert.ok(writeUnits <= 8, `${writeUnits} units`);
    });
    assert.equal(result.transaction.chargeback, true);
    assert.deepEqual(await balanceOf(table, walletId), balance(-50, 90));
    await refund(table, original, { chargeback: true, operator: 'operator-2' });
    assert.deepEqual(await balanceOf(table, walletId), balance(-90, 90));
    assert.equal((await getWallet(table, walletId))?.chargedBack, 100);
    const refusal = await assertRefused(table, 'exceeds_refundable', () =>
      refund(table, original, { amount: 1, chargeback: true, operator: 'operator-2' }),
    );
    assert.equal(refusal.details.detail, 'left 0, requested 1, in minor units of EUR');
  });

  it('leaves a wallet that pays nothing and is not closed until it is charged what it lacks', async () => {
    const { walletId, original } = await chargedWallet(table, 100);
    const shop = await openWallet(table, 'shop');
    await withdraw(table, walletId, { owner: 'ann', amount: 100 });
    await refund(table, original, { chargeback: true, operator: 'operator-2' });
    assert.deepEqual(await balanceOf(table, walletId), balance(-100, 100));
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, walletId, 'closed'));
    const pay = () => transfer(table, walletId, shop, { owner: 'ann', amount: 1 });
    const refusal = await assertRefused(table, 'insufficient_funds', pay);
    assert.equal(refusal.details.detail, 'available -100, requested 1, in minor units of EUR');
    await charge(table, walletId, { amount: 101 });
    await pay();
    assert.deepEqual(await balanceOf(table, walletId), balance(0, 100));
  });

  it.each(['frozen', 'closed'] as const)('is booked in a %s wallet', async (status) => {
    const { walletId, original } = await chargedWallet(table, 100);
    if (status === 'closed') {
      await transfer(table, walletId, await openWallet(table, 'bob'), { owner: 'ann', amount: 100 });
    }
    await setStatus(table, walletId, status);
    await assertRefused(table, `wallet_${status}`, () => refund(table, original, { operator: 'operator-2' }));
    await refund(table, original, { chargeback: true, operator: 'operator-2' });
    const left = status === 'closed' ? -100 : 0;
    await assertBalances({ [walletId]: left });
    assert.equal((await getWallet(table, walletId))?.status, status);
    if (status === 'frozen') return;
    await assertRefused(table, 'wallet_closed', () => charge(table, walletId, { amount: 100 }));
    await setStatus(table, walletId, 'active');
    await charge(table, walletId, { amount: 100 });
    await setStatus(table, walletId, 'closed');
    await assertRefused(table, 'wallet_closed', () => setStatus(table, walletId, 'active'));
  });

  it('is made of charges only', async () => {
    const { original } = await payment(table);
    await assertRefused(table, 'not_refundable', () =>
      refund(table, original, { chargeback: true, operator: 'operator-2' }),
    );
  });
});

describe('a refund that meets another one', () => {
  /** Lets another command win between the read of the original and this write. */
  async function racing<T>(first: () => Promise<unknown>, second: () => Promise<T>): Promise<T> {
    let isOver = false;
    const meanwhile: Fault = async (_call, send) => {
      if (!isOver) {
        isOver = true;
        await first();
      }
      return send();
    };
    table.fault = meanwhile;
    try {
      return await second();
    } finally {
      table.fault = undefined;
    }
  }

  it('gives back all that is left then, when it names no amount', async () => {
    for (const before of [undefined, 20]) {
      const { payer, shop, original } = await payment(table);
      if (before !== undefined) await refund(table, original, { amount: before });
      const seen = await refundableOf(table, original);
      const { transaction } = await racing(
        () => refund(table, seen, { amount: 30 }),
        () => refund(table, seen),
      );
      assert.equal(transaction.amount, 70 - (before ?? 0));
      await assertBalances({ [payer]: 1_000, [shop]: 0 });
    }
  });

  it('is refused when the other one left too little, and not when it left enough', async () => {
    const { original, shop } = await payment(table);
    const tooMuch = racing(
      () => refund(table, original, { amount: 30 }),
      () => refund(table, original, { amount: 71 }),
    );
    assert.equal((await refusalOf(tooMuch))?.code, 'exceeds_refundable');
    await racing(
      () => refund(table, original, { amount: 30 }),
      () => refund(table, original, { amount: 40 }),
    );
    await assertBalances({ [shop]: 0 });
  });

  it('is made once when an answer or a request is lost', async () => {
    for (const fault of [lostAnswer, lostRequest]) {
      for (const amount of [30, undefined]) {
        const { payer, shop, original } = await payment(table);
        const key = newKey();
        const command = { key, ...(amount !== undefined && { amount }) };
        table.fault = inTurn(fault);
        const first = await refund(table, original, command);
        table.fault = undefined;
        assert.equal(first.replayed, false);
        const seen = await refundableOf(table, original);
        const again = () => refund(table, seen, command);
        const { transaction } = await again();
        assert.deepEqual(asStored(transaction), asStored(first.transaction));
        await assertWritesNothing(table, { transaction, replayed: true }, again);
        await assertBalances({ [payer]: 900 + (amount ?? 100), [shop]: 100 - (amount ?? 100) });
      }
    }
  });
});

describe('a thousand refunds of one transaction at the same time', () => {
  it.each(['transfer', 'capture', 'charge'] as const)('never give back more than a %s moved', async (kind) => {
    const amount = 300;
    const paid =
      kind === 'charge'
        ? await chargedWallet(table, amount).then(({ walletId, original }) => ({ shop: walletId, original }))
        : await payment(table, kind, amount);
    // Other money of the wallet could pay for more refunds.
    await charge(table, paid.shop, { amount: 10_000 });
    let refunded = 0;
    const ids: string[] = [];
    const counts = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => {
        const key = n % 10 === 9 ? `repeated-${kind}-${String(n % 30)}` : newKey();
        const operator = kind === 'charge' ? { operator: 'operator-2' } : {};
        const chargeback = kind === 'charge' && n % 3 === 0 ? { chargeback: true as const } : {};
        // Some that name no amount come when others have been made.
        const some = n > 200 && n % 95 === 0 ? {} : { amount: 1 + (n % 10) };
        const done = refund(table, paid.original, { key, ...some, ...operator, ...chargeback }).then(
          ({ transaction, replayed }) => {
            if (replayed) return;
            refunded += transaction.amount;
            ids.push(transaction.transactionId);
          },
        );
        const name = (await refusalOf(done))?.code ?? 'done';
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }),
    );
    const shown = JSON.stringify(Object.fromEntries(counts));
    const possible = ['done', 'exceeds_refundable', 'too_many_refunds', 'busy'];
    assert.deepEqual(
      [...counts.keys()].filter((name) => !possible.includes(name)),
      [],
      shown,
    );
    const now = await refundableOf(table, paid.original);
    assert.deepEqual([now.refunded, [...(now.refunds ?? [])].sort()], [refunded, ids.sort()], shown);
    assert.ok(refunded > 0 && refunded <= amount && ids.length <= mostRefunds, shown);
    const received = kind === 'charge' ? 10_000 + amount : amount + 10_000;
    await assertBalances({ [paid.shop]: received - refunded });
    assert.equal(sum((await allItems(table)).flatMap((item) => (item['postings'] ?? []) as Posting[])), 0n);
  });
});
