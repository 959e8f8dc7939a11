/**
 * Random choices that depend only on names: the same seed and names always give the same number. So a step or a fault
 * can be removed from a history without any effect on the rest.
 */

/** Returns a number in [0, 1) for a seed and names. */
export function chance(...names: readonly (string | number)[]): number {
  const text = names.join('\u0000');
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // FNV spreads the last characters badly; this is the end of MurmurHash3.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Returns one of the choices. */
export function choose<T>(choices: readonly T[], ...names: readonly (string | number)[]): T {
  const chosen = choices[Math.floor(chance(...names) * choices.length)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}

/** Returns a whole number from `least` to `most`. */
export function between(least: number, most: number, ...names: readonly (string | number)[]): number {
  return least + Math.floor(chance(...names) * (most - least + 1));
}
