/** The kinds of changes that calls make: the same text for two calls that make the same change to other items. */

/** Values that a program chooses from a few, such as a status or a type. Ids, keys and texts hold other characters. */
const word = /^[a-z_]+$/;

/** What names an item, or is told by one: only its kind matters. */
const beforeId = /^[A-Z]+(?=#|$)/;

/**
 * Returns the kind of the change that an input asks for: its expressions and names, and of its values only those that a
 * program chooses from a few. Neighbours of the same kind in a list count once.
 */
export function kindOfChange(input: unknown): string {
  if (Array.isArray(input)) return `[${[...new Set(input.map(kindOfChange))].join()}]`;
  if (typeof input === 'string') return kindOfText(input);
  if (typeof input !== 'object' || input === null) return typeof input === 'boolean' ? String(input) : '';
  const members = Object.entries(input).map(
    ([name, value]) => `${name}:${isCode(name) ? String(value) : kindOfChange(value)}`,
  );
  // The engine answers the members of a map in any order, and some become a part of the next change.
  return `{${members.sort().join()}}`;
}

/** Returns whether the text of a member is written by a programmer. */
function isCode(name: string): boolean {
  return name.endsWith('Expression') || name === 'Statement' || name === 'QueueUrl' || name.startsWith('#');
}

function kindOfText(text: string): string {
  if (text.startsWith('{')) return kindOfChange(JSON.parse(text));
  return word.test(text) ? text : (beforeId.exec(text)?.[0] ?? '');
}
