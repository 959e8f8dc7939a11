import type { InvalidField } from './errors.ts';

/** Matches the strings and brackets of JSON. The search for names needs no other tokens. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;
const exactInteger = /^-?\d+$/;

/**
 * Returns the value of a JSON text. A number counts only when its text is an integer that a double holds exactly. Any
 * other number is read as NaN, which no schema accepts, so no amount is rounded before it is checked.
 *
 * @throws SyntaxError, or RangeError for too deep nesting
 */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown, { source }: { readonly source?: string } = {}) =>
    typeof value === 'number' && !(Number.isSafeInteger(value) && exactInteger.test(source ?? '')) ? NaN : value,
  );
}

/**
 * Returns the names in a JSON text on which parsers disagree: `__proto__`, and names given twice in one object. Of two,
 * some parsers take the first and some the last.
 *
 * @param text valid JSON
 */
export function doubtfulNames(text: string): InvalidField[] {
  const doubtful: InvalidField[] = [];
  /** The objects and lists around the token, the innermost last; a list has no names. */
  const around: { readonly names?: Set<string>; at: string | number; isNameNext: boolean }[] = [];
  for (const [token] of text.matchAll(tokens)) {
    const inside = around.at(-1);
    if (token === '{') {
      around.push({ names: new Set(), at: '', isNameNext: true });
    } else if (token === '[') {
      around.push({ at: 0, isNameNext: false });
    } else if (token === '}' || token === ']') {
      around.pop();
    } else if (token === ',') {
      if (inside?.names) inside.isNameNext = true;
      else if (inside) inside.at = Number(inside.at) + 1;
    } else if (inside?.isNameNext) {
      const name = JSON.parse(token) as string;
      Object.assign(inside, { at: name, isNameNext: false });
      const path = () => around.map(({ at }) => at).join('.');
      if (name === '__proto__') doubtful.push({ path: path(), message: 'is not a known field' });
      else if (inside.names?.has(name)) doubtful.push({ path: path(), message: 'is given twice' });
      inside.names?.add(name);
    }
  }
  return doubtful;
}
