/**
 * `npm run reconcile`: compares a bank's files with the withdrawals and charges of a table, and changes nothing. Exits 0
 * when they agree, 1 when they differ, and 2 when they could not be compared.
 */
import { createReadStream, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { isoDay } from '../lambdas/bank-files/format.ts';
import { UnreadableFile } from '../lambdas/bank-files/read-files.ts';
import type { BankFile } from '../lambdas/bank-files/read-files.ts';
import { reconcile } from '../lambdas/bank-files/reconcile.ts';
import type { Progress } from '../lambdas/bank-files/reconcile.ts';
import type { Difference, ReconcileReport } from '../lambdas/bank-files/report.ts';
import { bankIdOf } from '../lambdas/bank/identity.ts';
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

const usage = `npm run reconcile -- --table NAME FILE... [options]

FILE is camt.053 of any version, MT940, or CSV with --csv.

  --csv FILE             the columns of CSV files, as JSON: docs/bank-files.md
  --bank-id ID           compare withdrawals that went to this bank only: the prop bank.id, or host and path of its URL
  --days N               days by which the bank may date a payment apart from us (5)
  --from DATE            compare payments from this day on, yyyy-mm-dd (the files' first day)
  --to DATE              the last day (the files' last day)
  --charges              each charge with an external reference must be in the files, too
  --lines-only           reads only what the lines name: finds no payment that the files lack, and no charge
  --segments N           read this many segments of the table side by side (2)
  --report FILE          write the report to this file
  --json                 print the report, and the progress to standard error
${placeUsage}`;

const shown = 100;

const options = {
  ...placeOptions,
  table: { type: 'string' },
  csv: { type: 'string' },
  'bank-id': { type: 'string' },
  days: { type: 'string', default: '5' },
  from: { type: 'string' },
  to: { type: 'string' },
  charges: { type: 'boolean', default: false },
  'lines-only': { type: 'boolean', default: false },
  segments: { type: 'string', default: '2' },
  report: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

runCommand({ usage, options, words: true }, async (values, names) => {
  const { table: name, report: reportFile, json } = values;
  if (name === undefined || names.length === 0) throw new UsageError(`--table and a file are needed\n\n${usage}`);
  const files = names.map(openFile);
  const settings = {
    csv: values.csv === undefined ? undefined : await mappingIn(values.csv),
    bankId: values['bank-id'] === undefined ? undefined : bankIdOf(values['bank-id']),
    days: wholeNumber('--days', values.days, 0),
    charges: values.charges,
    scan: !values['lines-only'],
    segments: wholeNumber('--segments', values.segments, 1),
    from: dayIn('--from', values.from),
    to: dayIn('--to', values.to),
  };
  usePlace(values);
  const table = await openWalletTable(name);
  const say = json ? console.error : console.log;
  let last: Progress | undefined;
  const progress = startProgress(() => last && progressText(last), say);
  try {
    const report = await compared(table, files, { ...settings, progress: (now) => (last = now) });
    if (reportFile !== undefined) keep(report, reportFile);
    if (json) console.log(JSON.stringify(report, undefined, 2));
    else print(report);
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    const processor = ((userCPUTime + systemCPUTime) / 1e6).toFixed(1);
    say(`${progress.seconds()} s, ${processor} s of a processor, ${memoryText()}`);
    return report.outcome === 'matched' ? 0 : 1;
  } finally {
    progress.stop();
  }
});

/** Compares files with the books. Throws UsageError for a file that cannot be read. */
async function compared(...given: Parameters<typeof reconcile>): Promise<ReconcileReport> {
  try {
    return await reconcile(...given);
  } catch (error) {
    throw error instanceof UnreadableFile ? new UsageError(error.message) : error;
  }
}

const things = { files: 'bytes read', table: 'items of the table read', lookups: 'transactions looked up' };

function progressText({ lines, done, stage }: Progress): string {
  return `${lines} lines, ${done} ${things[stage]}`;
}

function openFile(name: string): BankFile {
  try {
    const { size } = statSync(name);
    return { name, size, open: () => createReadStream(name) };
  } catch {
    throw new UsageError(`cannot read the file ${name}`);
  }
}

async function mappingIn(name: string) {
  const { csvMappingIn } = await import('../lambdas/bank-files/csv.ts');
  const text = usable(`cannot read --csv ${name}`, () => readFileSync(name, 'utf8'));
  return usable(`--csv ${name}`, () => csvMappingIn(text));
}

function dayIn(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  try {
    return isoDay(value, 1);
  } catch {
    throw new UsageError(`${option} must be a day as 2026-03-31, received ${value}`);
  }
}

/** Writes the report. A crash leaves the former file or the new one, never a part. */
function keep(report: ReconcileReport, name: string): void {
  const before = existsSync(name) ? readFileSync(name, 'utf8') : undefined;
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  if (before !== undefined && hashesIn(before).some((hash) => report.files.some(({ sha256 }) => sha256 === hash))) {
    console.error(
      `${name} has a report of these files already; ${before === text ? 'nothing has changed since' : 'it is replaced'}.`,
    );
  }
  writeFileSync(`${name}.part`, text);
  renameSync(`${name}.part`, name);
}

function hashesIn(text: string): unknown[] {
  try {
    const { files } = JSON.parse(text) as { files?: { sha256?: unknown }[] };
    return files?.map(({ sha256 }) => sha256) ?? [];
  } catch {
    return [];
  }
}

function print(report: ReconcileReport): void {
  for (const { name, format, lines } of report.files) console.log(`${name}: ${format}, ${lines} lines`);
  for (const { currency, from, to } of report.covered) console.log(`Compared: ${currency} from ${from} to ${to}`);
  for (const difference of report.differences.slice(0, shown)) console.log(lineOf(difference));
  const { counts, read } = report;
  if (counts.differences > shown) console.log(`... and ${counts.differences - shown} more: use --report or --json`);
  for (const [code, count] of Object.entries(counts.byCode)) {
    console.log(`  ${count} ${code}: docs/bank-files.md#${code}`);
  }
  console.log(
    `${counts.lines} lines: ${counts.matched} agree, ${counts.pending} are not booked. ` +
      `${counts.awaited} payments of the last days may be in the next file. ` +
      (counts.notCompared === 0 ? '' : `${counts.notCompared} credits were not compared. `) +
      `${read.scanned} items and ${read.readUnits} read units.`,
  );
  console.log(
    report.outcome === 'matched'
      ? 'The files and the books agree.'
      : `${counts.differences} differences. Nothing was changed.`,
  );
}

function lineOf({ code, file, line, transactionId = '', detail }: Difference): string {
  const place = file === undefined ? '' : `${file}:${line ?? 1} `;
  return `DIFFERENCE ${code} ${place}${transactionId}: ${detail}`;
}
