import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { assumedTimes, concurrencyOf, costOfMillion, limitsOf, useOf } from '../../bench/capacity-model.ts';
import type { Load, Units } from '../../bench/capacity-model.ts';
import { costOfHours, costOfPass } from '../../bench/check-model.ts';
import type { CheckUnits } from '../../bench/check-model.ts';

const units: Units = {
  command: { charge: 5, transfer: 10, withdrawal: 18 },
  following: { charge: 5, transfer: 6, withdrawal: 7 },
  balance: 0.5,
};
const load: Load = { charges: 600, transfers: 300, withdrawals: 100, balances: 1_000, hottest: 0.01 };

describe('the capacity model', () => {
  it('computes the use of each limit under a load, the nearest limit first', () => {
    const limits = limitsOf(load, units, assumedTimes);
    const demandOf = (name: string) => limits.find((limit) => limit.name === name)?.demand;
    assert.equal(demandOf('requests at the gateway'), 2_000);
    assert.equal(demandOf('write units of the wallet table'), 600 * 5 + 300 * 10 + 100 * 18);
    assert.equal(demandOf('events put on the bus'), 600 + 300 + 3 * 100);
    assert.equal(demandOf('writes of the busiest wallet'), 10);
    const shares = limits.map(({ demand, quota }) => demand / quota);
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => b - a),
    );
  });

  it('scales every need with the load', () => {
    const tenfold: Load = { ...load, charges: 6_000, transfers: 3_000, withdrawals: 1_000, balances: 10_000 };
    const [small, large] = [concurrencyOf(load, assumedTimes), concurrencyOf(tenfold, assumedTimes)];
    for (const [name, busy] of Object.entries(large)) {
      assert.ok(Math.abs(busy / Number(small[name]) - 10) < 1e-9, name);
    }
  });

  it('prices write units by the billing mode', () => {
    const onDemand = costOfMillion(useOf('transfer', units), assumedTimes, 'on demand');
    const provisioned = costOfMillion(useOf('transfer', units), assumedTimes, 'provisioned');
    assert.equal(onDemand['write units'], 16 * 0.625);
    // A provisioned unit costs $0.00065 an hour, and 70 % of the units are used.
    assert.ok(Math.abs(Number(provisioned['write units']) - (16 * 650) / 3_600 / 0.7) < 1e-9);
    assert.deepEqual(Object.keys(onDemand), Object.keys(provisioned));
  });

  it('prices requests, units and messages of a command apart, so that a line of a batch has no request', () => {
    const line = { requests: 0, writeUnits: 14, readUnits: 2, events: 2, records: 5, messages: 0.2, bankCalls: 0 };
    const cost = costOfMillion(line, assumedTimes, 'on demand');
    assert.deepEqual([cost['gateway'], cost['logs'], cost['traces']], [0, 0, 0]);
    assert.deepEqual([cost['write units'], cost['read units'], cost['events']], [14 * 0.625, 2 * 0.125, 2]);
    const asked = costOfMillion({ ...line, requests: 2 }, assumedTimes, 'on demand');
    assert.equal(asked['gateway'], 2 * 4.1);
    assert.equal(asked['write units'], cost['write units']);
  });
});

describe('the model of the check of the books', () => {
  const gigabytes = 1_769 / 1_024;
  const usage = { readUnits: 4, cpuMs: 0.5 };
  const checked: CheckUnits = {
    command: { charge: usage, transfer: { readUnits: 8, cpuMs: 1 }, withdrawal: usage },
    idleHour: { readUnits: 500, cpuMs: 100 },
    transaction: { readUnits: 0.25, cpuMs: 0.4 },
  };

  it('prices closed hours by what they read and how long they run', () => {
    const { dollarsOfMonth, minutes } = costOfHours(load, checked);
    const seconds = (3_600 * (700 * 0.5 + 300 * 1) + 100) / 1_000;
    const readUnits = 3_600 * (700 * 4 + 300 * 8) + 500;
    assert.ok(Math.abs(minutes - seconds / 60) < 1e-9);
    assert.ok(Math.abs(dollarsOfMonth - 730 * ((readUnits * 0.125 + seconds * gigabytes * 13.3334) / 1e6)) < 1e-6);
  });

  it('says how many commands fill the runs of an hour', () => {
    const { mostCommands } = costOfHours(load, checked);
    const share = mostCommands / 1_000;
    const full = { ...load, charges: 600 * share, transfers: 300 * share, withdrawals: 100 * share };
    const { minutes, minutesAtMost } = costOfHours(full, checked);
    assert.ok(Math.abs(minutes - minutesAtMost) < 1e-6);
  });

  it('gives hours and dollars of a pass over 10⁹ transactions', () => {
    const { readUnits, hours, dollars } = costOfPass(1e9, checked);
    const seconds = (1e9 * 0.4) / 1_000;
    assert.equal(readUnits, 0.25e9);
    assert.ok(Math.abs(hours - seconds / 2_400) < 1e-6);
    assert.ok(Math.abs(dollars - (31.25 + (seconds * gigabytes * 13.3334) / 1e6)) < 1e-6);
  });
});
