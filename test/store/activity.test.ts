import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { figureNames, fraudRules } from '../../lambdas/domain/fraud.ts';
import type { Bucket, FraudLimits, Movement } from '../../lambdas/domain/fraud.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { countOnce, noMemory } from '../../lambdas/domain/screening.ts';
import { bytesOf, marksWithin, memoryIn } from '../../lambdas/store/activity-bytes.ts';
import { getActivities, putActivity, shortNames } from '../../lambdas/store/activity.ts';
import { activityKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { checkUnits } from '../units.ts';

const table = useTable();

const window = { count: 300, amount: 5_000_000 };
const limits: FraudLimits = {
  outgoingPerMinute: window,
  outgoingPerHour: window,
  outgoingPerDay: window,
  inAndOut: { minutes: 10, amount: 500_000 },
  newDestination: { amount: 500_000 },
};

let wallets = 0;
const newWalletId = () => `w_eur_${String(++wallets).padStart(26, 'a')}`;
const knownOf = async (walletId: string) => (await getActivities(table, [walletId]))(walletId);

/** Counts movements as the worker does, in one write. */
async function count(walletId: string, movements: readonly Movement[]) {
  const known = await knownOf(walletId);
  const nameOf = shortNames(known.salt);
  const marked = movements.map((movement) => ({
    ...movement,
    mark: nameOf(movement.transactionId),
    atMs: movement.at * 1000,
    destination: movement.destination && nameOf(movement.destination),
  }));
  const { memory, signals } = countOnce(known.memory, marked, () => limits);
  const put = await measure(table, () => putActivity(table, walletId, known, memory));
  return { signals, isWritten: put.result, units: put.writeUnits, calls: put.calls };
}

let transactions = 0;
function moved(at: number, more: Partial<Movement> = {}): Movement {
  const transactionId = `tx_${String(++transactions).padStart(26, 'a')}`;
  const destination = newWalletId();
  return { transactionId, direction: 'out', amount: 2_500, at, destination, ...more };
}
const noon = Date.parse('2026-03-01T12:00:00.000Z') / 1000;

describe('the memory of a wallet', () => {
  const integer = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: maxAmount }));
  const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const name = fc.uint8Array({ minLength: 5, maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
  const buckets = fc
    .array(fc.tuple(seconds, integer, integer), { maxLength: 30 })
    .map((list): Bucket[] => list.sort(([a], [b]) => a - b));
  const marks = fc
    .array(fc.record({ mark: name, atMs: integer }), { maxLength: 200 })
    .map((list) => list.sort((a, b) => a.atMs - b.atMs));
  const signal = fc.constantFrom(...fraudRules).chain((rule) => {
    const figures = fc.record(Object.fromEntries(figureNames[rule].map((each) => [each, integer])));
    return fc.record({ mark: name, atMs: integer, rule: fc.constant(rule), figures, limits: figures });
  });
  const memory = fc.record({
    activity: fc.record({
      outMinute: buckets,
      outHour: buckets,
      outDay: buckets,
      outRecent: buckets,
      inRecent: buckets,
      destinations: fc.array(name, { maxLength: 20 }),
    }),
    marks,
    forgottenUntilMs: integer,
    signals: fc.array(signal, { maxLength: 20 }),
  });
  const salted = fc.record({ salt: fc.uint8Array({ minLength: 8, maxLength: 8 }), memory });

  it('is restored from its bytes unchanged', () => {
    fc.assert(
      fc.property(salted, (value) => {
        const back = memoryIn(bytesOf(value));
        assert.deepEqual(JSON.parse(JSON.stringify(back.memory)), JSON.parse(JSON.stringify(value.memory)));
        assert.deepEqual([...back.salt], [...value.salt]);
      }),
    );
  });

  it('is not read from truncated bytes, or from bytes of an unknown format', () => {
    fc.assert(
      fc.property(salted, fc.nat(), (value, end) => {
        const bytes = bytesOf(value);
        assert.throws(() => memoryIn(bytes.subarray(0, end % bytes.length)));
      }),
    );
    const bytes = bytesOf({ salt: new Uint8Array(8), memory: noMemory });
    bytes[0] = 2;
    assert.throws(() => memoryIn(bytes), { message: 'memory of format 2, not 1' });
  });

  it('has room for the advertised number of its latest marks', () => {
    fc.assert(
      fc.property(salted, fc.nat(2_000), ({ salt, memory }, room) => {
        const fitting = marksWithin(memory.marks, room);
        const size = (count: number) =>
          bytesOf({ salt, memory: { ...memory, marks: memory.marks.slice(memory.marks.length - count) } }).length;
        // The number of marks itself takes a byte or two.
        assert.ok(size(fitting) <= size(0) + room + 1);
        if (fitting < memory.marks.length) assert.ok(size(fitting + 1) > size(0) + room - 8);
      }),
    );
  });

  it('of an ordinary wallet takes one write unit, and keeps the latest movements for long', async () => {
    const walletId = newWalletId();
    // Seven movements a day for a month.
    for (let number = 0; number < 210; number++) {
      const direction = number % 3 === 0 ? 'in' : 'out';
      const { units } = await count(walletId, [moved(noon + number * 12_343, { direction })]);
      checkUnits(() => {
        assert.equal(units, 1, `after ${number} movements`);
      });
    }
    const { memory } = await knownOf(walletId);
    assert.ok(memory.marks.length > 50, String(memory.marks.length));
  });

  it('takes one write unit when all its windows are full', async () => {
    const walletId = newWalletId();
    for (let number = 0; number < 60; number++) {
      const at = noon + number * 1_500;
      const { units } = await count(walletId, [moved(at), moved(at + 70, { direction: 'in' })]);
      checkUnits(() => {
        assert.equal(units, 1, `after ${number} pairs`);
      });
    }
    for (let number = 0; number < 30; number++) {
      const last = await count(walletId, [moved(noon + 90_000 + number * 20)]);
      checkUnits(() => {
        assert.equal(last.units, 1);
      });
    }
    const { memory } = await knownOf(walletId);
    assert.ok(memory.marks.length > 50, String(memory.marks.length));
  });

  it('of a busy wallet is bounded, and a batch of 100 movements shares its write', async () => {
    const walletId = newWalletId();
    let most = 0;
    for (let batch = 0; batch < 30; batch++) {
      const movements = Array.from({ length: 100 }, () => moved(noon + batch, { amount: 400_000 }));
      const { units, calls } = await count(walletId, movements);
      assert.equal(calls.length, 1);
      most = Math.max(most, units);
    }
    assert.ok(most > 1 && most <= 4, String(most));
    const { memory } = await knownOf(walletId);
    assert.ok(memory.marks.length > 550, String(memory.marks.length));
    assert.equal(
      memory.activity.outDay.reduce((sum, [, each]) => sum + each, 0),
      3_000,
    );
  });

  it('is read for many wallets in one call', async () => {
    const ids = [newWalletId(), newWalletId(), newWalletId()];
    await count(ids[1]!, [moved(noon)]);
    const { result, roundTrips } = await measure(table, () => getActivities(table, ids));
    assert.equal(roundTrips, 1);
    assert.deepEqual(
      ids.map((walletId) => result(walletId).version),
      [0, 1, 0],
    );
  });

  it('is written once when two workers count at the same time: the other one reads again', async () => {
    const walletId = newWalletId();
    for (const before of [0, 1]) {
      const known = await knownOf(walletId);
      assert.equal(known.version, before);
      const written = await Promise.all([1, 2].map(() => putActivity(table, walletId, known, noMemory)));
      assert.deepEqual(written.sort(), [false, true]);
    }
  });

  it('has the movement once when an answer is lost: the retry finds it counted', async () => {
    const walletId = newWalletId();
    const movement = moved(noon, { amount: 600_000 });
    table.fault = inTurn((_call, send) => send(), lostAnswer);
    const first = await count(walletId, [movement]);
    table.fault = undefined;
    assert.equal(first.isWritten, false);
    const again = await knownOf(walletId);
    const mark = shortNames(again.salt)(movement.transactionId);
    const result = countOnce(again.memory, [{ ...movement, mark, atMs: movement.at * 1000 }], () => limits);
    assert.equal(result.isNew, false);
    assert.deepEqual(
      result.signals.map(({ signal }) => signal),
      first.signals.map(({ signal }) => signal),
    );
  });

  it('is written by the retry when a request is lost', async () => {
    const walletId = newWalletId();
    table.fault = inTurn((_call, send) => send(), lostRequest);
    assert.equal((await count(walletId, [moved(noon)])).isWritten, true);
    table.fault = undefined;
    assert.equal((await knownOf(walletId)).version, 1);
  });
});

describe('an item of an earlier release', () => {
  it('keeps its counters and destinations, and counts nothing again', async () => {
    const walletId = newWalletId();
    const [earlier, later] = [noon, noon + 90];
    const known = newWalletId();
    const outRecent: Bucket[] = [[earlier, 1, 400_000]];
    const inRecent: Bucket[] = [[earlier - 60, 1, 900_000]];
    const activity = {
      ...{ outMinute: outRecent, outHour: outRecent, outDay: outRecent, outRecent, inRecent },
      destinations: [known],
    };
    await table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: toItem({ ...activityKey(walletId), activity, version: 7, ttl: noon }),
      }),
    );
    const redelivered = moved(earlier + 5, { amount: 400_000, destination: known });
    const next = moved(later, { amount: 700_000, destination: known });
    const { signals, isWritten } = await count(walletId, [redelivered, next]);
    assert.deepEqual([signals.map(({ signal }) => signal.rule), isWritten], [['in-and-out'], true]);
    const { version, memory } = await knownOf(walletId);
    assert.equal(version, 8);
    assert.deepEqual(
      memory.activity.outDay.map(([, moves, amount]) => [moves, amount]),
      [[2, 1_100_000]],
    );
  });
});
