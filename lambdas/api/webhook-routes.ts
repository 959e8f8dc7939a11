import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { eventTypes } from '../domain/events.ts';
import { eventIdOf, webhookIdOf } from '../domain/ids.ts';
import { overlapMs, pingType, shownMs } from '../domain/webhook.ts';
import type { Webhook } from '../domain/webhook.ts';
import { openSecret } from '../bank/secret.ts';
import type { KeySource } from '../bank/secret.ts';
import { dynamodbClient, secretsClient, sqsClient } from '../aws/clients.ts';
import { openQueue } from '../aws/queue.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { fields } from '../http/body-fields.ts';
import { byRoute } from '../http/by-route.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { command, query, replacement, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { RouteServices } from '../http/http.ts';
import { queryFields } from '../http/query-fields.ts';
import { invalid } from '../http/request.ts';
import { timeField } from '../http/time-field.ts';
import { listDeliveries, putDelivery } from '../store/deliveries.ts';
import { isDeliveryKey } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { legible } from '../store/unreadable.ts';
import { changeWebhook, createWebhook, getWebhook, listWebhooks } from '../store/webhooks.ts';
import { deliveryView, webhookView } from '../views/webhook-view.ts';
import { secretOf } from '../webhooks/signature.ts';
import { defectOf, targetKinds } from '../webhooks/target.ts';
import type { Targets } from '../webhooks/target.ts';

/** The services of the routes; `table` is that of webhooks. */
export interface WebhookServices extends RouteServices {
  /** The key that secrets are derived from. */
  readonly keys: KeySource;
  readonly targets: Targets;
  /** Asks for a turn of an endpoint. */
  readonly queue: { readonly send: (message: { readonly version: 1; readonly webhookId: string }) => Promise<void> };
}

const types = z.pipe(
  z.array(z.enum(eventTypes)).check(z.minLength(1), z.maxLength(eventTypes.length)),
  z.transform((list) => [...new Set(list)]),
);

const createBody = z.strictObject({
  url: z.string(),
  eventTypes: types,
  description: z.optional(fields.text(256)),
});

/**
 * `POST /webhooks`: adds an endpoint that gets events. The answer has its secret. A repetition shows the secret for an
 * hour, as the first answer may be lost.
 */
export const createWebhookRoute = command<typeof createBody, WebhookServices>({
  name: 'create-webhook',
  body: createBody,
  async handle({ body, operation, transactionId }, { table, keys, targets }) {
    const { url, eventTypes: wanted, description } = body;
    const defect = defectOf(url, targets);
    if (defect !== undefined) throw invalid([{ path: 'url', message: defect }]);
    const { at, principal, fingerprint } = operation;
    const made: Webhook = {
      ...{ webhookId: webhookIdOf(transactionId), url: new URL(url).href, eventTypes: wanted, description },
      ...({ status: 'active', generation: 0, version: 0 } as const),
      ...{ secretKey: transactionId, secretAt: at, createdBy: principal, createdAt: at, updatedAt: at },
    };
    const { webhook, replayed } = await createWebhook(table, made, fingerprint);
    return committed(201, await withSecret(webhook, transactionId, keys, table), replayed);
  },
});

/** Returns the view of an endpoint, with its secret while the command that made it may show it. */
async function withSecret(webhook: Webhook, commandId: string, keys: KeySource, table: Table) {
  const { secretKey, secretAt, status } = webhook;
  const isShown = status !== 'deleted' && secretKey === commandId && table.now() < Date.parse(secretAt) + shownMs;
  if (!isShown) return webhookView(webhook);
  const [key] = await keys();
  return { ...webhookView(webhook), secret: secretOf(key, webhook) };
}

/** `GET /webhooks`: the endpoints, the oldest first. */
export const listWebhooksRoute = query({
  name: 'list-webhooks',
  query: z.strictObject({}),
  async handle(_, { table }: RouteServices) {
    return { status: 200, body: { items: (await listWebhooks(table)).webhooks.map(webhookView) } };
  },
});

/** `GET /webhooks/{webhookId}`: one endpoint. */
export const getWebhookRoute = query({
  name: 'get-webhook',
  query: z.strictObject({}),
  async handle({ path }, { table }: RouteServices) {
    return { status: 200, body: webhookView(await existing(table, path)) };
  },
});

type Path = Readonly<Record<string, string>>;

/** @throws WalletError `webhook_not_found` */
async function existing(table: Table, path: Path): Promise<Webhook> {
  const webhook = await getWebhook(table, path['webhookId'] ?? '');
  if (webhook === undefined) throw new WalletError('webhook_not_found');
  return webhook;
}

const putBody = z.strictObject({
  status: z.enum(['active', 'disabled', 'deleted']),
  eventTypes: z.optional(types),
});

/**
 * `PUT /webhooks/{webhookId}`: enables, disables or deletes an endpoint, and changes the types of its events. An
 * endpoint that is active again gets the events that were stored meanwhile.
 */
export const putWebhookRoute = replacement<typeof putBody, WebhookServices>({
  name: 'put-webhook',
  body: putBody,
  async handle({ path, body }, services) {
    const { table } = services;
    const { status, eventTypes: wanted } = body;
    const webhookId = path['webhookId'] ?? '';
    const updatedAt = new Date(table.now()).toISOString();
    const { webhook } = await changeWebhook(table, webhookId, () => ({
      status,
      disabledBecause: status === 'disabled' ? 'operator' : undefined,
      updatedAt,
      ...(wanted && { eventTypes: wanted }),
      ...(status === 'active' && { failingSince: undefined, restUntil: undefined }),
    }));
    if (status === 'active') await askForTurn(services, webhookId);
    return { status: 200, body: webhookView(webhook) };
  },
});

/** Asks for a turn. If the message is not sent, the schedule sends one within a minute. */
async function askForTurn({ queue }: WebhookServices, webhookId: string): Promise<void> {
  try {
    await queue.send({ version: 1, webhookId });
  } catch (error) {
    logger.warn('turn not sent', { webhookId, error: describe(error) });
  }
}

const emptyBody = z.strictObject({});

/**
 * `POST /webhooks/{webhookId}/rotate`: makes a new secret. For one more day each delivery is signed with the former
 * secret too.
 */
export const rotateWebhookSecretRoute = command<typeof emptyBody, WebhookServices>({
  name: 'rotate-webhook-secret',
  body: emptyBody,
  async handle({ path, operation: { at }, transactionId }, { table, keys }) {
    const { webhook, changed } = await changeWebhook(table, path['webhookId'] ?? '', ({ secretKey, generation }) =>
      secretKey === transactionId
        ? undefined
        : {
            ...{ generation: generation + 1, secretKey: transactionId, secretAt: at, updatedAt: at },
            previousUntil: new Date(Date.parse(at) + overlapMs).toISOString(),
          },
    );
    return committed(200, await withSecret(webhook, transactionId, keys, table), !changed);
  },
});

/**
 * `POST /webhooks/{webhookId}/ping`: sends a test event to the endpoint. It is signed, retried and listed as any
 * delivery.
 */
export const pingWebhookRoute = command<typeof emptyBody, WebhookServices>({
  name: 'ping-webhook',
  body: emptyBody,
  async handle({ path, operation, transactionId }, services) {
    const { table } = services;
    const webhookId = path['webhookId'] ?? '';
    const { webhook, changed } = await changeWebhook(table, webhookId, ({ status, ping }) => {
      if (ping?.key === transactionId) return undefined;
      if (status !== 'active') throw new WalletError('webhook_disabled');
      return { ping: { key: transactionId, at: operation.at } };
    });
    const occurredAt = webhook.ping?.at ?? operation.at;
    const eventId = eventIdOf([pingType, webhookId, transactionId]);
    const body = JSON.stringify({
      eventId,
      type: pingType,
      version: 1,
      occurredAt,
      walletIds: [],
      webhook: { webhookId },
    });
    await putDelivery(table, {
      ...{ webhookId, eventId, type: pingType, occurredAt, body },
      ...({ status: 'waiting', attempts: 0, dueAt: occurredAt, createdAt: occurredAt } as const),
    });
    await askForTurn(services, webhookId);
    const answer = { ...webhookView(webhook), eventId };
    return committed(202, answer, !changed);
  },
});

const replayBody = z.strictObject({
  from: timeField('down'),
  parkedOnly: z._default(z.boolean(), false),
});

/**
 * `POST /webhooks/{webhookId}/replay`: sends deliveries again: those of the events from `from` up to this request. A
 * worker sends them, a hundred at a time.
 */
export const replayWebhookRoute = command<typeof replayBody, WebhookServices>({
  name: 'replay-webhook',
  body: replayBody,
  async handle({ path, body: { from, parkedOnly }, operation: { at: to }, transactionId: key }, services) {
    const webhookId = path['webhookId'] ?? '';
    if (from > to) throw invalid([{ path: 'from', message: 'must not be in the future' }]);
    const { webhook, changed } = await changeWebhook(services.table, webhookId, ({ status, replay }) => {
      if (replay?.key === key) return undefined;
      if (status !== 'active') throw new WalletError('webhook_disabled');
      if (replay !== undefined && replay.endedAt === undefined) throw new WalletError('webhook_replay_running');
      return { replay: { key, from, to, parkedOnly, resent: 0 } };
    });
    await askForTurn(services, webhookId);
    return committed(202, webhookView(webhook), !changed);
  },
});

/** `GET /webhooks/{webhookId}/deliveries`: the deliveries of an endpoint, those of the newest events first. */
export const listWebhookDeliveriesRoute = query({
  name: 'list-webhook-deliveries',
  query: z.strictObject({ limit: queryFields.limit, cursor: z.optional(z.string()) }),
  async handle({ path, query: { limit, cursor } }, { table }: RouteServices) {
    const after = readCursor(cursor, isDeliveryKey);
    const { webhookId } = await existing(table, path);
    const page = await listDeliveries(table, { webhookId, order: 'newest first', limit, after });
    const items = page.items.flatMap((delivery) => legible(delivery) ?? []);
    return { status: 200, body: { items: items.map(deliveryView), nextCursor: cursorOf(page.next) } };
  },
});

/** Returns the handler of each route of webhooks. */
export function webhookHandlers(services: WebhookServices) {
  return {
    'create-webhook': serve(createWebhookRoute, services),
    'list-webhooks': serve(listWebhooksRoute, services),
    'get-webhook': serve(getWebhookRoute, services),
    'put-webhook': serve(putWebhookRoute, services),
    'rotate-webhook-secret': serve(rotateWebhookSecretRoute, services),
    'ping-webhook': serve(pingWebhookRoute, services),
    'replay-webhook': serve(replayWebhookRoute, services),
    'list-webhook-deliveries': serve(listWebhookDeliveriesRoute, services),
  };
}

/** Opens the function of all routes of webhooks. */
export function open(environment: Environment<'webhook-routes'>) {
  const services: WebhookServices = {
    table: openTable(dynamodbClient(), environment.WEBHOOK_TABLE_NAME),
    keys: openSecret({ client: secretsClient(), secretArn: environment.WEBHOOK_SECRET_ARN }),
    targets: z.enum(targetKinds).parse(environment.WEBHOOK_TARGETS),
    queue: openQueue(sqsClient(), environment.WEBHOOK_QUEUE_URL),
  };
  return byRoute('webhook-routes', webhookHandlers(services));
}
