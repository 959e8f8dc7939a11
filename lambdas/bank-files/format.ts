/** The content of a bank's file in any format, and the errors of a file that cannot be read. */
import { decimalsOf } from '../domain/minor-units.ts';

/** Limits of a file. One beyond them is refused, so that no file takes memory without end. */
export const limits = {
  /** Lines with money, in all files of a run. */
  lines: 5_000_000,
  /** Elements of XML inside each other. */
  depth: 64,
  /** Characters of one text, one record of CSV or one field of MT940. */
  text: 65_536,
  /** Texts of a line in which the bank may name our payment. */
  references: 16,
  /** Statements of a run, and currencies. */
  statements: 100_000,
  currencies: 500,
} as const;

/** Why a file cannot be read. */
export type BankFileErrorCode =
  | 'empty_file'
  | 'unknown_format'
  | 'bad_encoding'
  | 'bad_xml'
  | 'dtd_refused'
  | 'too_deep'
  | 'text_too_long'
  | 'too_many_lines'
  | 'not_a_statement'
  | 'incomplete_file'
  | 'bad_record'
  | 'bad_amount'
  | 'bad_currency'
  | 'bad_date'
  | 'bad_direction'
  | 'bad_status'
  | 'missing_member';

/** Characters that a terminal obeys, or that turn the direction of a text. */
const commanding = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** The error of a file that cannot be read. Such a file is not compared, not even in part. Its text shows no control character. */
export class BankFileError extends Error {
  override readonly name = 'BankFileError';
  readonly code: BankFileErrorCode;
  /** The line of the file, from 1. */
  readonly line: number;

  constructor(code: BankFileErrorCode, line: number, message: string, options?: ErrorOptions) {
    super(message.replaceAll(commanding, '\ufffd'), options);
    this.code = code;
    this.line = line;
  }
}

/** A line of a bank's file: money that left the account or came in. */
export interface BankLine {
  /** The line of the file at which it begins, from 1. */
  readonly line: number;
  /** Which way the money went, as the account's holder sees it. */
  readonly direction: 'out' | 'in';
  /** `pending`: the bank has not booked it. `failed`: the bank says that it was not paid. */
  readonly status: 'booked' | 'pending' | 'failed';
  /** The texts in which the bank may name our payment. */
  readonly references: readonly string[];
  /** The bank's own reference of the booking. */
  readonly bankReference: string | undefined;
  /** Minor units, 0 or more. */
  readonly amount: number;
  readonly currency: string;
  /** The day of the booking, in days since 1970. */
  readonly day: number;
}

/** A statement in a file: the days that it covers for a currency. */
export interface BankStatement {
  readonly line: number;
  readonly currency: string;
  /** Days since 1970, both inclusive. */
  readonly from: number;
  readonly to: number;
}

/** What a parser finds in a file. */
export interface BankFileSink {
  readonly line: (line: BankLine) => void;
  readonly statement: (statement: BankStatement) => void;
  /** Receives sums of the file that do not add up. */
  readonly differs: (difference: {
    readonly code: 'balance_differs' | 'batch_sum_differs';
    readonly line: number;
    readonly detail: string;
  }) => void;
}

/** A parser of one format. It gets the text in pieces of any length. */
export interface BankFileParser {
  /** Throws BankFileError. */
  readonly write: (text: string) => void | Promise<void>;
  /** Ends the file. Throws BankFileError when it is not complete. */
  readonly end: () => void | Promise<void>;
}

/** Returns a currency's code in capitals. Throws BankFileError. */
export function currencyIn(text: string, line: number): string {
  const currency = text.trim().toUpperCase();
  if (!/^[A-Z]{3}$/.test(currency)) throw new BankFileError('bad_currency', line, `"${quoted(text)}" is no currency`);
  return currency;
}

/** Digits, in groups of three or in none, and the decimals behind a point or a comma. */
const grouped = {
  '.': /^(\d{1,3}(?:[,'’ \u00a0\u202f]\d{3})+|\d+)(?:\.(\d*))?$/,
  ',': /^(\d{1,3}(?:[.'’ \u00a0\u202f]\d{3})+|\d+)(?:,(\d*))?$/,
} as const;
const plain = { '.': /^(\d+)(?:\.(\d*))?$/, ',': /^(\d+)(?:,(\d*))?$/ } as const;

/**
 * Returns an amount in minor units.
 *
 * @param mark of decimals: a point or a comma
 * @param isGrouped whether there may be marks between thousands
 * @throws BankFileError for a sign, for a fraction of a minor unit, and beyond 2^53-1
 */
export function amountIn(
  text: string,
  { currency, mark, isGrouped = false }: { currency: string; mark: '.' | ','; isGrouped?: boolean },
  line: number,
): number {
  const [, digits = '', fraction = ''] = (isGrouped ? grouped : plain)[mark].exec(text.trim()) ?? [];
  const decimals = decimalsOf(currency);
  const rest = fraction.slice(decimals);
  const whole = digits.replace(/\D/g, '');
  const amount = Number(`${whole}${fraction.slice(0, decimals).padEnd(decimals, '0')}`);
  if (whole === '' || !/^0*$/.test(rest) || !Number.isSafeInteger(amount)) {
    throw new BankFileError('bad_amount', line, `"${quoted(text)}" is no amount of ${currency}`);
  }
  return amount;
}

const dayMs = 86_400_000;

/** Returns the day of a date, in days since 1970. Throws BankFileError for a day that the calendar does not have. */
export function dayOf(year: number, month: number, day: number, line: number): number {
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  if (year < 1970 || year > 2100 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    throw new BankFileError('bad_date', line, `${year}-${month}-${day} is no date`);
  }
  return ms / dayMs;
}

/** Returns the day at the beginning of a date or time of ISO 8601. Throws BankFileError. */
export function isoDay(text: string, line: number): number {
  const [, year, month, day] = /^\s*(\d{4})-(\d\d)-(\d\d)(?:[TZ+\-\s]|$)/.exec(text) ?? [];
  if (year === undefined) throw new BankFileError('bad_date', line, `"${quoted(text)}" is no date`);
  return dayOf(Number(year), Number(month), Number(day), line);
}

/** Returns the day of a time in epoch milliseconds. */
export function dayOfMs(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** Returns a day as `yyyy-mm-dd`. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** Returns the beginning of a text of the file, for a message. */
export function quoted(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
