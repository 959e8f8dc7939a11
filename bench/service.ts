import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Stack } from 'aws-cdk-lib';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newApp } from '../lib/app.ts';
import { capacityFor } from '../lib/capacity.ts';
import { EntriesTable } from '../lib/entries-table.ts';
import { LedgerTable } from '../lib/ledger-table.ts';
import { charge } from '../lambdas/api/charge.ts';
import { createWallet } from '../lambdas/api/create-wallet.ts';
import type { Environment, FunctionName } from '../lambdas/contract.ts';
import { serve } from '../lambdas/http/http.ts';
import { openLimits } from '../lambdas/http/limits.ts';
import { openTable } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { ensureTable, localCredentials, startEngine } from '../local/dynamodb/dynamodb.ts';
import type { TableSettings } from '../local/dynamodb/dynamodb.ts';
import { tableSettings } from '../local/dynamodb/service.ts';
import { createQueueService } from '../local/sqs/queue-service.ts';
import { openQueues } from '../local/sqs/queues.ts';
import type { Queues } from '../local/sqs/queues.ts';
import { openEndpoint } from '../local/machine/endpoint.ts';
import { sampleEnvironment } from './sample-environment.ts';
import { silence } from './silence.ts';
import { contextOf, eventOf, request } from './requests.ts';
import type { BenchRequest } from './requests.ts';

type ServiceEnvironment = Environment<FunctionName> & Readonly<Record<string, string>>;

/** The surroundings of functions: the tables in an engine of its own process, and queues. */
export interface Service {
  readonly table: Table;
  /** Entries and totals. */
  readonly entries: Table;
  /** DynamoDB's address. */
  readonly endpoint: string;
  /** The variables that any function and its clients read. */
  readonly environment: ServiceEnvironment;
  readonly queues: Queues;
  /** Returns another client of the same engine; the caller destroys it. */
  newClient(): DynamoDBClient;
  stop(): Promise<void>;
}

const region = 'us-east-1';
const account = '000000000000';
const queueNames = ['withdrawals', 'withdrawals-dead', 'transfers', 'transfers-dead'] as const;

/**
 * Starts the engine with the template's tables for money. The engine keeps its data in a file, as under `npm start`.
 * The service writes no log in this process from now on.
 */
export async function startService(): Promise<Service> {
  silence();
  const folder = mkdtempSync(join(tmpdir(), 'wallet-bench-'));
  const engine = await startEngine(join(folder, 'dynamodb.sqlite'));
  const { queues, services } = await openServiceQueues();
  const names = await createTables(engine.endpoint);
  const newClient = () => new DynamoDBClient({ endpoint: engine.endpoint, region, credentials: localCredentials });
  const client = newClient();
  return {
    table: openTable(client, names.table),
    entries: openTable(client, names.entries),
    endpoint: engine.endpoint,
    queues,
    newClient,
    environment: environmentOf(names, { dynamodb: engine.endpoint, sqs: services.url }),
    async stop() {
      client.destroy();
      await services.close();
      queues.close();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Opens empty queues, with a server of SQS in front of them. */
async function openServiceQueues() {
  const queues = openQueues(':memory:');
  const services = await openEndpoint();
  services.serve(
    'AmazonSQS',
    createQueueService(queues, (name) => queueUrl(services.url, name)),
  );
  for (const name of queueNames) {
    queues.create({
      name,
      arn: `arn:aws:sqs:${region}:${account}:${name}`,
      visibilityTimeoutSeconds: 60,
      delaySeconds: 0,
      waitSeconds: 0,
      retentionSeconds: 3600,
      maximumBytes: 1_048_576,
    });
  }
  return { queues, services };
}

interface TableNames {
  readonly table: string;
  readonly entries: string;
}

/** Creates the template's tables for money, under new names. */
async function createTables(endpoint: string): Promise<TableNames> {
  const id = randomUUID();
  const names = { table: `bench-${id}`, entries: `bench-entries-${id}` };
  const capacity = capacityFor(undefined);
  const ledger = tableOfTemplate(names.table, (stack) => {
    new LedgerTable(stack, 'Ledger', {
      deletionProtection: true,
      capacity,
      dueShards: 64,
      addAlarm: () => undefined,
    });
  });
  const entries = tableOfTemplate(names.entries, (stack) => {
    new EntriesTable(stack, 'Entries', { deletionProtection: true, capacity });
  });
  for (const settings of [ledger, entries]) await ensureTable(endpoint, region, settings);
  return names;
}

/** Returns an environment in which no limit is met. */
function environmentOf(names: TableNames, endpoints: { dynamodb: string; sqs: string }): ServiceEnvironment {
  const url = (queue: (typeof queueNames)[number]) => queueUrl(endpoints.sqs, queue);
  const plenty = '1000000000';
  return {
    ...sampleEnvironment,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    TABLE_NAME: names.table,
    ENTRIES_TABLE_NAME: names.entries,
    READS_PER_HOUR: plenty,
    REFUSALS_PER_HOUR: plenty,
    WALLETS_PER_HOUR: plenty,
    WITHDRAWALS_PER_HOUR: plenty,
    TRANSFERS_PER_HOUR: plenty,
    CANCELLATIONS_PER_HOUR: plenty,
    QUEUE_DEPTH_LIMIT: plenty,
    WITHDRAWAL_QUEUE_URL: url('withdrawals'),
    WITHDRAWAL_DLQ_URL: url('withdrawals-dead'),
    TRANSFER_QUEUE_URL: url('transfers'),
    TRANSFER_DLQ_URL: url('transfers-dead'),
  };
}

function queueUrl(base: string, name: string): string {
  return `${base}/${account}/${name}`;
}

/** Returns the table of a construct as the template describes it, under its own name. */
function tableOfTemplate(name: string, make: (stack: Stack) => void): TableSettings {
  const app = newApp({
    outdir: mkdtempSync(join(tmpdir(), 'wallet-bench-synth-')),
    builtinCloudFormationValidation: false,
  });
  try {
    const stack = new Stack(app, 'Bench');
    make(stack);
    const { Resources } = app.synth().getStackArtifact(stack.artifactId).template as {
      Resources: Record<string, { Type: string; Properties: Parameters<typeof tableSettings>[1] }>;
    };
    const found = Object.values(Resources).find(({ Type }) => Type === 'AWS::DynamoDB::GlobalTable');
    if (found === undefined) throw new Error('the template has no table');
    return tableSettings(name, found.Properties);
  } finally {
    rmSync(app.outdir, { recursive: true, force: true });
  }
}

/**
 * Opens wallets with `amount` in each, minor units. `call` sends a request to its function and returns the answer's
 * body.
 */
export async function openWallets(
  count: number,
  call: (name: 'create-wallet' | 'charge', request: BenchRequest) => Promise<string>,
  amount = 1_000_000_000_000,
): Promise<string[]> {
  const wallets: string[] = [];
  for (let n = 0; n < count; n++) {
    const body = { currency: 'EUR' };
    const opened = await call('create-wallet', request('POST', '/wallets', {}, { key: randomUUID(), body }));
    const { walletId } = JSON.parse(opened) as { walletId: string };
    const money = { key: randomUUID(), body: { amount } };
    await call('charge', request('POST', '/wallets/{walletId}/charge', { walletId }, money));
    wallets.push(walletId);
  }
  return wallets;
}

/** Opens wallets by routes in this process. */
export async function openWalletsInProcess({ table }: Service, count: number): Promise<string[]> {
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 });
  const handlers = {
    'create-wallet': serve(createWallet, { table, limits }),
    charge: serve(charge, { table }),
  };
  return openWallets(count, async (name, benchRequest) => {
    const { statusCode, body } = await handlers[name](eventOf(benchRequest), contextOf('bench'));
    if (statusCode !== 201) throw new Error(`${benchRequest.path} answered ${statusCode}: ${body}`);
    return body;
  });
}
