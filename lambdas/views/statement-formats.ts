import { jsonOf } from '../domain/money.ts';
import type { FormatName, StatementFile } from '../domain/statement-file.ts';
import { camt053 } from './statement-camt.ts';
import { csv } from './statement-csv.ts';
import type { StatementFormat, StatementHead } from './statement-view.ts';

/** The object of the API, member by member. */
const json: StatementFormat = {
  mediaType: 'application/json',
  extension: 'json',
  before: (head) => `${jsonOf(head).slice(0, -1)},"lines":[`,
  line: (line, _head, index) => `${index === 0 ? '' : ','}${jsonOf(line)}`,
  after: (_head, end) => `],${jsonOf(end).slice(1)}`,
};

export const statementFormats: Readonly<Record<FormatName, StatementFormat>> = { json, csv, 'camt.053': camt053 };

/** Returns the key of a statement's file in its bucket. */
export function fileKeyOf({ statementId, format }: Pick<StatementFile, 'statementId' | 'format'>): string {
  return `files/${statementId}.${statementFormats[format].extension}`;
}

/** Returns the header that names a statement as a file. */
export function fileHeaderOf(
  { walletId, from, to }: Pick<StatementHead, 'walletId' | 'from' | 'to'>,
  { extension }: StatementFormat,
): string {
  return `attachment; filename="statement-${walletId}-${from.slice(0, 10)}-${to.slice(0, 10)}.${extension}"`;
}

/** The format of each media type that a client may accept. */
const ofMediaTypes: Readonly<Record<string, FormatName>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'text/*': 'csv',
  'text/csv': 'csv',
  'application/xml': 'camt.053',
  'text/xml': 'camt.053',
};

/**
 * Returns the format that a client prefers by its `Accept` headers (RFC 9110, section 12.5.1): the one of the highest quality,
 * and of several the first. JSON where it accepts none of them, as the standard allows.
 */
export function acceptedFormat(accept: readonly string[]): FormatName {
  let best: { readonly name: FormatName; readonly quality: number } = { name: 'json', quality: 0 };
  for (const range of accept.flatMap((line) => line.split(','))) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const name = Object.hasOwn(ofMediaTypes, type) ? ofMediaTypes[type] : undefined;
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (name !== undefined && quality > best.quality) best = { name, quality };
  }
  return best.name;
}
