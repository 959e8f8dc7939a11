/** Limits of one call: the number of items, and their bytes together. */
export interface ChunkLimits {
  readonly most: number;
  readonly mostBytes: number;
}

/**
 * Splits items into chunks for one call each, in their order. An item above the limit gets a chunk of its own, which
 * the call refuses.
 */
export function chunksOf<T>(items: readonly T[], sizeOf: (item: T) => number, limits: ChunkLimits): T[][] {
  const chunks: T[][] = [];
  let room = { items: 0, bytes: 0 };
  for (const item of items) {
    const bytes = sizeOf(item);
    if (room.items === 0 || bytes > room.bytes) {
      chunks.push([]);
      room = { items: limits.most, bytes: limits.mostBytes };
    }
    chunks.at(-1)?.push(item);
    room = { items: room.items - 1, bytes: room.bytes - bytes };
  }
  return chunks;
}
