/** Commands that meet on one hold, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { sum } from '../../lambdas/domain/postings.ts';
import type { Posting } from '../../lambdas/domain/postings.ts';
import type { Hold } from '../../lambdas/domain/transaction.ts';
import { expireHold } from '../../lambdas/store/holds.ts';
import type { Fault } from '../engine.ts';
import { inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { newKey, timeOf } from './commands.ts';
import { capture, dayMs, holdOf, holdScene, release } from './hold-commands.ts';
import { allItems, asStored, fieldsOf, refusalOf } from './inspect.ts';
import { balanceOf } from './wallets.ts';

const table = useTable();

const balance = (available: number, held: number) => ({ available, held, total: available + held });

describe('a capture that meets another command', () => {
  /** Lets another command win between the read of the hold and this write. */
  const meanwhile = (work: () => Promise<unknown>): Fault => {
    let isOver = false;
    return async (_call, send) => {
      if (!isOver) {
        isOver = true;
        await work();
      }
      return send();
    };
  };

  async function racing<T>(first: () => Promise<unknown>, second: () => Promise<T>): Promise<T> {
    table.fault = meanwhile(first);
    try {
      return await second();
    } finally {
      table.fault = undefined;
    }
  }

  it('takes all that is left then, when it names no amount', async () => {
    const { payer, shop, hold } = await holdScene(table);
    const { transaction } = await racing(
      () => capture(table, hold, { amount: 30 }),
      () => capture(table, hold),
    );
    assert.equal(transaction.amount, 70);
    assert.deepEqual([await balanceOf(table, payer), await balanceOf(table, shop)], [balance(900, 0), balance(100, 0)]);
  });

  it('ends the hold when it takes what the other one left', async () => {
    const { hold } = await holdScene(table);
    await racing(
      () => capture(table, hold, { amount: 30 }),
      () => capture(table, hold, { amount: 70 }),
    );
    assert.deepEqual([(await holdOf(table, hold)).status, (await holdOf(table, hold)).captured], ['ended', 100]);
  });

  it('is refused when the other one left too little, or has ended the hold', async () => {
    const { hold } = await holdScene(table);
    const tooMuch = racing(
      () => capture(table, hold, { amount: 30 }),
      () => capture(table, hold, { amount: 71 }),
    );
    assert.equal((await refusalOf(tooMuch))?.code, 'exceeds_hold');
    const ended = racing(
      () => release(table, hold),
      () => capture(table, hold, { amount: 1 }),
    );
    assert.equal((await refusalOf(ended))?.code, 'hold_ended');
  });

  it('leaves the rest of its hold to a release and to an expiry that had read the hold before', async () => {
    for (const end of ['release', 'expiry'] as const) {
      const { payer, hold } = await holdScene(table);
      await racing(
        () => capture(table, hold, { amount: 30 }),
        async () => (end === 'release' ? release(table, hold) : expireHold(table, hold, timeOf(table, dayMs))),
      );
      assert.deepEqual(await balanceOf(table, payer), balance(970, 0));
    }
  });

  it('is made once when an answer or a request is lost', async () => {
    for (const fault of [lostAnswer, lostRequest]) {
      const { payer, shop, hold } = await holdScene(table);
      const key = newKey();
      table.fault = inTurn(fault);
      const first = await capture(table, hold, { amount: 30, key });
      table.fault = undefined;
      assert.equal(first.replayed, false);
      const again = await capture(table, hold, { amount: 30, key });
      assert.deepEqual([again.replayed, again.transaction.transactionId], [true, first.transaction.transactionId]);
      assert.deepEqual(
        [await balanceOf(table, payer), await balanceOf(table, shop)],
        [balance(900, 70), balance(30, 0)],
      );
    }
  });

  it('answers a repetition after the hold has ended, also without an amount', async () => {
    const { hold } = await holdScene(table);
    const key = newKey();
    const { transaction } = await capture(table, hold, { key });
    const ended = await holdOf(table, hold);
    const again = await capture(table, ended, { key });
    assert.deepEqual([again.replayed, asStored(again.transaction)], [true, asStored(transaction)]);
  });
});

describe('a thousand commands on one hold at the same time', () => {
  /** Does the n-th command. Returns its name, and what it captured. */
  async function command(n: number, hold: Hold, firstEnd: number): Promise<[name: string, captured?: number]> {
    // Ends come after some captures; which kind comes first differs from round to round.
    const end = n >= 40 && n % 4 === 0 ? (n / 4 + firstEnd) % 3 : undefined;
    if (end === 1) return [(await release(table, hold)).replayed ? 'replayed' : 'released'];
    if (end === 2) return [(await expireHold(table, hold, timeOf(table, dayMs))) ? 'expired' : 'not expired'];
    const isLate = n % 9 === 1;
    const clock = isLate ? { ...table, now: () => table.now() + dayMs } : table;
    const { transaction } = await capture(clock, hold, { amount: 1 + (n % 3), isFinal: end === 0 });
    return [isLate ? 'captured late' : 'captured', transaction.amount];
  }

  it.each([0, 1, 2])('end it once, capture no more than it holds, and nothing late (round %d)', async (firstEnd) => {
    const { payer, shop, hold } = await holdScene(table, 300);
    let captured = 0;
    const counts = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => {
        let name = '';
        const done = command(n, hold, firstEnd).then((outcome) => {
          name = outcome[0];
          captured += outcome[1] ?? 0;
        });
        name = (await refusalOf(done))?.code ?? name;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }),
    );
    const ended = await fieldsOf(table, hold.transactionId);
    const shown = JSON.stringify([Object.fromEntries(counts), ended?.end]);
    const possible = [
      'captured',
      'released',
      'expired',
      'not expired',
      'hold_ended',
      'hold_expired',
      'exceeds_hold',
      'busy',
    ];
    assert.deepEqual(
      [...counts.keys()].filter((name) => !possible.includes(name)),
      [],
      shown,
    );
    const ends = (counts.get('released') ?? 0) + (counts.get('expired') ?? 0) + (ended?.end === 'captured' ? 1 : 0);
    assert.deepEqual([ended?.status, ends, ended?.captured], ['ended', 1, captured], shown);
    assert.ok(captured > 0 && captured <= 300, shown);
    assert.deepEqual(
      [await balanceOf(table, payer), await balanceOf(table, shop)],
      [balance(1_000 - captured, 0), balance(captured, 0)],
    );
    assert.equal(sum((await allItems(table)).flatMap((item) => (item['postings'] ?? []) as Posting[])), 0n);
  });
});
