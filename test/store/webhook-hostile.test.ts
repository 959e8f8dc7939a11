/** Stored items that cannot be read, endpoints that change during a turn, and units: none may cost another endpoint. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { listWebhookDeliveriesRoute, listWebhooksRoute } from '../../lambdas/api/webhook-routes.ts';
import { serve } from '../../lambdas/http/http.ts';
import { putDelivery } from '../../lambdas/store/deliveries.ts';
import { deliveryKey, webhookKey } from '../../lambdas/store/keys.ts';
import { changeWebhook, getWebhook, listWebhooks } from '../../lambdas/store/webhooks.ts';
import { openPoster } from '../../lambdas/webhooks/post.ts';
import { secretOf, signedHeaders } from '../../lambdas/webhooks/signature.ts';
import { asideMs } from '../../lambdas/workers/webhook-turn.ts';
import { measure, newWebhookTable } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { operator, send } from '../request.ts';
import { checkUnits } from '../units.ts';
import {
  deliveriesOf,
  funded,
  newEndpoint,
  newReceiver,
  newSwitchedReceiver,
  newWorker,
  serviceKey,
} from './webhook-scenes.ts';

const engine = useEngine();
let table: TestTable;
beforeEach(async () => {
  table = await newWebhookTable(engine);
});

/** Starts a worker that waits for answers as long as the test does. */
const patientWorker = () =>
  newWorker(table, { openPoster: () => openPoster({ targets: 'loopback', connections: 4, timeoutMs: 60_000 }) });

const keys = () => Promise.resolve([serviceKey] as const);

/** Stores a delivery that is due, and changes its item as `spoil` says. */
async function putSpoilt(webhookId: string, n: number, spoil: (item: Record<string, unknown>) => object) {
  const at = new Date(table.clock.now - 60_000 + n).toISOString();
  const delivery = {
    ...{ webhookId, eventId: `ev_${'a'.repeat(25)}${String(n + 2)}`, type: 'wallet.funded', occurredAt: at },
    ...({ body: '{}', status: 'waiting', attempts: 0, dueAt: at, createdAt: at } as const),
  };
  await putDelivery(table, delivery);
  const Item = { ...deliveryKey(delivery), v: 1, ...delivery, due: webhookId };
  await table.client.send(new PutCommand({ TableName: table.name, Item: spoil(Item) }));
  return deliveryKey(delivery).sk;
}

describe('a delivery that cannot be read', () => {
  it('is set aside, and the others of its endpoint are sent, listed and replayed', async () => {
    const { url, received } = await newReceiver(table);
    const webhookId = await newEndpoint(table, url);
    const spoilt = [
      await putSpoilt(webhookId, 0, ({ body: _body, ...item }) => item),
      await putSpoilt(webhookId, 1, (item) => ({ ...item, v: 9 })),
      await putSpoilt(webhookId, 2, (item) => ({ ...item, status: 'sleeping' })),
    ];
    const huge = await putSpoilt(webhookId, 3, (item) => item);
    await table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: {
          ...{ pk: { S: `DELIVERIES#${webhookId}` }, sk: { S: huge }, due: { S: webhookId } },
          ...{ dueAt: { S: new Date(table.clock.now - 1).toISOString() }, attempts: { N: '1.5e120' } },
        },
      }),
    );
    const worker = patientWorker();
    await worker.take(funded(table), funded(table));
    assert.equal(received.length, 2);
    for (const sk of [...spoilt, huge]) {
      const Key = { pk: { S: `DELIVERIES#${webhookId}` }, sk: { S: sk } };
      const { Item } = await table.client.send(new GetItemCommand({ TableName: table.name, Key }));
      const later = new Date(table.clock.now + asideMs).toISOString();
      assert.deepEqual([Item?.['due']?.S, Item?.['dueAt']?.S], [webhookId, later]);
    }
    const handler = serve(listWebhookDeliveriesRoute, { table });
    const listed = await send('list-webhook-deliveries', handler, { as: operator, path: { webhookId } });
    assert.deepEqual([listed.status, (listed.body?.['items'] as unknown[]).length], [200, 2]);
    const [from, to] = ['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'];
    await changeWebhook(table, webhookId, () => ({ replay: { key: 'r', from, to, parkedOnly: false, resent: 0 } }));
    await worker.wait(60_000);
    assert.equal(received.length, 4);
    assert.equal((await getWebhook(table, webhookId))?.replay?.resent, 2);
  });

  it('is sent by a release that reads it', async () => {
    const { url, received } = await newReceiver(table);
    const webhookId = await newEndpoint(table, url);
    const sk = await putSpoilt(webhookId, 0, (item) => ({ ...item, v: 9 }));
    const worker = patientWorker();
    await worker.wait(0);
    const Key = { pk: `DELIVERIES#${webhookId}`, sk };
    const [UpdateExpression, ExpressionAttributeValues] = ['SET v = :v', { ':v': 1 }];
    await table.client.send(
      new UpdateCommand({ TableName: table.name, Key, UpdateExpression, ExpressionAttributeValues }),
    );
    await worker.wait(asideMs);
    assert.equal(received.length, 1);
  });
});

describe('an endpoint that cannot be read', () => {
  it('takes nothing from the others, and the event stays in the queue for it', async () => {
    const { url, received } = await newReceiver(table);
    const [hidden, plain] = [await newEndpoint(table, url), await newEndpoint(table, url)];
    const update = (v: number) =>
      table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: webhookKey(hidden),
          UpdateExpression: 'SET v = :v',
          ExpressionAttributeValues: { ':v': v },
        }),
      );
    await update(9);
    const worker = patientWorker();
    const event = funded(table);
    const { batchItemFailures } = await worker.take(event);
    assert.deepEqual([batchItemFailures.length, received.length], [1, 1]);
    await worker.wait(60_000);
    const services = { table, keys, targets: 'public', queue: { send: () => Promise.resolve() } } as const;
    const { body } = await send('list-webhooks', serve(listWebhooksRoute, services), { as: operator });
    assert.deepEqual(
      (body?.['items'] as { webhookId: string }[]).map(({ webhookId }) => webhookId),
      [plain],
    );
    await update(1);
    assert.deepEqual((await worker.take(event)).batchItemFailures, []);
    assert.equal(received.length, 2);
  });

  it('is none of those that follow a megabyte of deleted ones', async () => {
    // Larger than the service makes them, so that few are needed.
    const deleted = { status: 'deleted', url: 'x'.repeat(300_000), eventTypes: [], generation: 0, version: 1 };
    for (const n of ['a', 'b', 'c', 'd']) {
      const webhookId = `wh_${n.repeat(26)}`;
      const Item = { ...webhookKey(webhookId), v: 1, webhookId, ...deleted };
      await table.client.send(new PutCommand({ TableName: table.name, Item }));
    }
    const receiver = await newReceiver(table);
    // Ids are hashes: one of several is behind the deleted ones.
    for (let n = 0; n < 6; n++) await newEndpoint(table, receiver.url);
    assert.equal((await listWebhooks(table)).webhooks.length, 6);
    await patientWorker().take(funded(table));
    assert.equal(receiver.received.length, 6);
  });
});

it('a receiver that switches protocols has given its answer, and no delivery waits for the limit', async () => {
  const { url } = await newReceiver(table, (_n, _request, { socket }) => {
    socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  const webhookId = await newEndpoint(table, url);
  // Its worker waits for a minute, longer than the test may take.
  await patientWorker().take(funded(table));
  assert.equal((await deliveriesOf(table, webhookId))[0]?.lastAttempt?.outcome, '101');
});

describe('a command during a turn', () => {
  const backlog = async (worker: ReturnType<typeof newWorker>, count: number) => {
    for (let n = 0; n < count; n += 10) await worker.deliver(Array.from({ length: 10 }, () => funded(table)));
  };

  it.each(['disabled', 'deleted'] as const)('that makes the endpoint %s stops it after the page', async (status) => {
    let webhookId = '';
    const { url, received } = await newReceiver(table, (n, _request, response) => {
      const changed = n === 3 ? changeWebhook(table, webhookId, () => ({ status })) : Promise.resolve();
      void changed.then(() => response.end());
    });
    webhookId = await newEndpoint(table, url);
    const worker = patientWorker();
    await backlog(worker, 40);
    await worker.drain();
    assert.equal(received.length, 25);
  });

  it('that rotates the secret signs the next page with both', async () => {
    let webhookId = '';
    const until = new Date(table.clock.now + 60_000).toISOString();
    const { url, received } = await newReceiver(table, (n, _request, response) => {
      const change = () => ({ generation: 1, previousUntil: until });
      void (n === 3 ? changeWebhook(table, webhookId, change) : Promise.resolve()).then(() => response.end());
    });
    webhookId = await newEndpoint(table, url);
    const worker = patientWorker();
    await backlog(worker, 40);
    await worker.drain();
    const { headers, body, at } = received.at(-1)!;
    const secrets = [1, 0].map((generation) => secretOf(serviceKey, { webhookId, generation }));
    const signed = signedHeaders(secrets, String(headers['webhook-id']), Math.floor(at / 1000), body);
    assert.equal(headers['webhook-signature'], signed['webhook-signature']);
  });
});

describe('the write units of a delivery of some 1.5 kB', () => {
  const event = () => funded(table, `"${'x'.repeat(1_100)}"`);

  it('are those of docs/webhooks.md', async () => {
    const receiver = await newSwitchedReceiver(table, false);
    const webhookId = await newEndpoint(table, receiver.url);
    const worker = patientWorker();
    const unitsOf = async (work: () => Promise<unknown>) => (await measure(table, work)).writeUnits;
    const one = await unitsOf(() => worker.take(event()));
    const ten = await unitsOf(() => worker.take(...Array.from({ length: 10 }, event)));
    receiver.isDown = true;
    const failed = await unitsOf(() => worker.take(event()));
    receiver.isDown = false;
    const repeated = await unitsOf(() => worker.wait(70_000));
    const [from, to] = ['2026-01-01T00:00:00.000Z', new Date(table.clock.now).toISOString()];
    await changeWebhook(table, webhookId, () => ({ replay: { key: 'r', from, to, parkedOnly: false, resent: 0 } }));
    const replayed = await unitsOf(() => worker.wait(0));
    checkUnits(() => {
      const turn = 2;
      const [stored, ended, retried, resent, recovered] = [3, 3, 4, 3, 1];
      assert.equal(one, stored + ended + turn);
      assert.equal(ten, 10 * (stored + ended) + turn);
      assert.equal(failed + repeated, stored + retried + ended + recovered + 2 * turn);
      // The step of the replay itself is stored on the endpoint.
      const step = 2;
      assert.equal(replayed, 12 * (resent + ended) + turn + step);
    });
  });
});
