/** What the runner's own services keep in SQLite: stream positions, events, deliveries under way, notifications. */
import { DatabaseSync } from 'node:sqlite';

/** Opens the file, or memory where `path` is undefined. */
export function openStore(path: string | undefined): DatabaseSync {
  const database = new DatabaseSync(path ?? ':memory:');
  // Without fsync, a commit survives the death of this process, though not of the machine.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  return database;
}

/** Runs `work` so that all of what it writes is kept, or nothing. */
export function atomically<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
