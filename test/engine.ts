/**
 * The wallet table for tests: on the real engine, in memory, as the CDK construct describes it. The test owns its
 * clock, reads a record of every call with the units it consumed, and can inject faults into the calls.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import type { HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { silence } from '../bench/silence.ts';
import { openLimitHints } from '../lambdas/store/limit-hints.ts';
import { documentClient } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { ensureTable, localCredentials, startEngine } from '../local/dynamodb/dynamodb.ts';
import { tableSettings } from '../local/dynamodb/service.ts';
import { describeTables } from './tables.ts';

/** One call as the store makes it: one round trip. */
export interface Call {
  /** The operation's name, `TransactWriteItems` or `GetItem`. */
  readonly operation: string;
  /** As it leaves for DynamoDB. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The units that table and indexes consumed; 0 unless the call succeeded. */
  readonly readUnits: number;
  readonly writeUnits: number;
}

/**
 * Controls one call. A fault may send the call once, twice or not at all. It then answers or throws as the SDK's HTTP
 * handler would. See faults.ts.
 */
export type Fault = (call: Call, send: () => Promise<HttpResponse>) => Promise<HttpResponse>;

/** A table whose time stands still unless the test or a sleep of the store moves it. */
export interface TestTable extends Table {
  /** Epoch milliseconds. */
  readonly clock: { now: number };
  /** All calls in the order of their beginnings. */
  readonly calls: readonly Call[];
  /** The fault between the client and the engine, if any. */
  fault: Fault | undefined;
}

export interface TestEngine {
  readonly endpoint: string;
  /** Creates an empty table. */
  readonly newTable: () => Promise<TestTable>;
  /** Opens an existing table through its own client, clock, record and faults. */
  readonly openTable: (name: string) => TestTable;
  readonly stop: () => Promise<void>;
}

/** Noon, so that an hour either way is the same day. */
export const epoch = Date.parse('2026-03-01T12:00:00.000Z');
const region = 'us-east-1';
let tables = 0;

/** Starts an engine without storage. The caller must stop it after the tests. The service writes no log from now on. */
export async function startTestEngine(): Promise<TestEngine> {
  silence();
  const engine = await startEngine(undefined);
  const clients: DynamoDBClient[] = [];
  const openTable = (name: string): TestTable => {
    // As dynamodbClient() in lambdas/aws: the store does the retries.
    const client = new DynamoDBClient({
      endpoint: engine.endpoint,
      region,
      credentials: localCredentials,
      maxAttempts: 1,
      disableClockSkewCorrection: true,
      // Engines find their tables by the key and the region of a signature. None checks it, and computing it is an
      // eighth of all work.
      signer: { sign: (request: HttpRequest) => Promise.resolve(withCredential(request)) },
    });
    clients.push(client);
    const clock = { now: epoch };
    const table: TestTable = {
      client: documentClient(client),
      name,
      retry: { budgetMs: 4_000, backoff: { first: 25, longest: 800 } },
      limitHints: openLimitHints(),
      now: () => clock.now,
      random: () => 0.5,
      async sleep(ms) {
        clock.now += ms;
        await nextTurn();
      },
      clock,
      calls: record(client, (call, send) => {
        const sendWithoutTime = async () => {
          const response = await send();
          // The engine's clock is not the table's.
          delete response.headers['date'];
          return response;
        };
        return table.fault === undefined ? sendWithoutTime() : table.fault(call, sendWithoutTime);
      }),
      fault: undefined,
    };
    return table;
  };
  return {
    endpoint: engine.endpoint,
    openTable,
    async newTable() {
      // The engine may be a shared one (DYNAMODB_ENDPOINT).
      const name = `test-${String(process.pid)}-${String(Date.now())}-${String(++tables)}`;
      await ensureTable(engine.endpoint, region, tableSettings(name, (await describeTables()).ledger));
      return openTable(name);
    },
    async stop() {
      for (const client of clients) client.destroy();
      await engine.stop();
    },
  };
}

/** Adds a signature that says whose tables are meant, and is not computed. */
function withCredential(request: HttpRequest): HttpRequest {
  const credential = `${localCredentials.accessKeyId}/20260301/${region}/dynamodb/aws4_request`;
  request.headers['authorization'] = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=none`;
  request.headers['x-amz-date'] = '20260301T120000Z';
  return request;
}

let sentTables = 0;

/** Creates a table for the record of notifications. Returns its name. */
export async function newSentTable({ endpoint }: TestEngine): Promise<string> {
  const TableName = `sent-${String(process.pid)}-${String(Date.now())}-${String(++sentTables)}`;
  await ensureTable(endpoint, region, {
    create: {
      TableName,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    },
  });
  return TableName;
}

/** Creates a table of webhooks, and opens it. */
export async function newWebhookTable(engine: TestEngine): Promise<TestTable> {
  const TableName = `webhooks-${String(process.pid)}-${String(Date.now())}-${String(++sentTables)}`;
  const keys = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  await ensureTable(engine.endpoint, region, {
    create: {
      TableName,
      KeySchema: keys('pk', 'sk'),
      AttributeDefinitions: ['pk', 'sk', 'due', 'dueAt'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      GlobalSecondaryIndexes: [
        { IndexName: 'due', KeySchema: keys('due', 'dueAt'), Projection: { ProjectionType: 'KEYS_ONLY' } },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    },
  });
  return engine.openTable(TableName);
}

/** Creates a table of statement files, and opens it. */
export async function newStatementTable(engine: TestEngine): Promise<TestTable> {
  const TableName = `statements-${String(process.pid)}-${String(Date.now())}-${String(++sentTables)}`;
  await ensureTable(engine.endpoint, region, {
    create: {
      TableName,
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    },
  });
  return engine.openTable(TableName);
}

/** Returns the calls that `work` makes and the units that it consumes. */
export async function measure<T>(table: TestTable, work: () => Promise<T>) {
  const before = table.calls.length;
  const result = await work();
  const calls = table.calls.slice(before);
  return {
    result,
    calls,
    roundTrips: calls.length,
    readUnits: calls.reduce((sum, { readUnits }) => sum + readUnits, 0),
    writeUnits: calls.reduce((sum, { writeUnits }) => sum + writeUnits, 0),
  };
}

/** Returns the operations of the calls that `work` makes. */
export async function operationsOf(table: TestTable, work: () => Promise<unknown>): Promise<string[]> {
  return (await measure(table, work)).calls.map(({ operation }) => operation);
}

type MeasuredCall = { -readonly [K in keyof Call]: Call[K] };

function record(client: DynamoDBClient, intercept: Fault): readonly Call[] {
  const calls: MeasuredCall[] = [];
  const ofContext = new WeakMap<object, MeasuredCall>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const operation = String(context.commandName).replace(/Command$/, '');
      const call: MeasuredCall = { operation, input: { ...args.input }, readUnits: 0, writeUnits: 0 };
      calls.push(call);
      ofContext.set(context, call);
      const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'INDEXES' } });
      const { ConsumedCapacity: consumed } = result.output as {
        ConsumedCapacity?: ConsumedCapacity | readonly ConsumedCapacity[];
      };
      const writes = /Write|Put|Update|Delete|Execute/.test(operation);
      for (const { CapacityUnits = 0, ReadCapacityUnits, WriteCapacityUnits } of [consumed ?? []].flat()) {
        // A repeated write under the same client token consumes read units.
        const read = writes ? (ReadCapacityUnits ?? 0) : CapacityUnits;
        call.readUnits += read;
        call.writeUnits += WriteCapacityUnits ?? CapacityUnits - read;
      }
      return result;
    },
    { step: 'initialize', name: 'recordCalls' },
  );
  client.middlewareStack.add(
    (next, context) => (args) => {
      // Behind the document client, which has made the input of plain values by now.
      const call = ofContext.get(context);
      if (call !== undefined) call.input = { ...args.input };
      return next(args);
    },
    { step: 'build', name: 'recordInputs' },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const call = ofContext.get(context);
      const send = async () => (await next(args)).response as HttpResponse;
      return { response: call === undefined ? await send() : await intercept(call, send) };
    },
    // Runs beside the HTTP handler, so that the SDK parses these answers as it parses real ones.
    { step: 'deserialize', priority: 'low', name: 'faults' },
  );
  return calls;
}
