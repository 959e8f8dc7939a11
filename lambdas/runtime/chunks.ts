/** What one call takes: so many items, and so many bytes of them together. */
export interface ChunkLimits {
  readonly most: number;
  readonly mostBytes: number;
}

/** Splits items into chunks for one call each, in their order. An item above the limit is left to be refused, alone. */
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
