/**
 * Returns the state of a check as text: JSON, with bigints as `<digits>n`. A text of that form gets a `~` before it.
 */
export function stateToText(state: object): string {
  return JSON.stringify(state, (_name, value: unknown) => {
    if (typeof value === 'bigint') return `${String(value)}n`;
    return typeof value === 'string' && /^~*-?\d+n$/.test(value) ? `~${value}` : value;
  });
}

/**
 * Parses the state of a check.
 *
 * @param text as `stateToText` returns it
 */
export function stateFromText(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value !== 'string' || !/^~*-?\d+n$/.test(value)) return value;
    return value.startsWith('~') ? value.slice(1) : BigInt(value.slice(0, -1));
  });
}
