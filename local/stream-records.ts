/**
 * The engine's own table of stream records, in its SQLite file. The engine looks for the newest record at each write
 * and for the next ones at each read without an index, and never removes a record: each write would be slower than the
 * one before.
 */
import { DatabaseSync } from 'node:sqlite';

/** Lets the engine find the records of a table's stream by their sequence numbers. */
export function indexStreamRecords(enginePath: string): void {
  open(enginePath, (database) => {
    database.exec(`CREATE INDEX IF NOT EXISTS stream_records_by_number
      ON _stream_records (table_name, CAST(sequence_number AS INTEGER))`);
  });
}

/**
 * Removes the records of a table's stream up to `lastNumber` that were made before `time` (milliseconds since the
 * epoch). The newest record always stays: the engine counts on from it.
 */
export function trimStreamRecords(enginePath: string, tableName: string, lastNumber: string, time: number): void {
  open(enginePath, (database) => {
    database
      .prepare(
        `DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= CAST(?2 AS INTEGER)
          AND created_at < ?3 AND id < (SELECT max(id) FROM _stream_records WHERE table_name = ?1)`,
      )
      .run(tableName, lastNumber, Math.floor(time / 1000));
  });
}

function open(enginePath: string, use: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(enginePath, { timeout: 5000 });
  try {
    use(database);
  } finally {
    database.close();
  }
}
