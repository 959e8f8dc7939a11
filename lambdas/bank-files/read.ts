import { createHash } from 'node:crypto';
import { camtParser } from './camt.ts';
import type { CsvMapping } from './csv.ts';
import { BankFileError } from './format.ts';
import type { BankFileParser, BankFileSink } from './format.ts';
import { mt940Parser } from './mt940.ts';

/** The formats of bank files. */
export type BankFileFormat = 'camt.053' | 'mt940' | 'csv';

/** The content of a file, in the order of its bytes. */
export type Bytes = AsyncIterable<Uint8Array>;

/** Bytes at the beginning that show the format. */
const headBytes = 1_024;

/**
 * Reads a file of a bank, in pieces: the memory does not grow with it.
 *
 * @param csv the columns of a CSV file; without it the file is camt.053 or MT940
 * @param progress receives the number of bytes so far
 * @returns its format, size and SHA-256
 * @throws BankFileError when it cannot be read; some of its lines may have been reported by then
 */
export async function readBankFile(
  content: Bytes,
  sink: BankFileSink,
  { csv, progress }: { readonly csv?: CsvMapping | undefined; readonly progress?: (bytes: number) => void } = {},
): Promise<{ format: BankFileFormat; bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let head: Uint8Array = new Uint8Array();
  let reading: Reading | undefined;
  for await (const chunk of content) {
    hash.update(chunk);
    bytes += chunk.length;
    if (reading === undefined) {
      head = Buffer.concat([head, chunk]);
      if (head.length < headBytes) continue;
      reading = await begin(head, sink, csv);
      await reading.write(head);
    } else {
      await reading.write(chunk);
    }
    progress?.(bytes);
  }
  if (reading === undefined) {
    reading = await begin(head, sink, csv);
    await reading.write(head);
  }
  await reading.end();
  return { format: reading.format, bytes, sha256: hash.digest('hex') };
}

interface Reading {
  readonly format: BankFileFormat;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Begins to read a file whose first bytes are these. Throws BankFileError. */
async function begin(head: Uint8Array, sink: BankFileSink, csv: CsvMapping | undefined): Promise<Reading> {
  const start = new TextDecoder('latin1').decode(head.subarray(0, headBytes));
  const isUtf16 = /^(?:ÿþ|þÿ)/.test(start);
  const text = start
    .replace(/^(?:ï»¿|ÿþ|þÿ)/, '')
    .replaceAll('\0', '')
    .trimStart();
  if (text === '') throw new BankFileError('empty_file', 1, 'there is nothing in it');
  if (csv) {
    // The other formats do without its 20 MiB of libraries.
    const { csvParser } = await import('./csv.ts');
    return decoded('csv', csv.encoding, csvParser(sink, csv));
  }
  if (text.startsWith('<')) {
    const declared = /^<\?xml[^>]*?encoding=["']([\w.:-]+)["']/.exec(text)?.[1];
    const encoding = isUtf16 ? (start.startsWith('ÿ') ? 'utf-16le' : 'utf-16be') : (declared ?? 'utf-8');
    return decoded('camt.053', encoding, camtParser(sink));
  }
  if (/^(?:\{1:|:\d\d[A-Z]?:)/.test(text)) return decoded('mt940', 'windows-1252', mt940Parser(sink));
  throw new BankFileError('unknown_format', 1, 'it is neither camt.053 nor MT940, and no mapping of CSV is given');
}

const encodings = ['utf-8', 'us-ascii', 'iso-8859-1', 'iso-8859-15', 'windows-1252', 'utf-16', 'utf-16le', 'utf-16be'];

function decoded(format: BankFileFormat, encoding: string, parser: BankFileParser): Reading {
  if (!encodings.includes(encoding.toLowerCase())) {
    throw new BankFileError('bad_encoding', 1, `the encoding ${encoding} is refused`);
  }
  const decoder = new TextDecoder(encoding, { fatal: true });
  let lines = 1;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new BankFileError('bad_encoding', lines, `it is not written in ${encoding}`, { cause });
    }
  };
  return {
    format,
    async write(bytes) {
      const text = decode(bytes);
      await parser.write(text);
      lines += countLines(bytes);
    },
    async end() {
      const rest = decode();
      if (rest !== '') await parser.write(rest);
      await parser.end();
    },
  };
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
