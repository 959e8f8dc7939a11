/** The data of a runner: files in its data folder, or memory and temporary folders. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { scratchFolder } from '../../lib/scratch.ts';
import type { Shutdown } from '../process/shutdown.ts';
import { createDeliveries } from './deliveries.ts';
import type { Deliveries } from './deliveries.ts';
import { openStore } from './store.ts';

/** The error of a data folder that another runner uses. */
export class DataInUseError extends Error {
  override readonly name = 'DataInUseError';
}

export interface Data {
  /** Undefined when nothing is kept. */
  readonly folder: string | undefined;
  /** Returns the path of a file in the data folder; undefined when nothing is kept. */
  path(name: string): string | undefined;
  /** Returns a folder in the data folder, or a temporary one when nothing is kept. */
  subfolder(name: string): string;
  readonly store: DatabaseSync;
  readonly deliveries: Deliveries;
}

/**
 * Opens the data, and makes the data folder when it is missing. Throws DataInUseError.
 *
 * @param dataDir undefined keeps nothing
 */
export function openData(dataDir: string | undefined, shutdown: Shutdown): Data {
  if (dataDir) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = (name: string): string | undefined => (dataDir ? join(dataDir, name) : undefined);
  const store = openLocked(path('events.sqlite'), dataDir);
  const deliveries = createDeliveries(store);
  shutdown.add(() => {
    deliveries.close();
    store.close();
  });
  return {
    folder: dataDir,
    path,
    subfolder: (name) => path(name) ?? temporaryFolder(name, shutdown),
    store,
    deliveries,
  };
}

/** Opens the store, whose lock is that of the whole data folder. */
function openLocked(path: string | undefined, dataDir: string | undefined): DatabaseSync {
  try {
    return openStore(path);
  } catch (error) {
    if (error instanceof Error && /database is locked/.test(error.message)) {
      throw new DataInUseError(
        `${String(dataDir)} is in use by another runner: stop that one, or choose another folder with --data`,
      );
    }
    throw error;
  }
}

function temporaryFolder(name: string, shutdown: Shutdown): string {
  const folder = scratchFolder(name);
  shutdown.add(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
