/** The routes of webhooks: who may do what, and what is answered; on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { webhookHandlers } from '../../lambdas/api/webhook-routes.ts';
import type { WebhookServices } from '../../lambdas/api/webhook-routes.ts';
import { mostWebhooks, shownMs } from '../../lambdas/domain/webhook.ts';
import { secretOf } from '../../lambdas/webhooks/signature.ts';
import { newWebhookTable } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { endUser, operator, send, support } from '../request.ts';
import type { Request } from '../request.ts';
import { newKey } from './commands.ts';
import { deliveriesOf, newWorker, serviceKey } from './webhook-scenes.ts';

const engine = useEngine();
let table: TestTable;
const sent: string[] = [];
let isQueueDown = false;
beforeEach(async () => {
  table = await newWebhookTable(engine);
  sent.length = 0;
  isQueueDown = false;
});

const servicesOf = (targets: WebhookServices['targets'] = 'public'): WebhookServices => ({
  ...{ table, keys: () => Promise.resolve([serviceKey]), targets },
  queue: {
    send: ({ webhookId }) => {
      if (isQueueDown) return Promise.reject(new Error('the queue is down'));
      sent.push(webhookId);
      return Promise.resolve();
    },
  },
});

const ask = (name: keyof ReturnType<typeof webhookHandlers>, request: Request) =>
  send(name, webhookHandlers(servicesOf())[name], request);

const url = 'https://shop.example.com/events';
const endpoint = { url, eventTypes: ['wallet.funded'] };
const create = (body: unknown = endpoint, key = newKey(), as = operator) => ask('create-webhook', { as, key, body });
const put = (webhookId: string, body: unknown, as = operator) => ask('put-webhook', { as, path: { webhookId }, body });
const get = (webhookId: string) => ask('get-webhook', { as: support, path: { webhookId } });
const list = () => ask('list-webhooks', { as: support });
const commandOn = (webhookId: string, more: Request): Request => ({
  as: operator,
  key: newKey(),
  path: { webhookId },
  ...more,
});
const rotate = (webhookId: string, key = newKey()) => ask('rotate-webhook-secret', commandOn(webhookId, { key }));
const ping = (webhookId: string, key = newKey()) => ask('ping-webhook', commandOn(webhookId, { key }));
const replay = (webhookId: string, body: unknown, key = newKey()) =>
  ask('replay-webhook', commandOn(webhookId, { key, body }));

const idIn = ({ body }: Awaited<ReturnType<typeof create>>) => String(body?.['webhookId']);

describe('POST /webhooks', () => {
  it('makes an endpoint, and shows its secret to the one who made it', async () => {
    const key = newKey();
    const made = await create(endpoint, key);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const webhookId = idIn(made);
    assert.equal(made.headers['Location'], `/prod/webhooks/${webhookId}`);
    const secret = secretOf(serviceKey, { webhookId, generation: 0 });
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.equal(made.body?.['secret'], secret);
    const again = await create(endpoint, key);
    assert.deepEqual([again.status, again.body, again.headers['Idempotency-Replayed']], [201, made.body, 'true']);
    table.clock.now += shownMs;
    assert.equal((await create(endpoint, key)).body?.['secret'], undefined);
    assert.equal((await create({ ...endpoint, description: 'x' }, key)).body?.['code'], 'idempotency_key_reused');
    for (const { body } of [await get(webhookId), await list(), await put(webhookId, { status: 'active' })]) {
      assert.ok(!JSON.stringify(body).includes('whsec_'));
    }
    assert.deepEqual((await list()).body?.['items'], [(await get(webhookId)).body]);
  });

  it('refuses URLs that are not public, and types that do not exist', async () => {
    const wrong: [object, string][] = [
      [{ ...endpoint, url: 'http://shop.example.com' }, 'url'],
      [{ ...endpoint, url: 'https://169.254.169.254/latest' }, 'url'],
      [{ ...endpoint, url: 'http://127.0.0.1:1/' }, 'url'],
      [{ ...endpoint, url: `https://a.example/${'x'.repeat(2_000)}` }, 'url'],
      [{ ...endpoint, eventTypes: [] }, 'eventTypes'],
      [{ ...endpoint, eventTypes: ['wallet.funded', 'webhook.ping'] }, 'eventTypes.1'],
      [{ url }, 'eventTypes'],
      [{ ...endpoint, secret: 'mine' }, 'secret'],
    ];
    for (const [body, path] of wrong) {
      const { status, body: answer } = await create(body);
      assert.equal(status, 400);
      assert.equal((answer?.['errors'] as { path: string }[])[0]?.path, path);
    }
  });

  it('is for operators with the widest scope', async () => {
    for (const as of [endUser('ann'), support, { ...operator, scopes: 'charge support decide' }]) {
      assert.equal((await create(endpoint, newKey(), as)).status, 403);
    }
    const webhookId = idIn(await create());
    assert.equal((await put(webhookId, { status: 'disabled' }, support)).status, 403);
  });

  it('makes at most twenty endpoints, also of many who ask at once; a deleted one makes room', async () => {
    const made = await Promise.all(Array.from({ length: mostWebhooks + 5 }, () => create()));
    const [ok, refused] = [201, 409].map((status) => made.filter((one) => one.status === status));
    assert.deepEqual([ok!.length, refused!.length], [mostWebhooks, 5]);
    assert.equal(refused![0]!.body?.['code'], 'webhook_limit_reached');
    await put(idIn(ok![0]!), { status: 'deleted' });
    assert.equal((await create()).status, 201);
    assert.equal((await create()).status, 409);
    assert.equal(((await list()).body?.['items'] as unknown[]).length, mostWebhooks);
  });
});

describe('an endpoint', () => {
  it('is disabled, enabled with other types, and deleted for good', async () => {
    const key = newKey();
    const webhookId = idIn(await create(endpoint, key));
    const disabled = await put(webhookId, { status: 'disabled' });
    assert.deepEqual([disabled.body?.['status'], disabled.body?.['disabledBecause']], ['disabled', 'operator']);
    const eventTypes = ['wallet.closed', 'wallet.closed', 'fees.collected'];
    const enabled = await put(webhookId, { status: 'active', eventTypes });
    assert.deepEqual(enabled.body?.['eventTypes'], ['wallet.closed', 'fees.collected']);
    assert.equal(enabled.body['disabledBecause'], undefined);
    assert.deepEqual(sent, [webhookId]);
    assert.equal((await put(webhookId, { status: 'deleted' })).status, 200);
    for (const answer of [await get(webhookId), await put(webhookId, { status: 'active' }), await ping(webhookId)]) {
      assert.equal(answer.body?.['code'], 'webhook_not_found');
    }
    const repeated = await create(endpoint, key);
    assert.deepEqual([repeated.body?.['status'], repeated.body?.['secret']], ['deleted', undefined]);
  });

  it('gets a new secret, the same for each repetition of the command', async () => {
    const [webhookId, key] = [idIn(await create()), newKey()];
    const first = await rotate(webhookId, key);
    assert.equal(first.body?.['secret'], secretOf(serviceKey, { webhookId, generation: 1 }));
    assert.equal(first.body['previousSecretUntil'], new Date(table.clock.now + 86_400_000).toISOString());
    const again = await rotate(webhookId, key);
    assert.deepEqual([again.body, again.headers['Idempotency-Replayed']], [first.body, 'true']);
    assert.equal((await rotate(webhookId)).body?.['secret'], secretOf(serviceKey, { webhookId, generation: 2 }));
  });

  it('is tested by a ping, which is sent once for each key', async () => {
    const [webhookId, key] = [idIn(await create()), newKey()];
    const first = await ping(webhookId, key);
    assert.equal(first.status, 202);
    table.clock.now += 5_000;
    isQueueDown = true;
    assert.equal((await ping(webhookId, key)).body?.['eventId'], first.body?.['eventId']);
    const [delivery, ...others] = await deliveriesOf(table, webhookId);
    assert.deepEqual([delivery?.eventId, delivery?.type, others.length], [first.body?.['eventId'], 'webhook.ping', 0]);
    await put(webhookId, { status: 'disabled' });
    assert.equal((await ping(webhookId)).body?.['code'], 'webhook_disabled');
  });

  it('replays one at a time', async () => {
    const [webhookId, key, from] = [idIn(await create()), newKey(), '2026-02-28T00:00:00+01:00'];
    const first = await replay(webhookId, { from }, key);
    const running = {
      from: '2026-02-27T23:00:00.000Z',
      to: new Date(table.clock.now).toISOString(),
      parkedOnly: false,
    };
    assert.deepEqual([first.status, first.body?.['replay']], [202, { ...running, status: 'running', resent: 0 }]);
    assert.equal((await replay(webhookId, { from }, key)).headers['Idempotency-Replayed'], 'true');
    assert.equal((await replay(webhookId, { from })).body?.['code'], 'webhook_replay_running');
    assert.equal((await replay(webhookId, { from: '2030-01-01T00:00:00Z' })).status, 400);
    await newWorker(table).wait(0);
    assert.deepEqual((await get(webhookId)).body?.['replay'], { ...running, status: 'completed', resent: 0 });
    assert.equal((await replay(webhookId, { from })).status, 202);
  });

  it('shows its deliveries page by page, without the events and the answers', async () => {
    const webhookId = idIn(await create());
    for (let n = 0; n < 3; n++) {
      await ping(webhookId);
      table.clock.now += 1_000;
    }
    const page = (query: Record<string, string>) =>
      ask('list-webhook-deliveries', { as: support, path: { webhookId }, query });
    const first = await page({ limit: '2' });
    const second = await page({ limit: '2', cursor: String(first.body?.['nextCursor']) });
    const items = [first, second].flatMap(({ body }) => body?.['items'] as { occurredAt: string }[]);
    const times = items.map(({ occurredAt }) => occurredAt);
    assert.deepEqual([items.length, times], [3, times.toSorted().reverse()]);
    assert.deepEqual(Object.keys(items[0]!), [
      ...['eventId', 'type', 'occurredAt', 'status', 'attempts', 'nextAttemptAt', 'createdAt'],
    ]);
    assert.equal((await page({ cursor: 'eA' })).status, 400);
  });
});
