import { invalid } from './request.ts';

/** Where a page ends, as an opaque text; absent when there is nothing behind it. */
export function cursorOf(next: string | undefined): string | undefined {
  return next === undefined ? undefined : Buffer.from(next).toString('base64url');
}

/**
 * What a cursor stands for. It names a place in a list that the caller may read anyway, so it needs no signature, but
 * it must be one that we could have made.
 *
 * @throws WalletError `invalid_request`
 */
export function readCursor(cursor: string | undefined, isValid: (place: string) => boolean): string | undefined {
  if (cursor === undefined) return undefined;
  const place = Buffer.from(cursor, 'base64url').toString();
  if (!isValid(place) || cursorOf(place) !== cursor) {
    throw invalid([{ path: 'cursor', message: 'must be the nextCursor of an earlier page of the same list' }]);
  }
  return place;
}
