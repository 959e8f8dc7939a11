/**
 * A stretch of one index, newest first: the entries found, and the key down to which it was read (absent: to its end).
 */
export interface Stretch<T> {
  readonly items: readonly T[];
  readonly readTo?: string;
}

/**
 * Merges stretches of several indexes, newest first, into one page.
 *
 * Shows an entry only when every index was read at least down to it. Otherwise the page would skip, for ever, an entry
 * of another index that belongs above it. `next` is the key after which the following page begins; absent when
 * everything was shown.
 *
 * @param keyOf the sort key, the same in every index, larger is newer
 * @param limit most entries on the page, at least 1
 */
export function mergePage<T>(
  stretches: readonly Stretch<T>[],
  keyOf: (item: T) => string,
  limit: number,
): { items: T[]; next?: string } {
  const frontiers = stretches.flatMap(({ readTo }) => (readTo === undefined ? [] : [readTo]));
  const frontier = frontiers.reduce<string | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined);
  const known = stretches
    .flatMap(({ items }) => items)
    .filter((item) => frontier === undefined || keyOf(item) >= frontier)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
  const items = known.slice(0, limit);
  if (known.length > limit) return { items, next: keyOf(items[limit - 1] as T) };
  return frontier === undefined ? { items } : { items, next: frontier };
}
