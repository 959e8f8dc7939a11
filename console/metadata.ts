/** Metadata as operators read and write it: a line `name: text` for each. */

export type Metadata = Readonly<Record<string, string>>;

/** Returns metadata as lines. */
export function linesOf(metadata: Metadata = {}): string {
  return Object.entries(metadata)
    .map(([name, text]) => `${name}: ${text}`)
    .join('\n');
}

/** A difference of metadata: new texts by name, and null for a name that is removed. */
export type MetadataChanges = Readonly<Record<string, string | null>>;

/**
 * Returns what the lines change; the words about a line that is none. Spaces at the ends of a text are not told apart, as
 * a form drops them.
 */
export function changesIn(lines: string, before: Metadata = {}): MetadataChanges | string {
  const after = new Map<string, string>();
  for (const line of lines.split(/\r?\n/).filter((one) => one.trim() !== '')) {
    const [, name = '', text = ''] = /^\s*([^:]*?)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === '' || text === '') return `Write “name: text” on each line, not “${line.slice(0, 100)}”.`;
    if (after.has(name)) return `The name ${name} is there twice.`;
    after.set(name, text);
  }
  const known = new Map(Object.entries(before));
  const removed = [...known.keys()].filter((name) => !after.has(name)).map((name) => [name, null] as const);
  const set = [...after].filter(([name, text]) => known.get(name)?.trim() !== text);
  return Object.fromEntries([...removed, ...set]);
}
