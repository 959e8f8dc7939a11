/**
 * DynamoDB stream event source mappings: batches in the order of each key, and a position that is kept, so that a
 * restart skips nothing.
 */
import type { Shard } from '@aws-sdk/client-dynamodb-streams';
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Matches } from './event-pattern.ts';
import type { LocalFunction } from './function-pool.ts';
import { createBatchProcessor, type BatchSettings } from './stream-batch.ts';
import type { StreamRecord, TableStream } from './table-streams.ts';

export interface StreamSourceSettings extends BatchSettings {
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /** Batches of one shard at the same time; the records of one key stay in order. */
  readonly parallelizationFactor: number;
  /** Records that none of them matches are skipped; undefined for no filter. */
  readonly filters: readonly Matches[] | undefined;
}

/** Where the positions are kept. */
export interface Positions {
  get(shardId: string): string | undefined;
  set(shardId: string, position: string): void;
  /** The position that every mapping on the stream has reached; undefined where one of them is at the beginning. */
  leastOfAll(): string | undefined;
}

export function openPositions(database: DatabaseSync, mapping: string, stream: string): Positions {
  database.exec(`CREATE TABLE IF NOT EXISTS positions (
    stream TEXT NOT NULL, shard TEXT NOT NULL, mapping TEXT NOT NULL, position TEXT NOT NULL,
    PRIMARY KEY (stream, shard, mapping))`);
  const find = database.prepare('SELECT position FROM positions WHERE stream = ? AND shard = ? AND mapping = ?');
  const put = database.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?)');
  const least = database.prepare('SELECT min(CAST(position AS INTEGER)) AS least FROM positions WHERE stream = ?');
  return {
    get: (shard) => (find.get(stream, shard, mapping) as { position: string } | undefined)?.position,
    set(shard, position) {
      put.run(stream, shard, mapping, position);
    },
    leastOfAll() {
      const found = (least.get(stream) as { least: number | null }).least;
      return found === null || found === 0 ? undefined : String(found);
    },
  };
}

interface Entry {
  readonly record: StreamRecord;
  done: boolean;
}

interface Lane {
  readonly entries: Entry[];
  wake: () => void;
}

const pollMs = 100;
/** Records that may be read and not done, at least. */
const leastWindow = 1000;
const afterErrorMs = 1_000;

/** Delivers until stopped; `stop` waits for the batches under way. */
export function startStreamSource(
  stream: TableStream,
  target: LocalFunction,
  positions: Positions,
  settings: StreamSourceSettings,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const lanes = settings.parallelizationFactor;
  const process = createBatchProcessor(target, settings, signal);
  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal }).then(
      () => undefined,
      () => undefined,
    );

  /** Where a shard that was never read begins. */
  async function beginning(shard: string): Promise<string> {
    let position = '';
    if (settings.startingPosition === 'LATEST') {
      for (let before: string | undefined; before !== position && !signal.aborted;) {
        before = position;
        ({ position } = await stream.read(shard, position));
      }
    }
    if (!signal.aborted) positions.set(shard, position);
    return position;
  }

  async function consume(shardId: string, onEnd: () => void): Promise<void> {
    // What was read and is not yet done, oldest first, with the position that is reached when all of it is.
    const window: Entry[] = [];
    const most = Math.max(leastWindow, 10 * lanes * settings.batchSize);
    const full = (): boolean => window.length >= most && !signal.aborted;
    const busy = (): boolean => window.length > 0 && !signal.aborted;
    let read = positions.get(shardId);

    function advance(): void {
      let done: string | undefined;
      while (window[0]?.done) done = window.shift()?.record.dynamodb.SequenceNumber;
      if (window.length === 0 && read !== undefined) positions.set(shardId, read);
      else if (done !== undefined) positions.set(shardId, done);
    }

    const queues = Array.from({ length: lanes }, (): Lane => ({ entries: [], wake: () => undefined }));
    const working = queues.map((lane) => work(lane, shardId, advance));

    while (!signal.aborted) {
      try {
        read ??= await beginning(shardId);
        const page = await stream.read(shardId, read);
        const moved = page.position !== read;
        read = page.position;
        for (const record of page.records) {
          if (settings.filters && !settings.filters.some((matches) => matches(record))) continue;
          const entry = { record, done: false };
          window.push(entry);
          const lane = queues[laneOf(record, lanes)];
          lane?.entries.push(entry);
          lane?.wake();
        }
        if (moved && window.length === 0) advance();
        if (page.ended) break;
        if (!moved) await pause(pollMs);
      } catch {
        await pause(afterErrorMs); // The engine is away or has trimmed what we ask for; the position says where to go on.
      }
      while (full()) await pause(pollMs);
    }
    // A child shard's records come after all of its parent's.
    while (busy()) await pause(pollMs);
    ended.add(shardId);
    for (const lane of queues) lane.wake();
    if (!signal.aborted) onEnd();
    await Promise.all(working);
  }

  async function work(lane: Lane, shardId: string, onDone: () => void): Promise<void> {
    const arrival = (): Promise<void> =>
      new Promise((resolve) => {
        lane.wake = resolve;
      });
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    for (;;) {
      while (lane.entries.length === 0 && !signal.aborted && !ended.has(shardId)) {
        await Promise.race([arrival(), aborted]);
      }
      const until = Date.now() + settings.batchingWindowSeconds * 1000;
      while (lane.entries.length < settings.batchSize && Date.now() < until && !signal.aborted) {
        await Promise.race([arrival(), pause(Math.max(0, until - Date.now()))]);
      }
      if (signal.aborted || lane.entries.length === 0) return;
      const batch = lane.entries.splice(0, settings.batchSize);
      await process(
        batch.map(({ record }) => record),
        shardId,
        (count) => {
          for (const entry of batch.splice(0, count)) entry.done = true;
          onDone();
        },
      );
    }
  }

  const ended = new Set<string>();
  const consumers = new Map<string, Promise<void>>();

  async function discover(): Promise<void> {
    let shards: readonly Shard[] | undefined;
    while (!shards && !signal.aborted) {
      shards = await stream.shards().catch(() => undefined);
      if (!shards) await pause(afterErrorMs);
    }
    const known = new Set(shards?.map(({ ShardId }) => ShardId));
    for (const { ShardId: id = '', ParentShardId: parent } of shards ?? []) {
      const waits = parent !== undefined && known.has(parent) && !ended.has(parent);
      if (waits || consumers.has(id) || signal.aborted) continue;
      consumers.set(
        id,
        consume(id, () => {
          discovering = discover();
        }),
      );
    }
  }
  let discovering = discover();

  return {
    async stop() {
      stopping.abort();
      await discovering;
      await Promise.all(consumers.values());
      stream.close();
    },
  };
}

function laneOf(record: StreamRecord, lanes: number): number {
  if (lanes === 1) return 0;
  const keys = Object.entries(record.dynamodb.Keys).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('md5').update(JSON.stringify(keys)).digest().readUInt32BE() % lanes;
}
