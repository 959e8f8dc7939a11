import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import type { Shutdown } from '../process/shutdown.ts';

/** The log of the functions. */
export interface FunctionLog {
  /** Writes whole or half lines, from the runner itself and from threads that have no `fd`. */
  readonly write: (text: string) => void;
  /** The file that threads append to by themselves. */
  readonly fd?: number | undefined;
}

const maxLogBytes = 64 * 1024 * 1024;

/** Opens the log of the functions; undefined discards it. Renames a file that has become too long. */
export function openFunctionLog(path: string | undefined, shutdown: Shutdown): FunctionLog {
  if (path && existsSync(path) && statSync(path).size > maxLogBytes) renameSync(path, `${path}.1`);
  const fd = openSync(path ?? devNull, 'a', 0o600);
  shutdown.add(() => {
    closeSync(fd);
  });
  return { fd, write: (text) => writeSync(fd, text) };
}
