import { findingCodes } from './findings.ts';
import type { Finding, FindingCode } from './findings.ts';
import { dayText } from './format.ts';
import type { BankFileFormat } from './read.ts';

/** Differences that a report lists. It counts all. */
const mostListed = 10_000;

/** A difference in a report. Amounts are in minor units. */
export interface Difference {
  readonly code: FindingCode;
  /** The file and its line, from 1; absent when no line has it. */
  readonly file?: string;
  readonly line?: number;
  readonly transactionId?: string;
  readonly walletId?: string;
  readonly bank?: {
    readonly direction: string;
    readonly status: string;
    readonly amount: number;
    readonly currency: string;
    readonly date: string;
  };
  readonly ours?: {
    readonly type: string;
    readonly status: string;
    readonly amount: number;
    readonly currency: string;
    readonly completedAt?: string | undefined;
  };
  readonly detail: string;
  /** The place in the docs that says what to do. */
  readonly remedy: string;
}

/** A file of a report. */
export interface ReadFile {
  readonly name: string;
  readonly format: BankFileFormat;
  readonly sha256: string;
  readonly bytes: number;
  readonly lines: number;
}

/** The comparison of bank files with the books. */
export interface ReconcileReport {
  readonly version: 1;
  readonly outcome: 'matched' | 'differences';
  readonly files: readonly ReadFile[];
  /** The days for which the files must have our payments. */
  readonly covered: readonly { readonly currency: string; readonly from: string; readonly to: string }[];
  readonly counts: {
    readonly lines: number;
    /** Lines that agree with a transaction. */
    readonly matched: number;
    /** Lines that the bank has not booked. */
    readonly pending: number;
    /** Payments of the last days, which a later file may have. */
    readonly awaited: number;
    /** Credits that could not be compared, as the table was not read. */
    readonly notCompared: number;
    readonly differences: number;
    readonly byCode: Readonly<Partial<Record<FindingCode, number>>>;
  };
  /** What was read of the table. `readUnits`: half a unit is 4 KB. */
  readonly read: { readonly scanned: number; readonly readUnits: number };
  /** The first ones, in the order of files and lines. */
  readonly differences: readonly Difference[];
}

/** Collects findings. It keeps as many as a report lists, and counts the others. */
export class Findings {
  readonly #kept: Difference[] = [];
  readonly #counts = new Map<FindingCode, number>();
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  add({ code, line, movement, detail }: Finding, reference?: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    if (this.#kept.length >= mostListed) return;
    const transactionId = movement?.transactionId ?? reference;
    this.#kept.push({
      code,
      ...(line && { file: this.#names[line.file] ?? '', line: line.line }),
      ...(transactionId !== undefined && { transactionId }),
      ...(movement && {
        walletId: movement.walletId,
        ours: {
          ...{ type: movement.type, status: movement.status, amount: movement.amount, currency: movement.currency },
          ...(movement.completedAt !== undefined && { completedAt: movement.completedAt }),
        },
      }),
      ...(line && {
        bank: {
          ...{ direction: line.direction, status: line.status, amount: line.amount, currency: line.currency },
          date: dayText(line.day),
        },
      }),
      detail,
      remedy: `docs/bank-files.md#${code}`,
    });
  }

  /** Adds a difference inside a file. */
  addOfFile(code: FindingCode, file: string, line: number, detail: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    if (this.#kept.length >= mostListed) return;
    this.#kept.push({ code, file, line, detail, remedy: `docs/bank-files.md#${code}` });
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Returns the counts in the order of the codes. */
  byCode(): Partial<Record<FindingCode, number>> {
    return Object.fromEntries(
      findingCodes.flatMap((code) => {
        const count = this.#counts.get(code);
        return count === undefined ? [] : [[code, count]];
      }),
    );
  }

  /** Returns the differences by file, line and transaction, so that the same files give the same report. */
  sorted(): Difference[] {
    const order = ({ file, line = 0, transactionId = '', code }: Difference) =>
      [file === undefined ? this.#names.length : this.#names.indexOf(file), line, transactionId, code] as const;
    return [...this.#kept].sort((a, b) => compare(order(a), order(b)));
  }
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  const [one = 0, other = 0] = [a[at], b[at]];
  return at < 0 ? 0 : one < other ? -1 : 1;
}
