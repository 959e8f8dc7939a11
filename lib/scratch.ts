import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in memory, on Linux. */
const memory = '/dev/shm';
/** Free memory for files from which the tests and engines of one run fit into it. */
const enoughBytes = 4 * 2 ** 30;

/**
 * Returns a new folder, named after this process, which removes it when it no longer needs it. The next call for the same
 * place, by any process, removes the folders of processes that were killed.
 *
 * @param place the folder around it; absent: the system's temporary one
 */
export function scratchFolder(purpose: string, place = tmpdir()): string {
  for (const name of readdirSync(place)) {
    const owner = /^wallet-[a-z]+-(\d+)-\w+$/.exec(name)?.[1];
    if (owner !== undefined && isGone(Number(owner))) removeFolder(join(place, name));
  }
  return mkdtempSync(join(place, `wallet-${purpose}-${process.pid}-`));
}

/**
 * Returns the place for files that need not survive the machine: in memory, where nothing waits for a disk. It is the
 * system's temporary folder where `TMPDIR` names one, or where memory for files is absent or scarce.
 */
export function memoryPlace(): string {
  if (process.env['TMPDIR'] !== undefined) return tmpdir();
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize < enoughBytes ? tmpdir() : memory;
  } catch {
    return tmpdir();
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another user owns it, or another process removes it.
  }
}
