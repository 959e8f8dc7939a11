import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { eventTypes } from '../domain/events.ts';
import { jsonOf } from '../domain/money.ts';
import { isSubscribed } from '../domain/webhook.ts';
import { openSecret } from '../bank/secret.ts';
import { chunksOf } from '../aws/chunks.ts';
import { dynamodbClient, eventBridgeClient, secretsClient, sqsClient } from '../aws/clients.ts';
import { putBackAfterError } from '../aws/consumer.ts';
import { forEachOf } from '../aws/parallel.ts';
import { openQueue } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { describe, logger, metrics } from '../aws/telemetry.ts';
import { openPublisher } from '../events/bus.ts';
import { listDue, putDelivery } from '../store/deliveries.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { listWebhooks } from '../store/webhooks.ts';
import { openPoster } from '../webhooks/post.ts';
import { targetKinds } from '../webhooks/target.ts';
import { keepFixed } from './fixed-webhooks.ts';
import type { FixedEndpoints } from './fixed-webhooks.ts';
import { connections, sendDue } from './webhook-turn.ts';
import type { TurnServices } from './webhook-turn.ts';

/** A message that an endpoint may have something due. The table is the truth: a lost one is sent again. */
export interface TurnMessage {
  readonly version: 1;
  readonly webhookId: string;
}

export interface WebhookServices extends TurnServices, FixedEndpoints {
  readonly queue: Pick<Queue<TurnMessage>, 'delay'>;
}

/** Writes at the same time, for the events of one batch of messages. */
const writesAtATime = 16;

/** What the fan-out needs of an event. The event passes as it is, so that members of a later release arrive. */
const envelope = z.object({
  detail: z.object({
    eventId: z.string().check(z.regex(/^ev_[a-z2-7]{26}$/)),
    type: z.string(),
    occurredAt: z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)),
  }),
});
const turnMessage = z.object({ version: z.literal(1), webhookId: z.string() });

/** An event that has arrived. */
interface Arrived {
  readonly record: SQSRecord;
  readonly event: z.output<typeof envelope>['detail'];
  /** The event as JSON. */
  readonly body: string;
}

type Work = Arrived | { readonly record: SQSRecord; readonly webhookId: string };

/**
 * Returns a Lambda handler of two kinds of messages: events of the bus become deliveries, and turns send them. The schedule
 * invokes it as well, for what is due later, and for lost messages.
 */
export function handleWebhooks(services: WebhookServices) {
  return async (event: SQSEvent | { readonly source: string }): Promise<SQSBatchResponse> => {
    const failures: { record: SQSRecord; error: unknown }[] = [];
    if ('Records' in event) {
      const work = event.Records.flatMap((record) => {
        try {
          return [workIn(record)];
        } catch (error) {
          failures.push({ record, error });
          return [];
        }
      });
      await Promise.all([
        fanOut(
          work.flatMap((one) => ('event' in one ? [one] : [])),
          services,
        ).then((failed) => failures.push(...failed)),
        ...work.map(async (one) => {
          if (!('webhookId' in one)) return;
          await sendDue(one.webhookId, services).catch((error: unknown) => {
            failures.push({ record: one.record, error });
          });
        }),
      ]);
    } else {
      await keepInOrder(services);
    }
    await Promise.all(failures.map(({ record, error }) => putBackAfterError(services.queue, record, error)));
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

/** @throws for a message that is neither an event nor a turn */
function workIn(record: SQSRecord): Work {
  const message = parseWhole(record.body) as { readonly detail?: unknown };
  if (message.detail === undefined) return { record, webhookId: turnMessage.parse(message).webhookId };
  return { record, event: envelope.parse(message).detail, body: jsonOf(message.detail) };
}

/** Returns the value of a JSON text. An integer beyond 2^53-1, as a balance may be, becomes a bigint. */
function parseWhole(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown, { source = '' }: { readonly source?: string } = {}) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value,
  );
}

/**
 * Stores a delivery of each event for each endpoint that is subscribed to its type, and asks for their turns. Disabled
 * endpoints get theirs when they are active again. After a crash the events come again, and a delivery that is stored stays.
 * While an endpoint cannot be read, the others get their deliveries, and the events stay in the queue.
 *
 * @returns the messages that must be redelivered, with the reason
 */
async function fanOut(
  arrived: readonly Arrived[],
  services: TurnServices,
): Promise<{ record: SQSRecord; error: unknown }[]> {
  if (arrived.length === 0) return [];
  const { table } = services;
  const failed = new Map<SQSRecord, unknown>();
  const woken = new Set<string>();
  try {
    const { webhooks, unreadable } = await listWebhooks(table);
    const pairs = arrived.flatMap((one) =>
      webhooks.flatMap((webhook) => (isSubscribed(webhook, one.event.type) ? [{ ...one, webhook }] : [])),
    );
    await forEachOf(pairs, writesAtATime, async ({ webhook: { webhookId, status }, ...one }) => {
      try {
        await putDelivery(table, newDelivery(webhookId, one, table.now()));
        if (status === 'active') woken.add(webhookId);
      } catch (error) {
        failed.set(one.record, error);
      }
    });
    // Only a newer release knows whether this endpoint wants the events, so they stay in the queue for it.
    const [hidden] = unreadable;
    if (hidden) for (const { record } of arrived) failed.set(record, hidden);
  } catch (error) {
    for (const { record } of arrived) failed.set(record, error);
  }
  await services.askForTurns([...woken]);
  return [...failed].map(([record, error]) => ({ record, error }));
}

function newDelivery(webhookId: string, { event: { eventId, type, occurredAt }, body }: Arrived, now: number) {
  const at = new Date(now).toISOString();
  return {
    ...{ webhookId, eventId, type, occurredAt, body },
    ...({ status: 'waiting', attempts: 0, dueAt: at, createdAt: at } as const),
  };
}

/**
 * Makes the endpoints that the stack names. Asks for the turns of endpoints with something due, or with a replay that goes
 * on: retries whose time has come, and what a lost message or a crash has left.
 */
async function keepInOrder(services: WebhookServices): Promise<void> {
  const { table } = services;
  const now = table.now();
  const { webhooks: stored, unreadable } = await listWebhooks(table);
  for (const error of unreadable) logger.error('webhook cannot be read', { error: describe(error) });
  await keepFixed(table, stored, services);
  const idle = stored.filter(
    ({ status, leaseUntil = 0, restUntil = 0 }) => status === 'active' && leaseUntil <= now && restUntil <= now,
  );
  const due = await Promise.all(
    idle.map(async ({ webhookId, replay }) => {
      const isReplaying = replay !== undefined && replay.endedAt === undefined;
      return isReplaying || (await listDue(table, webhookId, 1)).length > 0 ? [webhookId] : [];
    }),
  );
  await services.askForTurns(due.flat());
}

/** Returns a function that sends messages about turns. What it cannot send, the schedule sends within a minute. */
export function openTurns(queue: Pick<Queue<TurnMessage>, 'sendAll'>): TurnServices['askForTurns'] {
  return async (webhookIds) => {
    const messages = webhookIds.map((webhookId): TurnMessage => ({ version: 1, webhookId }));
    for (const chunk of chunksOf(messages, () => 1, { most: 10, mostBytes: 10 })) {
      try {
        const refused = await queue.sendAll(chunk);
        if (refused.length > 0) {
          logger.warn('turns not sent', { webhookIds: refused.map(({ webhookId }) => webhookId) });
        }
      } catch (error) {
        logger.warn('turns not sent', { error: describe(error) });
      }
    }
  };
}

const fixedWebhook = z.strictObject({
  url: z.string(),
  eventTypes: z.array(z.enum(eventTypes)),
  description: z.optional(z.string()),
});

/** Opens the worker of webhooks. */
export function open(environment: Environment<'webhooks'>) {
  const queue = openQueue<TurnMessage>(sqsClient(), environment.WEBHOOK_QUEUE_URL);
  const table: Table = openTable(dynamodbClient(), environment.WEBHOOK_TABLE_NAME);
  const targets = z.enum(targetKinds).parse(environment.WEBHOOK_TARGETS);
  return handleWebhooks({
    table,
    queue,
    keys: openSecret({ client: secretsClient(), secretArn: environment.WEBHOOK_SECRET_ARN }),
    publisher: openPublisher(eventBridgeClient(), environment.EVENT_BUS_NAME),
    openPoster: () => openPoster({ targets, connections }),
    askForTurns: openTurns(queue),
    fixed: z.array(fixedWebhook).parse(JSON.parse(environment.WEBHOOK_ENDPOINTS)),
    targets,
  });
}
