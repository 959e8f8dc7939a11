/** The consumers of the stream and of the events, as the service wires them. */
import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { notifiedEvents, screenedEvents } from '../lambdas/contract.ts';
import type { FraudPolicy } from '../lambdas/contract.ts';
import type { EventType } from '../lambdas/domain/events.ts';
import { readEvent } from '../lambdas/views/event-schemas.ts';
import type { ServiceEvent } from '../lambdas/views/event-schemas.ts';
import type { Publisher } from '../lambdas/events/bus.ts';
import { Heads } from '../lambdas/store/heads.ts';
import { openTable } from '../lambdas/store/table.ts';
import { screen } from '../lambdas/workers/fraud.ts';
import { notifyOwners } from '../lambdas/workers/notifier.ts';
import { project } from '../lambdas/workers/projector.ts';
import { relay } from '../lambdas/workers/relay.ts';
import { ensureTable } from '../local/dynamodb/dynamodb.ts';
import { meter } from './meter.ts';
import type { Usage } from './meter.ts';
import type { Service } from './service.ts';

/** The consumers that use DynamoDB. The relay does not; all but the ledger come after it. */
export const consumers = ['ledger', 'screening', 'notifications'] as const;
export type Consumer = (typeof consumers)[number];

/** Records or events that one invocation gets. */
const mostInBatch = 100;

const window = { count: 1_000_000, amount: 1_000_000_000 };
/** Limits that no movement here exceeds. */
const policy: FraudPolicy = {
  ...{ outgoingPerMinute: window, outgoingPerHour: window, outgoingPerDay: window },
  inAndOut: { minutes: 10, amount: window.amount },
  newDestination: { amount: window.amount },
};

/** Returns a function that passes records to all consumers, as the service is wired, and measures each of them. */
export async function openConsumers(service: Service) {
  const names = await createConsumerTables(service.endpoint);
  const heads = new Heads();
  const metered = async (work: (client: DynamoDBClient) => Promise<void>) => {
    const client = service.newClient();
    const usage = await meter(client, () => work(client));
    client.destroy();
    return usage;
  };

  return async (records: readonly DynamoDBRecord[]): Promise<Record<Consumer, Usage>> => {
    const { publisher, deliveriesOf } = openEvents();
    const ledger = await metered(async (client) => {
      for (const batch of inBatches(records)) {
        const unprojected = await project(batch, { entries: openTable(client, service.entries.name), setAside, heads });
        if (unprojected !== undefined) throw new Error('a record was not projected');
      }
    });
    const facts = { publisher, setAside, fingerprintKey: () => Promise.resolve(['key'] as const), issuer: 'bench' };
    const unpublished = await relay(records, facts, Date.now() + 60_000);
    if (unpublished !== undefined) throw new Error('a record was not published');
    const screening = await metered(async (client) => {
      const [table, activity] = [openTable(client, service.table.name), openTable(client, names.activity)];
      for (const batch of inBatches(deliveriesOf(screenedEvents))) {
        throwFirst(await screen(batch, { table, activity, publisher, policy, freezeOnSuspicion: false }, Infinity));
      }
    });
    const notifications = await metered(async (client) => {
      const [table, sent] = [openTable(client, service.table.name), openTable(client, names.sent)];
      for (const batch of inBatches(deliveriesOf(notifiedEvents))) {
        throwFirst(await notifyOwners(batch, { table, sent, notify: () => Promise.resolve() }));
      }
    });
    return { ledger, screening, notifications };
  };
}

const setAside = { send: () => Promise.reject(new Error('a record was set aside')) };

/** Creates the tables of the consumers that write to tables of their own, and returns their names. */
async function createConsumerTables(endpoint: string) {
  const names = { activity: `bench-activity-${randomUUID()}`, sent: `bench-sent-${randomUUID()}` };
  const key = (name: string, KeyType: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType });
  const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  for (const create of [
    {
      TableName: names.activity,
      KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
      AttributeDefinitions: [text('pk'), text('sk')],
    },
    { TableName: names.sent, KeySchema: [key('id', 'HASH')], AttributeDefinitions: [text('id')] },
  ]) {
    await ensureTable(endpoint, 'us-east-1', { create: { ...create, BillingMode: 'PAY_PER_REQUEST' } });
  }
  return names;
}

/** Opens a bus that keeps its events, and passes each consumer those of its types. */
function openEvents() {
  const events: { envelopeId: string; event: ServiceEvent }[] = [];
  const publisher: Publisher = {
    put(entries) {
      for (const { Detail = '' } of entries) {
        events.push({ envelopeId: randomUUID(), event: JSON.parse(Detail) as ServiceEvent });
      }
      return Promise.resolve(entries.map(() => undefined));
    },
    ...{ busName: 'bench', now: Date.now, random: Math.random, sleep: () => Promise.resolve() },
  };
  const deliveriesOf = <T extends EventType>(types: readonly T[]) =>
    events
      .filter(({ event: { type } }) => (types as readonly EventType[]).includes(type))
      .map(({ envelopeId, event }) => ({ envelopeId, event: readEvent(event, types) }));
  return { publisher, deliveriesOf };
}

function inBatches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / mostInBatch) }, (_, index) =>
    items.slice(index * mostInBatch, (index + 1) * mostInBatch),
  );
}

function throwFirst(failed: ReadonlyMap<string, unknown>): void {
  const [error] = failed.values();
  if (error !== undefined) throw new Error('a consumer failed', { cause: error });
}
