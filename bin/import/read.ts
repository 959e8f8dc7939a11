/** Reads files piece by piece, so that memory does not grow with them. */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { csvParser } from './csv.ts';
import type { TextParser } from './csv.ts';
import { jsonLinesParser } from './json-lines.ts';
import type { Mappings } from './mapping.ts';
import { recordOf } from './record.ts';
import type { ImportRecord, RawRecord } from './record.ts';
import { LineError } from './refusals.ts';
import type { Place } from './refusals.ts';

/** Receives the lines of a file. Lines are counted from 1. */
export interface Sink {
  readonly record: (line: number, raw: RawRecord) => void;
  readonly refuse: (line: number, error: LineError) => void;
  /** Notes where the reading stopped. */
  readonly line: (line: number) => void;
}

/** A file to read. */
export interface ImportFile {
  readonly name: string;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** How files are read. */
export interface ReadOptions {
  readonly amounts: 'minor' | 'major';
  readonly mappings: Mappings;
  /** Returns the lines of an import that an object of another system stands for. Absent: the objects are such lines. */
  readonly translate?: ((raw: RawRecord) => readonly RawRecord[]) | undefined;
  /** Epoch ms. */
  readonly now: number;
}

/** Receives what the lines say, and the errors of those that cannot be read. */
export interface RecordSink {
  readonly record: (place: Place, record: ImportRecord) => void;
  readonly refuse: (place: Place, error: LineError) => void;
}

const extensions = ['.csv', '.jsonl', '.ndjson', '.json'];

/**
 * Returns the files that a path names: itself, or those of a folder with lines of JSON or CSV, by name.
 *
 * @throws Error when it cannot be read, or is a folder without such files
 */
export function filesAt(path: string): ImportFile[] {
  if (!statSync(path).isDirectory()) return [fileAt(path)];
  const names = readdirSync(path).filter((name) => extensions.includes(extensionOf(name)));
  if (names.length === 0) throw new Error(`no file in it ends with ${extensions.join(', ')}`);
  return names.sort().map((name) => fileAt(join(path, name)));
}

function extensionOf(name: string): string {
  return extname(name).toLowerCase();
}

function fileAt(name: string): ImportFile {
  return { name, open: () => createReadStream(name) };
}

/** What was read of a file. */
export interface FileRead {
  readonly file: string;
  /** Objects of JSON, or records of CSV without its header. */
  readonly lines: number;
  /** The line that was read last, from 1. */
  readonly lastLine: number;
  /** Whether the last line has no line end. So it may have been cut, though some systems write files so. */
  readonly isOpenEnded: boolean;
  /** The unit of its amounts. */
  readonly unit: 'minor' | 'major';
}

/** Reads a file. Calls `sink` for each line; refuses the rest of a file whose structure is broken. */
export async function readFile(file: ImportFile, options: ReadOptions, sink: RecordSink): Promise<FileRead> {
  const mapping = options.mappings[basename(file.name)];
  const amounts = { unit: mapping?.amounts ?? options.amounts, decimalMark: mapping?.decimalMark ?? '.' };
  /** The line that was read last, whether there was one, the objects or records, and the last character. */
  const state = { line: 1, isEmpty: true, lines: 0, end: '' };
  const refuse = (at: number, error: LineError) => {
    state.isEmpty = false;
    sink.refuse({ file: file.name, line: at }, error);
  };
  const record = (at: number, raw: RawRecord) => {
    state.line = at;
    state.isEmpty = false;
    state.lines++;
    try {
      for (const one of options.translate?.(raw) ?? [raw]) {
        sink.record({ file: file.name, line: at }, recordOf(one, { amounts, now: options.now }));
      }
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      refuse(at, error);
    }
  };
  const noted: Sink = { record, refuse, line: (at) => (state.line = at) };
  const parser = extensionOf(file.name) === '.csv' ? csvParser(noted, mapping) : jsonLinesParser(noted);
  try {
    state.end = await readText(file, mapping?.encoding ?? 'utf-8', parser);
    if (state.isEmpty) refuse(1, new LineError('empty_file', 'there is no line in it'));
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    refuse(state.line, error);
  }
  const { line: lastLine, lines, end } = state;
  return { file: file.name, lines, lastLine, isOpenEnded: !/[\r\n]/.test(end), unit: amounts.unit };
}

/** Gives the text of a file to a parser. Returns its last character. */
async function readText(file: ImportFile, encoding: string, parser: TextParser): Promise<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new LineError('bad_encoding', `it is not written in ${encoding}, somewhere behind this line`);
    }
  };
  let last = '';
  const write = async (text: string) => {
    if (text === '') return;
    last = text.slice(-1);
    await parser.write(text);
  };
  for await (const bytes of file.open()) await write(decode(bytes));
  await write(decode());
  await parser.end();
  return last;
}
