import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { feedOf } from './csv-feed.ts';
import { amountIn, BankFileError, currencyIn, dayOf, limits, quoted } from './format.ts';
import type { BankFileParser, BankFileSink, BankLine } from './format.ts';

/** A column by the name in the first record, or by its number from 1. */
const column = z.union([z.string().min(1).max(200), z.int().min(1).max(1_000)]);
const words = z.array(z.string().min(1).max(100)).min(1).max(50);

const mappingSchema = z.strictObject({
  delimiter: z.string().length(1).default(','),
  quote: z.string().length(1).default('"'),
  encoding: z.enum(['utf-8', 'iso-8859-1', 'windows-1252', 'utf-16le']).default('utf-8'),
  /** Lines before the first record, which has the names of the columns unless `header` is false. */
  skipLines: z.int().min(0).max(1_000).default(0),
  header: z.boolean().default(true),
  columns: z.strictObject({
    /** The columns in which the bank may name our payment. */
    references: z.array(column).min(1).max(8),
    amount: column,
    date: column,
    currency: column.optional(),
    direction: column.optional(),
    status: column.optional(),
    bankReference: column.optional(),
  }),
  /** The currency of all lines, where no column has it. */
  currency: z.string().optional(),
  decimalMark: z.enum(['.', ',']).default('.'),
  /** Whether amounts are in minor units. */
  minorUnits: z.boolean().default(false),
  /** The order of year, month and day, with the characters between them. */
  dateFormat: z
    .string()
    .regex(/^(?=.*YYYY)(?=.*MM)(?=.*DD)[YMD./-]{8,10}$/)
    .default('YYYY-MM-DD'),
  /** The words of the column `direction`, or the direction of all lines. Absent: a negative amount left the account. */
  direction: z.union([z.enum(['out', 'in']), z.strictObject({ out: words, in: words })]).optional(),
  /** The words of the column `status`. Each line must have one of them. */
  status: z
    .strictObject({ booked: words, pending: words.optional(), failed: words.optional(), ignored: words.optional() })
    .optional(),
});

/** How the columns of a CSV file are read. */
export type CsvMapping = z.output<typeof mappingSchema>;

/** Returns the mapping in a text of JSON. Throws Error, with what is wrong in it. */
export function csvMappingIn(text: string): CsvMapping {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`the mapping is no JSON: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
  const result = mappingSchema.safeParse(value);
  if (!result.success) throw new Error(`the mapping is not valid: ${z.prettifyError(result.error)}`);
  const mapping = result.data;
  const { columns, currency, direction, status } = mapping;
  const missing = [
    ...((columns.currency === undefined) === (currency === undefined) ? ['either columns.currency or currency'] : []),
    ...((columns.direction !== undefined) === (typeof direction === 'object')
      ? []
      : ['direction with the words of columns.direction']),
    ...((columns.status !== undefined) === (status !== undefined) ? [] : ['status with the words of columns.status']),
  ];
  if (missing.length > 0) throw new Error(`the mapping needs ${missing.join(', ')}`);
  return mapping;
}

type ColumnName = Exclude<keyof CsvMapping['columns'], 'references'>;

/** Returns a parser of CSV with these columns. */
export function csvParser(sink: BankFileSink, mapping: CsvMapping): BankFileParser {
  const reader = new CsvReader(sink, mapping);
  const parser = parse({
    bom: true,
    delimiter: mapping.delimiter,
    quote: mapping.quote,
    from_line: mapping.skipLines + 1,
    max_record_size: limits.text,
    skip_empty_lines: true,
    on_record: (record: string[], { lines }) => {
      reader.take(record, lines);
      return null;
    },
  });
  return feedOf(
    parser,
    (error) => readingError(error, parser.info.lines),
    () => {
      reader.end(parser.info.lines);
    },
  );
}

function readingError(error: Error, line: number): Error {
  if (!(error instanceof CsvError)) return error;
  const code = error.code === 'CSV_MAX_RECORD_SIZE' ? 'text_too_long' : 'bad_record';
  return new BankFileError(code, Math.max(1, line), error.message);
}

class CsvReader {
  readonly #sink: BankFileSink;
  readonly #mapping: CsvMapping;
  #header: readonly string[] | undefined;
  #places: Partial<Record<ColumnName, number>> | undefined;
  #references: number[] = [];
  #records = 0;
  /** The days of the lines of each currency. */
  readonly #days = new Map<string, { from: number; to: number; line: number }>();

  constructor(sink: BankFileSink, mapping: CsvMapping) {
    this.#sink = sink;
    this.#mapping = mapping;
  }

  take(record: readonly string[], line: number): void {
    if (this.#mapping.header && this.#header === undefined) {
      this.#header = record.map((name) => name.trim());
      this.#findColumns(line);
      return;
    }
    if (this.#places === undefined) this.#findColumns(line);
    this.#records++;
    const found = this.#lineOf(record, line);
    if (found === undefined) return;
    this.#sink.line(found);
    if (found.status !== 'booked') return;
    const days = this.#days.get(found.currency);
    if (days === undefined) {
      if (this.#days.size >= limits.currencies) throw new BankFileError('bad_currency', line, 'too many currencies');
      this.#days.set(found.currency, { from: found.day, to: found.day, line });
    } else {
      days.from = Math.min(days.from, found.day);
      days.to = Math.max(days.to, found.day);
    }
  }

  end(line: number): void {
    if (this.#records === 0) throw new BankFileError('empty_file', Math.max(1, line), 'there is no record in it');
    for (const [currency, days] of this.#days) this.#sink.statement({ currency, ...days });
  }

  #findColumns(line: number): void {
    const { references, ...others } = this.#mapping.columns;
    const placeOf = (name: string | number): number => {
      const place = typeof name === 'number' ? name - 1 : (this.#header ?? []).indexOf(name);
      if (place < 0) throw new BankFileError('missing_member', line, `there is no column "${quoted(String(name))}"`);
      return place;
    };
    this.#references = references.map(placeOf);
    const named = Object.entries(others) as [ColumnName, string | number | undefined][];
    this.#places = Object.fromEntries(
      named.flatMap(([key, name]) => (name === undefined ? [] : [[key, placeOf(name)]])),
    );
  }

  #lineOf(record: readonly string[], line: number): BankLine | undefined {
    const { currency: ofAll = '', decimalMark: mark, minorUnits } = this.#mapping;
    const textOf = (key: ColumnName): string | undefined => {
      const place = this.#places?.[key];
      return place === undefined ? undefined : (record[place] ?? '').trim();
    };
    const status = this.#status(textOf('status'), line);
    if (status === 'ignored') return undefined;
    const currency = currencyIn(textOf('currency') ?? ofAll, line);
    const [, sign = '', digits = ''] = /^([+-]?)(.*)$/s.exec(textOf('amount') ?? '') ?? [];
    const amount = minorUnits ? minorIn(digits, line) : amountIn(digits, { currency, mark, isGrouped: true }, line);
    const bankReference = textOf('bankReference');
    return {
      ...{ line, status, currency, amount },
      direction: this.#direction(textOf('direction'), sign, line),
      references: this.#references.map((place) => (record[place] ?? '').trim()).filter((text) => text !== ''),
      bankReference: bankReference === '' ? undefined : bankReference,
      day: this.#day(textOf('date') ?? '', line),
    };
  }

  #status(text: string | undefined, line: number): BankLine['status'] | 'ignored' {
    const { status } = this.#mapping;
    if (status === undefined || text === undefined) return 'booked';
    for (const name of ['booked', 'pending', 'failed', 'ignored'] as const) {
      if (status[name]?.includes(text)) return name;
    }
    throw new BankFileError('bad_status', line, `the mapping does not know the status "${quoted(text)}"`);
  }

  #direction(text: string | undefined, sign: string, line: number): BankLine['direction'] {
    const { direction } = this.#mapping;
    if (typeof direction === 'string') return direction;
    if (direction === undefined || text === undefined) return sign === '-' ? 'out' : 'in';
    if (direction.out.includes(text)) return 'out';
    if (direction.in.includes(text)) return 'in';
    throw new BankFileError('bad_direction', line, `the mapping does not know the direction "${quoted(text)}"`);
  }

  #day(text: string, line: number): number {
    const { dateFormat } = this.#mapping;
    const parts = { YYYY: 0, MM: 0, DD: 0 };
    for (const part of ['YYYY', 'MM', 'DD'] as const) {
      const at = dateFormat.indexOf(part);
      const digits = text.slice(at, at + part.length);
      if (!/^\d+$/.test(digits) || digits.length !== part.length) {
        throw new BankFileError('bad_date', line, `"${quoted(text)}" is no date as ${dateFormat}`);
      }
      parts[part] = Number(digits);
    }
    return dayOf(parts.YYYY, parts.MM, parts.DD, line);
  }
}

function minorIn(digits: string, line: number): number {
  const amount = Number(digits);
  if (/^\d+$/.test(digits) && Number.isSafeInteger(amount)) return amount;
  throw new BankFileError('bad_amount', line, `"${quoted(digits)}" is no amount in minor units`);
}
