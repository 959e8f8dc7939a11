import { WalletClientError } from './errors.ts';

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

/**
 * Returns a list over a function that reads one page. Going over it throws WalletClientError when a page leads to itself: it
 * would never end.
 */
export function pagesOf<T>(page: (cursor?: string) => Promise<Page<T>>): Pages<T> {
  return {
    page,
    async *[Symbol.asyncIterator]() {
      let cursor: string | undefined;
      do {
        const { items, nextCursor } = await page(cursor);
        yield* items;
        if (nextCursor !== undefined && nextCursor === cursor) {
          throw new WalletClientError('the list does not go on: a page has the cursor that led to it');
        }
        cursor = nextCursor;
      } while (cursor !== undefined);
    },
  };
}
