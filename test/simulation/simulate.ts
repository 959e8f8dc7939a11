import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { News, Share } from './campaign-thread.ts';
import { addTotals, missedStates, noTotals, replay } from './campaign.ts';
import type { Totals } from './campaign.ts';
import { openEngines } from './engines.ts';
import { importReleases, makeTrees, removeTrees } from './trees.ts';
import { missing } from '../model/tlc.ts';
import { refusedTraces } from '../model/traces.ts';
import type { Trace } from '../model/traces.ts';
import { wholeNumber } from '../../bin/command.ts';
import { readOptions } from '../../bin/options.ts';

const usage = `npm run simulate -- [--histories N] [--from M] [--seed S] [--steps K] [--threads T] [--model]
npm run simulate -- --seed S --history N [--only steps] [--faults faults]
npm run simulate -- --upgrade [--old REF] [as above]

Random histories of the whole service with faults at every external call; see test/simulation. A campaign of 1000 or more
fails when it has not reached each of the states in test/simulation/states.ts. With --from it begins at history M. A
thread ends at its first history with a violation, and the others go on.
The second form runs one of them again and prints its steps.
With --upgrade the code changes while each history runs: from the release at the commit REF (the last tag, or else the
last commit) to ones that write items of a newer version, and back. Its campaign need not reach all of those states.
With --model the withdrawals and holds of all histories are checked at the end against the models in test/model. It needs Java
and the jar of TLC, as \`npm run model\` does. Without them it says what is missing, and runs nothing.`;

const options = readOptions(usage, {
  histories: { type: 'string', default: '1000' },
  from: { type: 'string', default: '0' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  steps: { type: 'string', default: '12' },
  threads: { type: 'string', default: String(availableParallelism()) },
  history: { type: 'string' },
  only: { type: 'string' },
  faults: { type: 'string' },
  upgrade: { type: 'boolean', default: false },
  old: { type: 'string' },
  model: { type: 'boolean', default: false },
});
const { seed } = options;
const parts = options.model ? missing() : [];
if (parts.length > 0) {
  console.error(['The models cannot be checked here. Missing:', ...parts].join('\n- '));
  process.exit(1);
}
const steps = Number(options.steps);
const trees = options.upgrade ? makeTrees(options.old) : undefined;
if (trees !== undefined) {
  console.log(`an upgrade from ${trees.oldRef}`);
  process.on('exit', () => {
    removeTrees(trees);
  });
}

if (options.history !== undefined) {
  await again(Number(options.history));
} else {
  await campaign(
    wholeNumber('--from', options.from, 0),
    wholeNumber('--histories', options.histories, 1),
    wholeNumber('--threads', options.threads, 1),
  );
}

async function again(number: number): Promise<void> {
  const engines = openEngines(trees && (await importReleases(trees)));
  const outcome = await replay(engines, { seed, number, steps }, { only: options.only, faults: options.faults });
  await engines.close();
  console.log(outcome.story.join('\n'));
  for (const { point, kind, call } of outcome.struck) console.log(`fault: ${kind} at ${point} (${call})`);
  if (outcome.violations.length > 0) process.exitCode = 1;
}

async function campaign(from: number, histories: number, threads: number): Promise<void> {
  console.log(`histories ${from} to ${from + histories - 1} of up to ${steps} steps, seed ${seed}, ${threads} threads`);
  const startedAt = performance.now();
  const totals = noTotals();
  const perSecond = () => (totals.histories / ((performance.now() - startedAt) / 1000)).toFixed(1);
  const progress = setInterval(() => {
    console.log(`${totals.histories} histories, ${perSecond()} a second, ${sumOf(totals.faults)} faults, seed ${seed}`);
  }, 10_000);
  // Histories that were run count, also after an interrupt; the engines end with this process.
  process.once('SIGINT', () => {
    report(totals);
    console.log(`interrupted after ${totals.histories} histories, seed ${seed}`);
    process.exit(130);
  });
  const failures = await Promise.all(
    Array.from({ length: threads }, (_, first) =>
      share({ seed, steps, first: from + first, end: from + histories, every: threads, trees }, totals),
    ),
  );
  clearInterval(progress);
  report(totals);
  const failed = failures.filter((isFailure) => isFailure).length;
  console.log(
    `${totals.histories} histories without a violation, ${failed} with, ${perSecond()} a second, seed ${seed}`,
  );
  const missed = trees === undefined ? missedStates(totals) : [];
  for (const name of missed) console.log(`NOT REACHED in ${totals.histories} histories: ${name}`);
  const isRefused = options.model && (await checkTraces(totals));
  if (failed > 0 || missed.length > 0 || isRefused) process.exitCode = 1;
}

/** Checks the withdrawals and holds against the models. Returns whether one is refused. */
async function checkTraces({ traces }: Totals): Promise<boolean> {
  const texts = Object.keys(traces);
  const count = Object.values(traces).reduce((sum, one) => sum + one, 0);
  console.log(`\nchecking ${count} withdrawals and holds, with ${texts.length} different traces, against the models`);
  const refused = await refusedTraces(texts.map((text) => JSON.parse(text) as Trace));
  for (const trace of refused) console.log(`REFUSED by the model: ${JSON.stringify(trace)}`);
  console.log(`${texts.length - refused.length} traces are accepted, ${refused.length} refused`);
  return refused.length > 0;
}

/** Runs a thread to its end, and prints the history that fails. Returns whether one did. The other threads go on. */
function share(data: Share, totals: Totals): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let hasFailed = false;
    const worker = new Worker(new URL('./campaign-thread.ts', import.meta.url), { workerData: data });
    worker.on('message', (news: News) => {
      if (news.kind === 'done') {
        addTotals(totals, news.totals);
      } else {
        hasFailed = true;
        console.log(`\n${news.report}\n`);
      }
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      resolve(hasFailed);
    });
  });
}

function report({ points, faults, tally, states }: Totals): void {
  console.log(`\n${points} external calls and deliveries; ${sumOf(faults)} faults struck:`);
  print(faults);
  console.log('\nanswers and ends:');
  print(tally);
  console.log('\nhistories that reached a state:');
  print(states);
}

function print(counts: Readonly<Record<string, number>>): void {
  for (const name of Object.keys(counts).sort()) console.log(`${String(counts[name]).padStart(9)}  ${name}`);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
