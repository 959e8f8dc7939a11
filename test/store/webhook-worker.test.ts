/** Deliveries to receivers that fail, hang and lie: what each gets and when, and that nothing is lost. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { FixedWebhook } from '../../lambdas/domain/webhook.ts';
import { changeWebhook, getWebhook, leaseMs, listWebhooks } from '../../lambdas/store/webhooks.ts';
import { secretOf, secretsOf } from '../../lambdas/webhooks/signature.ts';
import { newWebhookTable } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import {
  deliveriesOf,
  detailOf,
  funded,
  newEndpoint,
  newReceiver,
  newWorker,
  serviceKey,
  states,
} from './webhook-scenes.ts';

const engine = useEngine();
let table: TestTable;
beforeEach(async () => {
  // The schedule looks at all endpoints.
  table = await newWebhookTable(engine);
  Object.assign(table, { random: () => 0 });
});

const minute = 60_000;

type Verify = (secret: string, headers: object, body: string, now: number) => boolean;
let verify: Verify;
beforeAll(async () => {
  const docs = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'webhooks.md'), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'verify-'));
  writeFileSync(join(folder, 'verify.mjs'), /```js\n([^]*?)```/.exec(docs)?.[1] ?? '');
  ({ verify } = (await import(join(folder, 'verify.mjs'))) as { verify: Verify });
  rmSync(folder, { recursive: true });
});

describe('a delivery', () => {
  it('is the event as the bus has it, signed so that the function of the documents accepts it', async () => {
    const { url, received } = await newReceiver(table);
    const webhookId = await newEndpoint(table, url);
    const event = funded(table, '9007199254740993123');
    await newWorker(table).take(event, funded(table, '1', 'wallet.closed'));
    assert.equal(received.length, 1);
    const [{ headers, body, at }] = received as [(typeof received)[0]];
    assert.equal(body, detailOf(event));
    assert.equal(headers['webhook-id'], (JSON.parse(body) as { eventId: string }).eventId);
    assert.equal(headers['content-type'], 'application/json');
    const secret = secretOf(serviceKey, { webhookId, generation: 0 });
    assert.equal(verify(secret, headers, body, at), true);
    assert.equal(verify(secret, headers, body.replace('9', '8'), at), false);
    assert.equal(verify(secret, headers, body, at + 6 * minute), false);
    assert.equal(verify(secretOf(serviceKey, { webhookId, generation: 1 }), headers, body, at), false);
    assert.equal(verify(secret, { ...headers, 'webhook-signature': 'v1,' }, body, at), false);
    assert.deepEqual(states(await deliveriesOf(table, webhookId)), [['delivered', 1]]);
  });

  it('is signed with both secrets for a day after a rotation', async () => {
    const { url, received } = await newReceiver(table);
    const webhookId = await newEndpoint(table, url);
    const previousUntil = new Date(table.clock.now + 1_000).toISOString();
    await changeWebhook(table, webhookId, () => ({ generation: 1, previousUntil }));
    const [current, previous] = [1, 0].map((generation) => secretOf(serviceKey, { webhookId, generation }));
    const worker = newWorker(table);
    await worker.take(funded(table));
    table.clock.now += 1_000;
    await worker.take(funded(table));
    const accepted = received.map(({ headers, body, at }) =>
      [current!, previous!].map((secret) => verify(secret, headers, body, at)),
    );
    assert.deepEqual(accepted, [
      [true, true],
      [true, false],
    ]);
    assert.equal(secretsOf(serviceKey, (await getWebhook(table, webhookId))!, table.clock.now).length, 1);
  });

  it('is sent once, however often the bus delivers the event', async () => {
    const { url, received } = await newReceiver(table);
    await newEndpoint(table, url);
    const worker = newWorker(table);
    const event = funded(table);
    await worker.take(event, event);
    await worker.take(event.replace('"id":"bus-', '"replay-name":"r","id":"again-'));
    assert.equal(received.length, 1);
  });

  it('is tried again after the documented waits, by a receiver that answers 500 for an hour', async () => {
    const start = table.clock.now;
    const { url, received } = await newReceiver(table, (_n, _request, response) => {
      response.statusCode = table.clock.now < start + 60 * minute ? 500 : 200;
      response.end();
    });
    const webhookId = await newEndpoint(table, url);
    const worker = newWorker(table);
    const event = funded(table);
    await worker.take(event);
    for (const minutes of [1, 2, 5, 15, 30, 60]) {
      const before = received.length;
      await worker.wait(minutes * minute - 1);
      assert.equal(received.length, before, `earlier than ${minutes} minutes`);
      await worker.wait(1);
    }
    await worker.wait(600 * minute);
    assert.deepEqual(
      received.map(({ at }) => (at - start) / minute),
      [0, 1, 3, 8, 23, 53, 113],
    );
    assert.deepEqual([...new Set(received.map(({ headers }) => headers['webhook-id']))].length, 1);
    assert.deepEqual(states(await deliveriesOf(table, webhookId)), [['delivered', 7]]);
    assert.equal((await getWebhook(table, webhookId))?.failingSince, undefined);
  });

  it('is parked after a day, and a replay sends it again, once for each command', async () => {
    let isDown = true;
    const { url, received } = await newReceiver(table, (_n, _request, response) => {
      response.statusCode = isDown ? 503 : 204;
      response.end();
    });
    const webhookId = await newEndpoint(table, url);
    const worker = newWorker(table);
    const from = new Date(table.clock.now).toISOString();
    await worker.take(funded(table), funded(table));
    for (let n = 0; n < 12; n++) await worker.wait(8 * 60 * minute);
    assert.deepEqual(states(await deliveriesOf(table, webhookId)), [
      ['parked', 11],
      ['parked', 11],
    ]);
    assert.equal(received.length, 22);
    await worker.wait(48 * 60 * minute);
    assert.equal(received.length, 22, 'parked deliveries wait for an operator');
    isDown = false;
    for (const key of ['first', 'first', 'second']) {
      const to = new Date(table.clock.now).toISOString();
      await changeWebhook(table, webhookId, () => ({
        replay: { key, from, to, parkedOnly: key === 'first', resent: 0 },
      }));
      await worker.wait(0);
    }
    assert.equal(received.length, 22 + 2 + 2);
    const { replay } = (await getWebhook(table, webhookId))!;
    assert.deepEqual([replay?.resent, replay?.endedAt === undefined], [2, false]);
  });

  it('follows no redirect', async () => {
    const secret = await newReceiver(table);
    const { url } = await newReceiver(table, (_n, _request, response) => {
      response.writeHead(307, { Location: secret.url }).end();
    });
    const webhookId = await newEndpoint(table, url);
    await newWorker(table).take(funded(table));
    assert.equal(secret.received.length, 0);
    const [delivery] = await deliveriesOf(table, webhookId);
    assert.deepEqual([delivery?.status, delivery?.lastAttempt?.outcome], ['waiting', '307']);
  });

  it('reads little of an answer, and takes its status also when the rest never comes', async () => {
    const { url } = await newReceiver(table, (n, _request, response) => {
      response.writeHead(200);
      response.write('x'.repeat(n === 0 ? 1_000_000 : 10));
    });
    const webhookId = await newEndpoint(table, url);
    await newWorker(table).take(funded(table), funded(table));
    assert.deepEqual(states(await deliveriesOf(table, webhookId)), [
      ['delivered', 1],
      ['delivered', 1],
    ]);
  });

  it('above 64 KiB is parked, and says nothing about the receiver', async () => {
    const { url, received } = await newReceiver(table);
    const webhookId = await newEndpoint(table, url);
    await newWorker(table).take(funded(table, `"${'x'.repeat(70_000)}"`));
    assert.equal(received.length, 0);
    assert.deepEqual(states(await deliveriesOf(table, webhookId)), [['parked', 1]]);
    assert.equal((await getWebhook(table, webhookId))?.failingSince, undefined);
  });
});

describe('the worker', () => {
  it.each([
    ['before', false],
    ['after', true],
  ])(
    'loses nothing when it dies %s any call to the database, and repeats at most what was on its way',
    async (_, isDone) => {
      const { url, received } = await newReceiver(table);
      const webhookId = await newEndpoint(table, url);
      const survivor = newWorker(table);
      let [doom, isReached] = [0, true];
      for (; isReached; doom++) {
        const [events, before] = [[funded(table), funded(table), funded(table)], received.length];
        let calls = 0;
        table.fault = async (_call, send) => {
          calls += 1;
          if (calls <= doom) return send();
          if (calls === doom + 1 && isDone) await send();
          throw new Error('the process is dead');
        };
        await newWorker(table)
          .take(...events)
          .catch(() => undefined);
        table.fault = undefined;
        isReached = calls > doom;
        table.clock.now += leaseMs;
        // The queue redelivers what was not deleted.
        await survivor.take(...events);
        await survivor.wait(minute);
        const ids = received.slice(before).map(({ headers }) => headers['webhook-id']);
        for (const event of events) {
          const { eventId } = JSON.parse(detailOf(event)) as { eventId: string };
          const times = ids.filter((id) => id === eventId).length;
          assert.ok(times === 1 || times === 2, `${times} times, dying at call ${doom}`);
        }
      }
      const deliveries = await deliveriesOf(table, webhookId);
      assert.ok(doom > 8, `${doom} deaths`);
      assert.ok(deliveries.every(({ status }) => status === 'delivered'));
      assert.equal(deliveries.length, 3 * doom);
    },
  );

  it('puts a message back that is neither an event nor a turn, and one that it cannot store', async () => {
    const { url, received } = await newReceiver(table);
    await newEndpoint(table, url);
    const worker = newWorker(table);
    const answer = await worker.take('{}', 'nonsense', '{"detail":{"eventId":"x"}}', funded(table));
    assert.deepEqual(
      answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
      ['0', '1', '2'],
    );
    assert.deepEqual(worker.delays, [1, 1, 1]);
    assert.equal(received.length, 1);
  });

  it('keeps the endpoints that the stack names', async () => {
    const { url, received } = await newReceiver(table);
    const named = (eventTypes: FixedWebhook['eventTypes']) => newWorker(table, { fixed: [{ url, eventTypes }] });
    const first = named(['wallet.funded']);
    await first.wait(0);
    await first.wait(minute);
    const [made, ...others] = (await listWebhooks(table)).webhooks;
    assert.deepEqual([made?.url, made?.status, made?.eventTypes, others.length], [url, 'active', ['wallet.funded'], 0]);
    await first.take(funded(table));
    const second = named(['wallet.closed']);
    await second.wait(minute);
    await second.take(funded(table), funded(table, '1', 'wallet.closed'));
    assert.equal(received.length, 2);
    const without = newWorker(table);
    await without.wait(minute);
    await without.take(funded(table));
    const [gone] = (await listWebhooks(table)).webhooks;
    assert.deepEqual([gone?.status, gone?.disabledBecause, received.length], ['disabled', 'stack', 2]);
    await first.wait(minute);
    await first.take(funded(table));
    assert.equal(received.length, 3);
    await changeWebhook(table, gone!.webhookId, () => ({ status: 'deleted' }));
    await first.wait(minute);
    assert.deepEqual((await listWebhooks(table)).webhooks, [], 'what an operator deletes stays deleted');
    await newWorker(table, { fixed: [{ url: 'http://10.0.0.1/', eventTypes: ['wallet.funded'] }] }).wait(minute);
    assert.deepEqual((await listWebhooks(table)).webhooks, []);
  });

  it('sends by its schedule what a lost message has left', async () => {
    const { url, received } = await newReceiver(table);
    await newEndpoint(table, url);
    const forgetful = newWorker(table, { askForTurns: () => Promise.resolve() });
    await forgetful.take(funded(table));
    assert.equal(received.length, 0);
    const worker = newWorker(table);
    await worker.wait(minute);
    assert.equal(received.length, 1);
    await worker.schedule();
    assert.deepEqual(worker.queued, []);
  });
});
