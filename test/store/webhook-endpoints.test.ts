/** Endpoints that hang, fail and come back: what each gets, and that none delays another one. */
import { once } from 'node:events';
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { failingMs } from '../../lambdas/domain/webhook.ts';
import { changeWebhook, getWebhook } from '../../lambdas/store/webhooks.ts';
import { openPoster } from '../../lambdas/webhooks/post.ts';
import { mostFailures, restMs } from '../../lambdas/workers/webhook-turn.ts';
import { newWebhookTable } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import {
  deliveriesOf,
  funded,
  newEndpoint,
  newReceiver,
  newSwitchedReceiver,
  newWorker,
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

describe('an endpoint', () => {
  it('that hangs delays no other one', async () => {
    let open: (response: ServerResponse) => void = () => undefined;
    const hanging = new Promise<ServerResponse>((resolve) => (open = resolve));
    const slow = await newReceiver(table, (n, _request, response) => {
      if (n === 0) open(response);
      else response.end();
    });
    let fastIsDone = () => {};
    const fast = new Promise<void>((resolve) => (fastIsDone = resolve));
    const quick = await newReceiver(table, (n, _request, response) => {
      response.end();
      if (n === 1) fastIsDone();
    });
    const [slowId, quickId] = [await newEndpoint(table, slow.url), await newEndpoint(table, quick.url)];
    // It waits as long as the test does.
    const patient = () => openPoster({ targets: 'loopback', connections: 4, timeoutMs: 60_000 });
    const worker = newWorker(table, { openPoster: patient });
    await worker.deliver([funded(table)]);
    const turns = worker.queued.splice(0);
    const running = worker.deliver(turns);
    const response = await hanging;
    // Another event comes, for both. The first turn of the other endpoint may still go on.
    await worker.deliver([funded(table)]);
    while (quick.received.length < 2) {
      await Promise.all(worker.queued.splice(0).map((turn) => worker.deliver([turn])));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await fast;
    assert.equal(slow.received.length, 1);
    response.end();
    await once(response, 'close');
    await running;
    await worker.drain();
    await worker.wait(minute);
    assert.deepEqual([slow.received.length, quick.received.length], [2, 2]);
    assert.ok((await deliveriesOf(table, quickId)).every(({ status }) => status === 'delivered'));
    assert.ok(slowId !== quickId);
  }, 30_000);

  it('that does not answer in time is tried again', async () => {
    const { url, received } = await newReceiver(table, (n, _request, response) => {
      if (n > 0) response.end();
    });
    const webhookId = await newEndpoint(table, url);
    const worker = newWorker(table);
    await worker.take(funded(table));
    assert.equal((await deliveriesOf(table, webhookId))[0]?.lastAttempt?.outcome, 'timeout');
    await worker.wait(minute);
    assert.equal(received.length, 2);
    assert.deepEqual(states(await deliveriesOf(table, webhookId)), [['delivered', 2]]);
  });

  it('that fails eight times in a row rests for a minute, and loses nothing', async () => {
    const receiver = await newSwitchedReceiver(table, true);
    const { url, received } = receiver;
    const webhookId = await newEndpoint(table, url);
    const worker = newWorker(table);
    const events = Array.from({ length: 40 }, () => funded(table));
    for (let n = 0; n < 40; n += 10) await worker.take(...events.slice(n, n + 10));
    assert.ok(received.length >= mostFailures && received.length < mostFailures + 4, String(received.length));
    const sofar = received.length;
    await worker.wait(restMs - 1);
    assert.equal(received.length, sofar);
    receiver.isDown = false;
    await worker.wait(1);
    await worker.wait(2 * minute);
    assert.ok((await deliveriesOf(table, webhookId)).every(({ status }) => status === 'delivered'));
    const ids = new Set(received.map(({ headers }) => headers['webhook-id']));
    assert.equal(ids.size, 40);
  });

  it('that takes nothing for a week is disabled with an event, and gets all when it is active again', async () => {
    const receiver = await newSwitchedReceiver(table, true);
    const { url, received } = receiver;
    const webhookId = await newEndpoint(table, url);
    const worker = newWorker(table);
    await worker.take(funded(table));
    table.clock.now += failingMs - 1;
    await worker.take(funded(table));
    assert.equal((await getWebhook(table, webhookId))?.status, 'active');
    table.clock.now += 1;
    await worker.take(funded(table));
    const disabled = (await getWebhook(table, webhookId))!;
    assert.deepEqual([disabled.status, disabled.disabledBecause], ['disabled', 'failing']);
    assert.deepEqual(
      worker.published.map(({ DetailType, Detail }) => [
        DetailType,
        (JSON.parse(Detail!) as { webhook: object }).webhook,
      ]),
      [['webhook.disabled', { webhookId, failingSince: disabled.failingSince }]],
    );
    const { occurredAt } = JSON.parse(worker.published[0]!.Detail!) as { occurredAt: string };
    assert.equal(Date.parse(occurredAt), Date.parse(disabled.failingSince!) + failingMs, 'the same after a crash');
    const before = received.length;
    await worker.take(funded(table));
    await worker.wait(minute);
    assert.equal(received.length, before, 'a disabled endpoint gets nothing');
    receiver.isDown = false;
    await changeWebhook(table, webhookId, () => ({ status: 'active', failingSince: undefined, restUntil: undefined }));
    await worker.wait(24 * 60 * minute);
    assert.deepEqual(
      (await deliveriesOf(table, webhookId)).map(({ status }) => status),
      ['delivered', 'delivered', 'delivered', 'delivered'],
    );
  });

  it('gets what comes while its turn runs, without a wait for the schedule', async () => {
    const worker = newWorker(table);
    let more: Promise<unknown> = Promise.resolve();
    const { url, received } = await newReceiver(table, (n, _request, response) => {
      // The turn holds its lease now: another worker takes the event, and its turn is refused.
      if (n === 0) more = worker.deliver([funded(table)]).then(() => worker.deliver(worker.queued.splice(0)));
      void more.then(() => response.end());
    });
    await newEndpoint(table, url);
    await worker.take(funded(table));
    assert.equal(received.length, 2);
  });

  it('gets nothing any more once it is deleted', async () => {
    const { url, received } = await newReceiver(table);
    const webhookId = await newEndpoint(table, url);
    const worker = newWorker(table);
    await worker.deliver([funded(table)]);
    await changeWebhook(table, webhookId, () => ({ status: 'deleted' }));
    await worker.drain();
    await worker.wait(minute);
    assert.equal(received.length, 0);
  });
});
