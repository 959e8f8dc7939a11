/** Deliveries that were promised: kept until they succeed or are given up, also when the process dies. */
import type { DatabaseSync } from 'node:sqlite';

/** Where deliveries go, and how often they are tried. */
export interface Route {
  /** The same in each run, so that what is under way finds its way again. */
  readonly id: string;
  /** Deliveries at the same time at most. */
  readonly concurrency: number;
  /** Tries after the first, at most. */
  readonly maxRetries: number;
  /** Nothing is tried again when it is older. */
  readonly maxAgeMs: number;
  /** Wait before the retry with this number, from 1. */
  retryDelayMs(retry: number): number;
  /** Throws when the delivery is to be tried again. */
  deliver(body: string): Promise<void>;
  /** Told once when no further try is made; what it throws is tried again later. */
  giveUp(body: string, failure: Failure): void;
}

/** Why a delivery was given up. */
export interface Failure {
  readonly error: unknown;
  readonly attempts: number;
  readonly condition: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';
}

export interface Deliveries {
  /** Starts delivering along the route, also what an earlier run has left; until stopped, then waits for tries under way. */
  route(route: Route): { stop(): Promise<void> };
  /** Promises a delivery. */
  add(routeId: string, body: string): void;
  /** Deliveries that have not ended. */
  pending(): number;
  /** No write after this: what still runs is delivered again by the next run. */
  close(): void;
}

interface Row {
  readonly seq: number;
  readonly body: string;
  readonly attempts: number;
  readonly created: number;
}

const giveUpAgainMs = 5_000;

export function createDeliveries(database: DatabaseSync, now: () => number = Date.now): Deliveries {
  database.exec(`
    CREATE TABLE IF NOT EXISTS deliveries (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, route TEXT NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL,
      due INTEGER NOT NULL, created INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS due_deliveries ON deliveries (route, due, seq);`);
  const insert = database.prepare(
    'INSERT INTO deliveries (route, body, attempts, due, created) VALUES (?, ?, 0, ?, ?)',
  );
  const remove = database.prepare('DELETE FROM deliveries WHERE seq = ?');
  const postpone = database.prepare('UPDATE deliveries SET attempts = ?, due = ? WHERE seq = ?');
  const ready = database.prepare(
    'SELECT seq, body, attempts, created FROM deliveries WHERE route = ? AND due <= ? ORDER BY due, seq LIMIT ?',
  );
  const next = database.prepare('SELECT min(due) AS due FROM deliveries WHERE route = ? AND due > ?');
  const count = database.prepare('SELECT count(*) AS pending FROM deliveries');
  const wakers = new Map<string, () => void>();
  let closed = false;

  function start(route: Route): { stop(): Promise<void> } {
    const running = new Map<number, Promise<void>>();
    let timer: NodeJS.Timeout | undefined;
    let woken = false;
    let stopping = false;

    function wake(): void {
      if (woken || stopping) return;
      woken = true;
      setImmediate(() => {
        woken = false;
        if (!stopping) pump();
      });
    }

    function pump(): void {
      clearTimeout(timer);
      const time = now();
      const free = route.concurrency - running.size;
      if (free > 0) {
        const rows = ready.all(route.id, time, free + running.size) as unknown as Row[];
        for (const row of rows.filter(({ seq }) => !running.has(seq)).slice(0, free)) {
          const attempt = deliver(row).finally(() => {
            running.delete(row.seq);
            wake();
          });
          running.set(row.seq, attempt);
        }
      }
      const { due } = next.get(route.id, time) as { due: number | null };
      if (due !== null) timer = setTimeout(wake, due - time);
    }

    async function deliver(row: Row): Promise<void> {
      try {
        await route.deliver(row.body);
        if (!closed) remove.run(row.seq);
      } catch (error) {
        if (!closed) fail(row, error);
      }
    }

    function fail(row: Row, error: unknown): void {
      const attempts = row.attempts + 1;
      const tooOld = now() - row.created > route.maxAgeMs;
      if (attempts <= route.maxRetries && !tooOld) {
        postpone.run(attempts, now() + route.retryDelayMs(attempts), row.seq);
        return;
      }
      try {
        const condition = tooOld ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts';
        route.giveUp(row.body, { error, attempts, condition });
        remove.run(row.seq);
      } catch {
        postpone.run(row.attempts, now() + giveUpAgainMs, row.seq);
      }
    }

    wakers.set(route.id, wake);
    wake();
    return {
      async stop() {
        stopping = true;
        clearTimeout(timer);
        wakers.delete(route.id);
        await Promise.all(running.values());
      },
    };
  }

  return {
    route: start,
    add(routeId, body) {
      insert.run(routeId, body, now(), now());
      wakers.get(routeId)?.();
    },
    pending: () => (count.get() as { pending: number }).pending,
    close() {
      closed = true;
    },
  };
}
