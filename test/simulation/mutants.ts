import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runNumbered } from './campaign.ts';
import { openEngines } from './engines.ts';
import { examine } from './exhaustive.ts';
import type { Mutation } from './mutation.ts';
import { mutations } from './mutations.ts';
import { operations } from './operations.ts';
import type { Violation } from './simulation.ts';
import { copyProject, makeEdit } from './trees.ts';
import { readOptions } from '../../bin/options.ts';

const usage = `npm run mutants -- [--histories N] [--seed S] [--only words] [--copies N]

Breaks copies of the service, each with one mutation after the other. For each mutation, prints the rule that the simulation finds
violated, and the number of histories until then. Fails when the simulation misses a mutation.`;

/** The result of the simulation in the tree that this process runs in. */
interface Finding {
  /** Number of histories that were run. */
  readonly histories: number;
  /** The rules that the first failing history violated. */
  readonly rules: readonly string[];
}

const options = readOptions(usage, {
  histories: { type: 'string', default: '500' },
  seed: { type: 'string', default: 'mutants' },
  only: { type: 'string', default: '' },
  /** How many copies are broken beside each other. */
  copies: { type: 'string', default: String(availableParallelism()) },
  /** Runs the simulation here, with random histories or this operation, and prints the finding as JSON. */
  here: { type: 'string' },
});
const most = Number(options.histories);
/** A mutation may never end. All 500 histories take some minutes, and many times that on an overloaded machine. */
const longestMs = 2 * 3_600_000;

if (options.here !== undefined) console.log(JSON.stringify(await look(options.here)));
else await breakAll(mutations.filter(({ name }) => name.includes(options.only)));

/**
 * Runs the simulation in this tree.
 *
 * @param where an operation's name, or empty for random histories
 */
async function look(where: string): Promise<Finding> {
  const engines = openEngines();
  try {
    if (where !== '') {
      const operation = operations.find(({ name }) => name === where);
      if (operation === undefined) throw new Error(`no operation is called "${where}"`);
      const calm = await examine(engines, operation, () => false);
      // Most mutations show without a fault.
      const { runs, failures } = calm.failures.length > 0 ? calm : await examine(engines, operation, () => true);
      return { histories: runs, rules: rulesOf(failures[0]?.violations ?? []) };
    }
    for (let number = 0; number < most; number++) {
      const { outcome } = await runNumbered(engines, { seed: options.seed, number, steps: 12 });
      if (outcome.violations.length > 0) return { histories: number + 1, rules: rulesOf(outcome.violations) };
    }
    return { histories: most, rules: [] };
  } finally {
    await engines.close();
  }
}

function rulesOf(violations: readonly Violation[]): string[] {
  return [...new Set(violations.map(({ rule }) => rule))];
}

function inQuotes(rules: readonly string[]): string {
  return rules.map((rule) => `"${rule}"`).join(', ');
}

async function breakAll(all: readonly Mutation[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wallet-mutants-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true });
  });
  process.once('SIGINT', () => process.exit(130));
  const copies = Array.from({ length: Number(options.copies) }, (_, n) => join(folder, String(n)));
  copies.forEach(copyProject);

  await eachIn(copies, [...new Set(all.flatMap(({ test = [] }) => test))], async (copy, test) => {
    const failing = await failingIn(copy, test);
    if (failing.length > 0) throw new Error(`the unbroken service fails ${inQuotes(failing)} of ${test}`);
  });
  await eachIn(copies, [''], async (copy, where) => {
    const sound = await lookIn(copy, where);
    if (sound.rules.length > 0) throw new Error(`the unbroken service violates ${inQuotes(sound.rules)}`);
    console.log(`unbroken: ${sound.histories} histories without a violation, seed ${options.seed}`);
  });
  let unnoticed = 0;
  await eachIn(copies, all, async (copy, mutation) => {
    const { histories, rules } = await broken(copy, mutation);
    if (rules.length === 0) unnoticed++;
    const { operation, test } = mutation;
    const where = test ?? (operation === undefined ? `after ${histories} histories` : `in "${operation}"`);
    console.log(`${mutation.name}: ${rules.length === 0 ? 'NOT NOTICED' : inQuotes(rules)} ${where}`);
  });
  console.log(`${all.length} mutations, ${unnoticed} of them not noticed`);
  if (unnoticed > 0) process.exitCode = 1;
}

/** Does the work for each thing, one at a time in each copy. */
async function eachIn<Thing>(
  copies: readonly string[],
  things: readonly Thing[],
  work: (copy: string, thing: Thing) => Promise<void>,
): Promise<void> {
  const rest = things.values();
  await Promise.all(
    copies.map(async (copy) => {
      for (const thing of rest) await work(copy, thing);
    }),
  );
}

async function broken(copy: string, { edits, operation = '', test }: Mutation): Promise<Finding> {
  const originals = new Map<string, string>();
  for (const edit of edits) {
    const path = join(copy, edit.file);
    if (!originals.has(path)) originals.set(path, await readFile(path, 'utf8'));
    makeEdit(copy, edit);
  }
  try {
    return test === undefined ? await lookIn(copy, operation) : { histories: 0, rules: await failingIn(copy, test) };
  } finally {
    for (const [path, source] of originals) await writeFile(path, source);
  }
}

/** Runs the simulation in a process of its own, whose modules are those of the folder. */
async function lookIn(folder: string, where: string): Promise<Finding> {
  const args = [
    'test/simulation/mutants.ts',
    '--here',
    where,
    '--histories',
    options.histories,
    '--seed',
    options.seed,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: longestMs });
  return JSON.parse(stdout) as Finding;
}

interface JestResults {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Returns the titles of the tests of a file that fail, each with its suites. */
async function failingIn(folder: string, test: string): Promise<string[]> {
  const results = join(folder, 'jest-results.json');
  const jest = join('node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--experimental-vm-modules', jest, '--json', '--outputFile', results, test];
  const run = promisify(execFile)(process.execPath, args, { cwd: folder, timeout: longestMs });
  await run.catch(() => undefined); // The results tell which tests fail.
  const { testResults } = JSON.parse(await readFile(results, 'utf8')) as JestResults;
  await rm(results);
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  if (tests.length === 0) {
    throw new Error(`${test} cannot be run:\n${testResults.map(({ message }) => message).join('\n')}`);
  }
  return tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
}
