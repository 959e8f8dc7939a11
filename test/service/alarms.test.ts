/**
 * The alarms of the template over the running service: metrics from the functions' log, and those of SQS from the runner's
 * queues. `npm run alarms` watches a bank that works and then one that is down, for ALARMS minutes each, and shows which
 * alarms go off. `npm test` only waits until the bank's own alarm has seen enough in a part of a minute.
 */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from '../fixture.ts';
import { synthesize } from '../stack/synthesized.ts';
import type { Resource } from '../stack/synthesized.ts';
import { Watch } from '../watch/alarms.ts';
import { startService } from './service.ts';

const isShort = process.env['ALARMS'] === undefined;
const minutes = Number(process.env['ALARMS'] ?? 0);
const minuteMs = 60_000;
/** Withdrawals a second. */
const rate = 3;
const bankDown = 'Wallet-Service critical: bank down';

const { Resources: resources } = synthesize().template.toJSON() as { Resources: Record<string, Resource> };
const watch = new Watch(resources);
let rest = '';
const { newUser, operator, runner } = await startService({
  bank: isShort ? { latencyMs: 5, failureRate: 0 } : { latencyMs: 1_000, failureRate: 0.3 },
  log(text) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) watch.data.putLine(line);
  },
});

/** Starts withdrawals at the rate. Returns the function that stops them. */
function startLoad(walletId: string) {
  const sent: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const body = { amount: 1, destination: { account: 'GB33 BUKB 2020' } };
    // As an operator, whose commands are not limited.
    sent.push(operator(`/wallets/${walletId}/withdraw`, { body }).catch(() => undefined));
  }, 1_000 / rate);
  return async () => {
    clearInterval(timer);
    await Promise.all(sent);
  };
}

/** Puts the queues' metrics of this moment. */
async function putQueueMetrics(): Promise<void> {
  const { body } = await operator('/local/queues');
  for (const { name, visible, notVisible, oldestAgeSeconds } of body['items'] as Record<string, number | string>[]) {
    const queue = runner.resources.find(({ ref, type }) => type === 'AWS::SQS::Queue' && ref.endsWith(`/${name}`));
    const put = (metric: string, value: unknown) => {
      const dimensions = { QueueName: queue?.logicalId ?? '' };
      watch.data.put({ namespace: 'AWS/SQS', name: metric, dimensions }, Date.now() - 1, Number(value));
    };
    put('ApproximateAgeOfOldestMessage', oldestAgeSeconds);
    put('ApproximateNumberOfMessagesVisible', visible);
    put('ApproximateNumberOfMessagesNotVisible', notVisible);
  }
}

/** Evaluates all alarms at each full minute until `to`, epoch ms. */
async function evaluateUntil(to: number): Promise<void> {
  for (let at = Math.ceil(Date.now() / minuteMs) * minuteMs; at <= to; at += minuteMs) {
    await sleep(Math.max(0, at - Date.now()));
    await putQueueMetrics();
    watch.evaluate(at);
  }
}

/**
 * Both take missing points for bad ones. The check of the books runs each quarter of an hour, and the sweeper for the first
 * time after a minute.
 */
const notShown = new Set(['Wallet-Service warning: hours unchecked', 'Wallet-Service critical: sweeper silent']);

it(`call an operator when the bank goes down${isShort ? '' : `, and do not call in the ${minutes} minutes before`}`, async () => {
  const user = await newUser(1_000_000);
  const stop = startLoad(user.walletId);
  if (!isShort) {
    await evaluateUntil(Date.now() + minutes * minuteMs);
    const fired = watch.fired().filter((name) => !notShown.has(name));
    report(`a bank that fails 30 % of the calls: ${fired.join(', ') || 'no alarm'}`);
    assert.deepEqual(fired, []);
  }
  const downAt = Date.now();
  await operator('/local/bank/settings', { method: 'PUT', body: { down: true } });
  if (isShort) {
    for (const until = downAt + minuteMs; watch.stateOf(bankDown) !== 'ALARM' && Date.now() < until;) {
      await sleep(500);
      await putQueueMetrics();
      // As if the minute ended now.
      watch.evaluate(Date.now());
    }
  } else {
    await evaluateUntil(Date.now() + minutes * minuteMs);
  }
  await operator('/local/bank/settings', { method: 'PUT', body: { down: false } });
  await stop();
  for (const { at, name, state } of watch.changes) {
    if (at < downAt || state !== 'ALARM' || notShown.has(name)) continue;
    report(`${((at - downAt) / minuteMs).toFixed(1)} minutes after the bank went down: ${name}`);
  }
  const first = watch.changes.find(({ at, name, state }) => at >= downAt && name === bankDown && state === 'ALARM');
  assert.ok(first && first.at - downAt <= 3 * minuteMs);
});
