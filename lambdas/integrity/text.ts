/** Returns the state of a check as text: JSON, with bigints as `<digits>n`. */
export function stateToText(state: object): string {
  return JSON.stringify(state, (_name, value: unknown) => (typeof value === 'bigint' ? `${String(value)}n` : value));
}

/** @param text as `stateToText` made it */
export function stateFromText(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) =>
    typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  );
}
