import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Returns a new folder under the system's temporary one, named after this process, which removes it when it no longer
 * needs it. The next call, by any process, removes the folders of processes that were killed.
 */
export function scratchFolder(purpose: string): string {
  for (const name of readdirSync(tmpdir())) {
    const owner = /^wallet-[a-z]+-(\d+)-\w+$/.exec(name)?.[1];
    if (owner !== undefined && isGone(Number(owner))) removeFolder(join(tmpdir(), name));
  }
  return mkdtempSync(join(tmpdir(), `wallet-${purpose}-${process.pid}-`));
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
