/** Lines of JSON, one object each. A line that is none is refused, and the next one is read. */
import type { TextParser } from './csv.ts';
import type { Sink } from './read.ts';
import type { RawRecord } from './record.ts';
import { limits, LineError, quoted } from './refusals.ts';

/** Returns a parser of lines of JSON. */
export function jsonLinesParser(sink: Sink): TextParser {
  let rest = '';
  let line = 0;
  let isTooLong = false;
  const take = (text: string) => {
    line++;
    if (isTooLong || text.length > limits.line) {
      isTooLong = false;
      sink.refuse(line, new LineError('line_too_long', `it has more than ${limits.line} characters`));
      return;
    }
    const content = text.trim();
    if (content === '') return;
    const value = objectIn(content);
    if (value instanceof LineError) sink.refuse(line, value);
    else sink.record(line, value);
  };
  return {
    write(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const one of lines) take(one);
      if (rest.length <= limits.line) return;
      // The rest of the line is not kept.
      isTooLong = true;
      rest = '';
    },
    end() {
      if (rest !== '' || isTooLong) take(rest);
    },
  };
}

/** More digits in a row than a number of JSON holds exactly. */
const manyDigits = /[\d.]{16}/;

/** Returns a number of a line that may have been rounded as the text that it is. */
function exactly(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { source } = context ?? {};
  return typeof value === 'number' && source !== undefined && manyDigits.test(source) ? source : value;
}

function objectIn(text: string): RawRecord | LineError {
  let value: unknown;
  try {
    value = manyDigits.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
  } catch {
    return new LineError('bad_json', `${quoted(text)} is no JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RawRecord;
  return new LineError('bad_json', `${quoted(text)} is no object`);
}
