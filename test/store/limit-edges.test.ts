/** Commands at the same time at the edge of each limit, and random histories against a model, on the real engine. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { withoutEmpty } from '../../lambdas/domain/limits.ts';
import type { WalletLimits } from '../../lambdas/domain/limits.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { epoch } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { capture, openHold } from './hold-commands.ts';
import { fieldsOf, refusalOf } from './inspect.ts';
import { anotherContainer, limitedWallet, setLimits, usedOf, walletOf } from './limit-commands.ts';
import { ModelWallet } from './limit-model.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const table = useTable();
const ann = (amount: number) => ({ owner: 'ann', amount });

beforeEach(() => {
  table.clock.now = epoch;
});

/** Returns how many commands end in each way, when all run at the same time, each second one in a new container. */
async function outcomesOf(count: number, command: (of: Table, n: number) => Promise<unknown>) {
  const outcomes = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const refusal = await refusalOf(command(n % 2 === 0 ? table : anotherContainer(table), n));
      return refusal?.details.walletLimit?.limit ?? refusal?.code ?? 'accepted';
    }),
  );
  return Object.fromEntries([...Map.groupBy(outcomes, (outcome) => outcome)].map(([name, all]) => [name, all.length]));
}

describe('commands at the same time', () => {
  const out: readonly [limit: string, funds: number, WalletLimits][] = [
    ['out.perDay', 1_000, { out: { perDay: 50 } }],
    ['out.perMonth', 1_000, { out: { perMonth: 50 } }],
    ['minimumBalance', 80, { minimumBalance: 30 }],
    ['creditLine', 30, { creditLine: 20 }],
  ];
  for (const [limit, funds, limits] of out) {
    it(`spend up to ${limit}, and not more`, async () => {
      const walletId = await limitedWallet(table, funds, limits);
      const to = await openWallet(table, 'bob');
      const commands = [
        (of: Table) => withdraw(of, walletId, ann(10)),
        (of: Table) => transfer(of, walletId, to, ann(10)),
        (of: Table) => openHold(of, walletId, { amount: 10, to }),
        (of: Table) => queueTransfer(of, walletId, to, ann(10)),
      ] as const;
      const outcomes = await outcomesOf(20, (of, n) => (commands[n % 4] ?? commands[0])(of));
      assert.deepEqual(outcomes, { accepted: 5, [limit]: 15 });
      assert.equal((await walletOf(table, walletId)).available, funds - 50);
    });
  }

  for (const [limit, limits] of [
    ['in.perDay', { in: { perDay: 50 } }],
    ['in.perMonth', { in: { perMonth: 50 } }],
    ['maximumBalance', { maximumBalance: 50 }],
  ] as const) {
    it(`are paid in up to ${limit}, and not more`, async () => {
      const walletId = await openWallet(table, 'shop');
      await setLimits(table, walletId, limits);
      const payers = await Promise.all(Array.from({ length: 4 }, () => fundedWallet(table, 'ann', 100)));
      const holds = await Promise.all(payers.map((payer) => openHold(table, payer, { amount: 50, to: walletId })));
      const commands = [
        (of: Table) => charge(of, walletId, { amount: 10 }),
        (of: Table, n: number) => transfer(of, payers[n % 4]!, walletId, ann(10)),
        (of: Table, n: number) => capture(of, holds[n % 4]!, { amount: 10 }),
      ] as const;
      const { accepted, ...refused } = await outcomesOf(18, (of, n) => (commands[n % 3] ?? commands[0])(of, n));
      assert.equal(accepted, 5);
      assert.deepEqual(Object.keys(refused).sort(), [limit, 'receiver_unavailable'].sort());
      assert.deepEqual(await balanceOf(table, walletId), { available: 50, held: 0, total: 50 });
    });
  }

  it('of two days count on the later one once it has begun, and never over its limit', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 50 } });
    const midnight = Date.parse('2026-03-02T00:00:00.000Z');
    const outcomes = await outcomesOf(20, (of, n) =>
      withdraw({ ...of, now: () => midnight - (n % 2) }, walletId, ann(10)),
    );
    const { accepted = 0 } = outcomes;
    assert.ok(accepted >= 5 && accepted <= 10, `${accepted} accepted`);
    const [day, outDay] = await usedOf(table, walletId);
    assert.deepEqual([day, outDay], ['2026-03-02', 50]);
  });

  it('obey limits that are set meanwhile, from the answer on', async () => {
    const walletId = await limitedWallet(table, 1_000, { out: { perDay: 1_000 } });
    let isLowered = false;
    const spent = { before: 0, after: 0 };
    await Promise.all([
      ...Array.from({ length: 12 }, async (_, n) => {
        const of = n % 2 === 0 ? table : anotherContainer(table);
        for (let round = 0; round < 4; round++) {
          const began = isLowered ? 'after' : 'before';
          if ((await refusalOf(withdraw(of, walletId, ann(1)))) === undefined) spent[began] += 1;
        }
      }),
      setLimits(table, walletId, { out: { perDay: 0 } }).then(() => {
        isLowered = true;
      }),
    ]);
    assert.equal(spent.after, 0);
    assert.equal((await walletOf(table, walletId)).available, 1_000 - spent.before);
  });

  it('settle groups of queued transfers up to the limit of their receiver, whichever worker has them', async () => {
    const shop = await openWallet(table, 'shop');
    await setLimits(table, shop, { in: { perDay: 100, perTransaction: 30 } });
    const payer = await fundedWallet(table, 'ann', 1_000);
    const ids = await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        const { transaction } = await queueTransfer(table, payer, shop, ann(n % 4 === 3 ? 31 : 10));
        return transaction.transactionId;
      }),
    );
    const groups = [ids.slice(0, 8), ids.slice(4, 12), ids.slice(8)];
    await Promise.all(groups.map((group) => endTransfers(group, anotherContainer(table))));
    const ended = await Promise.all(ids.map((id) => fieldsOf(table, id)));
    const completed = ended.filter((one) => one?.status === 'completed');
    assert.equal(completed.length, 10);
    assert.ok(completed.every((one) => one.amount === 10));
    assert.ok(ended.every((one) => one?.status === 'completed' || one?.failure?.code === 'limit_exceeded'));
    assert.deepEqual(await balanceOf(table, payer), { available: 900, held: 0, total: 900 });
  });
});

const amount = fc.integer({ min: 0, max: 12 });
const flow = fc.record({ perTransaction: amount, perDay: amount, perMonth: fc.nat({ max: 25 }) }, { requiredKeys: [] });
const limits: fc.Arbitrary<WalletLimits> = fc
  .record(
    { out: flow, in: flow, minimumBalance: amount, creditLine: amount, maximumBalance: fc.nat({ max: 40 }) },
    { requiredKeys: [] },
  )
  .map(({ creditLine, ...rest }) => (rest.minimumBalance === undefined ? { ...rest, creditLine } : rest))
  .map((all) => withoutEmpty(JSON.parse(JSON.stringify(all)) as WalletLimits) ?? {});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('withdraw', 'send', 'hold', 'charge', 'receive'),
      amount: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit'), limits }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), hours: fc.constantFrom(-1, 7, 24, 24 * 15) }) },
);

describe('random histories of a wallet', () => {
  it('move what a plain model of the limits allows, and are refused by the limit that it names', async () => {
    const other = await fundedWallet(table, 'bob', 10_000);
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { minLength: 8, maxLength: 20 }), async (first, steps) => {
        const walletId = await fundedWallet(table, 'ann', 20);
        const model = new ModelWallet(20);
        const set = async (wanted: WalletLimits) => {
          await setLimits(table, walletId, wanted);
          model.set(withoutEmpty(wanted), timeOf(table));
        };
        await set(first);
        for (const [n, one] of steps.entries()) {
          const of = n % 3 === 0 ? anotherContainer(table) : table;
          if ('limits' in one) {
            await set(one.limits);
          } else if ('hours' in one) {
            table.clock.now += one.hours * 3_600_000;
          } else {
            const { kind, amount } = one;
            const isIn = kind === 'charge' || kind === 'receive';
            const expected = model.move(
              isIn ? 'in' : 'out',
              amount,
              timeOf(table),
              kind === 'withdraw' || kind === 'hold',
            );
            const send = {
              withdraw: () => withdraw(of, walletId, ann(amount)),
              send: () => transfer(of, walletId, other, ann(amount)),
              hold: () => openHold(of, walletId, { amount, to: other }),
              charge: () => charge(of, walletId, { amount }),
              receive: () => transfer(of, other, walletId, { owner: 'bob', amount }),
            }[kind as 'withdraw'];
            const refusal = await refusalOf(send());
            const hidden = kind === 'receive' && expected !== undefined ? 'receiver_unavailable' : expected;
            assert.equal(refusal?.details.walletLimit?.limit ?? refusal?.code, hidden, `step ${n}`);
          }
        }
        const { available, held } = await walletOf(table, walletId);
        assert.deepEqual([available, held], [model.available, model.held]);
      }),
      { numRuns: 25 },
    );
  });
});
