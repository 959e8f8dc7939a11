/** The data of a runner: files in its data folder, or memory and temporary folders. */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { scratchFolder } from '../../lib/scratch.ts';
import type { FunctionLog } from '../lambda/function-thread.ts';
import type { Shutdown } from '../process/shutdown.ts';
import { openQueues } from '../sqs/queues.ts';
import type { Queues } from '../sqs/queues.ts';
import { createDeliveries } from '../storage/deliveries.ts';
import type { Deliveries } from '../storage/deliveries.ts';
import { openStore } from '../storage/store.ts';

/** Another runner uses the data folder. */
export class DataInUseError extends Error {
  override readonly name = 'DataInUseError';
}

export interface RunnerData {
  /** Undefined when nothing is kept. */
  readonly folder: string | undefined;
  /** Returns the path of a file in the data folder; undefined when nothing is kept. */
  path(name: string): string | undefined;
  readonly queues: Queues;
  /** Folder with one folder for each bucket. */
  readonly bucketsFolder: string;
  readonly store: DatabaseSync;
  readonly deliveries: Deliveries;
}

const maxLogBytes = 64 * 1024 * 1024;

/**
 * Opens the data, and makes the data folder when it is missing. Throws DataInUseError.
 *
 * @param dataDir undefined keeps nothing
 */
export function openRunnerData(dataDir: string | undefined, shutdown: Shutdown): RunnerData {
  if (dataDir) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = (name: string): string | undefined => (dataDir ? join(dataDir, name) : undefined);
  const queues = openLocked(path('queues.sqlite'), dataDir);
  shutdown.add(() => {
    queues.close();
  });
  const bucketsFolder = path('buckets') ?? temporaryFolder(shutdown);
  const store = openStore(path('events.sqlite'));
  const deliveries = createDeliveries(store);
  shutdown.add(() => {
    deliveries.close();
    store.close();
  });
  return { folder: dataDir, path, queues, bucketsFolder, store, deliveries };
}

/** Opens the log of the functions; undefined discards it. Renames a file that has become too long. */
export function openFunctionLog(path: string | undefined, shutdown: Shutdown): FunctionLog {
  if (path && existsSync(path) && statSync(path).size > maxLogBytes) renameSync(path, `${path}.1`);
  const fd = openSync(path ?? devNull, 'a', 0o600);
  shutdown.add(() => {
    closeSync(fd);
  });
  return { fd, write: (text) => writeSync(fd, text) };
}

/** Opens the queues. Their lock is that of the whole data folder. */
function openLocked(path: string | undefined, dataDir: string | undefined): Queues {
  try {
    return openQueues(path ?? ':memory:');
  } catch (error) {
    if (error instanceof Error && /database is locked/.test(error.message)) {
      throw new DataInUseError(
        `${String(dataDir)} is in use by another runner: stop that one, or choose another folder with --data`,
      );
    }
    throw error;
  }
}

function temporaryFolder(shutdown: Shutdown): string {
  const folder = scratchFolder('buckets');
  shutdown.add(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
