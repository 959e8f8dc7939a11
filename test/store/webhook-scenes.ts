/** Webhooks on the real engine: receivers on this machine, and the worker with its queue in memory. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SQSEvent } from 'aws-lambda';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { eventIdOf } from '../../lambdas/domain/ids.ts';
import type { EventType } from '../../lambdas/domain/events.ts';
import type { Delivery, Webhook } from '../../lambdas/domain/webhook.ts';
import { listDeliveries } from '../../lambdas/store/deliveries.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { createWebhook } from '../../lambdas/store/webhooks.ts';
import { openPoster } from '../../lambdas/webhooks/post.ts';
import { handleWebhooks } from '../../lambdas/workers/webhooks.ts';
import type { WebhookServices } from '../../lambdas/workers/webhooks.ts';
import type { TestTable } from '../engine.ts';
import { afterTest } from '../fixture.ts';
import { newKey } from './commands.ts';

export const serviceKey = 'the key of the service';

/** A delivery as a receiver got it. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** By the table's clock, epoch ms. */
  readonly at: number;
}

/** Starts a receiver on a port of its own. `answer` gets the number of each request, from 0. */
export async function newReceiver(
  table: TestTable,
  answer: (n: number, ...exchange: Parameters<RequestListener>) => void = (_n, _request, response) => response.end(),
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), at: table.clock.now });
      answer(received.length - 1, request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}/events`, received };
}

/** Starts a receiver that answers 500 while `isDown`, and 200 otherwise. */
export async function newSwitchedReceiver(table: TestTable, isDown: boolean) {
  const state = { isDown };
  const receiver = await newReceiver(table, (_n, _request, response) => {
    response.statusCode = state.isDown ? 500 : 200;
    response.end();
  });
  return Object.assign(state, receiver);
}

/** Stores an endpoint with this URL. */
export async function newEndpoint(table: TestTable, url: string, eventTypes: readonly EventType[] = ['wallet.funded']) {
  const at = new Date(table.clock.now).toISOString();
  const name = newKey();
  const webhookId = `wh_${eventIdOf([name]).slice('ev_'.length)}`;
  const webhook: Webhook = {
    ...{ webhookId, url, eventTypes, status: 'active', generation: 0, version: 0 },
    ...{ secretKey: name, secretAt: at, createdBy: 'operator-1', createdAt: at, updatedAt: at },
  };
  await createWebhook(table, webhook, 'fingerprint');
  return webhookId;
}

let events = 0;

/** Returns status and attempts of each delivery. */
export const states = (deliveries: readonly Delivery[]) => deliveries.map(({ status, attempts }) => [status, attempts]);

/** Returns an event as the bus delivers it. `balance`: the digits of a balance in it. */
export function funded(table: TestTable, balance = '700', type: EventType = 'wallet.funded'): string {
  const n = ++events;
  const occurredAt = new Date(table.clock.now + n).toISOString();
  const eventId = eventIdOf([n]);
  return `{"id":"bus-${n}","source":"wallet","detail-type":"${type}","detail":{"eventId":"${eventId}","type":"${type}","version":1,"occurredAt":"${occurredAt}","walletIds":["w"],"balance":${balance}}}`;
}

/** Returns the event of a message as the bus has it. */
export const detailOf = (message: string) => /"detail":(\{.*\})\}$/.exec(message)?.[1] ?? '';

/** Starts a worker whose queue is in memory, and whose time is that of the table. */
export function newWorker(table: TestTable, more: Partial<WebhookServices> = {}) {
  const queued: string[] = [];
  const published: PutEventsRequestEntry[] = [];
  const delays: number[] = [];
  const services: WebhookServices = {
    table,
    keys: () => Promise.resolve([serviceKey]),
    publisher: {
      ...{ busName: 'bus', now: () => table.clock.now, random: () => 0, sleep: () => Promise.resolve() },
      put: (entries) => {
        published.push(...entries);
        return Promise.resolve(entries.map(() => undefined));
      },
    },
    // A busy machine answers in this time, too. A receiver that never answers takes all of it.
    openPoster: () => openPoster({ targets: 'loopback', connections: 4, timeoutMs: 1_000 }),
    askForTurns: (webhookIds) => {
      queued.push(...webhookIds.map((webhookId) => JSON.stringify({ version: 1, webhookId })));
      return Promise.resolve();
    },
    queue: {
      delay: (_handle, seconds) => {
        delays.push(seconds);
        return Promise.resolve();
      },
    },
    fixed: [],
    targets: 'loopback',
    ...more,
  };
  const handle = handleWebhooks(services);
  const deliver = (messages: readonly string[]) => handle(sqsOf(messages));
  /** Does what is in the queue until it is empty. */
  const drain = async () => {
    while (queued.length > 0) await deliver(queued.splice(0, 10));
  };
  return {
    queued,
    published,
    delays,
    deliver,
    drain,
    /** Hands messages to the worker, and does all that follows at once. */
    async take(...messages: readonly string[]) {
      const answer = await deliver(messages);
      await drain();
      return answer;
    },
    /** Moves the clock, runs the schedule, and does all that follows. */
    async wait(ms: number) {
      table.clock.now += ms;
      await handle({ source: 'aws.events' });
      await drain();
    },
    schedule: () => handle({ source: 'aws.events' }),
  };
}

function sqsOf(messages: readonly string[]): SQSEvent {
  return {
    Records: messages.map((body, n) => ({
      ...{ messageId: String(n), receiptHandle: String(n), body, attributes: { ApproximateReceiveCount: '1' } },
    })),
  } as unknown as SQSEvent;
}

/** Returns the deliveries of an endpoint, the oldest event first. */
export async function deliveriesOf(table: TestTable, webhookId: string): Promise<readonly Delivery[]> {
  return (await listDeliveries(table, { webhookId, order: 'oldest first', limit: 100 })).items.map(readable);
}
