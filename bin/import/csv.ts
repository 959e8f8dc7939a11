/** CSV (RFC 4180) as lines of an import: UTF-8 with or without a byte order mark, and any line ends. */
import { CsvError, parse } from 'csv-parse';
import { feedOf } from '../../lambdas/bank-files/csv-feed.ts';
import type { CsvMapping } from './mapping.ts';
import { memberNames } from './record.ts';
import type { RawRecord } from './record.ts';
import { limits, LineError, quoted } from './refusals.ts';
import type { Sink } from './read.ts';

const metadataPrefix = 'metadata.';

/** A parser of a file's text, in pieces of any length. */
export interface TextParser {
  readonly write: (text: string) => void | Promise<void>;
  readonly end: () => void | Promise<void>;
}

/**
 * Returns a parser of CSV. Without a mapping the first record has the names of members, and `metadata.NAME` for metadata.
 *
 * Its calls reject with LineError where the rest of the file cannot be read.
 */
export function csvParser(sink: Sink, mapping: CsvMapping | undefined): TextParser {
  let columns: readonly Column[] | undefined;
  const parser = parse({
    bom: true,
    delimiter: mapping?.delimiter ?? ',',
    quote: mapping?.quote ?? '"',
    max_record_size: limits.line,
    skip_empty_lines: true,
    relax_column_count: true,
    on_record: (record: string[], { lines }) => {
      if (columns === undefined) {
        columns = columnsOf(record, mapping);
      } else if (record.length !== columns.length) {
        sink.refuse(
          lines,
          new LineError('bad_record', `it has ${record.length} fields, and the header ${columns.length}`),
        );
      } else {
        sink.record(lines, rawOf(record, columns, mapping));
      }
      return null;
    },
  });
  return feedOf(parser, (error) => {
    sink.line(Math.max(1, parser.info.lines));
    return error instanceof CsvError ? readingError(error) : error;
  });
}

function readingError(error: CsvError): LineError {
  return new LineError(error.code === 'CSV_MAX_RECORD_SIZE' ? 'line_too_long' : 'bad_record', error.message);
}

/** Where the values of a column go; nowhere: it is not read. */
type Column = readonly ({ readonly member: string } | { readonly key: string })[];

function columnsOf(header: readonly string[], mapping: CsvMapping | undefined): Column[] {
  const names = header.map((name) => name.trim());
  const throwIfTwice = (those: readonly string[]) => {
    const name = those.find((one) => names.indexOf(one) !== names.lastIndexOf(one));
    if (name !== undefined) throw new LineError('unknown_column', `two columns are ${quoted(name)}`);
  };
  if (mapping === undefined) {
    throwIfTwice(names);
    return names.map((name) => {
      if (name.startsWith(metadataPrefix)) return [{ key: name.slice(metadataPrefix.length) }];
      if (memberNames.includes(name)) return [{ member: name }];
      throw new LineError(
        'unknown_column',
        `the column ${quoted(name)} is none of ${memberNames.join(', ')}, metadata.…`,
      );
    });
  }
  const goals = [
    ...Object.entries(mapping.columns).map(([member, name = '']) => ({ name, goal: { member } })),
    ...Object.entries(mapping.metadata).map(([key, name]) => ({ name, goal: { key } })),
  ];
  const read = goals.map(({ name }) => name);
  const missing = read.find((name) => !names.includes(name));
  if (missing !== undefined) throw new LineError('unknown_column', `there is no column ${quoted(missing)}`);
  throwIfTwice(read);
  return names.map((column) => goals.filter(({ name }) => name === column).map(({ goal }) => goal));
}

function rawOf(record: readonly string[], columns: readonly Column[], mapping: CsvMapping | undefined): RawRecord {
  const members: [string, unknown][] = Object.entries(mapping?.constants ?? {});
  const metadata: [string, string][] = [];
  for (const [index, column] of columns.entries()) {
    const value = (record[index] ?? '').trim();
    if (value === '') continue;
    for (const goal of column) {
      if ('key' in goal) metadata.push([goal.key, value]);
      else members.push([goal.member, goal.member === 'kind' ? kindOf(value, mapping) : value]);
    }
  }
  if (metadata.length > 0) members.push(['metadata', Object.fromEntries(metadata)]);
  return Object.fromEntries(members);
}

/** Returns the kind that a word of the file stands for. */
function kindOf(word: string, mapping: CsvMapping | undefined): string {
  const found = Object.entries(mapping?.kinds ?? {}).find(([, words]) => words.includes(word));
  return found?.[0] ?? word;
}
