/** One shard of a stream for one event source mapping: read in order, worked in lanes, its position kept. */
import { createHash } from 'node:crypto';
import type { StreamRecord, TableStream } from '../dynamodb/table-streams.ts';
import type { Matches } from '../eventbridge/event-pattern.ts';
import { afterErrorMs, pause } from '../process/pause.ts';
import type { BatchSettings, ProcessBatch } from './stream-batch.ts';
import type { Positions } from './stream-positions.ts';

export interface StreamSourceSettings extends BatchSettings {
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /** Batches of one shard at the same time; the records of one key stay in order. */
  readonly parallelizationFactor: number;
  /** Records that none of them matches are skipped; undefined for no filter. */
  readonly filters: readonly Matches[] | undefined;
}

interface Entry {
  readonly record: StreamRecord;
  isDone: boolean;
}

/** Entries that are processed one batch after the other. All records of one key are in the same lane. */
interface Lane {
  readonly entries: Entry[];
  wake: () => void;
}

const pollMs = 100;
/** Records that may be read and not done, at least. */
const leastWindow = 1000;

/** The parts that all shards of an event source mapping share. */
export interface ShardSurroundings {
  readonly stream: TableStream;
  readonly positions: Positions;
  readonly settings: StreamSourceSettings;
  readonly process: ProcessBatch;
  readonly signal: AbortSignal;
}

export class ShardConsumer {
  readonly #shardId: string;
  readonly #surroundings: ShardSurroundings;
  readonly #signal: AbortSignal;
  readonly #aborted: Promise<void>;
  readonly #lanes: readonly Lane[];
  /** Records that were read and are not done, oldest first. */
  readonly #window: Entry[] = [];
  readonly #mostInWindow: number;
  /** The position that is reached when the whole window is done. */
  #read: string | undefined;
  #hasEnded = false;

  constructor(shardId: string, surroundings: ShardSurroundings) {
    const { positions, settings, signal } = surroundings;
    const lanes = settings.parallelizationFactor;
    this.#shardId = shardId;
    this.#surroundings = surroundings;
    this.#signal = signal;
    this.#lanes = Array.from({ length: lanes }, () => ({ entries: [], wake: () => undefined }));
    this.#mostInWindow = Math.max(leastWindow, 10 * lanes * settings.batchSize);
    this.#read = positions.get(shardId);
    this.#aborted = new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  /** Whether all records are done: the shard's children may begin. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Reads until the shard has ended or the signal aborts. Calls `onEnd` in the first case; returns once no batch is under way. */
  async run(onEnd: () => void): Promise<void> {
    const working = this.#lanes.map((lane) => this.#work(lane));
    while (!this.#signal.aborted) {
      const next = await this.#readPage();
      if (next === 'ended') break;
      if (next !== 'moved') await this.#pause(next === 'failed' ? afterErrorMs : pollMs);
      await this.#windowBelow(this.#mostInWindow);
    }
    // A child shard's records come after all of its parent's.
    await this.#windowBelow(1);
    this.#hasEnded = true;
    for (const lane of this.#lanes) lane.wake();
    if (!this.#signal.aborted) onEnd();
    await Promise.all(working);
  }

  /** Reads a page into the lanes. */
  async #readPage(): Promise<'moved' | 'unchanged' | 'ended' | 'failed'> {
    try {
      this.#read ??= await this.#beginning();
      const page = await this.#surroundings.stream.read(this.#shardId, this.#read);
      const isMoved = page.position !== this.#read;
      this.#read = page.position;
      for (const record of page.records) this.#add(record);
      if (isMoved && this.#window.length === 0) this.#advance();
      if (page.ended) return 'ended';
      return isMoved ? 'moved' : 'unchanged';
    } catch {
      return 'failed'; // The engine is down, or has trimmed the page: the position says where to continue.
    }
  }

  /** Returns where a shard that was never read begins. */
  async #beginning(): Promise<string> {
    const { stream, positions, settings } = this.#surroundings;
    let position = '';
    if (settings.startingPosition === 'LATEST') {
      for (let before: string | undefined; before !== position && !this.#signal.aborted;) {
        before = position;
        ({ position } = await stream.read(this.#shardId, position));
      }
    }
    if (!this.#signal.aborted) positions.set(this.#shardId, position);
    return position;
  }

  #add(record: StreamRecord): void {
    const { filters } = this.#surroundings.settings;
    if (filters && !filters.some((matches) => matches(record))) return;
    const entry = { record, isDone: false };
    this.#window.push(entry);
    const lane = this.#lanes[laneOf(record, this.#lanes.length)];
    lane?.entries.push(entry);
    lane?.wake();
  }

  /** Waits until the window has fewer entries, or the signal aborts. */
  async #windowBelow(entries: number): Promise<void> {
    while (this.#window.length >= entries && !this.#signal.aborted) await this.#pause(pollMs);
  }

  /** Removes the done entries from the front of the window, and keeps the position that this reaches. */
  #advance(): void {
    const { positions } = this.#surroundings;
    let done: string | undefined;
    while (this.#window[0]?.isDone) done = this.#window.shift()?.record.dynamodb.SequenceNumber;
    if (this.#window.length === 0 && this.#read !== undefined) positions.set(this.#shardId, this.#read);
    else if (done !== undefined) positions.set(this.#shardId, done);
  }

  /** Processes the lane's batches until the shard has ended or the signal aborts. */
  async #work(lane: Lane): Promise<void> {
    const { process } = this.#surroundings;
    for (;;) {
      const batch = await this.#nextBatch(lane);
      if (batch.length === 0) return;
      await process(
        batch.map(({ record }) => record),
        this.#shardId,
        (count) => {
          for (const entry of batch.splice(0, count)) entry.isDone = true;
          this.#advance();
        },
      );
    }
  }

  /** Returns a batch that is full or as old as the batching window; an empty one at the end. */
  async #nextBatch(lane: Lane): Promise<Entry[]> {
    const { batchSize, batchingWindowSeconds } = this.#surroundings.settings;
    const arrival = (): Promise<void> =>
      new Promise((resolve) => {
        lane.wake = resolve;
      });
    while (lane.entries.length === 0 && !this.#signal.aborted && !this.#hasEnded) {
      await Promise.race([arrival(), this.#aborted]);
    }
    const until = Date.now() + batchingWindowSeconds * 1000;
    while (lane.entries.length < batchSize && Date.now() < until && !this.#signal.aborted) {
      await Promise.race([arrival(), this.#pause(Math.max(0, until - Date.now()))]);
    }
    return this.#signal.aborted ? [] : lane.entries.splice(0, batchSize);
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, this.#signal);
  }
}

function laneOf(record: StreamRecord, lanes: number): number {
  if (lanes === 1) return 0;
  const keys = Object.entries(record.dynamodb.Keys).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('md5').update(JSON.stringify(keys)).digest().readUInt32BE() % lanes;
}
