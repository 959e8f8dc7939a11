/** Lines that an import refuses, each with its place and a code that docs/import.md explains. */
import type { ImportRefusalCode } from '../../lambdas/store/imports.ts';

/** Limits of a run. What is beyond them is refused, so that no file takes memory without end. */
export const limits = {
  /** Characters of one line of JSON, or one record of CSV. */
  line: 1_048_576,
  /** Characters of an id. */
  id: 200,
} as const;

/** Why a line cannot be imported. */
export type RefusalCode =
  | 'empty_file'
  | 'bad_encoding'
  | 'line_too_long'
  | 'bad_json'
  | 'bad_record'
  | 'unknown_column'
  | 'unknown_kind'
  | 'missing_member'
  | 'bad_member'
  | 'bad_amount'
  | 'bad_currency'
  | 'bad_date'
  | 'future_date'
  | 'duplicate_id'
  | 'currency_mismatch'
  | 'same_wallet'
  | 'before_wallet'
  | 'totals_differ'
  | ImportRefusalCode;

/** Why the tables do not agree with the files at the end. */
export type DifferenceCode = 'missing_in_table' | 'record_differs' | 'balance_differs';

/** The error of one line. */
export class LineError extends Error {
  override readonly name = 'LineError';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A line of a file. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A refused line, or a difference at the end. */
export interface Finding extends Place {
  readonly code: RefusalCode | DifferenceCode;
  readonly detail: string;
}

/** The findings that are listed. All are counted. */
const mostListed = 1_000;

/** The findings of a run, by code. */
export class Findings {
  readonly listed: Finding[] = [];
  readonly counts = new Map<string, number>();
  total = 0;

  add(finding: Finding): void {
    if (this.listed.length < mostListed) this.listed.push(finding);
    this.counts.set(finding.code, (this.counts.get(finding.code) ?? 0) + 1);
    this.total++;
  }
}

/** Returns the beginning of a text of a file, for a message. */
export function quoted(text: unknown): string {
  if (typeof text !== 'string') return '(no text)';
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
}
