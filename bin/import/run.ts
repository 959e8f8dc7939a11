/** The steps of an import: read, check, look up, write, compare, make active. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Table } from '../../lambdas/store/table.ts';
import { Book } from './book.ts';
import { checkBook } from './check.ts';
import { compare, sumsOf } from './compare.ts';
import type { Sums } from './compare.ts';
import { readFile } from './read.ts';
import type { FileRead, ImportFile, ReadOptions, RecordSink } from './read.ts';
import { Findings, LineError } from './refusals.ts';
import { checkLines, checkSums, totalsOf } from './totals.ts';
import type { Expected, FileTotals } from './totals.ts';
import { activate, lookUp, writeBook } from './write.ts';
import type { Run } from './write.ts';

/** The settings of a run. */
export interface ImportOptions extends Omit<ReadOptions, 'now'> {
  readonly dryRun: boolean;
  /** What the files must have; absent: that is not known. */
  readonly expected?: Expected | undefined;
  /** Leaves the wallets frozen, so that a longer file can follow. */
  readonly keepFrozen: boolean;
  /** The file to write ids to; absent: none. */
  readonly idsFile?: string | undefined;
  readonly atATime: number;
  /** Receives the step under way, and what of it is done. */
  readonly progress: (step: Step, done: number) => void;
}

export const steps = ['read', 'check', 'look up', 'write', 'compare', 'activate'] as const;
export type Step = (typeof steps)[number];

/** The result of a run. */
export interface Outcome {
  readonly findings: Findings;
  /** What each file has. Undefined: the files were refused before. */
  readonly totals?: readonly FileTotals[];
  /** What all files have. */
  readonly files?: Sums;
  /** What the table lacked before the run. */
  readonly fresh?: Sums;
  /** Whether a write was refused: what comes behind it was not written. */
  readonly stopped?: boolean;
  /** What the table has at the end; undefined: the run ended before. */
  readonly stored?: Sums;
  readonly wallets: { readonly all: number; readonly fresh: number; readonly activated: number };
  readonly repeated: number;
}

/**
 * Imports files. Writes nothing while a line of them is refused. What an earlier run has written stays as it is, so a run that
 * died is started again.
 *
 * @throws WalletError `busy` when the table does not answer
 */
export async function importFiles(
  table: Table,
  files: readonly ImportFile[],
  options: ImportOptions,
): Promise<Outcome> {
  const book = new Book();
  try {
    return await importInto(book, table, files, options);
  } finally {
    book.close();
  }
}

async function importInto(
  book: Book,
  table: Table,
  files: readonly ImportFile[],
  options: ImportOptions,
): Promise<Outcome> {
  const findings = new Findings();
  const now = table.now();
  const run = (step: Step): Run => {
    let done = 0;
    const progress = (more: number) => {
      options.progress(step, (done += more));
    };
    progress(0);
    return { table, book, findings, atATime: options.atATime, progress };
  };
  const read = await readFiles(files, { ...options, now }, run('read'));
  run('check');
  checkLines(read, options.expected ?? {}, findings);
  if (findings.total === 0) checkBook(book, findings, now);
  const totals = findings.total === 0 ? totalsOf(book, read) : [];
  checkSums(totals, options.expected ?? {}, findings);
  const counts = () => ({ all: countWallets(book, ''), fresh: countWallets(book, "WHERE state = 'new'") });
  const refused = () => ({ findings, wallets: { ...counts(), activated: 0 }, repeated: book.repeated });
  if (findings.total > 0) return refused();
  await lookUp(run('look up'));
  const before = counts();
  const { all: sums, fresh } = sumsOf(book);
  const planned = { ...refused(), totals, files: sums, fresh };
  if (findings.total > 0) return planned;
  if (options.idsFile !== undefined) await writeIds(book, options.idsFile);
  if (options.dryRun) return planned;
  await writeBook(run('write'));
  if (findings.total > 0) return { ...planned, stopped: true };
  const stored = await compare(run('compare'));
  const activated = findings.total > 0 || options.keepFrozen ? 0 : await activate(run('activate'));
  return { ...planned, stored, wallets: { ...before, activated } };
}

async function readFiles(
  files: readonly ImportFile[],
  options: ReadOptions,
  { book, findings, progress }: Run,
): Promise<FileRead[]> {
  const refuse: RecordSink['refuse'] = (place, { code, message: detail }) => {
    findings.add({ ...place, code, detail });
  };
  const record: RecordSink['record'] = (place, one) => {
    progress(1);
    try {
      book.add(place, one);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      refuse(place, error);
    }
  };
  const read: FileRead[] = [];
  for (const file of files) read.push(await readFile(file, options, { record, refuse }));
  book.index();
  return read;
}

function countWallets(book: Book, where: string): number {
  return book.query({ n: 'number' }, `SELECT COUNT(*) AS n FROM wallets ${where}`).first()?.n ?? 0;
}

/** Writes the id of each wallet in the other system, and its id here, as CSV. */
async function writeIds(book: Book, name: string): Promise<void> {
  const out = createWriteStream(name);
  out.write('id,walletId\n');
  for (const page of book.walletPages(1_000)) {
    const rows = page.map(({ ref, wallet_id: id }) => `"${ref.replaceAll('"', '""')}",${id}\n`);
    if (!out.write(rows.join(''))) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
