/** Positions of event source mappings in their streams. They are kept, so that a restart skips no record. */
import type { DatabaseSync } from 'node:sqlite';
import { Query } from '../storage/store.ts';

/** Positions of one event source mapping, by shard. */
export interface Positions {
  get(shardId: string): string | undefined;
  set(shardId: string, position: string): void;
  /** Returns the position that every mapping on the stream has reached; undefined while one is at the beginning. */
  leastOfAll(): string | undefined;
}

export function openPositions(database: DatabaseSync, mapping: string, stream: string): Positions {
  database.exec(`CREATE TABLE IF NOT EXISTS positions (
    stream TEXT NOT NULL, shard TEXT NOT NULL, mapping TEXT NOT NULL, position TEXT NOT NULL,
    PRIMARY KEY (stream, shard, mapping))`);
  const find = new Query(
    database,
    { position: 'text' },
    'SELECT position FROM positions WHERE stream = ? AND shard = ? AND mapping = ?',
  );
  const put = database.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?)');
  const least = new Query(
    database,
    { least: 'number or null' },
    'SELECT min(CAST(position AS INTEGER)) AS least FROM positions WHERE stream = ?',
  );
  return {
    get: (shard) => find.first(stream, shard, mapping)?.position,
    set(shard, position) {
      put.run(stream, shard, mapping, position);
    },
    leastOfAll() {
      const found = least.first(stream)?.least ?? 0;
      return found === 0 ? undefined : String(found);
    },
  };
}
