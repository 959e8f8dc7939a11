/** Standard SQS queues in a SQLite file: visibility, delays, receive counts and redrive, kept when the process dies. */
import { createHash, randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openStore, Query } from '../storage/store.ts';
import type { Row } from '../storage/store.ts';

export interface QueueSettings {
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
  readonly delaySeconds: number;
  readonly waitSeconds: number;
  readonly retentionSeconds: number;
  readonly maximumBytes: number;
  readonly redrive?: { readonly arn: string; readonly maxReceiveCount: number } | undefined;
}

/** A message attribute as the JSON protocol writes it; binary values stay base64. */
export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

/** A message as a consumer receives it. Times are milliseconds since the epoch. */
export interface Message {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly bodyMd5: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly sentAt: number;
  readonly firstReceivedAt: number;
  readonly receiveCount: number;
}

export interface QueueCounts {
  readonly visible: number;
  readonly notVisible: number;
  readonly delayed: number;
}

const columns = {
  seq: 'number',
  id: 'text',
  body: 'text',
  attributes: 'text',
  sent: 'number',
  visible: 'number',
  first: 'number or null',
  receives: 'number',
} as const;
type StoredMessage = Row<typeof columns>;

interface Waiter {
  readonly serve: (messages: Message[]) => void;
  readonly max: number;
  readonly visibilityTimeoutSeconds: number;
}

export interface Queues {
  create(settings: QueueSettings): Queue;
  get(name: string): Queue | undefined;
  byArn(arn: string): Queue | undefined;
  list(): Queue[];
  close(): void;
}

/**
 * Opens the queues kept in `path`; undefined keeps nothing. Throws when another process has the file open.
 * Messages that were in flight become visible again: their receiver died with the last runner.
 */
export function openQueues(path: string | undefined, now: () => number = Date.now): Queues {
  const database = openStore(path);
  database.exec(`
    CREATE TABLE IF NOT EXISTS messages (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
      attributes TEXT NOT NULL, sent INTEGER NOT NULL, visible INTEGER NOT NULL, first INTEGER,
      receives INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX IF NOT EXISTS available ON messages (queue, visible, seq);`);
  database.prepare('UPDATE messages SET visible = ? WHERE receives > 0 AND visible > ?').run(now(), now());
  const queues = new Map<string, Queue>();
  const byArn = (arn: string): Queue | undefined => [...queues.values()].find((queue) => queue.settings.arn === arn);
  return {
    create(settings) {
      const queue = new Queue(settings, database, now, byArn);
      queues.set(settings.name, queue);
      return queue;
    },
    get: (name) => queues.get(name),
    byArn,
    list: () => [...queues.values()],
    close() {
      for (const queue of queues.values()) queue.close();
      database.close();
    },
  };
}

export class Queue {
  readonly settings: QueueSettings;
  readonly #now: () => number;
  readonly #byArn: (arn: string) => Queue | undefined;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #available: Query<typeof columns>;
  readonly #next: Query<{ readonly visible: 'number or null' }>;
  readonly #taken: StatementSync;
  readonly #find: Query<typeof columns>;
  readonly #show: StatementSync;
  readonly #remove: StatementSync;
  readonly #move: StatementSync;
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #waking = false;
  #closed = false;

  constructor(
    settings: QueueSettings,
    database: DatabaseSync,
    now: () => number,
    byArn: (arn: string) => Queue | undefined,
  ) {
    this.settings = settings;
    this.#now = now;
    this.#byArn = byArn;
    this.#database = database;
    const prepare = (sql: string): StatementSync => database.prepare(sql);
    this.#insert = prepare(
      'INSERT INTO messages (queue, id, body, attributes, sent, visible) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#available = new Query(
      database,
      columns,
      'SELECT * FROM messages WHERE queue = ? AND visible <= ? ORDER BY visible, seq LIMIT ?',
    );
    this.#next = new Query(
      database,
      { visible: 'number or null' },
      'SELECT min(visible) AS visible FROM messages WHERE queue = ?',
    );
    this.#taken = prepare(
      'UPDATE messages SET visible = ?, receives = receives + 1, first = coalesce(first, ?) WHERE seq = ?',
    );
    this.#find = new Query(database, columns, 'SELECT * FROM messages WHERE queue = ? AND id = ?');
    this.#show = prepare('UPDATE messages SET visible = ? WHERE seq = ?');
    this.#remove = prepare('DELETE FROM messages WHERE seq = ?');
    this.#move = prepare('UPDATE messages SET queue = ?, visible = ?, receives = 0, first = NULL WHERE seq = ?');
  }

  send(body: string, options: { delaySeconds?: number; attributes?: Record<string, MessageAttribute> } = {}): string {
    const id = randomUUID();
    const sent = this.#now();
    const visible = sent + (options.delaySeconds ?? this.settings.delaySeconds) * 1000;
    this.#insert.run(this.settings.name, id, body, JSON.stringify(options.attributes ?? {}), sent, visible);
    this.#wake();
    return id;
  }

  /** Returns up to `max` messages. Waits up to `waitMs` for the first; returns none when `signal` aborts before. */
  receive(options: {
    readonly max: number;
    readonly waitMs: number;
    readonly visibilityTimeoutSeconds?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<Message[]> {
    const seconds = options.visibilityTimeoutSeconds ?? this.settings.visibilityTimeoutSeconds;
    if (options.signal?.aborted || this.#closed) return Promise.resolve([]);
    const messages = this.#take(options.max, seconds);
    if (messages.length > 0 || options.waitMs <= 0) return Promise.resolve(messages);
    return new Promise((resolve) => {
      const finish = (served: Message[]): void => {
        clearTimeout(timeout);
        options.signal?.removeEventListener('abort', abort);
        this.#waiters.delete(waiter);
        resolve(served);
      };
      const abort = (): void => {
        finish([]);
      };
      const waiter: Waiter = { serve: finish, max: options.max, visibilityTimeoutSeconds: seconds };
      const timeout = options.waitMs === Infinity ? undefined : setTimeout(abort, options.waitMs);
      options.signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
      this.#arm();
    });
  }

  /** Deletes the message unless it has been received again since; false when the handle is not one of this service. */
  delete(receiptHandle: string): boolean {
    const handle = readHandle(receiptHandle);
    if (!handle) return false;
    const row = this.#row(handle.id);
    if (row?.receives === handle.receives) this.#remove.run(row.seq);
    return true;
  }

  /** Hides the message for `seconds` from now. */
  changeVisibility(receiptHandle: string, seconds: number): 'changed' | 'gone' | 'not in flight' | 'malformed handle' {
    const handle = readHandle(receiptHandle);
    if (!handle) return 'malformed handle';
    const row = this.#row(handle.id);
    if (!row) return 'gone';
    if (row.receives !== handle.receives || row.visible <= this.#now()) return 'not in flight';
    this.#show.run(this.#now() + seconds * 1000, row.seq);
    this.#wake();
    return 'changed';
  }

  counts(): QueueCounts {
    const now = this.#now();
    const sql = `SELECT count(*) FILTER (WHERE visible <= ?) AS visible,
      count(*) FILTER (WHERE visible > ? AND receives > 0) AS notVisible,
      count(*) FILTER (WHERE visible > ? AND receives = 0) AS delayed FROM messages WHERE queue = ?`;
    const counts = new Query(this.#database, { visible: 'number', notVisible: 'number', delayed: 'number' }, sql);
    return { visible: 0, notVisible: 0, delayed: 0, ...counts.first(now, now, now, this.settings.name) };
  }

  /**
   * Returns the age of the oldest message, in ms; 0 without one. As in SQS's own metric, a message that was received three
   * times or more does not count.
   */
  oldestAgeMs(): number {
    const sql = 'SELECT min(sent) AS sent FROM messages WHERE queue = ? AND receives < 3';
    const oldest = new Query(this.#database, { sent: 'number or null' }, sql).first(this.settings.name);
    return oldest?.sent === undefined || oldest.sent === null ? 0 : this.#now() - oldest.sent;
  }

  purge(): void {
    this.#database.prepare('DELETE FROM messages WHERE queue = ?').run(this.settings.name);
  }

  /** Moves all visible messages of this dead letter queue back to `target`, as new there. Returns how many. */
  moveAllTo(target: Queue): number {
    const rows = this.#available.all(this.settings.name, this.#now(), -1);
    for (const row of rows) this.#move.run(target.settings.name, this.#now(), row.seq);
    target.#wake();
    return rows.length;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters) waiter.serve([]);
  }

  #row(id: string): StoredMessage | undefined {
    return this.#find.first(this.settings.name, id);
  }

  #take(max: number, visibilityTimeoutSeconds: number): Message[] {
    const now = this.#now();
    const { redrive, retentionSeconds } = this.settings;
    const taken: Message[] = [];
    const target = redrive && this.#byArn(redrive.arn);
    const maxReceiveCount = redrive?.maxReceiveCount ?? Infinity;
    while (taken.length < max) {
      const rows = this.#available.all(this.settings.name, now, max - taken.length);
      if (rows.length === 0) break;
      this.#database.exec('BEGIN');
      for (const row of rows) {
        if (row.sent + retentionSeconds * 1000 <= now) {
          this.#remove.run(row.seq);
        } else if (target && row.receives >= maxReceiveCount) {
          this.#move.run(target.settings.name, now, row.seq);
        } else {
          // A time-out of 0 leaves the message visible; 1 ms keeps this call from taking it twice.
          this.#taken.run(now + Math.max(1, visibilityTimeoutSeconds * 1000), now, row.seq);
          taken.push(received(row, now));
        }
      }
      this.#database.exec('COMMIT');
      if (target) target.#wake();
    }
    return taken;
  }

  // Waits for the end of this turn of the event loop, so that messages sent together are received together.
  #wake(): void {
    if (this.#waking || this.#waiters.size === 0) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      if (this.#closed) return;
      for (const waiter of this.#waiters) {
        const messages = this.#take(waiter.max, waiter.visibilityTimeoutSeconds);
        if (messages.length === 0) break;
        waiter.serve(messages);
      }
      this.#arm();
    });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#waiters.size === 0) return;
    const visible = this.#next.first(this.settings.name)?.visible ?? null;
    if (visible === null) return;
    this.#timer = setTimeout(
      () => {
        this.#wake();
      },
      Math.max(0, visible - this.#now()),
    );
  }
}

export const md5 = (data: string | Buffer): string => createHash('md5').update(data).digest('hex');

// A handle is good for one receive: a consumer that was too slow cannot delete what another has received since.
function received(row: StoredMessage, now: number): Message {
  const receiveCount = row.receives + 1;
  return {
    messageId: row.id,
    receiptHandle: Buffer.from(`${row.id}#${receiveCount}`).toString('base64'),
    body: row.body,
    bodyMd5: md5(row.body),
    attributes: JSON.parse(row.attributes) as Record<string, MessageAttribute>,
    sentAt: row.sent,
    firstReceivedAt: row.first ?? now,
    receiveCount,
  };
}

function readHandle(handle: string): { id: string; receives: number } | undefined {
  const match = /^([0-9a-f-]{36})#(\d+)$/.exec(Buffer.from(handle, 'base64').toString());
  return match?.[1] === undefined ? undefined : { id: match[1], receives: Number(match[2]) };
}
