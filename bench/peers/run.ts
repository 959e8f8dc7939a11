/**
 * `npm run peers`: makes the same transfers on this service and on other ledgers, each over its own API, in one run, and
 * prints one table. README.md beside this file says how to start the others. Exits with 1 when a balance is wrong.
 */
import { cpus, loadavg } from 'node:os';
import { readOptions } from '../../bin/options.ts';
import { figure, median, table } from '../report.ts';
import { openBlnk } from './blnk.ts';
import { openFormance } from './formance.ts';
import type { Ledger } from './ledger.ts';
import { differencesOf, latencyOfRounds, memoryMbOf, openAccounts, runRound } from './measure.ts';
import type { Opened, Round, Scenario } from './measure.ts';
import { openPgledger } from './pgledger.ts';
import { startWalletService } from './wallet.ts';

const names = ['self', 'formance', 'blnk', 'pgledger'] as const;
type Name = (typeof names)[number];

const usage = `npm run peers -- [options]

  --only NAME              one of ${names.join(', ')}; may be given several times (all)
  --formance URL           a running Formance Ledger, for example http://127.0.0.1:3068
  --formance-pids P,P      its processes: the server and its PostgreSQL
  --blnk URL               a running Blnk, for example http://127.0.0.1:5001
  --blnk-pids P,P          its processes: server, workers, Redis and PostgreSQL
  --pgledger URI           a database with pgledger, for example postgresql://postgres@127.0.0.1:5443/pgledger
  --pgledger-pids P        its PostgreSQL
  --rounds N               measured rounds, after one that is not (5)
  --seconds N              length of each scenario in a round (8)
  --quick                  one round of one second: shows that it works, not how fast

This service is started by the script and stopped at its end. A ledger without its URL is left out. Linux only: CPU time
and memory come from /proc.`;

const options = readOptions(usage, {
  only: { type: 'string', multiple: true, default: [...names] },
  formance: { type: 'string' },
  'formance-pids': { type: 'string', default: '' },
  blnk: { type: 'string' },
  'blnk-pids': { type: 'string', default: '' },
  pgledger: { type: 'string' },
  'pgledger-pids': { type: 'string', default: '' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '8' },
  quick: { type: 'boolean', default: false },
});

const size = options.quick
  ? { rounds: 1, seconds: 1, idleMs: 1_000 }
  : { rounds: Number(options.rounds), seconds: Number(options.seconds), idleMs: 10_000 };

/** One account that many pay, and those that pay. */
const accounts = 65;

const scenarios = {
  between: { name: 'between accounts, 8 clients', clients: 8, intoOne: false, queued: false, atMost: Infinity },
  intoOne: { name: 'into one account, 32 clients', clients: 32, intoOne: true, queued: false, atMost: Infinity },
  queuedIntoOne: { name: '1,000 queued into one account', clients: 32, intoOne: true, queued: true, atMost: 1_000 },
} as const satisfies Record<string, Scenario>;
type ScenarioName = keyof typeof scenarios;

const startedAt = performance.now();
const progress = (line: string) => {
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);
};

interface Measured extends Opened {
  readonly name: Name;
  readonly rounds: Record<ScenarioName, Round[]>;
  /** The reason why it was not measured to the end. */
  failure: string | undefined;
}

/**
 * Connects to a ledger; starts this service.
 *
 * @throws Error when it is not there
 */
function connect(name: Name): Promise<Ledger> | Ledger {
  if (name === 'self') return startWalletService();
  const url = options[name];
  if (url === undefined) throw new Error(`no --${name}`);
  const processIds = options[`${name}-pids`].split(/[\s,]+/).map(Number);
  if (processIds.some((pid) => !(pid > 0))) throw new Error(`no --${name}-pids`);
  switch (name) {
    case 'formance':
      return openFormance(url, processIds);
    case 'blnk':
      return openBlnk(url, processIds);
    case 'pgledger':
      return openPgledger(url, processIds);
  }
}

/** Opens the accounts of a ledger; undefined when it is not there. */
async function open(name: Name): Promise<Measured | undefined> {
  progress(`opens ${accounts} accounts: ${name}`);
  let ledger: Ledger | undefined;
  try {
    ledger = await connect(name);
    const rounds = { between: [], intoOne: [], queuedIntoOne: [] };
    return { name, rounds, failure: undefined, ...(await openAccounts(ledger, accounts, size.idleMs)) };
  } catch (error) {
    await ledger?.stop();
    console.log(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Runs every scenario on every ledger in each round, in a shuffled order. Stops measuring a ledger that fails. */
async function measure(ledgers: readonly Measured[]): Promise<void> {
  const cells = ledgers.flatMap((measured) =>
    (Object.keys(scenarios) as ScenarioName[])
      .filter((name) => measured.ledger.canQueue || !scenarios[name].queued)
      .map((name) => ({ measured, name })),
  );
  for (let round = 0; round <= size.rounds; round++) {
    for (const { measured, name } of shuffled(cells)) {
      if (measured.failure !== undefined) continue;
      progress(`${round === 0 ? 'warm-up' : `round ${round} of ${size.rounds}`}: ${measured.name}, ${name}`);
      try {
        const result = await runRound(measured, scenarios[name], size.seconds);
        if (round > 0) measured.rounds[name].push(result);
      } catch (error) {
        measured.failure = `failed in round ${round}, ${name}: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Returns rows of figures, a column for each ledger: the median, and the smallest and largest of the rounds. */
function resultTable(ledgers: readonly Measured[]): string {
  const spread = (values: readonly number[], round = (value: number) => value) =>
    values.length === 0
      ? 'not measured'
      : `${figure(round(median(values)))} (${figure(round(Math.min(...values)))} – ${figure(round(Math.max(...values)))})`;
  const rows = (Object.keys(scenarios) as ScenarioName[]).flatMap((name) => {
    const row = (title: string, cell: (rounds: readonly Round[]) => string) => [
      `${scenarios[name].name}: ${title}`,
      ...ledgers.map(({ rounds }) => cell(rounds[name])),
    ];
    return [
      row('a second', (rounds) =>
        spread(
          rounds.map(({ perSecond }) => perSecond),
          Math.round,
        ),
      ),
      row('answer p50 / p99 ms', (rounds) => {
        const { p50, p99 } = latencyOfRounds(rounds);
        return rounds.length === 0 ? '' : `${figure(p50)} / ${figure(p99)}`;
      }),
      row('CPU ms', (rounds) => (rounds.length === 0 ? '' : spread(rounds.map(({ cpuMs }) => cpuMs)))),
      row('refusals, sent again', (rounds) =>
        rounds.length === 0 ? '' : figure(rounds.reduce((sum, { refusals }) => sum + refusals, 0)),
      ),
    ];
  });
  return table(
    ['transfers', ...ledgers.map(({ name }) => name)],
    [
      ...rows,
      ['memory, MB', ...ledgers.map(({ ledger }) => figure(Math.round(memoryMbOf(ledger))))],
      ['CPU while idle, ms a second', ...ledgers.map(({ idleCpuMs }) => figure(idleCpuMs))],
    ],
  );
}

async function main(): Promise<void> {
  const ledgers: Measured[] = [];
  try {
    for (const name of names.filter((one) => options.only.includes(one))) {
      const measured = await open(name);
      if (measured !== undefined) ledgers.push(measured);
    }
    if (ledgers.length === 0) throw new Error('there is nothing to measure');
    const loadBefore = loadavg()[0] ?? NaN;
    await measure(ledgers);
    const title = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} processors (${cpus()[0]?.model ?? 'unknown'}), load before the run ${figure(loadBefore)}`;
    const conditions = `${size.rounds} rounds of ${size.seconds} s, shuffled: median (smallest – largest)`;
    console.log(`\n${title}\n${conditions}\n\n${resultTable(ledgers)}\n`);
    for (const measured of ledgers) {
      if (measured.failure !== undefined) {
        console.log(`${measured.name} ${measured.failure}`);
        process.exitCode = 1;
      }
      const differences = await differencesOf(measured);
      console.log(
        `${measured.name}: ${differences.length === 0 ? 'every balance is exact' : differences.join('\n  ')}`,
      );
      if (differences.length > 0) process.exitCode = 1;
    }
  } finally {
    await Promise.all(ledgers.map(({ ledger }) => ledger.stop()));
  }
}

const unknown = options.only.filter((name) => !names.some((known) => known === name));
if (unknown.length > 0 || !(size.rounds > 0 && size.seconds > 0)) {
  console.error(`unknown ledger, or a number that is not above zero: ${unknown.join(', ')}\n\n${usage}`);
  process.exitCode = 1;
} else {
  await main();
}
