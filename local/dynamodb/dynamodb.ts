/** DynamoDB on this machine: the engine in its own process, and tables with the shape that the template gives them. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { CreateTableCommandInput, TableDescription, TimeToLiveSpecification } from '@aws-sdk/client-dynamodb';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryPlace, scratchFolder } from '../../lib/scratch.ts';
import { freePort } from '../process/free-port.ts';

/** The error of an engine that cannot run on this machine. Its message names the remedy. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

export interface Engine {
  readonly endpoint: string;
  /** Settles when the engine's process has ended by itself; never for an engine that was running already. */
  readonly ended: Promise<string>;
  /**
   * Deletes records of a table's stream that are older than a day, up to the one with this sequence number. DynamoDB
   * deletes such records too. Does nothing for an engine that was running already.
   */
  trimStream(tableName: string, lastNumber: string): void;
  stop(): Promise<void>;
}

/** Credentials that every part of this machine uses; engines keep tables apart by them. */
export const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };

const startAttempts = 3;
const startLimitMs = 10_000;
const streamRetentionSeconds = 86_400;

// The engine must not outlive the runner, even one that is killed outright. The shell holds the read end of a pipe
// from the runner. When the pipe closes, for any reason, the shell ends the engine, which is its child.
const watchdog = `
trap 'kill -TERM $engine' TERM
"$@" 3<&- & engine=$!
{ read -r _ <&3; kill -KILL $engine; } 2>/dev/null &
wait $engine; status=$?
while kill -0 $engine 2>/dev/null; do wait $engine; status=$?; done
kill $! 2>/dev/null
exit $status`;

/**
 * Returns the engine at `DYNAMODB_ENDPOINT`, or starts one on a free port.
 *
 * @param path the database file; undefined keeps nothing
 */
export async function startEngine(path: string | undefined): Promise<Engine> {
  const external = process.env['DYNAMODB_ENDPOINT'];
  if (external) {
    await listTables(external).catch((error: unknown) => {
      throw new EngineError(
        `DYNAMODB_ENDPOINT: nothing that speaks DynamoDB answers at ${external} (${reason(error)})`,
      );
    });
    return {
      endpoint: external,
      ended: new Promise(() => undefined),
      trimStream: () => undefined,
      stop: () => Promise.resolve(),
    };
  }
  const binary = engineBinary();
  // Always a file: the engine's table of stream records needs an index, which cannot be added in memory.
  const folder = path === undefined ? scratchFolder('engine', memoryPlace()) : undefined;
  const file = path ?? join(folder ?? '', 'dynamodb.sqlite');
  const clean = (): void => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  };
  let last: unknown;
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    try {
      const engine = await spawnEngine(binary, await freePort(), file);
      const stop = (): Promise<void> => engine.stop().finally(clean);
      try {
        indexStreamRecords(file);
      } catch (error) {
        await stop();
        throw error;
      }
      const trimStream: Engine['trimStream'] = (tableName, lastNumber) => {
        trimStreamRecords(file, tableName, lastNumber);
      };
      return { ...engine, trimStream, stop };
    } catch (error) {
      last = error; // Another process may have taken the port in between.
    }
  }
  clean();
  throw new EngineError(`the DynamoDB engine does not start: ${reason(last)}`);
}

async function spawnEngine(binary: string, port: number, path: string): Promise<Omit<Engine, 'trimStream'>> {
  const options = ['serve', '--host', '127.0.0.1', '--port', String(port), '--db-path', path];
  const child = spawn('/bin/sh', ['-c', watchdog, 'dynamodb', binary, ...options], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // Out of the terminal's process group: Ctrl-C is for the runner, which drains before it stops the engine.
    detached: true,
  });
  const errors: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    errors.splice(0, errors.length - 20);
  });
  const ended = once(child, 'exit').then(([code]) => `ended with ${String(code)} ${errors.join('').trim()}`.trim());
  const endpoint = `http://127.0.0.1:${port}`;
  const exit: { how?: string } = {};
  void ended.then((how) => {
    exit.how = how;
  });
  for (const limit = Date.now() + startLimitMs; ;) {
    if (exit.how !== undefined) throw new EngineError(exit.how);
    if (Date.now() > limit) {
      await stopChild(child, ended);
      throw new EngineError(`no answer on port ${port} within ${startLimitMs / 1000} s`);
    }
    const up = await listTables(endpoint).then(
      () => true,
      () => false,
    );
    // An answer counts only from an engine that lives: the port may belong to another process.
    if (up && isRunning(child)) break;
    await sleep(10);
  }
  let stopping = false;
  return {
    endpoint,
    ended: ended.then((how) => (stopping ? new Promise<never>(() => undefined) : how)),
    stop() {
      stopping = true;
      return stopChild(child, ended);
    },
  };
}

/**
 * Adds an index to the engine's file. To number a stream record, the engine searches all earlier ones for the highest
 * number. So each write takes longer than the one before: after five thousand charges, 30 a second are left. With the
 * index it finds that number at once. An engine that keeps its records in another way is left alone.
 */
function indexStreamRecords(path: string): void {
  const database = new DatabaseSync(path, { timeout: 2_000 });
  try {
    const known = database
      .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_stream_records'")
      .get();
    if (known === undefined) return;
    database.exec(
      'CREATE INDEX IF NOT EXISTS stream_numbers ON _stream_records (table_name, CAST(sequence_number AS INTEGER))',
    );
  } finally {
    database.close();
  }
}

/** Deletes old records. The newest one always stays: the engine counts on from it. */
function trimStreamRecords(path: string, tableName: string, lastNumber: string): void {
  const database = new DatabaseSync(path, { timeout: 2_000 });
  try {
    database
      .prepare(
        `DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= CAST(?2 AS INTEGER)
          AND created_at < ?3 AND id < (SELECT max(id) FROM _stream_records WHERE table_name = ?1)`,
      )
      .run(tableName, lastNumber, Math.floor(Date.now() / 1000) - streamRetentionSeconds);
  } finally {
    database.close();
  }
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (!isRunning(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.stdio[3]?.destroy(), 3000);
  await ended;
  clearTimeout(timer);
  child.stdio[3]?.destroy();
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

function engineBinary(): string {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'dynoxide');
  } catch {
    throw new EngineError(
      `there is no DynamoDB engine for this platform (${name} is not installed). ` +
        'Start DynamoDB Local, or LocalStack with PROVIDER_OVERRIDE_DYNAMODB=v2 (its default provider corrupts streams), ' +
        'and name it: DYNAMODB_ENDPOINT=http://127.0.0.1:8000 npm start',
    );
  }
}

async function listTables(endpoint: string): Promise<void> {
  await withClient(endpoint, 'us-east-1', 0, (client) => client.send(new ListTablesCommand({ Limit: 1 })));
}

async function withClient<T>(
  endpoint: string,
  region: string,
  retries: number,
  use: (client: DynamoDBClient) => Promise<T>,
): Promise<T> {
  const client = new DynamoDBClient({ endpoint, region, credentials: localCredentials, maxAttempts: retries + 1 });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

/** A table as the template describes it, in the words of CreateTable. */
export interface TableSettings {
  readonly create: CreateTableCommandInput & { readonly TableName: string };
  readonly timeToLive?: TimeToLiveSpecification | undefined;
}

/** Makes the table, or gives an existing one what it lacks: indexes and the stream. Throws when its keys differ. */
export async function ensureTable(
  endpoint: string,
  region: string,
  { create, timeToLive }: TableSettings,
): Promise<void> {
  await withClient(endpoint, region, 2, async (client) => {
    const { TableName } = create;
    const describe = async (): Promise<TableDescription | undefined> => {
      try {
        return (await client.send(new DescribeTableCommand({ TableName }))).Table;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    };
    const settled = async (): Promise<TableDescription> => {
      for (;;) {
        const table = await describe();
        const pending = table?.GlobalSecondaryIndexes?.some((index) => index.IndexStatus !== 'ACTIVE');
        if (table?.TableStatus === 'ACTIVE' && !pending) return table;
        await sleep(50);
      }
    };
    const existing = await describe();
    if (existing) {
      const keys = (schema: TableDescription['KeySchema']): string =>
        (schema ?? []).map((key) => `${key.AttributeName} ${key.KeyType}`).join(', ');
      if (keys(existing.KeySchema) !== keys(create.KeySchema)) {
        throw new EngineError(
          `table ${TableName} has the keys ${keys(existing.KeySchema)}, the template says ${keys(create.KeySchema)}: remove the data`,
        );
      }
      const known = new Set(existing.GlobalSecondaryIndexes?.map((index) => index.IndexName));
      for (const index of create.GlobalSecondaryIndexes ?? []) {
        if (known.has(index.IndexName)) continue;
        await client.send(
          new UpdateTableCommand({
            TableName,
            AttributeDefinitions: create.AttributeDefinitions,
            GlobalSecondaryIndexUpdates: [{ Create: index }],
          }),
        );
        await settled();
      }
      if (create.StreamSpecification && !existing.StreamSpecification?.StreamEnabled) {
        await client.send(new UpdateTableCommand({ TableName, StreamSpecification: create.StreamSpecification }));
      }
    } else {
      await client.send(new CreateTableCommand(create)).catch((error: unknown) => {
        if (!(error instanceof ResourceInUseException)) throw error;
      });
    }
    await settled();
    if (timeToLive?.Enabled) {
      await client
        .send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: timeToLive }))
        .catch((error: unknown) => {
          if (!/already enabled/i.test(reason(error))) throw error;
        });
    }
  });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || error.name;
}
