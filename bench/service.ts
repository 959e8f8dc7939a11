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
import { contextOf, eventOf, request } from './requests.ts';
import type { BenchRequest } from './requests.ts';

/** The surroundings of functions: the tables in an engine of its own process, and queues. */
export interface Service {
  readonly table: Table;
  /** Entries and totals. */
  readonly entries: Table;
  /** DynamoDB's address. */
  readonly endpoint: string;
  /** The variables that any function reads, for processes and modules that run functions. */
  readonly environment: Readonly<Record<string, string>>;
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
 */
export async function startService(): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'wallet-bench-'));
  const engine = await startEngine(join(folder, 'dynamodb.sqlite'));
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
  const id = randomUUID();
  const [name, entriesName] = [`bench-${id}`, `bench-entries-${id}`];
  await ensureTable(
    engine.endpoint,
    region,
    tableOfTemplate(name, (stack) => {
      new LedgerTable(stack, 'Ledger', {
        deletionProtection: true,
        capacity: capacityFor(undefined),
        dueShards: 64,
        addAlarm: () => undefined,
      });
    }),
  );
  await ensureTable(
    engine.endpoint,
    region,
    tableOfTemplate(entriesName, (stack) => {
      new EntriesTable(stack, 'Entries', { deletionProtection: true, capacity: capacityFor(undefined) });
    }),
  );
  const newClient = () => new DynamoDBClient({ endpoint: engine.endpoint, region, credentials: localCredentials });
  const client = newClient();
  const url = (queue: (typeof queueNames)[number]) => queueUrl(services.url, queue);
  const plenty = '1000000000';
  return {
    table: openTable(client, name),
    entries: openTable(client, entriesName),
    endpoint: engine.endpoint,
    queues,
    newClient,
    environment: {
      ...sampleEnvironment,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
      AWS_ENDPOINT_URL_SQS: services.url,
      TABLE_NAME: name,
      ENTRIES_TABLE_NAME: entriesName,
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
    },
    async stop() {
      client.destroy();
      await services.close();
      queues.close();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
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

/** Opens wallets by functions in this process, whose environment must be set. */
export async function openWalletsInProcess(count: number): Promise<string[]> {
  const handlers = {
    'create-wallet': (await import('../lambdas/api/create-wallet.ts')).handler,
    charge: (await import('../lambdas/api/charge.ts')).handler,
  };
  return openWallets(count, async (name, wanted) => {
    const { statusCode, body } = await handlers[name](eventOf(wanted), contextOf('bench'));
    if (statusCode !== 201) throw new Error(`${wanted.path} answered ${statusCode}: ${body}`);
    return body;
  });
}
