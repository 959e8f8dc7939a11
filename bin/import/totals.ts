/**
 * The number of lines of each file and its sums, and what the other system says they must be. A file that was cut has fewer lines,
 * or another sum.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import { decimalText } from '../../lambdas/domain/minor-units.ts';
import type { Book } from './book.ts';
import { parsedJson } from './mapping.ts';
import type { FileRead } from './read.ts';
import { LineError } from './refusals.ts';
import type { Findings } from './refusals.ts';
import { minorUnitsIn } from './values.ts';

const fileSchema = z.strictObject({
  /** Objects of JSON, or records of CSV without its header. */
  lines: z.int().min(1),
  /** The sum of all amounts by currency, in the unit of the file. Absent: the lines alone are compared. */
  sums: z.record(z.string().regex(/^[A-Z]{3}$/, 'a currency has three capital letters'), z.string()).optional(),
});

/** What files must have, by their names without folders. */
export type Expected = Readonly<Record<string, z.output<typeof fileSchema>>>;

/** Returns what files must have, of a text of JSON. Throws Error, with what is wrong in it. */
export function expectedIn(text: string): Expected {
  return parsedJson(text, z.record(z.string(), fileSchema));
}

/** What a file has. */
export interface FileTotals extends FileRead {
  /** The sum of all amounts by currency, in minor units. */
  readonly sums: ReadonlyMap<string, bigint>;
}

/** Returns what each file has. Lines count that repeat an earlier one. */
export function totalsOf(book: Book, files: readonly FileRead[]): FileTotals[] {
  const sums = new Map(files.map(({ file }) => [file, new Map<string, bigint>()]));
  for (const { file, currency, amount } of book.fileSums()) sums.get(file)?.set(currency, amount);
  return files.map((file) => ({ ...file, sums: sums.get(file.file) ?? new Map<string, bigint>() }));
}

/** Refuses each file with another number of lines than expected. */
export function checkLines(files: readonly FileRead[], expected: Expected, findings: Findings): void {
  for (const { file, lines, lastLine: line } of files) {
    const due = expected[basename(file)]?.lines ?? lines;
    if (lines === due) continue;
    findings.add({ file, line, code: 'totals_differ', detail: `it has ${lines} lines, and must have ${due}` });
  }
}

/** Refuses each file with another sum than expected. */
export function checkSums(files: readonly FileTotals[], expected: Expected, findings: Findings): void {
  for (const { sums, ...file } of files) {
    const due = expected[basename(file.file)]?.sums;
    if (due === undefined) continue;
    const refuse = (detail: string) => {
      findings.add({ file: file.file, line: file.lastLine, code: 'totals_differ', detail });
    };
    for (const currency of new Set([...Object.keys(due), ...sums.keys()])) {
      const [sum, text = '0'] = [sums.get(currency) ?? 0n, due[currency]];
      try {
        if (minorUnitsIn(text, { unit: file.unit, decimalMark: '.' }, currency) === sum) continue;
        refuse(`its amounts add up to ${sumText(sum, currency, file)} ${currency}, and must to ${text}`);
      } catch (error) {
        if (!(error instanceof LineError)) throw error;
        refuse(error.message);
      }
    }
  }
}

/** Returns a sum in the unit of a file. */
export function sumText(sum: bigint, currency: string, { unit }: Pick<FileRead, 'unit'>): string {
  return unit === 'major' ? decimalText(sum, currency) : String(sum);
}
