/**
 * The alarms over the running service on simulated time: how long a bank is down until an operator is called, and that a healthy
 * service calls no operator. `npm run alarms` shows the same on real time, with the log and the queues of the runner.
 */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { defaultBreaker } from '../../lambdas/bank/breaker.ts';
import { metricNamespace } from '../../lambdas/contract.ts';
import { epoch, startTestEngine } from '../engine.ts';
import type { TestEngine } from '../engine.ts';
import { report } from '../fixture.ts';
import { endUser, operator } from '../request.ts';
import { synthesize } from '../stack/synthesized.ts';
import type { Resource } from '../stack/synthesized.ts';
import { Watch } from '../watch/alarms.ts';
import { newTable, shapeOf } from './auditor.ts';
import { openModelBanks } from './bank.ts';
import { chance, choose } from './chance.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { deploy } from './deployment.ts';
import { connectTable } from './dynamodb.ts';
import { openClients } from './in-process-clients.ts';
import { shareKeys } from './keys.ts';
import { openLedger } from './ledger.ts';
import type { FaultKind, Plan } from './plan.ts';
import { inhabit } from './process.ts';
import { openQueues } from './queues.ts';
import { transferQueue, withdrawalQueue } from './release.ts';
import { openService } from './service.ts';
import { openWorld } from './world.ts';

const { Resources: resources } = synthesize().template.toJSON() as { Resources: Record<string, Resource> };
const minuteMs = 60_000;
/** `npm run alarms` watches an hour. */
const healthyMinutes = process.env['ALARMS'] === undefined ? 6 : 60;
/** Withdrawals of an hour in the requirements, 2,000, by the minute. */
const usualPerMinute = 2_000 / 60;
/** The hold of each scene expires after this time. */
const holdMs = 90_000;
const bankDown = 'Wallet-Service critical: bank down';

let engine: TestEngine;
let connection: Connection;
beforeAll(async () => {
  engine = await startTestEngine();
  connection = openConnection(engine.endpoint);
});
afterAll(async () => {
  connection.close();
  await engine.stop();
});

interface Scene {
  readonly seed: string;
  readonly minutes: number;
  /** Withdrawals a minute, evenly. */
  readonly perMinute: number;
  /** The share of the bank's calls that fail. */
  readonly failing: number;
  /** When the bank goes down, ms after the beginning; undefined: never. */
  readonly downAt?: number;
  /** Whether the table is throttled where the sweeper ends holds. */
  readonly holdsStuck?: true;
}

/** Ways in which a bank that works fails a call. */
const failures: readonly FaultKind[] = ['unavailable', 'not-accepted', 'lost-answer', 'unreachable'];

/**
 * Runs the service under load, with its sweeper and a hold that expires, and evaluates all alarms each minute. Returns what
 * they saw.
 */
async function watchScene({ seed, minutes, perMinute, failing, downAt, holdsStuck }: Scene): Promise<Watch> {
  const plan: Plan = ({ id, call, kinds }) => {
    if (holdsStuck && id.startsWith('sweep') && call.includes('TransactWriteItems')) return 'throttled';
    if (!call.startsWith('bank') || chance(seed, 'fails', id) >= failing) return undefined;
    return choose(
      failures.filter((kind) => kinds.includes(kind)),
      seed,
      'how',
      id,
    );
  };
  const world = openWorld(seed, epoch, plan);
  const watch = new Watch(resources);
  const clients = openClients();
  const { name } = await engine.newTable();
  const table = await newTable(connection, await shapeOf(connection, name));
  const violate = (rule: string, detail: string) => assert.fail(`${rule}: ${detail}`);
  const ledger = openLedger(table, world.now, violate, () => undefined);
  const down = downAt === undefined ? [] : [{ from: epoch + downAt, to: Infinity }];
  const settings = { windowMs: 5_000, forgetful: false, down, replacedAt: undefined };
  const keys = shareKeys(world, epoch, undefined);
  const banks = openModelBanks(
    world,
    settings,
    keys,
    violate,
    () => undefined,
    () => undefined,
  );
  const transactionOf = (body: string) => (JSON.parse(body) as { transactionId: string }).transactionId;
  const queues = openQueues(world, transactionOf, () => undefined);
  clients.connect('dynamodb', connectTable(world, { connection, entriesName: undefined, namesTime: true }, ledger));
  clients.connect('sqs', queues.model);
  const queue = { visibilityMs: 180_000, maxReceives: 30 };
  const serviceSettings = {
    ...{ policy: { maxAttempts: 20, notFoundWindowMs: 5_000 }, breaker: defaultBreaker },
    ...{ perHour: 1_000_000, readsPerHour: 1_000_000, queueDepthLimit: 20_000, clocksDifferMs: 0, wrongByMs: 0 },
    withdrawals: { ...queue, batchSize: 10, gatherMs: 0 },
    transfers: { ...queue, batchSize: 100, gatherMs: 1_000 },
  };
  const tables = { name: table.name, entriesName: undefined };
  const outside = {
    world,
    clients,
    tables,
    banks,
    settings: serviceSettings,
    webhooks: undefined,
    report: () => undefined,
  };
  const deployment = deploy(outside, epoch);
  const parts = { clients, deployment, queues, banks, keys };
  const service = openService(world, parts, serviceSettings, () => undefined);
  const leave = inhabit(world, deployment.telemetry, {
    onError: () => undefined,
    onMetric(metric, _task, value) {
      watch.data.put(
        { namespace: metricNamespace, name: metric, dimensions: { service: 'Wallet-Service' } },
        world.now(),
        value,
      );
    },
  });
  try {
    const user = endUser('ann');
    const opened = await started(
      world,
      service.request('open', 'create-wallet', { as: user, key: 'w', body: { currency: 'EUR' } }),
    );
    const path = { walletId: String(opened?.body?.['walletId']) };
    await started(
      world,
      service.request('fund', 'charge', { as: operator, key: 'c', path, body: { amount: 1_000_000 } }),
    );
    const expiresAt = new Date(epoch + holdMs).toISOString();
    await started(
      world,
      service.request('hold', 'open-hold', { as: user, key: 'h', path, body: { amount: 5, expiresAt } }),
    );
    const serverErrors = metricOf(watch, '5XXError');
    for (let n = 0; n < minutes * perMinute; n++) {
      world.at(epoch + (n * minuteMs) / perMinute + 1_000, async () => {
        const body = { amount: 1, destination: { account: `DE${n}` } };
        void service.request(`w${n}`, 'withdraw', { as: user, key: `w${n}`, path, body }).then((ending) => {
          const isFault = ending.how !== 'returned' || ending.value.status >= 500;
          watch.data.put(serverErrors, world.now(), Number(isFault));
        });
        await Promise.resolve();
      });
    }
    for (let minute = 1; minute <= minutes; minute++) {
      await world.run(epoch + minute * minuteMs - 1_000);
      void service.sweep(`sweep ${minute}`);
      await world.run(epoch + minute * minuteMs);
      putQueueMetrics(watch, queues, world.now());
      watch.evaluate(world.now());
    }
  } finally {
    leave();
    await table.drop();
  }
  return watch;
}

/** Runs the world until a request has ended. Returns its answer. */
async function started<T>(world: ReturnType<typeof openWorld>, request: Promise<{ how: string; value?: T }>) {
  const endings: { how: string; value?: T }[] = [];
  void request.then((ended) => endings.push(ended));
  for (let ms = 0; endings.length === 0 && ms < 5_000; ms += 100) await world.run(world.now() + 100);
  assert.equal(endings[0]?.how, 'returned');
  return endings[0].value;
}

/** Returns the identity of the only metric of this name that the alarms watch. */
function metricOf({ definitions }: Watch, name: string) {
  const found = definitions.flatMap(({ metrics }) => Object.values(metrics)).find((metric) => metric.name === name);
  assert.ok(found, name);
  return found;
}

/** Puts the metrics of the queues as SQS computes them. */
function putQueueMetrics({ data }: Watch, queues: ReturnType<typeof openQueues>, now: number): void {
  for (const [url, construct] of [
    [withdrawalQueue, 'ServiceWithdrawalsWork'],
    [transferQueue, 'ServiceTransfersWork'],
  ] as const) {
    const { messages, dead } = queues.contents(url);
    const named = (part: string) => Object.keys(resources).find((id) => id.startsWith(construct + part)) ?? '';
    const put = (part: string, name: string, value: number) => {
      data.put({ namespace: 'AWS/SQS', name, dimensions: { QueueName: named(part) } }, now - 1, value);
    };
    // SQS leaves a message out of the age that was received three times or more.
    const ages = messages.filter(({ receives }) => receives < 3).map(({ sentAt }) => (now - sentAt) / 1000);
    put('Queue', 'ApproximateAgeOfOldestMessage', Math.max(0, ...ages));
    const visible = messages.filter(({ visibleAt }) => visibleAt <= now).length;
    put('Queue', 'ApproximateNumberOfMessagesVisible', visible);
    put('Queue', 'ApproximateNumberOfMessagesNotVisible', messages.length - visible);
    put('DeadLetters', 'ApproximateNumberOfMessagesVisible', dead);
  }
}

/** Leaves out the check of the books, which is not part of this world. */
const ofThisWorld = (names: readonly string[]) => names.filter((name) => !name.includes('hours unchecked'));

describe('the alarms over a bank that is down', () => {
  for (const [load, perMinute, downAt] of [
    ['under load', 30, minuteMs + 5_000],
    ['under load, when the minute is nearly over', 30, minuteMs + 55_000],
    ['in a quiet hour', 1, minuteMs + 5_000],
  ] as const) {
    it(`call an operator within three minutes, ${load}`, async () => {
      const watch = await watchScene({
        seed: `down ${load}`,
        minutes: perMinute > 1 ? 4 : 6,
        perMinute,
        failing: 0,
        downAt,
      });
      const fired = watch.changes.find(({ name, state }) => name === bankDown && state === 'ALARM');
      assert.ok(fired, 'no operator is called');
      const ms = fired.at - epoch - downAt;
      report(`bank down ${load}: ${(ms / minuteMs).toFixed(1)} minutes until the first critical alarm`);
      assert.ok(ms > 0 && ms <= 3 * minuteMs, `${ms} ms`);
      assert.equal(watch.stateOf(bankDown), 'ALARM', 'and it lasts');
      const critical = ofThisWorld(watch.fired()).filter((name) => name.includes('critical'));
      assert.deepEqual(critical, [bankDown], 'it is the only one');
    });
  }

  it('see the age of the oldest withdrawal, which SQS leaves out', async () => {
    const watch = await watchScene({ seed: 'age', minutes: 20, perMinute: 1, failing: 0, downAt: 30_000 });
    const fired = ofThisWorld(watch.fired());
    assert.ok(fired.includes('Wallet-Service warning: withdrawal open for too long'), fired.join(', '));
    const age = metricOf(watch, 'OldestOpenWithdrawal');
    const queueAge = { ...age, namespace: 'AWS/SQS', name: 'ApproximateAgeOfOldestMessage' };
    const queueName = Object.keys(resources).find((id) => id.startsWith('ServiceWithdrawalsWorkQueue')) ?? '';
    const [from, to] = [epoch + 19 * minuteMs, epoch + 20 * minuteMs];
    const seen = watch.data.statistic(age, 'Maximum', from, to) ?? 0;
    const inQueue =
      watch.data.statistic({ ...queueAge, dimensions: { QueueName: queueName } }, 'Maximum', from, to) ?? 0;
    report(
      `oldest open withdrawal after 20 minutes: ${seen.toFixed(0)} s in the table, ${inQueue.toFixed(0)} s in the queue`,
    );
    assert.ok(seen > 1_000 && inQueue < 300, `${seen} and ${inQueue} s`);
  });
});

describe('the alarms over holds that the sweeper cannot end', () => {
  it('warn when one has been overdue for too long', async () => {
    const watch = await watchScene({ seed: 'holds', minutes: 11, perMinute: 1, failing: 0, holdsStuck: true });
    const fired = ofThisWorld(watch.fired());
    assert.deepEqual(fired.sort(), ['Wallet-Service warning: expired hold open for too long']);
    const age = watch.data.statistic(metricOf(watch, 'OldestExpiredHold'), 'Maximum', epoch, epoch + 11 * minuteMs);
    report(`oldest expired hold after 11 minutes: ${(age ?? 0).toFixed(0)} s`);
    assert.ok(age !== undefined && age > 500 && age < 600, `${age} s`);
  });
});

describe('the alarms over a healthy service', () => {
  it(`are silent for ${healthyMinutes} minutes while three in ten of the calls to the bank fail`, async () => {
    const load = { minutes: healthyMinutes, perMinute: usualPerMinute, failing: 0.3 };
    const watch = await watchScene({ seed: 'healthy', ...load });
    assert.deepEqual(ofThisWorld(watch.fired()), []);
  });
});
