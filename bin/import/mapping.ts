/** The columns of CSV files whose names are not those of the members. */
import { z } from 'zod';
import { memberNames } from './record.ts';

const words = z.array(z.string().min(1).max(100)).min(1).max(50);
const column = z.string().min(1).max(200);

const fileSchema = z.strictObject({
  delimiter: z.string().length(1).default(','),
  quote: z.string().length(1).default('"'),
  encoding: z.enum(['utf-8', 'iso-8859-1', 'windows-1252', 'utf-16le']).default('utf-8'),
  /** The column of each member. Columns that are not named are not read. */
  columns: z.partialRecord(z.enum(memberNames), column),
  /** Columns of metadata, by its key. */
  metadata: z.record(z.string(), column).default({}),
  /** Members that are the same in all lines, such as `kind` or `currency`. */
  constants: z.partialRecord(z.enum(memberNames), z.string().min(1).max(200)).default({}),
  /** The words of the column `kind`. */
  kinds: z.partialRecord(z.enum(['wallet', 'opening', 'charge', 'withdrawal', 'transfer']), words).optional(),
  amounts: z.enum(['minor', 'major']).optional(),
  decimalMark: z.enum(['.', ',']).default('.'),
});

/** How the columns of one file are read. */
export type CsvMapping = z.output<typeof fileSchema>;

/** The mappings of files, by their names without folders. */
export type Mappings = Readonly<Record<string, CsvMapping>>;

/** Returns the mappings in a text of JSON. Throws Error, with what is wrong in it. */
export function mappingsIn(text: string): Mappings {
  return parsedJson(text, z.record(z.string(), fileSchema));
}

/** Returns what a text of JSON says by a schema. Throws Error, with what is wrong in it. */
export function parsedJson<S extends z.ZodType>(text: string, schema: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`it is no JSON: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`it is not valid: ${z.prettifyError(result.error)}`);
  return result.data;
}
