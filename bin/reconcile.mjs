// Runs reconcile.ts as one file of JavaScript. Node.js can run it as it is, but needs 25 MiB of memory more to strip its
// types, and esbuild inside this process would need as much. A million lines are to fit in 200 MiB.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'bin', 'reconcile.ts');
/** Each process has its own, so that none reads the half-written file of another. */
const file = join(root, '.wallet', `reconcile-${process.pid}.mjs`);
const flags = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=silent'];

try {
  await import(pathToFileURL(bundled() ? file : source).href);
} catch (error) {
  // Without this Node.js would exit with 1, which says that the files differ.
  console.error(error);
  process.exitCode = 2;
} finally {
  remove();
}

/** Makes the file. Returns false if that fails, as in a folder that takes no file. More memory is needed then. */
function bundled() {
  process.once('exit', remove);
  try {
    execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), [source, ...flags, `--outfile=${file}`]);
    return true;
  } catch {
    return false;
  }
}

/** It is read once, so it is removed before the work begins. A bad option ends the process even before. */
function remove() {
  if (existsSync(file)) rmSync(file);
}
