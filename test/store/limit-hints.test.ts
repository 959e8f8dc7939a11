/** What limits cost, and what happens when a container's hints are missing or outdated, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { limitStateOf } from '../../lambdas/domain/limits.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { mostHints, openLimitHints } from '../../lambdas/store/limit-hints.ts';
import { walletKey } from '../../lambdas/store/keys.ts';
import { epoch, measure } from '../engine.ts';
import { inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { checkUnits } from '../units.ts';
import { charge, newKey, queueTransfer, transfer, withdraw } from './commands.ts';
import { capture, openHold } from './hold-commands.ts';
import { changeItem, refusalOf } from './inspect.ts';
import { anotherContainer, limitedWallet, outcomeOf, setLimits, usedOf, walletOf } from './limit-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const table = useTable();
const dayMs = 86_400_000;
const ann = (amount: number) => ({ owner: 'ann', amount });
/** All limits that a wallet can have at once. */
const many = {
  out: { perTransaction: 1_000, perDay: 10_000, perMonth: 100_000 },
  in: { perTransaction: 1_000, perDay: 10_000, perMonth: 100_000 },
  creditLine: 1_000,
  maximumBalance: 1_000_000,
};

beforeEach(() => {
  table.clock.now = epoch;
  table.fault = undefined;
});

/** Returns the round trips and write units of a command. */
async function costOf(work: () => Promise<unknown>): Promise<[roundTrips: number, writeUnits: number]> {
  const { roundTrips, writeUnits } = await measure(table, work);
  return [roundTrips, writeUnits];
}

/** Asserts what a command costs; units only where the engine's are right. */
async function assertCost(work: () => Promise<unknown>, roundTrips: number, writeUnits: number, name = '') {
  const [trips, units] = await costOf(work);
  assert.equal(trips, roundTrips, name);
  checkUnits(() => {
    assert.equal(units, writeUnits, name);
  });
}

/** The commands that limits may refuse, each with its write units. */
const commands: readonly [
  name: string,
  units: number,
  run: (of: Table, from: string, to: string) => Promise<unknown>,
][] = [
  ['a charge', 5, (of, from) => charge(of, from, { amount: 1 })],
  ['a withdrawal', 6, (of, from) => withdraw(of, from, ann(1))],
  ['a transfer', 8, (of, from, to) => transfer(of, from, to, ann(1))],
  ['a queued transfer', 6, (of, from, to) => queueTransfer(of, from, to, ann(1))],
  ['a hold', 6, (of, from, to) => openHold(of, from, { amount: 1, to })],
];

describe('a right hint', () => {
  it('makes each command as cheap as on a wallet without limits, also at the beginning of a day', async () => {
    const plain = await fundedWallet(table, 'ann', 1_000);
    const limited = await limitedWallet(table, 1_000, many);
    const [shop, limitedShop] = [await openWallet(table, 'shop'), await openWallet(table, 'shop')];
    await setLimits(table, limitedShop, many);
    await transfer(table, limited, limitedShop, ann(1));
    for (const [name, units, run] of commands) {
      await assertCost(() => run(table, plain, shop), 1, units, name);
      await assertCost(() => run(table, limited, limitedShop), 1, units, `${name}, limited`);
      table.clock.now += dayMs;
      await assertCost(() => run(table, limited, limitedShop), 1, units, `${name}, limited, first of a day`);
    }
    for (const to of [shop, limitedShop]) {
      const hold = await openHold(table, limited, { amount: 2, to });
      await assertCost(() => capture(table, hold, { amount: 1 }), 1, 12, 'a capture');
    }
  });
});

describe('a hint that is missing or outdated', () => {
  it('costs one more write, once for each container', async () => {
    const limited = await limitedWallet(table, 1_000, many);
    const to = await openWallet(table, 'bob');
    for (const [name, units, run] of commands) {
      const other = anotherContainer(table);
      const [trips] = await costOf(() => run(other, limited, to));
      assert.equal(trips, 2, name);
      await assertCost(() => run(other, limited, to), 1, units, name);
    }
  });

  it('of both wallets of a transfer costs one more write in all', async () => {
    const [from, to] = [await limitedWallet(table, 100, many), await limitedWallet(table, 100, many, 'bob')];
    const { roundTrips } = await measure(table, () => transfer(anotherContainer(table), from, to, ann(1)));
    assert.equal(roundTrips, 2);
  });

  it('is corrected when limits change, when they are removed, and when they are set again', async () => {
    const other = anotherContainer(table);
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
    await withdraw(other, walletId, ann(1));
    for (const limits of [{ out: { perDay: 20 } }, {}, { out: { perDay: 10 } }]) {
      await setLimits(table, walletId, limits);
      const { roundTrips } = await measure(table, () => withdraw(other, walletId, ann(1)));
      assert.equal(roundTrips, 2, JSON.stringify(limits));
      assert.equal((await measure(table, () => withdraw(other, walletId, ann(1)))).roundTrips, 1);
    }
    assert.deepEqual(await outcomeOf(withdraw(other, walletId, ann(9))), ['out.perDay', 8, '2026-03-02T00:00:00.000Z']);
  });

  it('is corrected when another container has begun the day', async () => {
    const other = anotherContainer(table);
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
    await withdraw(other, walletId, ann(10));
    table.clock.now += dayMs;
    await withdraw(table, walletId, ann(7));
    assert.deepEqual(await outcomeOf(withdraw(other, walletId, ann(4))), ['out.perDay', 3, '2026-03-03T00:00:00.000Z']);
    assert.equal((await measure(table, () => withdraw(other, walletId, ann(3)))).roundTrips, 1);
  });

  it('is never believed: a wrong hint of any kind neither allows nor refuses anything', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
    const day = '2026-03-01';
    const wrong = [
      undefined,
      { limits: {}, day },
      { limits: { out: { perDay: 1_000 } }, day },
      { limits: { out: { perDay: 0 } }, day },
      { limits: { out: { perDay: 10 } }, day: '2026-02-28' },
      { limits: { out: { perDay: 10 } }, day: '2025-03-01' },
      { limits: { out: { perDay: 10 } }, day: '2026-03-02' },
      { limits: { in: { perDay: 10 }, creditLine: 5_000 }, day },
    ];
    for (const hint of wrong) {
      const mistaken = { ...table, limitHints: openLimitHints() };
      const mislead = () => {
        mistaken.limitHints.set(walletId, hint);
      };
      mislead();
      assert.equal(await refusalOf(withdraw(mistaken, walletId, ann(1))), undefined, JSON.stringify(hint));
      mislead();
      assert.equal((await refusalOf(withdraw(mistaken, walletId, ann(11))))?.code, 'limit_exceeded');
    }
    assert.deepEqual(await usedOf(table, walletId), [day, wrong.length, wrong.length, 0, 0]);
  });

  it('of limits that a restore has taken back is corrected, also when it is from a later day', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
    const before = await walletOf(table, walletId);
    table.clock.now += dayMs;
    await withdraw(table, walletId, ann(10));
    await changeItem(table, walletKey(walletId), { used: before.used });
    table.clock.now -= dayMs;
    await withdraw(table, walletId, ann(10));
    assert.deepEqual(await usedOf(table, walletId), ['2026-03-01', 10, 10, 0, 0]);
  });
});

describe('a command of a limited wallet whose answer is lost', () => {
  for (const [name, faults] of Object.entries({
    'after its effect': [lostAnswer],
    'before its effect': [lostRequest],
    'twice, after its effect': [lostAnswer, lostAnswer],
  })) {
    it(`${name}, counts once, with a hint and without one`, async () => {
      const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
      for (const container of [anotherContainer(table), table, table]) {
        const key = newKey();
        table.fault = inTurn(...faults);
        await withdraw(container, walletId, { ...ann(3), key });
        assert.equal((await withdraw(container, walletId, { ...ann(3), key })).replayed, true);
      }
      assert.deepEqual(await usedOf(table, walletId), ['2026-03-01', 9, 9, 0, 0]);
    });
  }

  it('is busy, and never refused, when an earlier try may still arrive', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 10 } });
    table.fault = inTurn(lostRequest);
    assert.deepEqual(await outcomeOf(withdraw(table, walletId, ann(11))), ['busy']);
    table.fault = inTurn(lostRequest);
    assert.deepEqual(await outcomeOf(withdraw(anotherContainer(table), walletId, ann(11))), ['busy']);
    assert.deepEqual(await balanceOf(table, walletId), { available: 1_000, held: 0, total: 1_000 });
  });
});

describe('the memory of limits', () => {
  it('forgets first the wallet that was set first, and a wallet without limits at once', () => {
    const hints = openLimitHints();
    const state = limitStateOf({
      limits: { creditLine: 1 },
      used: { day: 'd', outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 },
    });
    for (let n = 0; n < mostHints; n++) hints.set(`w${n}`, state);
    hints.set('w0', state);
    hints.set('another', state);
    assert.deepEqual([hints.get('w0'), hints.get('w1'), hints.get('w2')], [state, undefined, state]);
    hints.set('w2', undefined);
    assert.equal(hints.get('w2'), undefined);
  });
});
