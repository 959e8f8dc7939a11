/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The place where the next page begins; absent on the last one. */
  readonly nextCursor?: string | undefined;
}

/** A list that the service answers in pages: `for await` goes over all items. */
export interface Pages<T> extends AsyncIterable<T> {
  /** Reads one page: the first, or the one at `cursor`. */
  readonly page: (cursor?: string) => Promise<Page<T>>;
}

/** Returns a list over a function that reads one page. */
export function pagesOf<T>(page: (cursor?: string) => Promise<Page<T>>): Pages<T> {
  return {
    page,
    async *[Symbol.asyncIterator]() {
      let cursor: string | undefined;
      do {
        const { items, nextCursor } = await page(cursor);
        yield* items;
        cursor = nextCursor;
      } while (cursor !== undefined);
    },
  };
}
