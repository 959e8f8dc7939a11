/**
 * `npm run import`: imports wallets, opening balances and past transactions of another system. Exits 0 when the tables have all
 * of the files, 1 when a line is refused or something differs at the end, and 2 when the import could not be made.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { openWalletTable } from './books.ts';
import {
  memoryText,
  placeOptions,
  placeUsage,
  runCommand,
  startProgress,
  usable,
  usePlace,
  UsageError,
  wholeNumber,
} from './command.ts';
import type { Sums } from './import/compare.ts';
import { formanceTranslator } from './import/formance.ts';
import { mappingsIn } from './import/mapping.ts';
import type { Mappings } from './import/mapping.ts';
import { filesAt } from './import/read.ts';
import type { ImportFile } from './import/read.ts';
import { importFiles } from './import/run.ts';
import type { Outcome } from './import/run.ts';
import { expectedIn, sumText } from './import/totals.ts';
import type { Expected, FileTotals } from './import/totals.ts';
import { printable } from './printable.ts';

const usage = `npm run import -- --table NAME FILE... [options]

FILE is CSV (.csv), lines of JSON, or a folder of such files: docs/import.md.

  --dry-run              reads and checks everything, and writes nothing into the table
  --amounts UNIT         amounts are in minor or major units: 1050 or 10.50 (minor)
  --mapping FILE         the columns of CSV files, as JSON
  --expect FILE          the lines and sums that the files must have, as JSON
  --from formance        the files are the export of a Formance ledger
  --accounts PATTERN     its accounts that are wallets, a regular expression: '^users:(?<owner>[^:]+)$'
  --keep-frozen          leaves the wallets frozen, so that a longer file can follow
  --ids FILE             write the ids of the wallets to this file, as CSV
  --at-a-time N          so many writes at a time (64)
${placeUsage}`;

const options = {
  ...placeOptions,
  table: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  amounts: { type: 'string', default: 'minor' },
  mapping: { type: 'string' },
  expect: { type: 'string' },
  from: { type: 'string' },
  accounts: { type: 'string' },
  'keep-frozen': { type: 'boolean', default: false },
  ids: { type: 'string' },
  'at-a-time': { type: 'string', default: '64' },
} as const;

runCommand({ usage, options, words: true }, async (values, paths) => {
  const { table: name, amounts, 'dry-run': dryRun, 'keep-frozen': keepFrozen } = values;
  if (name === undefined || paths.length === 0) throw new UsageError(`--table and a file are needed\n\n${usage}`);
  if (amounts !== 'minor' && amounts !== 'major') {
    throw new UsageError(`--amounts must be minor or major, received ${amounts}`);
  }
  const files = paths.flatMap((path) => usable(`cannot read ${path}`, () => filesAt(path)));
  const mappings = jsonAt('--mapping', values.mapping, mappingsIn) ?? {};
  const expected = jsonAt('--expect', values.expect, expectedIn);
  throwIfMixedUp(files, { mappings, expected, ids: values.ids });
  const translate = translatorOf(values);
  const atATime = wholeNumber('--at-a-time', values['at-a-time'], 1);
  usePlace(values);
  const table = await openWalletTable(name);
  let last: string | undefined;
  const progress = startProgress(() => last);
  try {
    const outcome = await importFiles(table, files, {
      ...{ dryRun, keepFrozen, amounts, mappings, expected, translate, atATime },
      idsFile: values.ids,
      progress: (step, done) => (last = `${step}: ${done}`),
    });
    print(outcome, dryRun);
    console.log(`${progress.seconds()} s, ${memoryText()}`);
    return outcome.findings.total === 0 ? 0 : 1;
  } finally {
    progress.stop();
  }
});

/** Returns what the file of an option says; undefined without the option. */
function jsonAt<T>(option: string, name: string | undefined, parse: (text: string) => T): T | undefined {
  if (name === undefined) return undefined;
  const text = usable(`cannot read ${option} ${name}`, () => readFileSync(name, 'utf8'));
  return usable(`${option} ${name}`, () => parse(text));
}

interface Named {
  readonly mappings: Mappings;
  readonly expected: Expected | undefined;
  readonly ids: string | undefined;
}

/** Throws UsageError where files and what the options say of them do not belong together. */
function throwIfMixedUp(files: readonly ImportFile[], { mappings, expected, ids }: Named): void {
  const names = files.map(({ name }) => basename(name));
  const throwIfUnknown = (option: string, named: object) => {
    const unknown = Object.keys(named).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new UsageError(`${option} names ${unknown}, which is none of ${names.join(', ')}`);
    }
  };
  throwIfUnknown('--mapping', mappings);
  throwIfUnknown('--expect', expected ?? {});
  const left = expected && names.find((name) => !Object.hasOwn(expected, name));
  if (left !== undefined) throw new UsageError(`--expect does not name ${left}`);
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

function print(outcome: Outcome, dryRun: boolean): void {
  const { findings, totals, files, fresh, stored, wallets, repeated } = outcome;
  const word = stored === undefined ? 'REFUSED' : 'DIFFERENCE';
  for (const { code, file, line, detail } of findings.listed) {
    console.log(printable(`${word} ${code} ${file}:${line}: ${detail}`.replaceAll('\n', '?')));
  }
  if (findings.total > findings.listed.length) console.log(`... and ${findings.total - findings.listed.length} more`);
  for (const [code, count] of findings.counts) console.log(`  ${count} ${code}: see docs/import.md`);
  if (repeated > 0) console.log(`${repeated} lines repeat an earlier one, and were left out.`);
  for (const one of totals ?? []) printTotals(one);
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

/** Prints the lines and sums of a file, for a person to compare with the other system. */
function printTotals({ file, lines, sums, isOpenEnded, ...how }: FileTotals): void {
  const parts = [...sums].map(([currency, sum]) => `${sumText(sum, currency, how)} ${currency}`);
  console.log(printable([`${file}: ${lines} lines`, ...parts].join(', ')));
  if (isOpenEnded) console.log(printable(`${file} has no line end behind its last line: see that it was not cut.`));
}

/** Prints a line for each currency and kind: its number and sum in the files, what was new, and what the table has. */
function printSums(files: Sums, fresh: Sums, stored: Sums | undefined): void {
  for (const name of new Set([...files.names(), ...(stored?.names() ?? [])])) {
    const [all, lacking, found] = [files.of(name), fresh.of(name), stored?.of(name)];
    const inTable = found === undefined ? '' : `; in the table ${found.count} of ${found.amount}`;
    console.log(`${name}: ${all.count} of ${all.amount}, ${lacking.count} of ${lacking.amount} of them new${inTable}`);
  }
}
