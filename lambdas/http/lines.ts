/** Bodies of JSON lines: one value on each line (application/x-ndjson). */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { WalletError } from '../domain/errors.ts';
import type { InvalidField } from '../domain/errors.ts';
import { invalid, mostErrors, textOf, valueOf } from './request.ts';

/** The media type of a body of JSON lines. */
export const linesMediaType = 'application/x-ndjson';

/** Limits of a body of lines. */
export interface LinesLimits {
  readonly mostLines: number;
  readonly mostBytes: number;
}

/**
 * Returns the values of a body of JSON lines, when each of them is valid. The last line may end with a newline.
 *
 * @param check returns a line's value as it is used; throws `invalid_request` for a line that is not valid
 * @throws WalletError `unsupported_media_type`, `payload_too_large`, and `invalid_request` with the first 20 defects. A
 * path begins with the number of the line, from 1: `lines[4].amount`
 */
export function linesOf<T>(
  event: APIGatewayProxyEvent,
  { mostLines, mostBytes }: LinesLimits,
  check: (value: unknown) => T,
): T[] {
  const texts = textOf(event, { mediaType: linesMediaType, mostBytes }).split('\n');
  if (texts.at(-1) === '') texts.pop();
  if (texts.length === 0 || texts.length > mostLines) {
    throw invalid([{ path: '', message: `must have 1 to ${mostLines} lines, received ${texts.length}` }]);
  }
  const values: T[] = [];
  const errors: InvalidField[] = [];
  for (const [index, text] of texts.entries()) {
    try {
      values.push(check(valueOf(text)));
    } catch (error) {
      if (!(error instanceof WalletError) || error.code !== 'invalid_request') throw error;
      const defects = error.details.errors ?? [];
      errors.push(...defects.map(({ path, message }) => ({ path: pathInLine(index, path), message })));
      if (errors.length >= mostErrors) break;
    }
  }
  if (errors.length > 0) throw invalid(errors.slice(0, mostErrors));
  return values;
}

/** Returns the path of a field in the line with this index, from 0. */
export function pathInLine(index: number, path: string): string {
  return `lines[${index + 1}]${path === '' ? '' : `.${path}`}`;
}
