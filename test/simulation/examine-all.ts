import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Examined } from './exhaustive-thread.ts';
import { operations } from './operations.ts';
import { wholeNumber } from '../../bin/command.ts';
import { readOptions } from '../../bin/options.ts';

const usage = `npm run exhaustive -- [--only words] [--threads T]

Runs each operation once for each fault at each external call that it makes, and prints how many histories that took.
Prints each violation with its fault, and fails if there is one. With --only: the operations with these words in their names.`;

const options = readOptions(usage, {
  only: { type: 'string', default: '' },
  threads: { type: 'string', default: String(availableParallelism()) },
});
const chosen = operations.map(({ name }) => name).filter((name) => name.includes(options.only));
if (chosen.length === 0) throw new Error(`no operation has "${options.only}" in its name`);

const threads = wholeNumber('--threads', options.threads, 1);
const startedAt = performance.now();
const rest = chosen.values();
const totals = { operations: 0, calls: 0, histories: 0, violations: 0 };
await Promise.all(Array.from({ length: threads }, examineRest));
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(
  `${totals.operations} operations, ${totals.calls} external calls, ${totals.histories} histories in ${minutes} minutes: ` +
    `${totals.violations} with a violation`,
);
if (totals.violations > 0 || totals.operations < chosen.length) process.exitCode = 1;

/** Examines operations in a thread of its own, one after the other, until none is left. */
function examineRest(): Promise<unknown> {
  const worker = new Worker(new URL('./exhaustive-thread.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const next = () => {
      worker.postMessage(rest.next().value ?? null);
    };
    worker.on('message', (examined: Examined) => {
      add(examined);
      next();
    });
    worker.on('error', reject);
    worker.on('exit', resolve);
    next();
  });
}

function add({ name, calls, runs, failures }: Examined): void {
  totals.operations++;
  totals.calls += calls;
  totals.histories += runs;
  totals.violations += failures.length;
  console.log(`${totals.operations}/${chosen.length} ${name}: ${calls} external calls, ${runs} histories`);
  for (const { fault, violations } of failures) {
    console.log(`VIOLATION ${fault === undefined ? 'without a fault' : `${fault.kind} at ${fault.point}`}`);
    for (const violation of violations) console.log(JSON.stringify(violation));
  }
}
