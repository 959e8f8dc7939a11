/** Deliveries that survive the process: each is stored until it succeeds or is given up. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Query } from './store.ts';
import type { Row } from './store.ts';

/** A destination of deliveries, with its limits. */
export interface Route {
  /** The same in each run, so that the next run continues the deliveries of this one. */
  readonly id: string;
  /** Most deliveries at the same time. */
  readonly concurrency: number;
  /** Most attempts after the first. */
  readonly maxRetries: number;
  /** An older delivery is not retried. */
  readonly maxAgeMs: number;
  /** Returns the delay before a retry; the first retry has the number 1. */
  retryDelayMs(retry: number): number;
  /** Throws when the delivery must be retried. */
  deliver(body: string): Promise<void>;
  /** Records that no further attempt is made. When it throws, it is called again later. */
  giveUp(body: string, failure: Failure): void;
}

/** The reason why a delivery was given up. */
export interface Failure {
  readonly error: unknown;
  readonly attempts: number;
  readonly condition: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';
}

export interface Deliveries {
  /** Starts the route's deliveries, also those of an earlier run. `stop` waits for the attempts under way. */
  route(route: Route): { stop(): Promise<void> };
  /** Stores a delivery. */
  add(routeId: string, body: string): void;
  /** Returns the number of deliveries that have not ended. */
  pending(): number;
  /** Stops all writes: the next run repeats the deliveries under way. */
  close(): void;
}

const columns = { seq: 'number', body: 'text', attempts: 'number', created: 'number' } as const;
type Delivery = Row<typeof columns>;

const giveUpAgainMs = 5_000;
const longestRetryMs = 5_000;

/** Returns the delay before a retry of a delivery to another service of this machine, ms. */
export const retryDelayMs = (retry: number): number => Math.min(100 * 2 ** (retry - 1), longestRetryMs);

export function createDeliveries(database: DatabaseSync, now: () => number = Date.now): Deliveries {
  const table = new DeliveryTable(database);
  const runners = new Map<string, RouteRunner>();
  return {
    route(route) {
      const runner = new RouteRunner(route, table, now);
      runners.set(route.id, runner);
      runner.wake();
      return {
        async stop() {
          runners.delete(route.id);
          await runner.stop();
        },
      };
    },
    add(routeId, body) {
      table.add(routeId, body, now());
      runners.get(routeId)?.wake();
    },
    pending: () => table.count(),
    close() {
      table.close();
    },
  };
}

/** Deliveries that have not ended, of all routes. Times are ms of `now`. */
class DeliveryTable {
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #postpone: StatementSync;
  readonly #due: Query<typeof columns>;
  readonly #nextDue: Query<{ readonly due: 'number or null' }>;
  readonly #count: Query<{ readonly pending: 'number' }>;
  #isClosed = false;

  constructor(database: DatabaseSync) {
    database.exec(`
      CREATE TABLE IF NOT EXISTS deliveries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, route TEXT NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL,
        due INTEGER NOT NULL, created INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS due_deliveries ON deliveries (route, due, seq);`);
    this.#insert = database.prepare(
      'INSERT INTO deliveries (route, body, attempts, due, created) VALUES (?, ?, 0, ?, ?)',
    );
    this.#remove = database.prepare('DELETE FROM deliveries WHERE seq = ?');
    this.#postpone = database.prepare('UPDATE deliveries SET attempts = ?, due = ? WHERE seq = ?');
    this.#due = new Query(
      database,
      columns,
      'SELECT seq, body, attempts, created FROM deliveries WHERE route = ? AND due <= ? ORDER BY due, seq LIMIT ?',
    );
    this.#nextDue = new Query(
      database,
      { due: 'number or null' },
      'SELECT min(due) AS due FROM deliveries WHERE route = ? AND due > ?',
    );
    this.#count = new Query(database, { pending: 'number' }, 'SELECT count(*) AS pending FROM deliveries');
  }

  /** Whether a delivery that ends now must not be written. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  add(routeId: string, body: string, time: number): void {
    this.#insert.run(routeId, body, time, time);
  }

  remove({ seq }: Delivery): void {
    this.#remove.run(seq);
  }

  postpone({ seq }: Delivery, attempts: number, due: number): void {
    this.#postpone.run(attempts, due, seq);
  }

  /** Returns deliveries of the route that are due at `time`, the oldest first. */
  due(routeId: string, time: number, limit: number): Delivery[] {
    return this.#due.all(routeId, time, limit);
  }

  /** Returns when the first delivery that is not due at `time` will be. */
  nextDue(routeId: string, time: number): number | null {
    return this.#nextDue.first(routeId, time)?.due ?? null;
  }

  count(): number {
    return this.#count.first()?.pending ?? 0;
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** The runner of one route: makes its deliveries when they are due. */
class RouteRunner {
  readonly #route: Route;
  readonly #table: DeliveryTable;
  readonly #now: () => number;
  /** Attempts under way, by the row's `seq`. */
  readonly #running = new Map<number, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isWoken = false;
  #isStopping = false;

  constructor(route: Route, table: DeliveryTable, now: () => number) {
    this.#route = route;
    this.#table = table;
    this.#now = now;
  }

  /** Begins the deliveries that are due, in the next turn of the event loop. */
  wake(): void {
    if (this.#isWoken || this.#isStopping) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      if (!this.#isStopping) this.#pump();
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#running.values());
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const time = this.#now();
    const { id, concurrency } = this.#route;
    const free = concurrency - this.#running.size;
    if (free > 0) {
      const rows = this.#table.due(id, time, concurrency).filter(({ seq }) => !this.#running.has(seq));
      for (const row of rows.slice(0, free)) {
        const attempt = this.#deliver(row).finally(() => {
          this.#running.delete(row.seq);
          this.wake();
        });
        this.#running.set(row.seq, attempt);
      }
    }
    const due = this.#table.nextDue(id, time);
    if (due !== null) {
      this.#timer = setTimeout(() => {
        this.wake();
      }, due - time);
    }
  }

  async #deliver(row: Delivery): Promise<void> {
    try {
      await this.#route.deliver(row.body);
      if (!this.#table.isClosed) this.#table.remove(row);
    } catch (error) {
      if (!this.#table.isClosed) this.#fail(row, error);
    }
  }

  #fail(row: Delivery, error: unknown): void {
    const { maxRetries, maxAgeMs } = this.#route;
    const attempts = row.attempts + 1;
    const tooOld = this.#now() - row.created > maxAgeMs;
    if (attempts <= maxRetries && !tooOld) {
      this.#table.postpone(row, attempts, this.#now() + this.#route.retryDelayMs(attempts));
      return;
    }
    try {
      const condition = tooOld ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts';
      this.#route.giveUp(row.body, { error, attempts, condition });
      this.#table.remove(row);
    } catch {
      this.#table.postpone(row, row.attempts, this.#now() + giveUpAgainMs);
    }
  }
}
