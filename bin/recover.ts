/**
 * `npm run recover`: makes the books of a restored wallet table sound again. Exits 0 when they are, 1 when differences
 * are left, each with its name and what a person must do, and 2 when the recovery could not be made.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hourMs } from '../lambdas/domain/hours.ts';
import type { Books } from '../lambdas/integrity/pass.ts';
import { bankUsage, booksOptions, checkAllBooks, namesIn, openBooks } from './books.ts';
import { memoryText, placeUsage, runCommand, UsageError } from './command.ts';
import { countUnknownWallets, fetchArchive, loadArchive } from './recover/archive.ts';
import type { BooksCopy } from './recover/copy.ts';
import { recoverBooks } from './recover/recover.ts';
import { Recovery } from './recover/recovery.ts';
import { printingReport } from './recover/report.ts';
import type { PrintingReport } from './recover/report.ts';
import { setSettings } from './recover/settings.ts';

const usage = `npm run recover -- --table NAME --entries-table NAME --restored-to TIME --stopped [options]

  --restored-to TIME     the moment that the wallet table was restored to, ISO 8601
  --stopped              confirms that no function of the service runs: each write of one would be lost
  --events FOLDER        the event archive: a copy of the audit bucket, or s3://BUCKET/events/ (needs the AWS CLI)
${bankUsage}
  --dry-run              names what differs, and writes nothing
${placeUsage}

docs/disaster.md has the steps before and after it.`;

/** Clocks differ, and writes were under way at the restored moment. */
const marginMs = hourMs;
/** Segments of the check at the end. */
const segments = 8;

const options = {
  ...booksOptions,
  'restored-to': { type: 'string' },
  events: { type: 'string' },
  stopped: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
} as const;

runCommand({ usage, options }, async (values) => {
  const names = namesIn(values, usage);
  const restoredTo = Date.parse(values['restored-to'] ?? '');
  if (Number.isNaN(restoredTo)) {
    throw new UsageError(`--restored-to must be a time, received ${String(values['restored-to'])}`);
  }
  const dryRun = values['dry-run'];
  if (!values.stopped && !dryRun) {
    throw new UsageError(
      `stop the service, and say so with --stopped: what its functions write meanwhile would be lost`,
    );
  }
  const books = await openBooks(names);
  const report = printingReport();
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  await recover(books, report, { dryRun, comparedFrom: restoredTo - marginMs, events: values.events, seconds });
  report.summarize();
  if (!dryRun) {
    await checkAllBooks(books, { segments, standStill: true, secondLookMs: 0 }, ({ kind, subject, detail }) => {
      if (kind === 'payment_differs' && report.hasNamed('payment_forgotten', subject)) return;
      report.differs({ kind, subject, detail, remedy: 'docs/runbook.md#discrepancy' });
    });
  }
  console.log(`${report.differences()} differences are left. ${seconds()} s, ${memoryText()}`);
  return report.differences() === 0 ? 0 : 1;
});

async function recover(
  books: Books,
  report: PrintingReport,
  options: {
    readonly dryRun: boolean;
    readonly comparedFrom: number;
    readonly events: string | undefined;
    readonly seconds: () => string;
  },
): Promise<void> {
  const { dryRun, comparedFrom, events, seconds } = options;
  const { table, entries, statement: bank } = books;
  const recovery = new Recovery({ table, entries, bank, comparedFrom, dryRun, restartsChecks: true, report });
  try {
    await recoverBooks(recovery, {
      ...(events !== undefined && { loadEvents: (copy) => readEvents(copy, events, comparedFrom, report) }),
      setSettings: () => setSettings(books, { dryRun, report }),
      step: (name) => {
        console.log(`${seconds()} s: ${name}`);
      },
    });
  } finally {
    recovery.close();
  }
}

async function readEvents(
  copy: BooksCopy,
  location: string,
  comparedFrom: number,
  report: PrintingReport,
): Promise<void> {
  const isRemote = location.startsWith('s3://');
  const folder = isRemote ? mkdtempSync(join(tmpdir(), 'wallet-events-')) : location;
  try {
    if (isRemote) await fetchArchive(location, folder, comparedFrom, Date.now());
    const events = await loadArchive(copy, folder, comparedFrom, report);
    const unknown = countUnknownWallets(copy);
    console.log(
      `  ${events} events. The restored table lacks ${unknown} wallets that they name` +
        (unknown === 0 ? '' : '; see with --dry-run that these are of this service'),
    );
  } finally {
    if (isRemote) rmSync(folder, { recursive: true });
  }
}
