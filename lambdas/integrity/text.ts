/** Returns the state of a check as text: JSON, with bigints as `<digits>n`. A text that looks like one gets a `~` before it. */
export function stateToText(state: object): string {
  return JSON.stringify(state, (_name, value: unknown) => {
    if (typeof value === 'bigint') return `${String(value)}n`;
    return typeof value === 'string' && /^~*-?\d+n$/.test(value) ? `~${value}` : value;
  });
}

/** @param text as `stateToText` made it */
export function stateFromText(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value !== 'string' || !/^~*-?\d+n$/.test(value)) return value;
    return value.startsWith('~') ? value.slice(1) : BigInt(value.slice(0, -1));
  });
}
