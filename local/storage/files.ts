/** Small private files that are either whole or absent, whenever the process is killed. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Returns the JSON kept at `path`; undefined when there is none. */
export function readKept(path: string | undefined): unknown {
  return path && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : undefined;
}

/** Keeps `value` at `path`, readable by this user only; nothing where `path` is undefined. */
export function keep(path: string | undefined, value: unknown): void {
  if (!path) return;
  writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
