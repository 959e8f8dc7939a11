/** Reads the files of one comparison, each with the same content once. */
import { createHash } from 'node:crypto';
import type { Coverage } from './coverage.ts';
import type { CsvMapping } from './csv.ts';
import { BankFileError } from './format.ts';
import type { KeptLines } from './lines.ts';
import { readBankFile } from './read.ts';
import type { Bytes } from './read.ts';
import { keysOf } from './references.ts';
import type { Findings, ReadFile } from './report.ts';

/** A bank's file. */
export interface BankFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Opens the file from its beginning. It may be called twice. */
  readonly open: () => Bytes;
}

/** The error of one of several files. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly file: string;
  override readonly cause: BankFileError;

  constructor(file: string, cause: BankFileError) {
    super(`${file}:${cause.line}: ${cause.code}: ${cause.message}`);
    this.file = file;
    this.cause = cause;
  }
}

/** What the content of files is kept in. */
interface Kept {
  readonly lines: KeptLines;
  readonly findings: Findings;
  readonly coverage: Coverage;
}

/** What was read. */
interface FilesRead {
  readonly read: readonly ReadFile[];
  /** Lines that the bank has not booked. */
  readonly pending: number;
  /** The first day of a line, in days since 1970; Infinity: there is no line. */
  readonly firstDay: number;
}

/**
 * Reads files into `into`.
 *
 * @throws UnreadableFile for the first file that cannot be read
 */
export async function readFiles(
  files: readonly BankFile[],
  into: Kept,
  options: { readonly csv: CsvMapping | undefined; readonly progress: (bytes: number) => void },
): Promise<FilesRead> {
  const read: ReadFile[] = [];
  const state = { pending: 0, firstDay: Infinity };
  for (const [index, file] of files.entries()) {
    const twin = await twinOf(file, read);
    if (twin !== undefined) {
      const detail = `it has the same content as ${twin}: its lines are not compared again`;
      into.findings.addOfFile('file_twice', file.name, 1, detail);
      continue;
    }
    const before = into.lines.count;
    try {
      const { format, bytes, sha256 } = await readBankFile(file.open(), sinkOf(file, index, into, state), options);
      read.push({ name: file.name, format, sha256, bytes, lines: into.lines.count - before });
    } catch (error) {
      throw error instanceof BankFileError ? new UnreadableFile(file.name, error) : error;
    }
  }
  return { read, ...state };
}

function sinkOf(
  file: BankFile,
  index: number,
  { lines, coverage, findings }: Kept,
  state: { pending: number; firstDay: number },
): Parameters<typeof readBankFile>[1] {
  return {
    line: (line) => {
      lines.add(line, index, keysOf(line.references));
      if (line.status === 'pending') state.pending++;
      state.firstDay = Math.min(state.firstDay, line.day);
    },
    statement: (statement) => {
      coverage.add(statement);
    },
    differs: ({ code, line, detail }) => {
      findings.addOfFile(code, file.name, line, detail);
    },
  };
}

/** Returns the name of an earlier file with the same content. Only a file of the same size is read for it. */
async function twinOf(file: BankFile, read: readonly ReadFile[]): Promise<string | undefined> {
  const alike = read.filter(({ bytes }) => bytes === file.size);
  if (alike.length === 0) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of file.open()) hash.update(chunk);
  const sha256 = hash.digest('hex');
  return alike.find((earlier) => earlier.sha256 === sha256)?.name;
}
