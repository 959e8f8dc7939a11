/**
 * `npm run import`: imports wallets, opening balances and past transactions of another system. Exits 0 when the tables have all
 * of the files, 1 when a line is refused or something differs at the end, and 2 when the import could not be made.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { failAsUsed, openWalletTable, placeUsage, usePlace, UsageError, wholeNumber } from './books.ts';
import type { Sums } from './import/compare.ts';
import { formanceTranslator } from './import/formance.ts';
import { mappingsIn } from './import/mapping.ts';
import type { Mappings } from './import/mapping.ts';
import { filesAt } from './import/read.ts';
import type { ImportFile } from './import/read.ts';
import { importFiles } from './import/run.ts';
import type { Outcome, Step } from './import/run.ts';
import { printable } from './printable.ts';

const usage = `npm run import -- --table NAME FILE... [options]

FILE is CSV (.csv), lines of JSON, or a folder of such files: docs/import.md.

  --dry-run              reads and checks everything, and writes nothing into the table
  --amounts UNIT         amounts are in minor or major units: 1050 or 10.50 (minor)
  --mapping FILE         the columns of CSV files, as JSON
  --from formance        the files are the export of a Formance ledger
  --accounts PATTERN     its accounts that are wallets, a regular expression: '^users:(?<owner>[^:]+)$'
  --keep-frozen          leaves the wallets frozen, so that a longer file can follow
  --ids FILE             write the ids of the wallets to this file, as CSV
  --at-a-time N          so many writes at a time (64)
${placeUsage}`;

const progressMs = 2_000;

function optionsIn() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      table: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      amounts: { type: 'string', default: 'minor' },
      mapping: { type: 'string' },
      from: { type: 'string' },
      accounts: { type: 'string' },
      'keep-frozen': { type: 'boolean', default: false },
      ids: { type: 'string' },
      'at-a-time': { type: 'string', default: '64' },
      endpoint: { type: 'string' },
      region: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, paths: positionals };
}

async function main(): Promise<number> {
  const options = optionsIn();
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const { table: name, amounts, 'dry-run': dryRun, 'keep-frozen': keepFrozen } = options;
  if (name === undefined || options.paths.length === 0) {
    throw new UsageError(`--table and a file are needed\n\n${usage}`);
  }
  if (amounts !== 'minor' && amounts !== 'major') {
    throw new UsageError(`--amounts must be minor or major, received ${amounts}`);
  }
  const files = options.paths.flatMap((path) => usable(`cannot read ${path}`, () => filesAt(path)));
  const mappings = options.mapping === undefined ? {} : mappingsAt(options.mapping);
  throwIfMixedUp(files, mappings, options.ids);
  const translate = translatorOf(options);
  const atATime = wholeNumber('--at-a-time', options['at-a-time'], 1);
  usePlace(options);
  const table = await openWalletTable(name);
  const progress = startProgress();
  try {
    const outcome = await importFiles(table, files, {
      ...{ dryRun, keepFrozen, amounts, mappings, translate, atATime },
      idsFile: options.ids,
      progress: progress.note,
    });
    progress.stop();
    print(outcome, dryRun);
    console.log(`${progress.seconds()} s, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`);
    return outcome.findings.total === 0 ? 0 : 1;
  } finally {
    progress.stop();
  }
}

function mappingsAt(name: string) {
  const text = usable(`cannot read --mapping ${name}`, () => readFileSync(name, 'utf8'));
  return usable(`--mapping ${name}`, () => mappingsIn(text));
}

/** Throws UsageError where a mapping names none of the files, and where the file of ids is one of them. */
function throwIfMixedUp(files: readonly ImportFile[], mappings: Mappings, ids: string | undefined): void {
  const names = files.map(({ name }) => basename(name));
  const unknown = Object.keys(mappings).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--mapping names ${unknown}, which is none of ${names.join(', ')}`);
  if (ids !== undefined && files.some(({ name }) => resolve(name) === resolve(ids))) {
    throw new UsageError(`--ids ${ids} would overwrite a file of the import`);
  }
}

function translatorOf({ from, accounts }: { from?: string | undefined; accounts?: string | undefined }) {
  if (from === undefined && accounts === undefined) return undefined;
  if (from !== 'formance' || accounts === undefined) {
    throw new UsageError('--from formance and --accounts are needed together');
  }
  return formanceTranslator(usable(`--accounts ${accounts}`, () => new RegExp(accounts, 'u')));
}

/** Returns the result of work on what the user gave. Throws UsageError, with what is wrong in it. */
function usable<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function startProgress() {
  const started = performance.now();
  let last: { readonly step: Step; readonly done: number } | undefined;
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  const timer = setInterval(() => {
    if (last !== undefined) console.log(`  ${seconds()} s, ${last.step}: ${last.done}`);
  }, progressMs);
  return {
    seconds,
    note: (step: Step, done: number) => {
      last = { step, done };
    },
    stop: () => {
      clearInterval(timer);
    },
  };
}

function print(outcome: Outcome, dryRun: boolean): void {
  const { findings, files, fresh, stored, wallets, repeated } = outcome;
  const word = stored === undefined ? 'REFUSED' : 'DIFFERENCE';
  for (const { code, file, line, detail } of findings.listed) {
    console.log(printable(`${word} ${code} ${file}:${line}: ${detail}`.replaceAll('\n', '?')));
  }
  if (findings.total > findings.listed.length) console.log(`... and ${findings.total - findings.listed.length} more`);
  for (const [code, count] of findings.counts) console.log(`  ${count} ${code}: see docs/import.md`);
  if (repeated > 0) console.log(`${repeated} lines repeat an earlier one, and were left out.`);
  if (files !== undefined && fresh !== undefined) printSums(files, fresh, stored);
  console.log(`${wallets.all} wallets: ${wallets.fresh} new, ${wallets.activated} made active.`);
  console.log(verdictOf(outcome, dryRun));
}

function verdictOf({ findings: { total }, stored, stopped }: Outcome, dryRun: boolean): string {
  if (total === 0) {
    return dryRun ? 'All lines can be imported. Nothing was written.' : 'The tables have all that the files have.';
  }
  if (stored !== undefined) return `${total} differences. No wallet was made active.`;
  return stopped
    ? `${total} lines were refused while others were written. The wallets stay frozen.`
    : `${total} lines are refused. Nothing was written.`;
}

/** Prints a line for each currency and kind: its number and sum in the files, what was new, and what the table has. */
function printSums(files: Sums, fresh: Sums, stored: Sums | undefined): void {
  for (const name of new Set([...files.names(), ...(stored?.names() ?? [])])) {
    const [all, lacking, found] = [files.of(name), fresh.of(name), stored?.of(name)];
    const inTable = found === undefined ? '' : `; in the table ${found.count} of ${found.amount}`;
    console.log(`${name}: ${all.count} of ${all.amount}, ${lacking.count} of ${lacking.amount} of them new${inTable}`);
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => failAsUsed(error, usage),
);
