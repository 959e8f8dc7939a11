// Runs reconcile.ts as one file of JavaScript. Node.js can run it as it is, but needs 25 MiB of memory more to strip its
// types, and esbuild inside this process would need as much. A million lines are to fit in 200 MiB.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Each process has its own, so that none reads the half-written file of another. */
const file = join(root, '.wallet', `reconcile-${process.pid}.mjs`);
process.once('exit', () => {
  rmSync(file, { force: true });
});

const flags = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=warning'];
execFileSync(
  join(root, 'node_modules', '.bin', 'esbuild'),
  [join(root, 'bin', 'reconcile.ts'), ...flags, `--outfile=${file}`],
  { stdio: 'inherit', shell: process.platform === 'win32' },
);
await import(pathToFileURL(file).href);
